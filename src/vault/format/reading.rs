//! What all machine-written files have in common when they are read: the signature's line, strict
//! TOML, one spelling, and a clear reason where a file is not acceptable.

use super::body::{bytes_of, quoted_bytes};
use crate::crypto::{Claim, Commitment, Framed, PublicKey, Signature, SigningKey, VaultId};
use crate::fault::Fault;
use crate::vault::model::LARGEST_NUMBER;

/// The content of a file with its signature, which has not been checked yet.
pub struct Signed<T> {
    /// What was read.
    pub content: T,
    label: &'static str,
    path: String,
    body: Vec<u8>,
    signature: Signature,
}

impl<T> Signed<T> {
    /// What `signer` would have to have signed: the label, the vault id, the file's path below
    /// `.vault`, for an entry the commitment of its epoch, and every byte before the last line.
    #[must_use]
    pub fn claim(
        &self,
        signer: PublicKey,
        vault: &VaultId,
        commitment: Option<&Commitment>,
    ) -> Claim {
        let message = message(self.label, vault, &self.path, commitment, &self.body);
        Claim {
            signer,
            message,
            signature: self.signature,
        }
    }

    /// The file's path below `.vault`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }
}

pub(super) fn message(
    label: &str,
    vault: &VaultId,
    path: &str,
    commitment: Option<&Commitment>,
    body: &[u8],
) -> Vec<u8> {
    let framed = Framed::new(label)
        .part(vault.as_bytes())
        .part(path.as_bytes());
    let framed = match commitment {
        Some(Commitment(commitment)) => framed.part(commitment),
        None => framed,
    };
    framed.part(body).into_bytes()
}

/// Where a file belongs, which its signature covers.
pub(super) struct SigningContext<'a> {
    pub(super) label: &'static str,
    pub(super) vault: &'a VaultId,
    pub(super) path: &'a str,
    pub(super) commitment: Option<&'a Commitment>,
}

/// Adds the last line to `body`.
pub(super) fn sign(place: &SigningContext<'_>, body: String, key: &SigningKey) -> Vec<u8> {
    let message = message(
        place.label,
        place.vault,
        place.path,
        place.commitment,
        body.as_bytes(),
    );
    let signature = quoted_bytes(&key.sign(&message).to_bytes());
    let mut file = body.into_bytes();
    file.extend_from_slice(format!("signature = {signature}\n").as_bytes());
    file
}

/// Reads `file`: `parse` makes the content of the text before the last line, `write` must give that
/// text back, to the byte. Only text that `write` can write is therefore accepted, however generous
/// `parse` is.
pub(super) fn read_signed<T>(
    label: &'static str,
    path: &str,
    file: &[u8],
    parse: impl FnOnce(&str) -> Option<T>,
    write: impl FnOnce(&T) -> String,
) -> Result<Signed<T>, Fault> {
    let refuse = || refuse(path, file);
    let (body, signature) = split(file).ok_or_else(refuse)?;
    let content = parse(body).ok_or_else(refuse)?;
    if write(&content) != body {
        return Err(refuse());
    }
    Ok(Signed {
        content,
        label,
        path: path.to_owned(),
        body: body.as_bytes().to_vec(),
        signature,
    })
}

/// The text before the last line, and the signature in it.
pub(super) fn split(file: &[u8]) -> Option<(&str, Signature)> {
    let text = std::str::from_utf8(file).ok()?.strip_suffix("\"\n")?;
    let start = text.rfind('\n')? + 1;
    let signature = text[start..].strip_prefix("signature = \"")?;
    Some((
        &text[..start],
        Signature::from_bytes(&bytes_of(signature)?)?,
    ))
}

/// A number as files may hold it: 1 to 2^53 - 1.
pub(super) fn number(number: u64) -> Option<u64> {
    (1..=LARGEST_NUMBER).contains(&number).then_some(number)
}

/// A number in decimal as our files spell it: digits alone, and no zero before them.
#[must_use]
pub fn decimal(text: &str) -> Option<u64> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    let is_short = text.len() == 1 || !text.starts_with('0');
    (is_plain && is_short)
        .then(|| text.parse().ok())?
        .filter(|number| *number <= LARGEST_NUMBER)
}

/// Says, as well as the bytes allow, why a file was not accepted. Quotes at most a number from the
/// file.
pub(super) fn refuse(path: &str, file: &[u8]) -> Fault {
    explain_rejection(path, file)
        .unwrap_or_else(|| Fault::damaged_file(path, "is not in the form vault writes"))
}

/// Explains a visible error in a file. Returns `None` if only its content can be wrong.
pub(super) fn explain_rejection(path: &str, file: &[u8]) -> Option<Fault> {
    let refused = |reason: &str| Fault::refused_file(path, reason);
    let damaged = |reason: &str| Some(Fault::damaged_file(path, reason));
    let Ok(text) = std::str::from_utf8(file) else {
        return damaged("is not UTF-8 text");
    };
    let starts = |mark: &str| text.lines().any(|line| line.starts_with(mark));
    if starts("<<<<<<<") || starts(">>>>>>>") {
        return Some(
            refused("has conflict markers of a merge").hint("end the conflict: `vault resolve`"),
        );
    }
    if text.starts_with('\u{feff}') {
        return damaged("starts with a byte order mark");
    }
    if text.contains('\r') {
        return Some(refused("has CRLF line endings").hint(
            "commit .vault/.gitattributes, then put the file back: `git checkout -- .vault`",
        ));
    }
    if text.contains('\0') {
        return damaged("holds a NUL byte");
    }
    let format = text.lines().find_map(|line| line.strip_prefix("format = "));
    let other = format.and_then(decimal).filter(|number| *number > 1)?;
    let reason = format!("was made by a newer vault: it has format {other}, and this one reads 1");
    Some(refused(&reason).hint("update vault"))
}
