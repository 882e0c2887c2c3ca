//! Checks a join request, which a stranger can write: arbitrary bytes are refused, or they are the
//! one spelling of what was read.

use repovault::crypto::SigningKey;
use repovault::vault::format::{fingerprint, read_request, write_request};

pub(crate) fn check(data: &[u8]) {
    let name = "bob".parse().unwrap();
    let Ok(read) = read_request(&name, data) else { return };
    let request = &read.content;
    let key = SigningKey::generate();
    assert!(!read.claim(key.public(), &request.vault, None).holds());
    let written = write_request(request, &key);
    if request.name == name {
        assert_eq!(body(&written), body(data));
        let again = read_request(&name, &written).unwrap();
        assert!(again.claim(key.public(), &request.vault, None).holds());
        let fingerprint = fingerprint(request);
        let told = fingerprint.to_string();
        assert!(told.parse().ok() == Some(fingerprint));
    }
}

/// What the signature covers: everything before the last line.
fn body(file: &[u8]) -> &[u8] {
    let end = file.len() - 1;
    &file[..=file[..end].iter().rposition(|&byte| byte == b'\n').unwrap()]
}
