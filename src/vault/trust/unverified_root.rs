//! A roster with a valid signature by its own id, before its id has been confirmed.
//!
//! It is parsed no earlier than it was judged: the id and the signature of a stranger's roster cost no
//! more than a hash, whatever it holds.

use std::cell::OnceCell;

use super::pin::{Standing, Trust};
use super::{State, Vault};
use crate::crypto::{PublicKey, VaultId, sha256};
use crate::fault::Fault;
use crate::vault::format::{ROSTER_PATH, Unparsed, parse_roster, roster_file};
use crate::vault::model::Roster;
use crate::vault::store::Tree;

/// Who signs the roster, in messages.
pub(super) const AUTHORITY: &str = "the authority of this vault";

/// A roster with a valid signature by its own id, which may not be the right one.
pub struct UnverifiedRoot {
    tree: Tree,
    file: Unparsed,
    id: VaultId,
    authority: PublicKey,
    sha256: [u8; 32],
    /// Once it was needed.
    roster: OnceCell<Roster>,
}

impl UnverifiedRoot {
    /// Reads the roster and checks its signature by the id it names.
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
        let file = tree.read(ROSTER_PATH)?.ok_or_else(|| {
            Fault::refused_file(ROSTER_PATH, "is missing")
                .hint("put it back: git checkout -- .vault/members.toml")
        })?;
        let (sha256, file) = (sha256(&file), roster_file(&file)?);
        let id = file.vault()?;
        check(&id)?;
        let authority = id
            .authority()
            .ok_or_else(|| super::not_signed(ROSTER_PATH, AUTHORITY))?;
        file.check(authority, &id, AUTHORITY)?;
        Ok(Self {
            tree,
            file,
            id,
            authority,
            sha256,
            roster: OnceCell::new(),
        })
    }

    /// The id that the roster names.
    #[must_use]
    pub fn id(&self) -> VaultId {
        self.id
    }

    /// SHA-256 of the file.
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        self.sha256
    }

    /// Compares it with `trust`; see [`Trust::judge`]. A roster that is unknown is not parsed.
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
        trust.judge(self.roster()?, self.sha256, folder)
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
            roster: parsed,
            ..
        } = self;
        let roster = parsed
            .into_inner()
            .map_or_else(|| parse_roster(&file), Ok)?;
        Ok(Vault {
            tree,
            roster,
            authority,
            sha256,
        })
    }

    fn roster(&self) -> Result<&Roster, Fault> {
        if let Some(roster) = self.roster.get() {
            return Ok(roster);
        }
        let parsed = parse_roster(&self.file)?;
        Ok(self.roster.get_or_init(|| parsed))
    }
}
