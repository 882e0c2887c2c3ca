//! Checks a join request, which a stranger can write: arbitrary bytes are refused, or they are the
//! only spelling of their content.

use repovault::crypto::SigningKey;
use repovault::vault::format::{fingerprint, read_request, write_request};

pub(crate) fn check(data: &[u8]) {
    let name = "bob".parse().unwrap();
    let Ok(read) = read_request(&name, data) else {
        return;
    };
    let request = &read.content;
    let key = SigningKey::generate();
    assert!(!read.claim(key.public(), &request.vault, None).holds());
    let written = write_request(request, &key);
    if request.name == name {
        assert_eq!(body(&written), body(data));
        let again = read_request(&name, &written).unwrap();
        assert!(again.claim(key.public(), &request.vault, None).holds());
        let fingerprint = fingerprint(request);
        let text = fingerprint.to_string();
        assert!(text.parse().ok() == Some(fingerprint));
    }
}

/// Returns the bytes that the signature covers: everything before the last line.
fn body(file: &[u8]) -> &[u8] {
    let end = file.len() - 1;
    &file[..=file[..end].iter().rposition(|&byte| byte == b'\n').unwrap()]
}
