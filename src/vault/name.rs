//! The names of secrets, environments, members and steps: legal by construction.
//!
//! A refusal says what is wrong with a name. It quotes the name only if it cannot be a value that
//! someone typed in the wrong place.

use std::fmt;
use std::str::FromStr;

use crate::fault::Fault;

/// The name of a secret or a variable: `[A-Za-z_][A-Za-z0-9_]*`, at most 200 bytes, no Windows
/// device name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretName(String);

/// The longest name of a secret, in bytes.
const LONGEST: usize = 200;

impl FromStr for SecretName {
    type Err = Fault;

    fn from_str(name: &str) -> Result<Self, Fault> {
        let rule =
            "a name is letters, digits and _, does not start with a digit, at most 200 bytes";
        if name.is_empty() {
            return Err(Fault::usage("the name of a secret is empty").hint(rule));
        }
        if name.len() > LONGEST {
            let message = format!("the name of a secret has {} bytes", name.len());
            return Err(Fault::usage(message).hint(rule));
        }
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if !name.bytes().all(legal) || name.as_bytes()[0].is_ascii_digit() {
            return Err(Fault::usage("not the name of a secret").hint(rule));
        }
        // It would be the name of a file, and of a variable.
        if name.to_ascii_lowercase().starts_with("vaultci") && name.len() > 64 {
            return Err(
                Fault::usage("this is a credential, not the name of a secret")
                    .hint("store it as the secret VAULT_KEY of the CI platform"),
            );
        }
        if is_device(name) {
            let message = format!("{name} is a device on Windows, where it cannot be a file");
            return Err(Fault::usage(message));
        }
        Ok(Self(name.to_owned()))
    }
}

impl SecretName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of the entry's file in its environment's folder.
    #[must_use]
    pub fn file(&self) -> String {
        [&self.0, ".toml"].concat()
    }

    /// The name without regard to case; two names with the same one cannot live side by side.
    #[must_use]
    pub fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

fn is_device(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let numbered = |prefix| {
        name.strip_prefix(prefix)
            .is_some_and(|n| matches!(n.as_bytes(), [b'1'..=b'9']))
    };
    matches!(name.as_str(), "CON" | "PRN" | "AUX" | "NUL") || numbered("COM") || numbered("LPT")
}

macro_rules! label {
    ($type:ident, $what:literal, $doc:literal) => {
        #[doc = $doc]
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(String);

        impl $type {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $type {
            type Err = Fault;

            fn from_str(name: &str) -> Result<Self, Fault> {
                check_label(name, $what)?;
                Ok(Self(name.to_owned()))
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

label!(
    EnvironmentName,
    "an environment",
    "The name of an environment: `[a-z][a-z0-9-]{0,62}`."
);
label!(
    MemberName,
    "a member",
    "The name of a member: `[a-z][a-z0-9-]{0,62}`, never reused."
);
impl MemberName {
    /// The name under which the root keeps the key of this member that was replaced as number
    /// `count`.
    #[must_use]
    pub fn until(&self, count: u64) -> Self {
        let end = format!("{UNTIL}{count}");
        let room = LONGEST_LABEL - end.len();
        Self([&self.0[..self.0.len().min(room)], &end].concat())
    }

    /// Whether this is what [`MemberName::until`] makes of `name`.
    #[must_use]
    pub fn is_of(&self, name: &Self) -> bool {
        let count = self.0.rsplit_once(UNTIL).map(|(_, count)| count.parse());
        matches!(count, Some(Ok(count)) if name.until(count) == *self)
    }

    /// The name that [`MemberName::until`] made this of, or else this name.
    #[must_use]
    pub fn owner(&self) -> Self {
        let name = self.0.rsplit_once(UNTIL).filter(|_| self.is_key());
        Self(name.map_or(self.0.clone(), |(name, _)| name.to_owned()))
    }

    /// Whether this is what [`MemberName::until`] makes of any name, so that no one else may have
    /// it.
    #[must_use]
    pub fn is_key(&self) -> bool {
        let count = self.0.rsplit_once(UNTIL).map(|(_, count)| count);
        count.is_some_and(|count| count.parse::<u64>().is_ok())
    }
}

/// The longest name of an environment, a member or a step, in bytes.
const LONGEST_LABEL: usize = 63;

/// Between a member's name and the number of a key of theirs that was replaced.
const UNTIL: &str = "-until-";

label!(
    StepName,
    "a step",
    "The name of a step in `vault.toml`: `[a-z][a-z0-9-]{0,62}`."
);

impl fmt::Display for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn check_label(name: &str, what: &str) -> Result<(), Fault> {
    let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let starts = name
        .bytes()
        .next()
        .is_some_and(|first| first.is_ascii_lowercase());
    if !starts || name.len() > LONGEST_LABEL || !name.bytes().all(legal) {
        return Err(Fault::usage(format!("not the name of {what}")).hint(
            "it is lower-case letters, digits and -, starts with a letter, at most 63 bytes",
        ));
    }
    if ["members", "requests", "root", "tmp", "vault"].contains(&name) || is_device(name) {
        return Err(Fault::usage(format!(
            "{name} cannot be the name of {what}: it is reserved"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_are_legal_variable_names() {
        for name in [
            "A",
            "_",
            "a1",
            "DJANGO_SECRET_KEY",
            "COM10",
            "CONSOLE",
            &"x".repeat(200),
        ] {
            assert!(name.parse::<SecretName>().is_ok(), "{name}");
        }
        let bad = [
            "", "1A", "A-B", "A B", "A=B", "ä", "A\n", "CON", "com1", "Lpt9", "nul", "../x",
        ];
        for name in bad {
            assert!(name.parse::<SecretName>().is_err(), "{name}");
        }
        assert!("x".repeat(201).parse::<SecretName>().is_err());
    }

    #[test]
    fn names_of_environments_are_short_lower_case_and_not_reserved() {
        for name in ["a", "production", "eu-west-1"] {
            assert!(name.parse::<EnvironmentName>().is_ok(), "{name}");
        }
        for name in [
            "", "members", "requests", "root", "tmp", "vault", "../x", "A", "1a", "-a", "a_b",
            "a/b", "é", "con",
        ] {
            assert!(name.parse::<EnvironmentName>().is_err(), "{name}");
        }
        assert!("a".repeat(64).parse::<EnvironmentName>().is_err());
    }
}
