//! Texts that hold a key, or do not.

use super::*;
use crate::crypto::NativeKind;

fn parsed(text: &str) -> Result<Parsed, Fault> {
    parse(&Secret::new(text.as_bytes().to_vec()), &Source::Variable)
}

fn identity() -> String {
    let text = Identity::generate(NativeKind::Hybrid).to_text();
    String::from_utf8(text.expose().to_vec()).unwrap()
}

#[test]
fn identity_is_accepted_with_comments_and_newlines() {
    let key = identity();
    let windows = format!("\u{feff}# made today\r\n\r\n{key}\r\n");
    for text in [
        &key,
        &format!("{key}\n"),
        &format!("\u{feff}{key}"),
        &windows,
    ] {
        assert!(parsed(text).is_ok());
    }
}

#[test]
fn other_text_is_refused_and_not_shown() {
    let damaged = format!("{}\nhunter2\n", identity());
    let credential = format!("{}\nvaultci1_hunter2\n", identity());
    let many = format!("{}\n", identity()).repeat(MOST + 1);
    for text in [
        "",
        "# only a comment",
        "hunter2",
        "vaultci1_hunter2",
        &damaged,
        &credential,
        &many,
        "age1abc",
    ] {
        let fault = parsed(text).err().unwrap();
        assert!(!fault.to_string().contains("hunter2"), "{fault}");
    }
}

#[test]
fn several_identities_are_kept_in_their_order() {
    let texts = [identity(), identity(), identity()];
    let Ok(Parsed::Identities(read)) = parsed(&texts.join("\n# next\n")) else {
        panic!("not identities");
    };
    for (read, text) in read.iter().zip(&texts) {
        assert!(read.to_text().expose() == text.as_bytes());
    }
    assert_eq!(read.len(), 3);
}

#[test]
fn empty_variable_is_not_a_source() {
    for text in ["", "\n", "  "] {
        let variable = Some(Secret::new(text.as_bytes().to_vec()));
        assert!(
            find(
                Sources {
                    variable,
                    ..Sources::default()
                },
                &mut |_| Err(Fault::failed("asked")),
            )
            .unwrap()
            .is_none()
        );
    }
}
