//! Random values of the kinds that `vault.toml` knows, for `set --generate` and for placeholders.
//!
//! No value has a character that a settings file, a template, or an unquoted word in a shell gives
//! another meaning.

use crate::crypto::{Alphabet, random_base64url, random_text};
use crate::fault::Fault;
use crate::secret::Secret;
use crate::vault::config::Config;
use crate::vault::name::SecretName;

/// The kinds of value that can be generated.
pub(crate) const KINDS: [&str; 4] = ["django", "alphanumeric", "hex", "base64url"];

/// Returns a random value for `name`, of this kind or else of the one in `vault.toml`, with at least
/// the length that `vault.toml` requires.
pub(crate) fn generated(
    config: &Config,
    name: &SecretName,
    kind: Option<&str>,
) -> Result<Secret, Fault> {
    let config = config.secrets.get(name);
    let kind = kind
        .or_else(|| config?.generate.as_deref())
        .unwrap_or("alphanumeric");
    let shortest = config.and_then(|config| config.min_length).unwrap_or(0);
    Ok(match kind {
        // 300 bits; Django's own alphabet has characters that settings readers interpret.
        "django" => random_text(Alphabet::SAFE, shortest.max(50)),
        "alphanumeric" => random_text(Alphabet::ALPHANUMERIC, shortest.max(43)),
        // Whole bytes: half of one cannot be decoded.
        "hex" => random_text(Alphabet::HEX, shortest.max(64).next_multiple_of(2)),
        "base64url" => random_base64url(bytes_of(shortest).max(32)),
        _ => {
            return Err(Fault::usage("unknown kind of value")
                .hint(format!("use one of {}", KINDS.join(", "))));
        }
    })
}

/// Returns the least number of bytes whose base64url has at least `length` characters.
fn bytes_of(length: usize) -> usize {
    let before = length.saturating_sub(1);
    before / 4 * 3 + before % 4 * 3 / 4 + 1
}
