//! Compares the engine with the reference, on random texts and needles. Their alphabets are tiny,
//! so that most needles overlap.

use std::sync::Arc;

use repovault::mask::needles::{Gaps, MatchRules};
use repovault::mask::{Label, Masker, Matcher, Needles};

use crate::random::Random;
use crate::reference::{self, Needle};

fn matcher(needles: &[Needle]) -> Arc<Matcher> {
    let mut collected = Needles::new();
    add(&mut collected, needles);
    Arc::new(Matcher::new(collected))
}

fn add(collected: &mut Needles, needles: &[Needle]) {
    for needle in needles {
        let gaps = if needle.transparent {
            Gaps::Allowed
        } else {
            Gaps::Refused
        };
        let rules = MatchRules {
            gaps,
            ..MatchRules::default()
        };
        collected.add(
            Label {
                name: "A",
                form: "raw",
            },
            &needle.bytes,
            rules,
        );
    }
}

fn masked(matcher: &Arc<Matcher>, chunks: &[Vec<u8>]) -> Vec<u8> {
    let mut masker = Masker::new(Arc::clone(matcher));
    let mut out = Vec::new();
    for chunk in chunks {
        masker.feed(chunk, &mut out);
    }
    masker.finish(&mut out);
    out
}

/// Returns random needles, some of which contain parts of others.
fn needles(random: &mut Random, alphabet: &[u8], longest: usize) -> Vec<Needle> {
    let count = 1 + random.below(5);
    let mut needles: Vec<Needle> = Vec::new();
    for _ in 0..count {
        let length = 1 + random.below(longest);
        let mut bytes = random.bytes(alphabet, length);
        if random.below(3) == 0 && !needles.is_empty() {
            let other = &needles[random.below(needles.len())].bytes;
            let from = random.below(other.len());
            bytes.extend_from_slice(&other[from..]);
        }
        needles.push(Needle {
            bytes,
            transparent: false,
        });
    }
    needles
}

/// Returns random text that contains needles, some of them cut off.
fn text(random: &mut Random, alphabet: &[u8], needles: &[Needle], length: usize) -> Vec<u8> {
    let mut text = Vec::new();
    while text.len() < length {
        let needle = &needles[random.below(needles.len())].bytes;
        match random.below(4) {
            0 => text.extend_from_slice(needle),
            1 => text.extend_from_slice(&needle[..random.below(needle.len() + 1)]),
            _ => {
                let length = random.below(8);
                text.extend(random.bytes(alphabet, length));
            }
        }
    }
    text
}

fn show(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

/// Returns the seeds of a property: `usual` many, or fifteen times as many with `VAULT_TESTS=all`.
fn seeds(usual: u64) -> std::ops::Range<u64> {
    let all = std::env::var("VAULT_TESTS").is_ok_and(|which| which == "all");
    0..if all { 15 * usual } else { usual }
}

#[test]
fn output_matches_the_reference_for_every_cut() {
    for seed in seeds(20_000) {
        let mut random = Random::new(seed);
        let alphabet = &b"abc"[..=random.below(3)];
        let longest = [4, 8, 14, 30][random.below(4)];
        let needles = needles(&mut random, alphabet, longest);
        let text = text(&mut random, b"abcd", &needles, 60);
        let expected = reference::mask(&needles, &text);
        let matcher = matcher(&needles);
        // Byte by byte takes the longest: the others see to it that every cut occurs.
        let shortest = if seed % 8 == 0 { 1 } else { 20 };
        for chunks in [vec![text.clone()], random.cut(&text, shortest)] {
            let out = masked(&matcher, &chunks);
            assert_eq!(
                show(&out),
                show(&expected),
                "seed {seed}: {needles:?} in {}",
                show(&text)
            );
        }
    }
}

#[test]
fn held_bytes_match_the_reference() {
    for seed in seeds(6_700) {
        let mut random = Random::new(seed);
        let needles = needles(&mut random, b"ab", 10);
        let longest = needles
            .iter()
            .map(|needle| needle.bytes.len())
            .max()
            .unwrap();
        let text = text(&mut random, b"abc", &needles, 30);
        let mut masker = Masker::new(matcher(&needles));
        let mut out = Vec::new();
        let mut read = 0;
        for chunk in random.cut(&text, 6) {
            masker.feed(&chunk, &mut out);
            read += chunk.len();
            let expected = reference::held(&needles, &text[..read]);
            assert!(expected < longest);
            assert_eq!(
                masker.held(),
                expected,
                "seed {seed}, {read} bytes: {needles:?} in {}",
                show(&text)
            );
        }
    }
}

#[test]
fn additional_needle_never_unmasks_bytes() {
    for seed in seeds(6_700) {
        let mut random = Random::new(seed);
        let mut needles = needles(&mut random, b"ab", 12);
        let text = text(&mut random, b"abc", &needles, 40);
        let all = masked(&matcher(&needles), std::slice::from_ref(&text));
        needles.swap_remove(random.below(needles.len()));
        let fewer = masked(&matcher(&needles), std::slice::from_ref(&text));
        assert!(
            is_subsequence(&unmasked(&all), &unmasked(&fewer)),
            "seed {seed}"
        );
        assert!(is_subsequence(&unmasked(&fewer), &text), "seed {seed}");
    }
}

#[test]
fn output_contains_no_needle() {
    for seed in seeds(6_700) {
        let mut random = Random::new(seed);
        let needles = needles(&mut random, b"ab", 12);
        let text = text(&mut random, b"abc", &needles, 60);
        let out = masked(&matcher(&needles), &random.cut(&text, 9));
        let pieces = String::from_utf8(out).unwrap();
        for piece in pieces.split("***") {
            for needle in &needles {
                let bytes = std::str::from_utf8(&needle.bytes).unwrap();
                assert!(!piece.contains(bytes), "seed {seed}: {bytes} in {pieces}");
            }
        }
    }
}

#[test]
fn output_with_gaps_matches_the_reference() {
    for seed in seeds(20_000) {
        let mut random = Random::new(seed);
        let mut needles = needles(&mut random, b"ab", 14);
        for needle in &mut needles {
            needle.transparent = random.below(4) > 0;
            // If all of them are longer, the engine may skip line breaks.
            if seed % 2 == 0 && needle.bytes.len() < 5 {
                needle.bytes.extend(random.bytes(b"ab", 5));
            }
        }
        let plain = text(&mut random, b"abc", &needles, 40);
        let text = scattered(&mut random, &plain);
        let expected = reference::mask(&needles, &text);
        let matcher = matcher(&needles);
        // Byte by byte takes the longest: the others see to it that every cut occurs.
        let shortest = if seed % 8 == 0 { 1 } else { 20 };
        for chunks in [vec![text.clone()], random.cut(&text, shortest)] {
            let out = masked(&matcher, &chunks);
            assert_eq!(
                show(&out),
                show(&expected),
                "seed {seed}: {needles:?} in {}",
                show(&text)
            );
        }
    }
}

/// Inserts transparent bytes into the text.
fn scattered(random: &mut Random, text: &[u8]) -> Vec<u8> {
    let gaps: [&[u8]; 7] = [
        b"\n",
        b"\r\n",
        b"\n   ",
        b"\x1b[0m",
        b"\x1b[31;1m",
        b"\r",
        b" ",
    ];
    let often = 2 + random.below(20);
    let mut out = Vec::new();
    for &byte in text {
        out.push(byte);
        while random.below(often) == 0 {
            out.extend_from_slice(gaps[random.below(gaps.len())]);
        }
    }
    out
}

#[test]
fn added_needles_apply_to_held_bytes() {
    for seed in seeds(10_000) {
        let mut random = Random::new(seed);
        let mut needles = needles(&mut random, b"ab", 12);
        for needle in &mut needles {
            needle.transparent = random.below(2) > 0;
        }
        let plain = text(&mut random, b"abc", &needles, 40);
        let text = scattered(&mut random, &plain);
        let at = random.below(needles.len()) + 1;
        let before = matcher(&needles[..at]);
        let mut more = Needles::new();
        add(&mut more, &needles[at..]);
        let after = Arc::new(before.extended(&more));
        let split = random.below(text.len());
        let mut masker = Masker::new(before);
        let mut out = Vec::new();
        masker.feed(&text[..split], &mut out);
        let shown = split - masker.held();
        masker.replace_matcher(after);
        masker.feed(&text[split..], &mut out);
        masker.finish(&mut out);
        // Needles that begin after the bytes already shown are masked as if all of them had been
        // known from the start.
        let expected = unmasked(&reference::mask(&needles, &text[shown..]));
        assert!(
            is_subsequence(&unmasked(&out), &[&text[..shown], &expected].concat()),
            "seed {seed}: {} from {}, {shown} {split} {needles:?}",
            show(&out),
            show(&text)
        );
    }
}

fn unmasked(out: &[u8]) -> Vec<u8> {
    out.iter().copied().filter(|&byte| byte != b'*').collect()
}

fn is_subsequence(part: &[u8], whole: &[u8]) -> bool {
    let mut rest = whole.iter();
    part.iter().all(|byte| rest.any(|other| other == byte))
}
