//! Variables of `vault.toml` that refer to secrets: `${NAME}`, `${NAME|url}`, and `$$` for a
//! dollar. Nothing else may follow a dollar, so that no shell syntax is half understood.

use super::name::SecretName;
use crate::fault::Fault;
use crate::secret::Secret;

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
    /// When a dollar is not followed by a dollar or a reference.
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
            let inside = after.strip_prefix('{').and_then(|inside| inside.split_once('}'));
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

    /// The value with every reference replaced by what `value` gives; nothing when it gives
    /// nothing for one of them.
    pub fn fill<'a>(&self, value: impl Fn(&SecretName) -> Option<&'a Secret>) -> Option<Secret> {
        let mut filled = Secret::with_capacity(256);
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => filled.extend(text.as_bytes()),
                Piece::Reference(name, Encoding::Plain) => filled.extend(value(name)?.expose()),
                Piece::Reference(name, Encoding::Url) => percent_encode(value(name)?, &mut filled),
            }
        }
        Some(filled)
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
        let value = template.fill(|name| (name.as_str() == "PW").then_some(&secret))?;
        Some(String::from_utf8(value.expose().to_vec()).unwrap())
    }

    #[test]
    fn references_are_replaced_and_dollars_kept() {
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
    fn what_is_no_reference_is_refused() {
        for text in ["$", "$HOME", "${", "${}", "${PW", "${PW|base64}", "${1}", "${OTHER}"] {
            assert_eq!(filled(text), None, "{text}");
        }
    }
}
