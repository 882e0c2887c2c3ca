//! A root with a valid signature by its own id, before its id has been confirmed.
//!
//! It is parsed no earlier than it was judged: the id and the signature of a stranger's root cost no
//! more than a hash, whatever it holds.

use std::cell::OnceCell;
use std::sync::{Mutex, OnceLock};

use super::pin::{Standing, Trust};
use super::{State, Vault};
use crate::crypto::{PublicKey, VaultId, sha256};
use crate::fault::Fault;
use crate::vault::format::{ROOT_PATH, Unparsed, parse_root, root_file};
use crate::vault::model::Root;
use crate::vault::store::Tree;

/// The file that an unreleased version had in place of the root.
pub const UNRELEASED: &str = "members.toml";
/// Who signs the root, in messages.
pub(super) const AUTHORITY: &str = "the authority of this vault";

/// A root with a valid signature by its own id, which may not be the right one.
pub struct UnverifiedRoot {
    tree: Tree,
    file: Unparsed,
    id: VaultId,
    authority: PublicKey,
    sha256: [u8; 32],
    /// Once it was needed.
    parsed: OnceCell<Root>,
}

impl UnverifiedRoot {
    /// Reads the root and checks its signature by the id it names.
    ///
    /// # Errors
    /// If it is missing or not signed by its authority.
    pub fn read(tree: Tree) -> Result<Self, Fault> {
        Self::read_if(tree, |_| Ok(()))
    }

    /// The same, unless `check` refuses the id that it names.
    ///
    /// # Errors
    /// That of `check`, and as [`Self::read`].
    pub fn read_if(
        tree: Tree,
        check: impl FnOnce(&VaultId) -> Result<(), Fault>,
    ) -> Result<Self, Fault> {
        let Some(file) = tree.read(ROOT_PATH)? else {
            return Err(missing(&tree));
        };
        let (sha256, file) = (sha256(&file), root_file(&file)?);
        let id = file.vault()?;
        check(&id)?;
        let authority = id
            .authority()
            .ok_or_else(|| super::not_signed(ROOT_PATH, AUTHORITY))?;
        file.check(authority, &id, AUTHORITY)?;
        Ok(Self {
            tree,
            file,
            id,
            authority,
            sha256,
            parsed: OnceCell::new(),
        })
    }

    /// The id that the root names.
    #[must_use]
    pub fn id(&self) -> VaultId {
        self.id
    }

    /// SHA-256 of the file.
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        self.sha256
    }

    /// Compares it with `trust`; see [`Trust::judge`]. A root that is unknown is not parsed.
    ///
    /// # Errors
    /// If the trust speaks against it, or it is not as `vault` writes it.
    pub fn judge(&self, trust: &Trust, folder: &str) -> Result<Standing, Fault> {
        trust.check_id(&self.id, folder)?;
        let is_seen =
            |state: &State| state.seen(&self.id).is_some() || state.asked(&self.id).is_some();
        if trust.pins.is_empty() && !trust.states.iter().any(is_seen) {
            return Ok(Standing::Unknown);
        }
        trust.judge(self.root()?, self.sha256, folder)
    }

    /// Continues after a judgment, or without one for commands that decrypt nothing.
    ///
    /// # Errors
    /// If it is not as `vault` writes it.
    pub fn into_vault(self) -> Result<Vault, Fault> {
        let Self {
            tree,
            file,
            authority,
            sha256,
            parsed,
            ..
        } = self;
        let root = parsed.into_inner().map_or_else(|| parse_root(&file), Ok)?;
        Ok(Vault {
            tree,
            root,
            authority,
            sha256,
            known: Mutex::default(),
            members: OnceLock::new(),
        })
    }

    /// The root, understood.
    ///
    /// # Errors
    /// If it is not as `vault` writes it.
    pub fn root(&self) -> Result<&Root, Fault> {
        if let Some(root) = self.parsed.get() {
            return Ok(root);
        }
        let parsed = parse_root(&self.file)?;
        Ok(self.parsed.get_or_init(|| parsed))
    }
}

/// Why the root is missing.
fn missing(tree: &Tree) -> Fault {
    let is_older = |names: Vec<String>| names.iter().any(|name| name == UNRELEASED);
    if tree.names().is_ok_and(is_older) {
        return made_by_unreleased();
    }
    Fault::refused_file(ROOT_PATH, "is missing").restore(ROOT_PATH)
}

/// Explains that the vault has a format that was never released.
#[must_use]
pub fn made_by_unreleased() -> Fault {
    Fault::refused_file("", "was made by an unreleased version of vault")
        .hint("make a new vault in another folder, and copy the values with that version")
}
