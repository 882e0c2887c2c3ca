//! Random values of the kinds that `vault.toml` knows, for `set --generate` and for placeholders.

use crate::crypto::{Alphabet, random_text};
use crate::fault::Fault;
use crate::secret::Secret;
use crate::vault::config::Config;
use crate::vault::name::SecretName;

/// The kinds of value that can be generated.
pub(super) const KINDS: [&str; 4] = ["django", "alphanumeric", "hex", "base64url"];

/// A random value for `name`, of this kind or else of the one in `vault.toml`, and no shorter than
/// that asks for.
pub(super) fn generated(
    config: &Config,
    name: &SecretName,
    kind: Option<&str>,
) -> Result<Secret, Fault> {
    let config = config.secrets.get(name);
    let kind = kind.or_else(|| config?.generate.as_deref()).unwrap_or("alphanumeric");
    let (alphabet, length) = match kind {
        "django" => (Alphabet::DJANGO, 50),
        "alphanumeric" => (Alphabet::ALPHANUMERIC, 43),
        "hex" => (Alphabet::HEX, 64),
        "base64url" => (Alphabet::BASE64URL, 43),
        _ => {
            return Err(Fault::usage("no such kind of value")
                .hint(format!("there are: {}", KINDS.join(", "))));
        }
    };
    let shortest = config.and_then(|config| config.min_length).unwrap_or(0);
    Ok(random_text(alphabet, length.max(shortest)))
}
