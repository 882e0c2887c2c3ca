//! Checks an entry: arbitrary bytes are refused, or they are the only spelling of their content.

use repovault::crypto::{Commitment, SigningKey, VaultId};
use repovault::vault::format::{read_entry, write_entry};
use repovault::vault::model::{LARGEST_NUMBER, LONGEST_VALUE};

pub(crate) fn check(data: &[u8]) {
    let (environment, name) = (
        "production".parse().unwrap(),
        "DATABASE_URL".parse().unwrap(),
    );
    let Ok(read) = read_entry(&environment, &name, data) else {
        return;
    };
    let entry = &read.content;
    assert!(entry.origin <= entry.epoch && entry.epoch <= LARGEST_NUMBER);
    assert!(entry.revision <= LARGEST_NUMBER);
    assert!(
        entry
            .sealed
            .as_ref()
            .is_none_or(|sealed| sealed.len() <= 2 * LONGEST_VALUE)
    );
    let key = SigningKey::generate();
    let (vault, commitment) = (VaultId::new(key.public()), Commitment([7; 32]));
    assert!(!read.claim(key.public(), &vault, Some(&commitment)).holds());
    let written = write_entry(&vault, &environment, &name, &commitment, entry, &key);
    assert_eq!(body(&written), body(data));
    let again = read_entry(&environment, &name, &written).unwrap();
    assert!(again.content == *entry);
    assert!(again.claim(key.public(), &vault, Some(&commitment)).holds());
}

/// Returns the bytes that the signature covers: everything before the last line.
fn body(file: &[u8]) -> &[u8] {
    let end = file.len() - 1;
    &file[..=file[..end].iter().rposition(|&byte| byte == b'\n').unwrap()]
}
