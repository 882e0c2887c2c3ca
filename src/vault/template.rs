//! Variables of `vault.toml` that refer to secrets: `${NAME}`, `${NAME|url}`, and `$$` for a
//! dollar. Nothing else may follow a dollar, so that no shell syntax is half understood.

use super::name::SecretName;
use crate::fault::Fault;
use crate::secret::Secret;

/// The value of a variable would be longer than the limit.
#[derive(Debug)]
pub struct TooLong;

/// A variable's value, understood.
#[derive(Debug, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Reference(SecretName, Encoding),
}

/// How a secret is written into the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Plain,
    /// RFC 3986: everything but unreserved characters as `%XX`.
    Url,
}

impl Template {
    /// Understands `text`, the value of the variable `name`.
    ///
    /// # Errors
    /// If a dollar is not followed by a dollar or a reference.
    pub fn parse(name: &SecretName, text: &str) -> Result<Self, Fault> {
        let wrong = || {
            Fault::usage(format!(
                "vault.toml: the variable {name} has a $ that starts no reference"
            ))
            .hint("a secret is ${NAME} or ${NAME|url}; a dollar itself is $$")
        };
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            pieces.push(Piece::Text(before.to_owned()));
            if let Some(after) = after.strip_prefix('$') {
                pieces.push(Piece::Text("$".to_owned()));
                rest = after;
                continue;
            }
            let inside = after
                .strip_prefix('{')
                .and_then(|inside| inside.split_once('}'));
            let (reference, after) = inside.ok_or_else(wrong)?;
            pieces.push(reference_piece(reference).ok_or_else(wrong)?);
            rest = after;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        Ok(Self(pieces))
    }

    /// The secrets it refers to.
    pub fn references(&self) -> impl Iterator<Item = &SecretName> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Reference(name, _) => Some(name),
            Piece::Text(_) => None,
        })
    }

    /// The value with every reference replaced. Returns `None` if `value` has none for one of them.
    /// Stops as soon as the value has more than `limit` bytes: a few kilobytes of references can
    /// expand to gigabytes.
    ///
    /// # Errors
    /// If it is longer than `limit`.
    pub fn fill<'a>(
        &self,
        limit: usize,
        value: impl Fn(&SecretName) -> Option<&'a Secret>,
    ) -> Result<Option<Secret>, TooLong> {
        let mut filled = Secret::with_capacity(256);
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => filled.extend(text.as_bytes()),
                Piece::Reference(name, encoding) => match (value(name), encoding) {
                    (None, _) => return Ok(None),
                    (Some(value), Encoding::Plain) => filled.extend(value.expose()),
                    (Some(value), Encoding::Url) => percent_encode(value, &mut filled),
                },
            }
            if filled.len() > limit {
                return Err(TooLong);
            }
        }
        Ok(Some(filled))
    }
}

fn reference_piece(reference: &str) -> Option<Piece> {
    let (name, encoding) = match reference.split_once('|') {
        None => (reference, Encoding::Plain),
        Some((name, "url")) => (name, Encoding::Url),
        Some(_) => return None,
    };
    Some(Piece::Reference(name.parse().ok()?, encoding))
}

fn percent_encode(value: &Secret, into: &mut Secret) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for &byte in value.expose() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            into.extend(&[byte]);
        } else {
            let digit = |nibble: u8| DIGITS[usize::from(nibble)];
            into.extend(&[b'%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str) -> Option<String> {
        let secret = Secret::new(b"p@ss/\xc3\xa4".to_vec());
        let template = Template::parse(&"V".parse().unwrap(), text).ok()?;
        let filled = template.fill(40, |name| (name.as_str() == "PW").then_some(&secret));
        let value = filled.ok()??;
        Some(String::from_utf8(value.expose().to_vec()).unwrap())
    }

    #[test]
    fn references_are_replaced_and_dollars_are_kept() {
        let cases = [
            ("plain", "plain"),
            ("a${PW}b", "ap@ss/äb"),
            ("u:${PW|url}@h", "u:p%40ss%2F%C3%A4@h"),
            ("$$HOME $${PW}", "$HOME ${PW}"),
            ("", ""),
        ];
        for (text, value) in cases {
            assert_eq!(filled(text).as_deref(), Some(value), "{text}");
        }
    }

    #[test]
    fn value_beyond_the_limit_is_refused() {
        for (count, is_filled) in [(0, true), (5, true), (6, false), (100_000, false)] {
            assert_eq!(
                filled(&"${PW}".repeat(count)).is_some(),
                is_filled,
                "{count}"
            );
            assert_eq!(
                filled(&"1234567".repeat(count)).is_some(),
                is_filled,
                "{count}"
            );
        }
        assert_eq!(filled(&"${PW|url}".repeat(3)), None);
    }

    #[test]
    fn malformed_reference_is_refused() {
        for text in [
            "$",
            "$HOME",
            "${",
            "${}",
            "${PW",
            "${PW|base64}",
            "${1}",
            "${OTHER}",
        ] {
            assert_eq!(filled(text), None, "{text}");
        }
    }
}
