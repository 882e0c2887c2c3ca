//! Whether a root is the one that the caller has decided to trust.
//!
//! A pin, a credential, and the state hold the tag of the last revocation that they know. A root that
//! does not list it is from before that revocation, or from a branch without it.

use std::str::FromStr;

use super::Vault;
use super::seen::Seen;
use super::state::State;
use crate::crypto::{Tag, VaultId};
use crate::fault::Fault;
use crate::vault::format::ROOT_PATH;
use crate::vault::model::{Member, Root};
use crate::vault::name::MemberName;

/// The caller's decision to trust an id, with the last revocation known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pin {
    /// The vault's id.
    pub vault: VaultId,
    /// A root that does not list it is refused. [`Tag::NONE`] accepts each.
    pub tag: Tag,
}

impl FromStr for Pin {
    type Err = Fault;

    /// Reads `ID` or `ID@TAG`.
    fn from_str(text: &str) -> Result<Self, Fault> {
        let (id, tag) = match text.split_once('@') {
            Some((id, tag)) => (id, tag.parse().ok()),
            None => (text, Some(Tag::NONE)),
        };
        match (id.parse::<VaultId>(), tag) {
            (Ok(vault), Some(tag)) if vault.authority().is_some() => Ok(Self { vault, tag }),
            (Ok(_), None) => Err(Fault::usage(
                "not the tag of a revocation (22 characters after the @)",
            )
            .hint("without the @ and the tag, the id alone is enough")),
            _ => Err(
                Fault::usage("not the id of a vault (vault1… with 64 characters)")
                    .hint("ask a colleague for the output of `vault id`"),
            ),
        }
    }
}

impl Pin {
    /// Reads what a person typed or pasted: blanks, quotes around it, the marks of a bracketed
    /// paste, and an id in capitals throughout do not matter.
    ///
    /// # Errors
    /// If it is not an id, with or without a tag.
    pub fn typed(text: &str) -> Result<Self, Fault> {
        let unmarked = text.replace("\u{1b}[200~", "").replace("\u{1b}[201~", "");
        let joined: String = unmarked.split_whitespace().collect();
        let bare = joined.trim_matches(['"', '\'', '`']);
        let (id, tag) = bare.split_at(bare.find('@').unwrap_or(bare.len()));
        let has_lower = id.bytes().any(|byte| byte.is_ascii_lowercase());
        if has_lower {
            bare.parse()
        } else {
            [&id.to_ascii_lowercase(), tag].concat().parse()
        }
    }
}

/// The result of comparing a root with the reader's trust.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is the vault that the caller trusts.
    Trusted,
    /// So it is, but another root of the same revision was seen before: two branches changed it.
    Forked,
    /// Nothing contradicts it, and its id has never been confirmed.
    Unknown,
}

/// Revocations that a root must list, and does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unlisted {
    /// A pin names it.
    Pinned(Tag),
    /// The caller has seen them; one of them would be enough.
    Seen(Vec<Tag>),
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
    /// Judges a root whose signature by its own id holds, found in `folder`.
    ///
    /// # Errors
    /// If the id differs from the pinned one or the one known for this folder, or has been
    /// replaced, or if the root does not list a revocation that is known.
    pub fn judge(&self, root: &Root, sha256: [u8; 32], folder: &str) -> Result<Standing, Fault> {
        self.check_id(&root.vault, folder)?;
        if self.unlisted(root).is_some() {
            return Err(from_before());
        }
        let seen: Vec<&Seen> = self
            .states
            .iter()
            .filter_map(|state| state.seen(&root.vault))
            .collect();
        if seen.is_empty() && self.pins.is_empty() {
            return Ok(Standing::Unknown);
        }
        let forked = |seen: &&Seen| {
            seen.root
                .is_some_and(|(revision, hash)| revision == root.revision && hash != sha256)
        };
        Ok(if seen.iter().any(forked) {
            Standing::Forked
        } else {
            Standing::Trusted
        })
    }

    /// The revocations that the root must list, and does not. Each pin must be met, and each record:
    /// one can raise what the other demands, and never lowers it.
    #[must_use]
    pub fn unlisted(&self, root: &Root) -> Option<Unlisted> {
        if let Some(pin) = self.pins.iter().find(|pin| !root.lists(pin.tag)) {
            return Some(Unlisted::Pinned(pin.tag));
        }
        let seen = self
            .states
            .iter()
            .filter_map(|state| state.seen(&root.vault));
        let refusing = seen.filter(|seen| !seen.accepts(&root.revocations));
        let tags: Vec<Tag> = refusing.flat_map(|seen| seen.tags.clone()).collect();
        (!tags.is_empty()).then_some(Unlisted::Seen(tags))
    }

    /// Checks the callers' requests to join against the vault.
    ///
    /// # Errors
    /// If the member with a caller's recipient, or the one with the name that they asked for, has
    /// other keys than they asked for. The member with both and without a signing key still waits for
    /// the one that they asked for, and no one can sign in their name.
    pub fn check_asked(&self, vault: &Vault) -> Result<(), Fault> {
        let id = vault.root().vault;
        for state in &self.states {
            let Some(asked) = state.asked(&id) else {
                continue;
            };
            let mut members = vault.members()?.counting.iter();
            let is_own = |member: &Member| Some(member.recipient.digest()) == state.owner();
            let waits = |name: &MemberName, member: &Member| {
                *name == asked.name && is_own(member) && member.signing.is_none()
            };
            let own = members.find(|(_, member)| is_own(member));
            let named = vault.counting(&asked.name)?;
            let named = named.as_ref().map(|member| (&asked.name, member));
            for (name, member) in own.into_iter().chain(named) {
                if !waits(name, member) {
                    asked.check(&id, name, member)?;
                }
            }
        }
        Ok(())
    }

    /// Checks the id that a root names, found in `folder`, before anything else of it is looked at.
    ///
    /// # Errors
    /// If the id differs from the pinned one or the one known for this folder, or has been
    /// replaced.
    pub fn check_id(&self, presented: &VaultId, folder: &str) -> Result<(), Fault> {
        if let Some(pin) = self.pins.iter().find(|pin| pin.vault != *presented) {
            return Err(other_id(&pin.vault, presented)
                .hint("the trusted id is that of the credential, VAULT_ID, `--id`, or `--since`"));
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
                .hint("only if a colleague sent you the new id: `vault trust ID`"));
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
    Fault::refused_file(ROOT_PATH, reason).restore("")
}

fn replaced(by: &VaultId, presented: &VaultId) -> Fault {
    let reason = format!("belongs to a vault that was replaced: expected {by}, found {presented}");
    Fault::refused_file(ROOT_PATH, reason)
        .hint("take the current one: `git pull`, or merge the main branch")
        .hint("only if a colleague sent you the old id on purpose: `vault trust ID`")
}

/// A root that does not list a revocation that is known.
fn from_before() -> Fault {
    Fault::refused_file(
        ROOT_PATH,
        "is from before a revocation that is known here, or from a branch without it",
    )
    .hint("take the newer files: `git pull`, or merge the branch with that revocation")
}
