//! Single rules of masking, each with an example.

use std::sync::Arc;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use repovault::mask::{Masker, Masking, Matcher, Needles, Verdict, forms};
use repovault::secret::Secret;

use crate::random::Random;

const TOKEN: &str = "vQ7x-Zp2mK9rT4wL";

fn needles(secrets: &[(&str, &[u8], Masking)]) -> Needles {
    let mut needles = Needles::new();
    for (name, value, masking) in secrets {
        let verdict = forms::add(&mut needles, name, &Secret::new(value.to_vec()), *masking);
        assert_eq!(verdict, Verdict::Masked);
    }
    needles
}

fn masker(value: &str) -> Masker {
    let needles = needles(&[("A", value.as_bytes(), Masking::Always)]);
    Masker::new(Arc::new(Matcher::new(needles)))
}

/// Returns the output after each chunk, and at the end.
fn steps(masker: &mut Masker, chunks: &[&str]) -> Vec<String> {
    let mut steps = Vec::new();
    for chunk in chunks {
        let mut out = Vec::new();
        masker.feed(chunk.as_bytes(), &mut out);
        steps.push(String::from_utf8(out).expect("text"));
    }
    let mut out = Vec::new();
    masker.finish(&mut out);
    steps.push(String::from_utf8(out).expect("text"));
    steps
}

#[test]
fn unmasked_secret_gets_a_verdict_with_the_reason() {
    let mut needles = Needles::new();
    for (value, masking, verdict) in [
        ("12345", Masking::Automatic, Verdict::TooShort),
        (" 12345 \n", Masking::Automatic, Verdict::TooShort),
        ("LocalHost", Masking::Automatic, Verdict::Common),
        (TOKEN, Masking::Never, Verdict::Never),
        ("", Masking::Always, Verdict::TooShort),
    ] {
        let secret = Secret::new(value.as_bytes().to_vec());
        assert_eq!(
            forms::add(&mut needles, "A", &secret, masking),
            verdict,
            "{value}"
        );
    }
    assert!(needles.is_empty());
}

#[test]
fn short_value_with_always_is_masked_at_token_borders() {
    for (chunks, expected) in [
        (&["pin 4711."][..], &["pin ***.", ""][..]),
        (&["4711"], &["", "***"]),
        (
            &["x4711 47112 _4711 4711é"],
            &["x4711 47112 _4711 4711é", ""],
        ),
        (&["pin 47", "11", "."], &["pin ", "", "***.", ""]),
        (&["pin 47", "11", "2"], &["pin ", "", "47112", ""]),
        (&["x", "4711", " "], &["x", "4711", " ", ""]),
        (&["47114711"], &["47114711", ""]),
    ] {
        assert_eq!(steps(&mut masker("4711"), chunks), expected, "{chunks:?}");
    }
}

#[test]
fn cut_off_secret_is_masked_from_eight_bytes_and_half() {
    let seventeen = "0123456789abcdefg";
    let repeated = r#"{"a":"kestrekestre","b":"kestrekestrekestre"}"#;
    for (value, text, out) in [
        ("0123456789", "x 0123456", "x 0123456"),
        ("0123456789", "x 01234567", "x ***"),
        (seventeen, "x 01234567", "x 01234567"),
        (seventeen, "x 012345678", "x ***"),
        (seventeen, "x 01234\r\n 5678", "x ***"),
        (seventeen, "x 012345678\n", "x ***\n"),
        // Two overlapping copies of the first string make the second one, but they do not cover all
        // cut-off beginnings of it.
        (repeated, "x kestrekestrek", "x ***"),
    ] {
        let steps = steps(&mut masker(value), &[text]);
        assert_eq!(steps.concat(), out, "{text:?}");
    }
}

#[test]
fn secret_is_masked_after_its_first_bytes_were_shown_early() {
    let mut masker = masker(TOKEN);
    let mut out = Vec::new();
    masker.feed(b"> vQ7", &mut out);
    assert_eq!(out, b"> ");
    masker.show_short(&mut out);
    assert_eq!(out, b"> vQ7");
    masker.feed(b"x", &mut out);
    masker.show_short(&mut out);
    assert_eq!(out, b"> vQ7");
    masker.feed(b"-Zp2mK9rT4wL!", &mut out);
    assert_eq!(out, b"> vQ7***!");
}

#[test]
fn incomplete_escape_sequence_is_not_shown_early() {
    let mut masker = masker(TOKEN);
    let mut out = Vec::new();
    masker.feed(b"> vQ\x1b[3", &mut out);
    masker.show_short(&mut out);
    assert_eq!(out, b"> ");
    masker.feed(b"1m", &mut out);
    masker.show_short(&mut out);
    assert_eq!(out, b"> vQ\x1b[31m");
    masker.feed(b"7x-Zp2mK9rT4wL!", &mut out);
    assert_eq!(out, b"> vQ\x1b[31m***!");
}

#[test]
fn replaced_matcher_knows_held_and_early_shown_bytes() {
    let first = Matcher::new(needles(&[("A", b"kestrel-and-more", Masking::Automatic)]));
    let more = needles(&[("B", b"kestrel-or-less", Masking::Automatic)]);
    let both = Arc::new(first.extended(&more));
    let mut masker = Masker::new(Arc::new(first));
    let mut out = Vec::new();
    masker.feed(b"a kestrel-", &mut out);
    masker.replace_matcher(Arc::clone(&both));
    masker.feed(b"or-less b kes", &mut out);
    masker.show_short(&mut out);
    assert_eq!(out, b"a *** b kes");
    masker.replace_matcher(both);
    masker.feed(b"trel-and-more c", &mut out);
    assert_eq!(out, b"a *** b kes*** c");
}

#[test]
fn added_needle_masks_the_held_rest_of_shown_bytes() {
    let first = Matcher::new(needles(&[("A", b"kestrel-and-more", Masking::Automatic)]));
    let more = needles(&[("B", b"estrel", Masking::Automatic)]);
    let both = Arc::new(first.extended(&more));
    let mut masker = Masker::new(Arc::new(first));
    let mut out = Vec::new();
    masker.feed(b"a kes", &mut out);
    masker.show_short(&mut out);
    masker.feed(b"trel-an", &mut out);
    assert_eq!(out, b"a kes");
    masker.replace_matcher(both);
    masker.feed(b"d-less b", &mut out);
    assert_eq!(out, b"a kes***-and-less b");
}

#[test]
fn only_encoded_secret_holds_back_a_byte_before_it() {
    // In base64, the byte before a needle can carry bits of the secret. Before the secret itself,
    // no byte does.
    for letter in 'A'..='Z' {
        let chunks = [&format!(". {letter}vQ7x"), "!"];
        let shown = [&format!(". {letter}"), "vQ7x!", ""];
        assert_eq!(steps(&mut masker(TOKEN), &chunks), shown);
    }
}

#[test]
fn line_ending_like_a_secret_begins_is_not_delayed() {
    for line in ["ready: vQ7\n", "\x1b[32mready: v\x1b[0m\n", "50% v\r"] {
        assert_eq!(steps(&mut masker(TOKEN), &[line]), [line, ""]);
    }
}

#[test]
fn secret_with_an_early_line_break_is_masked_after_the_break() {
    let chunks = ["a vQ7\n", "x-Zp2mK9", "\n  rT4wL b"];
    assert_eq!(
        steps(&mut masker(TOKEN), &chunks),
        ["a vQ7\n", "", "*** b", ""]
    );
}

#[test]
fn masked_secrets_are_counted_by_name_and_form() {
    let secrets: [(&str, &[u8], Masking); 2] = [
        ("A", TOKEN.as_bytes(), Masking::Automatic),
        ("B", b"p&ss/w0rd", Masking::Automatic),
    ];
    let mut masker = Masker::new(Arc::new(Matcher::new(needles(&secrets))));
    let encoded = BASE64_STANDARD.encode(TOKEN);
    let shifted = BASE64_STANDARD.encode(format!("12{TOKEN}"));
    let text = format!("{TOKEN} {encoded} p%26ss%2Fw0rd {TOKEN} p&ss/w0rd {shifted}");
    let out = steps(&mut masker, &[&text]).concat();
    assert_eq!(out, "*** *** *** *** *** MT***");
    let counts: Vec<_> = masker
        .counts()
        .into_iter()
        .map(|(label, count)| (label.name, label.form, count))
        .collect();
    let expected = [
        ("A", "base64", 2),
        ("A", "raw", 2),
        ("B", "percent", 1),
        ("B", "raw", 1),
    ];
    assert_eq!(counts, expected);
}

#[test]
fn occurrence_within_another_is_not_counted() {
    let secrets: [(&str, &[u8], Masking); 2] = [
        ("A", b"kestrel-one", Masking::Automatic),
        ("B", b"a-kestrel-one-b", Masking::Automatic),
    ];
    let mut masker = Masker::new(Arc::new(Matcher::new(needles(&secrets))));
    steps(&mut masker, &["a-kestrel-one", "-b"]);
    let counts: Vec<_> = masker
        .counts()
        .into_iter()
        .map(|(label, count)| (label.name, count))
        .collect();
    assert_eq!(counts, [("B", 1)]);
}

#[test]
fn secret_of_one_line_has_at_most_a_hundred_needles() {
    let url = "postgres://shöp:p%40s\"s'%24<w0rd>&\\x@db.internal/ü?a=b c$d`e^f!#\u{7}\u{1f600}";
    let mut random = Random::new(1);
    for length in [6, 12, 40, 400, 4000] {
        for value in [
            random.bytes(url.as_bytes(), length),
            url.as_bytes().to_vec(),
        ] {
            let mut needles = Needles::new();
            let verdict = forms::add(&mut needles, "A", &Secret::new(value), Masking::Automatic);
            assert_eq!(verdict, Verdict::Masked);
            assert!(
                (10..=forms::MOST_NEEDLES).contains(&needles.len()),
                "{}",
                needles.len()
            );
        }
    }
}

#[test]
fn secret_with_a_gap_of_at_most_64_kib_is_masked() {
    for (length, is_masked) in [(1 << 16, true), ((1 << 16) + 1, false)] {
        let text = format!("vQ7x-Zp2{}mK9rT4wL", "\n".repeat(length));
        let out = steps(&mut masker(TOKEN), &[&text]).concat();
        assert_eq!(out == "***", is_masked);
        assert_eq!(out == text, !is_masked);
    }
}

#[test]
fn endless_gap_within_a_secret_does_not_fill_the_memory() {
    for gap in ["\n", "\x1b]", "\x1b[0m", "\x1b[\r   "] {
        let mut masker = masker(TOKEN);
        let mut out = Vec::new();
        masker.feed(b"vQ7x-Zp2", &mut out);
        for _ in 0..100 {
            masker.feed(gap.repeat(4096).as_bytes(), &mut out);
            assert!(masker.held() < 1 << 17, "{gap:?}");
        }
        masker.feed(b"~", &mut out);
        assert_eq!(masker.held(), 0, "{gap:?}");
    }
}

#[test]
fn forms_are_masked_the_same_for_every_cut() {
    let alphabet = "aZ9+/=-_ \"'\\&<>$%\n\té😀".as_bytes();
    for seed in 0..1_500 {
        let mut random = Random::new(seed);
        let length = 6 + random.below(20);
        let value = random.bytes(alphabet, length);
        let mut needles = Needles::new();
        if forms::add(&mut needles, "A", &Secret::new(value), Masking::Automatic) != Verdict::Masked
        {
            continue;
        }
        let spelled: Vec<_> = needles.iter().map(|(_, bytes)| bytes.to_vec()).collect();
        let mut text = Vec::new();
        for _ in 0..8 {
            let needle = &spelled[random.below(spelled.len())];
            let cut = if random.below(2) == 0 {
                needle.len()
            } else {
                random.below(needle.len())
            };
            text.extend_from_slice(&needle[..cut]);
            let length = random.below(4);
            text.extend(random.bytes(b"aZ=+\n\x1b[m", length));
        }
        let matcher = Arc::new(Matcher::new(needles));
        let whole = masked(&matcher, std::slice::from_ref(&text));
        for longest in [1, 5, 30] {
            let cut = masked(&matcher, &random.cut(&text, longest));
            assert_eq!(cut, whole, "seed {seed}: {}", text.escape_ascii());
        }
    }
}

fn masked(matcher: &Arc<Matcher>, chunks: &[Vec<u8>]) -> String {
    let mut masker = Masker::new(Arc::clone(matcher));
    let mut out = Vec::new();
    for chunk in chunks {
        masker.feed(chunk, &mut out);
    }
    masker.finish(&mut out);
    out.escape_ascii().to_string()
}

#[test]
fn masking_page_names_every_form() {
    let page = include_str!("../../docs/reference/masking.md");
    for value in [
        "a&\"b'\\ c$é/~%+\u{7}\t!<",
        "Zürich-päß ünï`=/+",
        "'quoted (and) more'",
    ] {
        let needles = needles(&[("A", value.as_bytes(), Masking::Automatic)]);
        for (label, _) in needles.iter() {
            assert!(
                page.contains(&format!("`{}`", label.form)),
                "{}",
                label.form
            );
        }
    }
}
