//! A root that does not list a known revocation: explains the revocation, names everyone who would have
//! access again, and shows both ways on.
//!
//! What git says of a commit is shown as words, and decides nothing.

use std::collections::BTreeSet;

use super::elsewhere::{Elsewhere, elsewhere};
use super::open::{folder, tree};
use crate::crypto::{Tag, VaultId};
use crate::fault::Fault;
use crate::vault::format::ROOT_PATH;
use crate::vault::model::{Membership, Root};
use crate::vault::name::{EnvironmentName, MemberName};
use crate::vault::regained::{Regained, regained};
use crate::vault::store::Place;
use crate::vault::trust::{Standing, Trust, Unlisted, UnverifiedRoot, Vault};

/// How a root without any revocation is named after the `@`.
pub(crate) const NO_TAG: &str = "none";

/// How many characters of a commit's id are shown.
const SHORT_ID: usize = 12;
/// The most characters that are shown of a name in a commit.
const LONGEST_NAME: usize = 60;

/// Compares a root with the caller's trust. Explains a revocation that it does not list; the credential
/// knows the last one named by `credential`.
///
/// # Errors
/// As [`UnverifiedRoot::judge`].
pub(crate) fn judge(
    presented: &UnverifiedRoot,
    trust: &Trust,
    place: &Place,
    credential: Option<Tag>,
) -> Result<Standing, Fault> {
    let here = folder(place);
    let judged = presented.judge(trust, &here);
    let Err(plain) = judged else { return judged };
    // A stranger's root is not parsed.
    trust.check_id(&presented.id(), &here)?;
    let Some(unlisted) = trust.unlisted(presented.root()?) else {
        return Err(plain);
    };
    let tags = match &unlisted {
        Unlisted::Pinned(tag) => std::slice::from_ref(tag),
        Unlisted::Seen(tags) => tags,
    };
    // Of several records, one may be that of a stolen key.
    let own = match &trust.states[..] {
        [own] => own.owner(),
        _ => None,
    };
    let found = OlderRoot::find(place, tags, own.as_ref());
    let Ok(older) = found else { return Err(plain) };
    Err(match unlisted {
        Unlisted::Seen(_) => older.refusal(),
        Unlisted::Pinned(tag) if credential == Some(tag) => older.fault("the credential knows"),
        // Only the caller can change it.
        Unlisted::Pinned(_) => older
            .fault("VAULT_ID, `--id`, or `--since` names")
            .hint("if that branch was abandoned: name a revocation of this one instead"),
    })
}

/// The root here, compared with those in this clone that list a revocation which it does not.
pub(crate) struct OlderRoot {
    pub(crate) vault: Vault,
    here: Membership,
    elsewhere: Elsewhere,
    /// Who would have access again, or know a key. `None` if no commit of this clone can say.
    pub(crate) regained: Option<Regained>,
}

impl OlderRoot {
    /// Compares the root here with those that list one of `tags`, for the caller with this recipient's digest.
    ///
    /// # Errors
    /// If the vault here cannot be read, or git fails.
    pub(crate) fn find(place: &Place, tags: &[Tag], own: Option<&[u8; 32]>) -> Result<Self, Fault> {
        let vault = UnverifiedRoot::read(tree(place)?)?.into_vault()?;
        let here = vault.membership()?;
        let elsewhere = elsewhere(place, &vault, tags)?;
        let mut found = None;
        for newer in &elsewhere.newer {
            let all: &mut Regained = found.get_or_insert_default();
            for (name, places) in regained(&here, newer, &elsewhere.files, own) {
                all.entry(name).or_default().extend(places);
            }
        }
        Ok(Self {
            vault,
            here,
            elsewhere,
            regained: found,
        })
    }

    /// The refusal for someone who has seen the revocation.
    pub(crate) fn refusal(&self) -> Fault {
        let fault = self.fault("you have seen");
        let pin = typed(&self.here.root.vault, self.here.root.latest());
        match &self.regained {
            None => fault.hint(format!(
                "if that branch was abandoned: `vault trust {pin}`; it cannot say who would have \
                 access again"
            )),
            Some(none) if none.is_empty() => {
                fault.hint(format!("if that branch was abandoned: `vault trust {pin}`"))
            }
            Some(regained) => fault.hints_of(&self.needs(regained)),
        }
    }

    /// The hints to what going back needs, which is not a command that is ready to be pasted.
    pub(crate) fn needs(&self, regained: &Regained) -> Fault {
        let tag = tag_text(self.here.root.latest());
        Fault::refused("people would have access again, or know a key")
            .hint(format!(
                "if that branch was abandoned: `vault trust ID@{tag}`, with `--give-back NAME` for \
                 everyone who would have access again or know a key"
            ))
            .hint(format!("these are: {}", list(regained)))
    }

    /// Says what was revoked, and how to get the newer files.
    fn fault(&self, whose: &str) -> Fault {
        let Some((root, [commit, name, day])) = &self.elsewhere.origin else {
            let reason = format!(
                "is from before a revocation that {whose}, which no commit of this clone has"
            );
            return Fault::refused_file(ROOT_PATH, reason).hint(
                "take the newer files: `git pull`, or merge the branch with that revocation",
            );
        };
        let short: String = commit.chars().take(SHORT_ID).collect();
        let name: String = name.chars().take(LONGEST_NAME).collect();
        let revoked = revoked(&self.here.root, root).join(", ");
        let colon = if revoked.is_empty() { "" } else { ": " };
        let reason = format!(
            "is from before a revocation that {whose}{colon}{revoked} (commit {short}, {day}, {name:?})"
        );
        Fault::refused_file(ROOT_PATH, reason).hint(format!(
            "merge the branch with it: `git branch --all --contains {short}` lists it"
        ))
    }
}

/// A pin as it is typed for `vault trust`.
pub(crate) fn typed(vault: &VaultId, tag: Tag) -> String {
    format!("{vault}@{}", tag_text(tag))
}

fn tag_text(tag: Tag) -> String {
    if tag.is_none() {
        NO_TAG.to_owned()
    } else {
        tag.to_string()
    }
}

/// Lists people with the environments concerned.
pub(crate) fn list(regained: &Regained) -> String {
    let one = |(name, places): (&MemberName, &BTreeSet<EnvironmentName>)| {
        let places: Vec<&str> = places.iter().map(EnvironmentName::as_str).collect();
        match &places[..] {
            [] => format!("{name} (as an admin)"),
            places => format!("{name} ({})", places.join(", ")),
        }
    };
    regained.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// What `newer` has revoked and `here` has not, in words.
fn revoked(here: &Root, newer: &Root) -> Vec<String> {
    let mut words = Vec::new();
    for name in newer.former.keys() {
        let is_known = here.former.contains_key(name);
        if !is_known && !name.is_key() {
            words.push(format!("{name} was removed"));
        }
    }
    for name in newer.members.keys() {
        if newer.tag_of(name) != here.tag_of(name) {
            words.push(format!("the access or a key of {name} was changed"));
        }
    }
    for (name, environment) in &here.environments {
        let Some(now) = newer.environments.get(name) else {
            if newer.losses().any(|(_, lost)| lost.contains_key(name)) {
                words.push(format!("{name} was removed"));
            }
            continue;
        };
        if environment.epoch(&now.newest().commitment).is_none() {
            words.push(format!("{name} was rotated"));
        }
    }
    words
}
