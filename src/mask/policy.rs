//! Which values are masked at all, and why some are not.
//!
//! A short value or an everyday word would turn a log into asterisks and hide nothing: anyone can
//! guess it. Such a secret is left out and named, unless its settings say otherwise.

use crate::secret::Secret;

/// A trimmed value shorter than this many bytes is too short.
pub const SHORTEST: usize = 6;

/// From so many bytes on the rarer forms are looked for, and terminal sequences looked through.
pub const LONG: usize = 12;

/// The setting `mask` of a secret.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Masking {
    /// Masked unless it is too short or an everyday word.
    #[default]
    Automatic,
    /// Masked; a short value only where it stands alone.
    Always,
    /// Not masked.
    Never,
}

/// What became of a secret; all but [`Verdict::Masked`] are to be reported by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// It is masked.
    Masked,
    /// It has fewer than [`SHORTEST`] bytes.
    TooShort,
    /// It is on the list of everyday words.
    Common,
    /// Its settings say so.
    Never,
}

/// What [`super::forms::add`] will say of a value, without spelling it.
pub fn verdict(value: &Secret, masking: Masking) -> Verdict {
    match decide(value.expose().trim_ascii(), masking) {
        Treatment::Unmasked(verdict) => verdict,
        Treatment::TokenOnly | Treatment::AllForms => Verdict::Masked,
    }
}

/// How a value is treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Treatment {
    AllForms,
    /// The value itself, where no token goes on before or behind it.
    TokenOnly,
    Unmasked(Verdict),
}

/// Decides about a value that has been trimmed.
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

/// Whether a value is on the stop list, whatever its case.
pub(super) fn is_common(value: &[u8]) -> bool {
    STOP_LIST.iter().any(|word| word.as_bytes().eq_ignore_ascii_case(value))
}

/// Values of settings, default names and passwords that stand in every log. Shorter words need
/// not be listed.
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
    fn short_and_everyday_values_are_left_out_unless_asked_for() {
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
