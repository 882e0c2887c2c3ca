//! What becomes of every entry.

use std::collections::{BTreeMap, BTreeSet};

use super::Which;
use super::choices::Choices;
use super::members::Merged;
use super::sides::{Side, Sides};
use crate::crypto::{Commitment, Identity};
use crate::fault::Fault;
use crate::secret::Secret;
use crate::session::context::Context;
use crate::vault::format::entry_path;
use crate::vault::holder::Holder;
use crate::vault::model::{Environment, Member};
use crate::vault::name::{EnvironmentName, MemberName, SecretName};
use crate::vault::trust::CheckedEntry;
use crate::vault::unlock::Unlocked;

/// The entries of one environment after a merge.
pub(super) struct Entries {
    pub(super) environment: EnvironmentName,
    /// Each with the side that it comes from.
    pub(super) kept: BTreeMap<SecretName, (Which, CheckedEntry)>,
    /// Entries whose signer may no longer write, which the caller takes over.
    pub(super) adopted: BTreeSet<SecretName>,
    /// Entries that a person chose, with a revision above those of both sides.
    pub(super) chosen: BTreeMap<SecretName, u64>,
}

/// A decision about one entry.
struct Decision {
    which: Which,
    /// `None` if that side has no file.
    entry: Option<CheckedEntry>,
    /// The revision that a choice gets.
    revision: Option<u64>,
}

impl Decision {
    fn plain(which: Which, entry: Option<CheckedEntry>) -> Self {
        Self {
            which,
            entry,
            revision: None,
        }
    }
}

/// Who asks, and with which key values are compared.
pub(super) struct Asker<'a> {
    pub(super) context: &'a Context,
    pub(super) choices: &'a Choices,
    pub(super) identity: &'a Identity,
}

impl Sides {
    pub(super) fn side(&self, which: Which) -> &Side {
        match which {
            Which::Ours => &self.ours,
            Which::Theirs => &self.theirs,
        }
    }
}

/// Decides on all entries of an environment.
///
/// # Errors
/// If a choice is missing.
pub(super) fn decide(
    sides: &Sides,
    merged: &Merged,
    only: Option<Which>,
    name: &EnvironmentName,
    asker: &Asker<'_>,
) -> Result<Entries, Fault> {
    let (mut ours, mut theirs) = (sides.ours.entries(name)?, sides.theirs.entries(name)?);
    match only {
        Some(Which::Ours) => theirs.clear(),
        Some(Which::Theirs) => ours.clear(),
        None => {}
    }
    let names: BTreeSet<SecretName> = ours.keys().chain(theirs.keys()).cloned().collect();
    let (mut kept, mut chosen) = (BTreeMap::new(), BTreeMap::new());
    for entry in names {
        let path = entry_path(name, &entry);
        let both = (ours.remove(&entry), theirs.remove(&entry));
        let decision = match (sides.unchanged(&path), both) {
            (_, (ours, theirs)) if only.is_some() => match only {
                Some(Which::Theirs) => Decision::plain(Which::Theirs, theirs),
                _ => Decision::plain(Which::Ours, ours),
            },
            (_, (Some(own), None)) if is_only(sides, &path, Which::Ours) => {
                Decision::plain(Which::Ours, Some(own))
            }
            (_, (None, Some(own))) if is_only(sides, &path, Which::Theirs) => {
                Decision::plain(Which::Theirs, Some(own))
            }
            (Some(file), (ours, theirs)) => {
                if file == sides.ours.file(&path) {
                    Decision::plain(Which::Ours, ours)
                } else {
                    Decision::plain(Which::Theirs, theirs)
                }
            }
            (None, both) => choose(sides, merged, name, &entry, both, asker)?,
        };
        if let Some(checked) = decision.entry {
            chosen.extend(decision.revision.map(|revision| (entry.clone(), revision)));
            kept.insert(entry, (decision.which, checked));
        }
    }
    let adopted = adopted(sides, merged, name, &kept, asker.choices)?;
    Ok(Entries {
        environment: name.clone(),
        kept,
        adopted,
        chosen,
    })
}

/// Whether an entry is on one side only, and the other side never had its environment's entries.
fn is_only(sides: &Sides, path: &str, which: Which) -> bool {
    let other = match which {
        Which::Ours => &sides.theirs,
        Which::Theirs => &sides.ours,
    };
    other.file(path).is_none() && sides.base.file(path).is_none()
}

/// Both sides changed it: the higher revision, or the one that a person chooses.
fn choose(
    sides: &Sides,
    merged: &Merged,
    environment: &EnvironmentName,
    name: &SecretName,
    (ours, theirs): (Option<CheckedEntry>, Option<CheckedEntry>),
    asker: &Asker<'_>,
) -> Result<Decision, Fault> {
    let revision =
        |entry: &Option<CheckedEntry>| entry.as_ref().map_or(0, |entry| entry.content().revision);
    let next = revision(&ours).max(revision(&theirs)) + 1;
    let mut is_chosen = false;
    let which = match (&ours, &theirs) {
        (Some(one), Some(two)) if one.content().revision > two.content().revision => Which::Ours,
        (Some(one), Some(two)) if one.content().revision < two.content().revision => Which::Theirs,
        (Some(one), Some(two)) if is_same(sides, environment, (one, two), asker) => {
            let newest = merged.membership.root.environments[environment].newest();
            // Two files with one revision differ from each other, so there is a next one.
            is_chosen =
                one.commitment() == two.commitment() && !merged.epochs.contains(environment);
            if *two.commitment() == newest.commitment {
                Which::Theirs
            } else {
                Which::Ours
            }
        }
        _ => {
            is_chosen = true;
            let show = || {
                let shown = |which, entry: &Option<CheckedEntry>| {
                    let value = entry
                        .as_ref()
                        .and_then(|entry| value(sides.side(which), environment, entry, asker).ok());
                    match value.flatten() {
                        Some(value) => String::from_utf8_lossy(value.expose())
                            .escape_debug()
                            .to_string(),
                        None => "no value, or none that you can open".to_owned(),
                    }
                };
                format!(
                    "  ours: {}\n  theirs: {}",
                    shown(Which::Ours, &ours),
                    shown(Which::Theirs, &theirs)
                )
            };
            let contents = (
                ours.as_ref().map(CheckedEntry::content),
                theirs.as_ref().map(CheckedEntry::content),
            );
            asker
                .choices
                .entry(asker.context, environment, name, contents, &show)?
        }
    };
    let entry = match which {
        Which::Ours => ours,
        Which::Theirs => theirs,
    };
    Ok(Decision {
        which,
        entry,
        revision: is_chosen.then_some(next),
    })
}

/// Whether both are one change: the same value, chosen once, and encrypted on each side.
fn is_same(
    sides: &Sides,
    environment: &EnvironmentName,
    (ours, theirs): (&CheckedEntry, &CheckedEntry),
    asker: &Asker<'_>,
) -> bool {
    let (one, two) = (ours.content(), theirs.content());
    let is_alike =
        one.origin == two.origin && one.changed == two.changed && one.author == two.author;
    let open = |which, entry| value(sides.side(which), environment, entry, asker);
    is_alike
        && match (open(Which::Ours, ours), open(Which::Theirs, theirs)) {
            (Ok(Some(one)), Ok(Some(two))) => one.same_as(&two),
            (Ok(None), Ok(None)) => true,
            _ => false,
        }
}

fn value(
    side: &Side,
    environment: &EnvironmentName,
    entry: &CheckedEntry,
    asker: &Asker<'_>,
) -> Result<Option<Secret>, Fault> {
    let keys = side.unlock(asker.identity, environment, [*entry.commitment()])?;
    keys.value(entry)
}

impl Side {
    /// The caller's keys to an environment on this side.
    ///
    /// # Errors
    /// If the caller is not a member on this side, or has no key.
    pub(super) fn unlock(
        &self,
        identity: &Identity,
        environment: &EnvironmentName,
        epochs: impl IntoIterator<Item = Commitment>,
    ) -> Result<Unlocked, Fault> {
        let (name, member) = self.member_of(identity)?;
        let environment: &Environment = self.vault.environment(environment)?;
        Holder::new(&self.vault, &name, &member, identity).unlock(environment, epochs)
    }

    /// The caller as a member on this side.
    ///
    /// # Errors
    /// If there is none.
    pub(super) fn member_of(&self, identity: &Identity) -> Result<(MemberName, Member), Fault> {
        let own = self.vault.member_with(&identity.recipient())?;
        own.ok_or_else(|| Fault::locked(format!("your key belongs to no member of {}", self.label)))
    }
}

/// The entries whose signers may not write in the result with the key that they signed with.
fn adopted(
    sides: &Sides,
    merged: &Merged,
    environment: &EnvironmentName,
    kept: &BTreeMap<SecretName, (Which, CheckedEntry)>,
    choices: &Choices,
) -> Result<BTreeSet<SecretName>, Fault> {
    let mut adopted = BTreeSet::new();
    for (name, (which, entry)) in kept {
        let by = &entry.content().signer;
        let key = |members: &BTreeMap<MemberName, Member>| members.get(by)?.signer_in(environment);
        let signed = key(&sides.side(*which).membership.members);
        if signed.is_some() && signed == key(&merged.membership.members) {
            continue;
        }
        if !choices.adopts(name) {
            let path = entry_path(environment, name);
            return Err(Fault::refused_file(
                &path,
                format!("is signed by {by}, who may not write in {environment} after the merge"),
            )
            .hint(format!(
                "to take it over, after a look at it: `vault resolve --adopt {name}`"
            )));
        }
        adopted.insert(name.clone());
    }
    Ok(adopted)
}
