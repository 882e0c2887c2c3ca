//! Whether a roster is the one that the caller has decided to trust.

use std::str::FromStr;

use super::state::{Seen, State};
use crate::crypto::VaultId;
use crate::fault::Fault;
use crate::vault::format::{ROSTER_PATH, decimal};
use crate::vault::model::Roster;

/// The caller's decision to trust an id, with the lowest floor to accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pin {
    /// The vault's id.
    pub vault: VaultId,
    /// A roster with a lower floor is refused.
    pub floor: u64,
}

impl FromStr for Pin {
    type Err = Fault;

    /// Reads `ID` or `ID@FLOOR`.
    fn from_str(text: &str) -> Result<Self, Fault> {
        let (id, floor) = match text.split_once('@') {
            Some((id, floor)) => (id, decimal(floor)),
            None => (text, Some(0)),
        };
        match (id.parse::<VaultId>(), floor) {
            (Ok(vault), Some(floor)) if vault.authority().is_some() => Ok(Self { vault, floor }),
            _ => Err(
                Fault::usage("not the id of a vault (vault1… with 64 characters)")
                    .hint("ask a colleague for the output of `vault id`"),
            ),
        }
    }
}

impl Pin {
    /// Reads what a person typed or pasted: blanks, quotes around it, the marks of a bracketed
    /// paste, and capitals throughout do not matter.
    ///
    /// # Errors
    /// If it is not an id, with or without a floor.
    pub fn typed(text: &str) -> Result<Self, Fault> {
        let unmarked = text.replace("\u{1b}[200~", "").replace("\u{1b}[201~", "");
        let joined: String = unmarked.split_whitespace().collect();
        let bare = joined.trim_matches(['"', '\'', '`']);
        let has_lower = bare.bytes().any(|byte| byte.is_ascii_lowercase());
        if has_lower {
            bare.parse()
        } else {
            bare.to_ascii_lowercase().parse()
        }
    }
}

/// The result of comparing a roster with the reader's trust.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is the vault that the caller trusts.
    Trusted,
    /// So it is, but another roster of the same revision was seen before: two admins changed it
    /// at once. Enough for reading, not for writing.
    Forked,
    /// Nothing contradicts it, and its id has never been confirmed.
    Unknown,
}

/// Everything the caller trusts: pins, and earlier records.
#[derive(Default)]
pub struct Trust {
    /// From the credential, `VAULT_ID` or `--id`; each must agree.
    pub pins: Vec<Pin>,
    /// The records of the caller's own recipients; empty for machines.
    pub states: Vec<State>,
}

impl Trust {
    /// Judges a roster whose signature by its own id holds, found in `folder`.
    ///
    /// # Errors
    /// If the id differs from the pinned one or the one known for this folder, or has been
    /// replaced, if the floor is below a known one, or if the roster lists the caller with keys
    /// that they did not ask for.
    pub fn judge(
        &self,
        roster: &Roster,
        sha256: [u8; 32],
        folder: &str,
    ) -> Result<Standing, Fault> {
        self.check_id(&roster.vault, folder)?;
        self.pins
            .iter()
            .try_for_each(|pin| check_floor(pin.floor, roster))?;
        for state in &self.states {
            let asked = state.asked(&roster.vault);
            asked.map_or(Ok(()), |asked| asked.check(roster, state.recipient()))?;
        }
        let seen: Vec<&Seen> = self
            .states
            .iter()
            .filter_map(|state| state.seen(&roster.vault))
            .collect();
        for seen in &seen {
            check_floor(seen.floor, roster)?;
        }
        if seen.is_empty() && self.pins.is_empty() {
            return Ok(Standing::Unknown);
        }
        let forked = |seen: &&Seen| {
            seen.roster
                .is_some_and(|(revision, hash)| revision == roster.revision && hash != sha256)
        };
        Ok(if seen.iter().any(forked) {
            Standing::Forked
        } else {
            Standing::Trusted
        })
    }

    /// Checks the id that a roster names, found in `folder`, before anything else of it is looked at.
    ///
    /// # Errors
    /// If the id differs from the pinned one or the one known for this folder, or has been
    /// replaced.
    pub fn check_id(&self, presented: &VaultId, folder: &str) -> Result<(), Fault> {
        if let Some(pin) = self.pins.iter().find(|pin| pin.vault != *presented) {
            return Err(other_id(&pin.vault, presented)
                .hint("the trusted id is that of the credential, VAULT_ID, --id or --since"));
        }
        if !self.pins.is_empty() {
            return Ok(());
        }
        let known: Vec<VaultId> = self
            .states
            .iter()
            .filter_map(|state| state.vault_of(folder))
            .collect();
        // Being a member of two vaults must not let one of them take the other's place.
        if let Some(other) = known.first().filter(|_| !known.contains(presented)) {
            return Err(other_id(other, presented)
                .hint("only if a colleague sent you the new id: vault trust ID"));
        }
        let seen: Vec<&Seen> = self
            .states
            .iter()
            .filter_map(|state| state.seen(presented))
            .collect();
        // Otherwise, a former holder of the old authority could offer their own vault in a new
        // folder.
        match seen.first().and_then(|seen| seen.replaced) {
            Some(first) if seen.iter().all(|seen| seen.replaced.is_some()) => {
                Err(replaced(&first, presented))
            }
            _ => Ok(()),
        }
    }
}

fn other_id(trusted: &VaultId, presented: &VaultId) -> Fault {
    let reason = format!("belongs to a different vault: expected {trusted}, found {presented}");
    Fault::refused_file(ROSTER_PATH, reason).restore("")
}

fn replaced(by: &VaultId, presented: &VaultId) -> Fault {
    let reason = format!("belongs to a vault that was replaced: expected {by}, found {presented}");
    Fault::refused_file(ROSTER_PATH, reason)
        .hint("take the current one: git pull, or merge the main branch")
        .hint("only if a colleague sent you the old id all the same: vault trust ID")
}

fn check_floor(floor: u64, roster: &Roster) -> Result<(), Fault> {
    if roster.floor >= floor {
        return Ok(());
    }
    let own = roster.floor;
    let reason =
        format!("is older than the last loss of access: its floor is {own}, known is {floor}");
    Err(Fault::refused_file(ROSTER_PATH, reason)
        .hint("take the current one: git pull, or merge the main branch"))
}
