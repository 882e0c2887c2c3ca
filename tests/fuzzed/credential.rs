//! Checks a credential, as text and as bytes: it is refused, or it has only one spelling.

use repovault::crypto::{base64url_encode, checksum};
use repovault::keys::Credential;

pub(crate) fn check(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        parse(text.trim_ascii_end());
    }
    // The fuzzer cannot guess a checksum, so add those of both kinds to the bytes.
    for label in ["vault/v1/credential", "vault/v1/hybrid-credential"] {
        let sum = checksum(label, data);
        parse(&format!(
            "vaultci1_{}",
            base64url_encode(&[data, &sum[..]].concat())
        ));
    }
}

fn parse(text: &str) {
    if let Some(credential) = Credential::parse(text) {
        assert_eq!(credential.to_text().expose(), text.as_bytes());
    }
}
