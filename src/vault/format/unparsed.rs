//! A signed file before its text is understood: its last line was found, and nothing else was looked
//! at but the line that names the vault.
//!
//! Anyone who can write to the repository can make a file of any size and shape. So a reader checks
//! the size, the id, and the signature first, and a stranger's file costs no more than a hash.

use super::body::bech32_of;
use super::reading::{explain_rejection, message, refuse, split};
use crate::crypto::{Claim, Commitment, PublicKey, Signature, VaultId};
use crate::fault::Fault;

/// A file of the authority that has not been parsed yet.
pub struct Unparsed {
    label: &'static str,
    path: String,
    body: String,
    signature: Signature,
}

impl Unparsed {
    /// Finds the last line of `file`.
    ///
    /// # Errors
    /// If the signature is missing, or the file is not text in the form that `vault` writes.
    pub(super) fn new(label: &'static str, path: String, file: &[u8]) -> Result<Self, Fault> {
        // Two files, one after the other, are none.
        let is_one = |(body, _): &(&str, Signature)| !body.contains("\nsignature = ");
        let (body, signature) = split(file)
            .filter(is_one)
            .ok_or_else(|| refuse(&path, file))?;
        Ok(Self {
            label,
            body: body.to_owned(),
            signature,
            path,
        })
    }

    /// The vault that the third line of a root names: `vault = "bech32:vault1…"`.
    ///
    /// # Errors
    /// If the line is missing.
    pub fn vault(&self) -> Result<VaultId, Fault> {
        let id = self.third_line("vault").and_then(bech32_of);
        let id = id.and_then(|id| id.parse().ok());
        id.ok_or_else(|| refuse(&self.path, self.body.as_bytes()))
    }

    /// The string in the third line, if its key is this one.
    pub(super) fn third_line(&self, key: &str) -> Option<&str> {
        let line = self.body.lines().nth(2)?.strip_prefix(key)?;
        line.strip_prefix(" = \"")?.strip_suffix('"')
    }

    /// What `signer` would have to have signed, for this vault.
    #[must_use]
    pub fn claim(&self, signer: PublicKey, vault: &VaultId) -> Claim {
        let none: Option<&Commitment> = None;
        Claim {
            signer,
            message: message(self.label, vault, &self.path, none, self.body.as_bytes()),
            signature: self.signature,
        }
    }

    /// Checks that `signer` signed it, for this vault.
    ///
    /// # Errors
    /// If they did not. Names a visible error in the file, or else the signer as `name`.
    pub fn check(&self, signer: PublicKey, vault: &VaultId, name: &str) -> Result<(), Fault> {
        if self.claim(signer, vault).holds() {
            return Ok(());
        }
        Err(self.rejection(name))
    }

    /// Why a file is refused whose signature by `name` does not hold.
    #[must_use]
    pub fn rejection(&self, name: &str) -> Fault {
        let unsigned = || {
            Fault::damaged_file(
                &self.path,
                format!("does not match the signature of {name}"),
            )
        };
        explain_rejection(&self.path, self.body.as_bytes()).unwrap_or_else(unsigned)
    }

    /// Understands the text, which must be what `write` would make of its content.
    pub(super) fn parse<T>(
        &self,
        parse: impl FnOnce(&str) -> Option<T>,
        write: impl FnOnce(&T) -> String,
    ) -> Result<T, Fault> {
        let content = parse(&self.body).filter(|content| write(content) == self.body);
        content.ok_or_else(|| refuse(&self.path, self.body.as_bytes()))
    }
}
