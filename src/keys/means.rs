//! Ways in which a command could get the key: copies of it, and the identity of a CI job, with
//! which `VAULT_KEY_COMMAND` can fetch it again.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use super::credential::{self, Credential};
use crate::crypto::{Identity, Recipient, SshKey};

/// Variables that mean the job itself; docs/guides/ci.md lists them. One that ends in `_` is a
/// prefix.
const IDENTITIES: [&str; 6] = [
    "ACTIONS_ID_TOKEN_REQUEST_",
    "ACTIONS_RUNTIME_TOKEN",
    "BAO_TOKEN",
    "BUILDKITE_AGENT_ACCESS_TOKEN",
    "OP_SERVICE_ACCOUNT_TOKEN",
    "VAULT_TOKEN",
];
/// Programs and the variables that they read. These count if the command mentions the program, also
/// in the name of a script.
const OF_PROGRAMS: [(&str, &[&str]); 3] = [
    (
        "aws",
        &[
            "AWS_CONTAINER_AUTHORIZATION_TOKEN",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SESSION_TOKEN",
            "AWS_WEB_IDENTITY_TOKEN_FILE",
        ],
    ),
    ("az", &["AZURE_CLIENT_SECRET", "AZURE_FEDERATED_TOKEN_FILE"]),
    (
        "gcloud",
        &[
            "CLOUDSDK_AUTH_ACCESS_TOKEN",
            "GOOGLE_APPLICATION_CREDENTIALS",
        ],
    ),
];
/// A variable with one of these in its name counts if the command mentions it.
const TELLING: [&str; 4] = ["TOKEN", "JWT", "SECRET", "PASSWORD"];
const AGE: &str = "AGE-SECRET-KEY-";
/// The lines around an SSH key.
const BEGIN: &[u8] = b"-----BEGIN OPENSSH PRIVATE KEY-----";
const END: &[u8] = b"-----END OPENSSH PRIVATE KEY-----";

/// Whether `name` is a variable with which `command` (`VAULT_KEY_COMMAND`) can fetch the key again.
#[must_use]
pub fn is_identity(name: &OsStr, command: &OsStr) -> bool {
    let is_listed = |listed: &&str| {
        let prefix = listed.ends_with('_') && name.as_bytes().starts_with(listed.as_bytes());
        prefix || name == *listed
    };
    if IDENTITIES.iter().any(is_listed) {
        return true;
    }
    let is_read = |(program, names): &(&str, &[&str])| {
        names.iter().any(|listed| name == *listed)
            && mentions(command.as_bytes(), program.as_bytes())
    };
    if OF_PROGRAMS.iter().any(is_read) {
        return true;
    }
    let upper = name.to_string_lossy().to_ascii_uppercase();
    TELLING.iter().any(|word| upper.contains(word)) && mentions(command.as_bytes(), name.as_bytes())
}

/// Whether `name` is a whole word of `command`: `$NAME`, `${NAME:-x}`, `printenv NAME`.
fn mentions(command: &[u8], name: &[u8]) -> bool {
    let is_border = |byte: &u8| !byte.is_ascii_alphanumeric() && *byte != b'_';
    command.split(is_border).any(|word| word == name)
}

/// Whether the key to `recipient` is anywhere in `text`.
#[must_use]
pub fn holds_key_to(text: &[u8], recipient: &Recipient) -> bool {
    let is_border = |byte: &u8| !byte.is_ascii_alphanumeric() && !b"_-.~".contains(byte);
    if recipient.is_ssh() {
        return ssh_keys(text).any(|own| own == *recipient);
    }
    text.split(is_border)
        .any(|word| is_key(word).is_some_and(|own| own == *recipient))
}

/// The public halves of the SSH keys in `text`, protected or not.
fn ssh_keys(text: &[u8]) -> impl Iterator<Item = Recipient> {
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            rest = &rest[find(rest, BEGIN)?..];
            let end = find(rest, END)? + END.len();
            let key = SshKey::parse(&rest[..end]);
            rest = &rest[BEGIN.len()..];
            if let Ok(key) = key {
                return Some(key.recipient());
            }
        }
    })
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

/// The public half of the key that `word` is, if it is one.
fn is_key(word: &[u8]) -> Option<Recipient> {
    let word = std::str::from_utf8(word).ok()?;
    let identity = if word.starts_with(credential::PREFIX) {
        Credential::parse(word)?.identity
    } else if word
        .get(..AGE.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(AGE))
    {
        Identity::parse(word)?
    } else {
        return None;
    };
    Some(identity.recipient())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::NativeKind;

    #[test]
    fn identity_variables_are_found_by_list_or_name() {
        let command =
            OsStr::new("fetch \"$JOB_JWT\" ${My_Token:-x} --as $ROLE '$APP_SECRETS' $A_TOKEN2");
        for name in [
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
            "ACTIONS_ID_TOKEN_REQUEST_URL",
            "VAULT_TOKEN",
            "JOB_JWT",
            "My_Token",
            "APP_SECRETS",
            "A_TOKEN2",
        ] {
            assert!(is_identity(OsStr::new(name), command), "{name}");
        }
        for name in [
            "ROLE",
            "HOME",
            "A_TOKEN",
            "JOB_JWT2",
            "MY_TOKEN",
            "OTHER_TOKEN",
            "VAULT_TOKENS",
        ] {
            assert!(!is_identity(OsStr::new(name), command), "{name}");
        }
    }

    #[test]
    fn cloud_credentials_are_found_by_program() {
        let name = OsStr::new("AWS_SECRET_ACCESS_KEY");
        for command in [
            "aws kms decrypt",
            "/usr/bin/aws x",
            "sh -c 'aws x'",
            "ci/fetch-key-aws a",
        ] {
            assert!(is_identity(name, OsStr::new(command)), "{command}");
        }
        for command in ["laws", "op read x", "gcloud kms decrypt"] {
            assert!(!is_identity(name, OsStr::new(command)), "{command}");
        }
        let gcloud = OsStr::new("gcloud kms decrypt");
        assert!(is_identity(
            OsStr::new("GOOGLE_APPLICATION_CREDENTIALS"),
            gcloud
        ));
    }

    #[test]
    fn ssh_key_is_found_anywhere_in_a_text() {
        let text = include_str!("../../fuzz/corpus/ssh/plain");
        let own = SshKey::parse(text.as_bytes()).unwrap().recipient();
        let cut = &text[..text.len() - 10];
        for held in [
            text,
            &format!("KEY={text}"),
            &format!("{text}{text}"),
            &format!("{cut}\n{text}"),
        ] {
            assert!(holds_key_to(held.as_bytes(), &own), "{held}");
        }
        for held in ["", cut, &text[1..], &own.to_string()] {
            assert!(!holds_key_to(held.as_bytes(), &own), "{held}");
        }
        let other = include_bytes!("../../fuzz/corpus/ssh/protected");
        assert!(!holds_key_to(other, &own));
        assert!(holds_key_to(
            other,
            &SshKey::parse(other).unwrap().recipient()
        ));
    }

    #[test]
    fn key_is_found_anywhere_in_a_text() {
        for kind in [NativeKind::Classic, NativeKind::Hybrid] {
            let (own, other) = (Identity::generate(kind), Identity::generate(kind));
            let text = |identity: &Identity| {
                String::from_utf8(identity.to_text().expose().to_vec()).unwrap()
            };
            let key = text(&own);
            for held in [
                &key,
                &format!("{{\"key\":\"{key}\"}}"),
                &format!(" {}\n", key.to_lowercase()),
            ] {
                assert!(holds_key_to(held.as_bytes(), &own.recipient()), "{held}");
            }
            for held in ["", "AGE-SECRET-KEY-", "vaultci1_", &text(&other), &key[1..]] {
                assert!(!holds_key_to(held.as_bytes(), &own.recipient()), "{held}");
            }
        }
    }
}
