//! Tests of the memory of a vault.

use super::*;
use crate::crypto::SigningKey;

fn seen(known: &[u8], revision: u64, hash: u8) -> Seen {
    Seen {
        tags: tags(known),
        root: Some((revision, [hash; 32])),
        member: None,
        folders: vec![format!("/{hash}")],
        replaced: None,
    }
}

fn met(revocations: &[u8], revision: u64, hash: u8) -> Met {
    Met {
        vault: VaultId::new(SigningKey::generate().public()),
        revocations: tags(revocations),
        root: (revision, [hash; 32]),
        member: None,
        folder: format!("/{hash}"),
    }
}

fn tags(bytes: &[u8]) -> Vec<Tag> {
    let tags = bytes.iter().map(|byte| Tag::from_bytes(&[*byte; 16]));
    tags.collect::<Option<_>>().unwrap()
}

#[test]
fn recorded_root_is_the_newest_and_the_first_of_its_revision() {
    let both = seen(&[1], 7, 1).with(&met(&[1], 6, 2));
    assert_eq!(both.root, Some((7, [1; 32])));
    let both = seen(&[1], 7, 1).with(&met(&[1], 8, 2));
    assert_eq!(both.root, Some((8, [2; 32])));
    let both = seen(&[1], 7, 1).with(&met(&[1], 7, 2));
    assert_eq!(both.root, Some((7, [1; 32])));
    assert_eq!(both.folders, ["/1", "/2"]);
}

#[test]
fn new_revocation_replaces_the_known_only_if_the_root_counts() {
    for (known, revocations, after) in [
        (&[][..], &[][..], &[][..]),
        (&[], &[1, 2], &[2]),
        (&[1], &[1], &[1]),
        (&[1, 2], &[2], &[1, 2]),
        (&[1, 2], &[2, 3], &[3]),
        (&[1, 2], &[], &[1, 2]),
        // Another process has seen 9 since the root was judged.
        (&[9], &[1, 2], &[9]),
        // After going back to a root without a revocation, each counts.
        (&[1, 0], &[], &[1, 0]),
        (&[1, 0], &[1], &[1, 0]),
        (&[1, 0], &[2], &[2]),
    ] {
        let recorded = seen(known, 7, 1).with(&met(revocations, 8, 2));
        assert_eq!(recorded.tags, tags(after), "{known:?} {revocations:?}");
    }
}

#[test]
fn going_back_adds_the_last_revocation_and_forgets_the_root() {
    let replaced = Some(met(&[], 1, 1).vault);
    let before = Seen {
        replaced,
        ..seen(&[9], 7, 1)
    };
    for (revocations, after) in [(&[][..], &[9, 0][..]), (&[1, 2], &[9, 2])] {
        let back = before.back_to(&met(revocations, 3, 2));
        assert_eq!(back.tags, tags(after));
        assert!(back.accepts(&tags(revocations)));
        assert_eq!((back.root, back.replaced), (Some((3, [2; 32])), None));
    }
}

#[test]
fn root_counts_if_it_lists_one_of_the_known_revocations() {
    for (known, revocations, counts) in [
        (&[1, 2][..], &[1_u8][..], true),
        (&[1, 2], &[9, 2, 3], true),
        (&[1, 2], &[3], false),
        (&[1, 2], &[], false),
        (&[1, 0], &[3], true),
        (&[], &[], true),
    ] {
        let found = seen(known, 7, 1).accepts(&tags(revocations));
        assert_eq!(found, counts, "{known:?} {revocations:?}");
    }
}
