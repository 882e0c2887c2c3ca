//! Checks an SSH key: a private one as text and as the bytes in it, and lines of public ones. Each is
//! refused, or its recipient has only one spelling.

use repovault::crypto::{Recipient, SshKey, base64_encode};
use repovault::keys::{ssh_keys, typed_recipient};

pub(crate) fn check(data: &[u8]) {
    private(data);
    // The fuzzer would rarely find base64 that means something.
    let body = base64_encode(data);
    let begin = "-----BEGIN OPENSSH PRIVATE KEY-----";
    let end = begin.replace("BEGIN", "END");
    private(format!("{begin}\n{body}\n{end}\n").as_bytes());
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    for key in ssh_keys(text, "file").unwrap_or_default() {
        has_one_spelling(&key.recipient);
    }
    if let Ok(recipient) = typed_recipient(text) {
        has_one_spelling(&recipient);
    }
}

fn private(text: &[u8]) {
    if let Ok(key) = SshKey::parse(text) {
        has_one_spelling(&key.recipient());
        if !key.is_protected()
            && let Ok(identity) = key.open("")
        {
            assert!(identity.recipient() == key.recipient());
        }
    }
}

fn has_one_spelling(recipient: &Recipient) {
    let text = recipient.to_string();
    assert!(text.parse::<Recipient>().unwrap() == *recipient);
    for twin in recipient.twins() {
        assert!(twin != *recipient && twin.twins().contains(recipient));
    }
}
