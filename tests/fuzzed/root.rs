//! Checks a root: arbitrary bytes are refused, or they are the only spelling of their content, which
//! does not contradict itself.

use std::collections::BTreeSet;

use repovault::crypto::SigningKey;
use repovault::vault::format::{parse_root, root_file, write_root};
use repovault::vault::model::LARGEST_NUMBER;

pub(crate) fn check(data: &[u8]) {
    let Ok(file) = root_file(data) else {
        return;
    };
    let named = file.vault().ok();
    let Ok(root) = parse_root(&file) else {
        return;
    };
    assert_eq!(named, Some(root.vault));
    let tags: BTreeSet<_> = root.revocations.iter().collect();
    assert!(tags.len() == root.revocations.len() && root.revision <= LARGEST_NUMBER);
    assert!(root.revocations.iter().all(|tag| !tag.is_none()));
    for environment in root.environments.values() {
        let newest = environment.newest();
        assert_eq!(environment.epoch(&newest.commitment), Some(newest));
        assert_eq!(environment.numbered(newest.number).count(), 1);
    }
    for name in root.members.keys() {
        assert!(root.tag_of(name).is_none_or(|tag| root.lists(tag)));
    }
    let key = SigningKey::generate();
    assert!(file.check(key.public(), &root.vault, "its signer").is_err());
    let written = write_root(&root, &key);
    assert_eq!(body(&written), body(data));
    let again = root_file(&written).unwrap();
    again
        .check(key.public(), &root.vault, "its signer")
        .unwrap();
    assert!(parse_root(&again).unwrap() == root);
}

/// Returns the bytes that the signature covers: everything before the last line.
fn body(file: &[u8]) -> &[u8] {
    let end = file.len() - 1;
    &file[..=file[..end].iter().rposition(|&byte| byte == b'\n').unwrap()]
}
