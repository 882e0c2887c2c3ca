//! Decides which values are masked, and why others are not.
//!
//! If short values and common words were masked, logs would be full of asterisks, and nothing would
//! be hidden, because anyone can guess such a value. So they are not masked, and users see their
//! names, unless the secret's settings decide otherwise.

use crate::secret::Secret;

/// The least length, in bytes, of a trimmed value that is masked.
pub const SHORTEST: usize = 6;

/// The least length, in bytes, of a value that is also looked for in rare forms and with gaps.
pub const LONG: usize = 12;

/// The setting `mask` of a secret.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Masking {
    /// Masked unless it is too short or a common word.
    #[default]
    Automatic,
    /// Always masked. A short value is masked at token borders only.
    Always,
    /// Not masked.
    Never,
}

/// The decision about a secret. Except for [`Verdict::Masked`], the caller must report it with the
/// secret's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// It is masked.
    Masked,
    /// It has fewer than [`SHORTEST`] bytes.
    TooShort,
    /// It is on the list of common words.
    Common,
    /// Its settings exclude it.
    Never,
}

/// Returns the same decision as [`super::forms::add`], but adds no needles.
pub fn verdict(value: &Secret, masking: Masking) -> Verdict {
    match decide(value.expose().trim_ascii(), masking) {
        Treatment::Unmasked(verdict) => verdict,
        Treatment::TokenOnly | Treatment::AllForms => Verdict::Masked,
    }
}

/// The treatment of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Treatment {
    AllForms,
    /// The value itself, at token borders.
    TokenOnly,
    Unmasked(Verdict),
}

/// Decides about a trimmed value.
pub(super) fn decide(trimmed: &[u8], masking: Masking) -> Treatment {
    let short = trimmed.len() < SHORTEST;
    match masking {
        Masking::Never => Treatment::Unmasked(Verdict::Never),
        _ if trimmed.is_empty() => Treatment::Unmasked(Verdict::TooShort),
        Masking::Always if short => Treatment::TokenOnly,
        Masking::Automatic if short => Treatment::Unmasked(Verdict::TooShort),
        Masking::Automatic if is_common(trimmed) => Treatment::Unmasked(Verdict::Common),
        Masking::Always | Masking::Automatic => Treatment::AllForms,
    }
}

/// Returns whether a value is on the stop list, regardless of case.
pub(super) fn is_common(value: &[u8]) -> bool {
    STOP_LIST
        .iter()
        .any(|word| word.as_bytes().eq_ignore_ascii_case(value))
}

/// Values of settings, default names, and default passwords, which occur in every log. Words
/// shorter than [`SHORTEST`] are not listed.
const STOP_LIST: [&str; 53] = [
    "0.0.0.0",
    "127.0.0.1",
    "account",
    "admin123",
    "administrator",
    "application",
    "authorized_user",
    "backend",
    "changeme",
    "database",
    "default",
    "develop",
    "development",
    "disable",
    "disabled",
    "django",
    "enable",
    "enabled",
    "example",
    "example.com",
    "frontend",
    "integration",
    "localhost",
    "localhost:8000",
    "master",
    "memory",
    "memcached",
    "mongodb",
    "notset",
    "password",
    "postgres",
    "postgresql",
    "preview",
    "private",
    "prefer",
    "preprod",
    "production",
    "public",
    "rabbitmq",
    "release",
    "require",
    "required",
    "secret",
    "server",
    "service",
    "service_account",
    "sqlite3",
    "staging",
    "testing",
    "undefined",
    "unknown",
    "username",
    "verify-full",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_common_values_are_masked_on_request_only() {
        use Masking::{Always, Automatic, Never};
        for (value, masking, expected) in [
            ("h7Kq2", Automatic, Treatment::Unmasked(Verdict::TooShort)),
            ("h7Kq2z", Automatic, Treatment::AllForms),
            ("Postgres", Automatic, Treatment::Unmasked(Verdict::Common)),
            ("postgres", Always, Treatment::AllForms),
            ("1234", Always, Treatment::TokenOnly),
            ("", Always, Treatment::Unmasked(Verdict::TooShort)),
            ("h7Kq2zVVVV", Never, Treatment::Unmasked(Verdict::Never)),
        ] {
            assert_eq!(decide(value.as_bytes(), masking), expected, "{value}");
        }
    }
}
