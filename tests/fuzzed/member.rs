//! Checks a member's file: arbitrary bytes are refused, or they are the only spelling of their
//! content, which does not contradict itself.

use repovault::crypto::{SigningKey, VaultId};
use repovault::vault::format::{member_file, parse_member, write_member};
use repovault::vault::model::{Access, LARGEST_NUMBER};

pub(crate) fn check(data: &[u8]) {
    let name = "bob".parse().unwrap();
    let Ok(file) = member_file(&name, data) else {
        return;
    };
    let Ok(member) = parse_member(&name, &file) else {
        return;
    };
    assert!(member.revision <= LARGEST_NUMBER);
    let writes = member.access.values().any(|own| *own == Access::Write);
    assert!(!writes || member.signer().is_some());
    assert!(member.replaces.is_none() || member.revocation.is_some());
    assert!(member.replaces.is_none() || member.replaces != member.revocation);
    let key = SigningKey::generate();
    let vault = VaultId::new(key.public());
    assert!(file.check(key.public(), &vault, "its signer").is_err());
    let written = write_member(&vault, &name, &member, &key);
    assert_eq!(body(&written), body(data));
    let again = member_file(&name, &written).unwrap();
    again.check(key.public(), &vault, "its signer").unwrap();
    assert!(parse_member(&name, &again).unwrap() == member);
}

/// Returns the bytes that the signature covers: everything before the last line.
fn body(file: &[u8]) -> &[u8] {
    let end = file.len() - 1;
    &file[..=file[..end].iter().rposition(|&byte| byte == b'\n').unwrap()]
}
