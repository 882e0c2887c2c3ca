//! Keys in every spelling, and text that only looks like one.

use super::*;

const KEY: &str = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
const CREDENTIAL: &str = "vaultci1_txvZ6j94BXUoQ3yRSXoQ3bB6sJXuOPCF8nq0HJG6ksTWUlbZYhBI6ThihMAlwvQkcy4c8xbp50mSyMCm01XIngAAAAAAAAABC2RldmVsb3BtZW50CnByb2R1Y3Rpb274eE_CJMsDpQ";
const PEM: &str =
    "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIDbFp9\n-----END PRIVATE KEY-----";

/// The rest of `text` when `KEY` and the like mean themselves.
fn shown(text: &str) -> String {
    hide_keys(text).into_owned()
}

#[test]
fn key_anywhere_in_a_text_is_hidden() {
    for key in [KEY, &KEY.to_lowercase(), CREDENTIAL, PEM] {
        assert_eq!(shown(&format!("no {key}")), "no ***");
        assert_eq!(shown(&format!("no \"{key}\" here")), "no \"***\" here");
        assert_eq!(
            shown(&format!("/a/{key}/vault.toml: no")),
            "/a/***/vault.toml: no"
        );
        assert_eq!(shown(&format!("# of {key}\nnext")), "# of ***\nnext");
        assert_eq!(shown(&format!("a\\{key}")), "a\\***");
        assert!(is_key(key) && is_key(&format!("# a comment\n \"{key}\"\n")));
        assert!(!is_key(&format!("/a/{key}")));
    }
}

#[test]
fn key_in_another_spelling_is_hidden() {
    let data = &KEY["AGE-SECRET-KEY-1".len()..];
    let kinds = [
        "AGE-SECRET-KEY-PQ-1",
        "AGE-PLUGIN-YUBIKEY-1",
        "Age-Secret-Key-1",
    ];
    for kind in kinds {
        assert_eq!(shown(&format!("x {kind}{data}: y")), "x ***: y");
    }
    let (first, second) = KEY.split_at(40);
    for gap in [
        "\n", "\r\n  ", "\\n", "\\\\n", "%0A", "%250A", "\\u{a}", "\\u000a", "\" \"", "\u{200b}",
    ] {
        assert_eq!(
            shown(&format!("x {first}{gap}{second} y")),
            "x *** y",
            "{gap:?}"
        );
    }
    let percent = KEY.replace("AGE", "%41%47%45").replace('-', "%2D");
    assert_eq!(shown(&format!("x {percent} y")), "x *** y");
    assert_eq!(
        shown(&format!("x {} y", KEY.replace('-', "%2d"))),
        "x *** y"
    );
    assert_eq!(
        shown(&format!("x {} y", KEY.replace('-', "\\-"))),
        "x *** y"
    );
    assert_eq!(
        shown(&format!("x {} y", KEY.replace('-', "\u{2011}"))),
        "x *** y"
    );
    let (first, second) = CREDENTIAL.split_at(30);
    assert_eq!(shown(&format!("{first}\n{second} y")), "*** y");
    assert_eq!(shown(&PEM.replace('\n', "\\n")), "***");
    assert_eq!(
        shown(&PEM.replace('\n', " ").replace("PRIVATE", "RSA PRIVATE")),
        "***"
    );
    assert_eq!(
        shown(&format!("a/{}", PEM.replace(['\n', ' '], "-"))),
        "a/***"
    );
    for kind in ["OPENSSH ", "EC ", "ENCRYPTED ", "RSA "] {
        let key = PEM.replace("PRIVATE", &format!("{kind}PRIVATE"));
        assert_eq!(shown(&format!("a {key} b")), "a *** b");
        assert_eq!(shown(&format!("a {} b", &key[..key.len() - 30])), "a ***");
    }
}

#[test]
fn two_keys_side_by_side_are_hidden() {
    for text in [
        format!("{KEY}{PEM}"),
        format!("{KEY},{KEY}"),
        format!("{CREDENTIAL} {KEY}"),
    ] {
        let shown = shown(&text);
        assert!(
            shown.chars().all(|character| "*, ".contains(character)),
            "{shown}"
        );
    }
}

#[test]
fn text_about_keys_is_not_hidden() {
    for text in [
        "a key is vaultci1_… or AGE-SECRET-KEY-1…".replace("1…", "…"),
        "vaultci is not a command".to_owned(),
        "-----BEGIN PUBLIC KEY-----".to_owned(),
        "the private key begins here".to_owned(),
        "100%, 5% \\ \\u \\x %".to_owned(),
        "age1 is a recipient; könnte ✓".to_owned(),
        "added age-plugin-bot: production=read".to_owned(),
        "-".repeat(100_000),
    ] {
        assert_eq!(shown(&text), text);
    }
}

#[test]
fn hiding_a_shortened_key_keeps_the_reason() {
    assert_eq!(
        shown(&format!("{} is too short", &KEY[..40])),
        "*** is too short"
    );
    assert_eq!(
        shown(&format!("{}: not found", &CREDENTIAL[..40])),
        "***: not found"
    );
}

/// Pieces of keys and of what surrounds them, in an order that no one would think of.
#[test]
fn random_text_never_shows_a_whole_key() {
    let (first, second) = KEY.split_at(30);
    let pieces = [
        KEY,
        CREDENTIAL,
        PEM,
        first,
        second,
        "AGE-",
        "-----BEGIN",
        " PRIVATE KEY-----",
        "%",
        "%2",
        "%25",
        "\\",
        "\\u",
        "\\u{",
        "}",
        "\\x4",
        "\\1",
        "ä",
        "\u{200b}",
        "\n",
        " ",
        "\"",
        "-",
        "END",
        "vaultci",
        "1_",
        "0",
        "\u{1f511}",
    ];
    let mut state = 1_u64;
    let mut below = |limit: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(state >> 33).unwrap() % limit
    };
    for _ in 0..3000 {
        let count = below(12);
        let text: String = (0..count).map(|_| pieces[below(pieces.len())]).collect();
        let shown = shown(&text);
        for key in [KEY, CREDENTIAL, PEM] {
            assert!(!shown.contains(key), "{text:?}: {shown:?}");
        }
    }
}
