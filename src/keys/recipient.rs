//! Public keys as people have them: an age recipient, or lines of SSH keys with comments.
//!
//! A line that is not understood is refused by its number, and never shown: it could be a private key.

use super::guard::holds_key;
use crate::crypto::{Recipient, SSH_KINDS};
use crate::fault::Fault;

/// The one kind of SSH key that can be a recipient.
const KIND: &str = "ssh-ed25519";
/// The most characters of a comment that are kept.
const LONGEST_COMMENT: usize = 80;

/// A public SSH key with its comment, which its owner chose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicSshKey {
    /// The key.
    pub recipient: Recipient,
    /// The end of its line.
    pub comment: String,
}

/// Reads a recipient that was typed: `age1…`, or an SSH key, whose comment is dropped.
///
/// # Errors
/// If it is anything else.
pub fn typed_recipient(text: &str) -> Result<Recipient, Fault> {
    check_public(text)?;
    let text = text.trim();
    if text.lines().count() == 1
        && let Some(result) = ssh_line(text)
    {
        return result.map(|key| key.recipient);
    }
    text.parse().map_err(|_| {
        Fault::usage("not a recipient")
            .hint("it is one word, age1…; print it with `vault key show`")
            .hint("or the line of an SSH key: `--recipient \"ssh-ed25519 AAAA…\"`")
    })
}

/// Reads the usable keys of a text with one SSH key in each line, each of them once. A key of another
/// kind is passed over if there is a usable one.
///
/// # Errors
/// If there is none, or a line is not a public key.
pub fn ssh_keys(text: &str, place: &str) -> Result<Vec<PublicSshKey>, Fault> {
    check_public(text)?;
    let mut keys: Vec<PublicSshKey> = Vec::new();
    let mut unusable = None;
    for (number, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let Some(result) = ssh_line(line) else {
            let number = number + 1;
            return Err(
                Fault::usage(format!("line {number} of {place} is not a public SSH key"))
                    .hint(LINE),
            );
        };
        match result {
            Ok(key) if keys.iter().all(|other| other.recipient != key.recipient) => keys.push(key),
            Ok(_) => {}
            Err(fault) if line.starts_with(KIND) => return Err(fault),
            Err(fault) => drop(unusable.get_or_insert(fault)),
        }
    }
    if !keys.is_empty() {
        return Ok(keys);
    }
    Err(unusable.unwrap_or_else(|| Fault::usage(format!("{place} has no SSH key")).hint(LINE)))
}

/// The only SSH key of a text, if it has one that is usable.
pub(super) fn public_key(text: &str) -> Option<Recipient> {
    match &ssh_keys(text, "").ok()?[..] {
        [key] => Some(key.recipient.clone()),
        _ => None,
    }
}

const LINE: &str =
    "a line is `ssh-ed25519 AAAA…` and perhaps a comment, as in `~/.ssh/id_ed25519.pub`";

fn check_public(text: &str) -> Result<(), Fault> {
    if !holds_key(text) {
        return Ok(());
    }
    Err(Fault::usage("that is a private key, not a public one")
        .hint("use its public half: of an SSH key, the file that ends in .pub; of an age key, what `vault key show` prints"))
}

/// Reads one line. `None` if it does not name a kind of SSH key.
fn ssh_line(line: &str) -> Option<Result<PublicSshKey, Fault>> {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let is_kind = |word: &&str| *word == KIND || SSH_KINDS.contains(word);
    let at = words.iter().position(is_kind)?;
    if at > 0 {
        return Some(Err(Fault::usage(
            "there is text before the SSH key, such as the options in authorized_keys",
        )
        .hint("give only the key: `ssh-ed25519 AAAA…`")));
    }
    Some(key(words[0], &words[1..]))
}

fn key(kind: &str, rest: &[&str]) -> Result<PublicSshKey, Fault> {
    if kind != KIND {
        let reason = plural_kind(kind);
        return Err(
            Fault::usage(format!("a key of the kind {kind} cannot be a recipient: {reason}"))
                .hint("ask for an ssh-ed25519 key, which `ssh-keygen -t ed25519` makes, or for an age recipient"),
        );
    }
    let damaged = || {
        Fault::usage("the SSH key is damaged: a part is missing or mistyped")
            .hint("copy the whole line of the file that ends in .pub")
    };
    let (spelled, comment) = rest.split_first().ok_or_else(damaged)?;
    let recipient: Recipient = [KIND, " ", spelled]
        .concat()
        .parse()
        .map_err(|_| damaged())?;
    if !recipient.is_in_prime_group() {
        return Err(damaged());
    }
    let comment = comment.join(" ").chars().take(LONGEST_COMMENT).collect();
    Ok(PublicSshKey { recipient, comment })
}

/// Why keys of another kind cannot be used.
pub(super) fn plural_kind(kind: &str) -> &'static str {
    match kind {
        "ssh-rsa" => "decrypting with RSA can reveal the key to someone who measures its time",
        _ if kind.starts_with("sk-") => "a security key can sign, but not decrypt",
        _ => "it can only sign",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::base64_encode;

    /// The key of RFC 8032, test 1.
    const POINT: [u8; 32] = [
        0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07,
        0x3a, 0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07,
        0x51, 0x1a,
    ];

    fn line(point: &[u8; 32]) -> String {
        let bytes = [&b"\0\0\0\x0bssh-ed25519\0\0\0\x20"[..], point].concat();
        format!("ssh-ed25519 {}", base64_encode(&bytes))
    }

    #[test]
    fn comment_and_blanks_are_dropped() {
        let own = line(&POINT);
        for text in [
            &own,
            &format!("{own} bob@laptop"),
            &format!("  {} bob's \t key \r\n", own.replace(' ', "\t")),
        ] {
            assert_eq!(typed_recipient(text).unwrap().to_string(), own);
        }
        let key = &ssh_keys(&format!("# mine\n\n{own} bob the  first\n"), "x").unwrap()[0];
        assert_eq!(key.comment, "bob the first");
    }

    #[test]
    fn weak_or_misspelled_point_is_refused() {
        let mut identity = [0; 32];
        identity[0] = 1;
        let mut twice = identity;
        twice[31] = 0x80;
        let mut minus_one = [0xff; 32];
        (minus_one[0], minus_one[31]) = (0xec, 0x7f);
        let mut above = [0xff; 32];
        (above[0], above[31]) = (0xf0, 0x7f);
        for point in [[0; 32], identity, twice, minus_one, above] {
            assert!(typed_recipient(&line(&point)).is_err(), "{point:x?}");
            assert!(line(&point).parse::<Recipient>().is_err(), "{point:x?}");
        }
        let own = line(&POINT);
        for text in [
            own.replace("ssh", "SSH"),
            own.replace(' ', "  "),
            format!("{own}="),
            format!("{own} "),
            format!("{own} x"),
            own[..own.len() - 1].to_owned(),
        ] {
            assert!(text.parse::<Recipient>().is_err(), "{text}");
        }
    }

    #[test]
    fn same_key_in_another_form_is_a_twin() {
        let own: Recipient = line(&POINT).parse().unwrap();
        let twins = own.twins();
        assert_eq!(twins.len(), 2);
        for twin in &twins {
            assert!(*twin != own && twin.twins().contains(&own), "{twin}");
        }
        assert!(
            twins
                .iter()
                .any(|twin| twin.to_string().starts_with("age1"))
        );
    }

    #[test]
    fn files_give_each_key_once_and_name_bad_lines() {
        let own = line(&POINT);
        let rsa = "ssh-rsa AAAAB3NzaC1yc2E= x";
        let twice = format!("{rsa}\n{own} a\n{own} b\n");
        assert_eq!(ssh_keys(&twice, "x").unwrap().len(), 1);
        for text in [
            "",
            "# x\n",
            rsa,
            "hello",
            &format!("{own}\nhello"),
            &own[..60],
        ] {
            assert!(ssh_keys(text, "x").is_err(), "{text}");
        }
        let options = format!("command=\"true\" {own}");
        assert!(ssh_keys(&options, "x").is_err() && typed_recipient(&options).is_err());
    }
}
