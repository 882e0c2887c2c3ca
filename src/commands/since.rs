//! What changed since a git revision: what reviewers of a pull request must see, with no key.
//!
//! Somebody without a key can put back or delete what a member once signed. Both are found here:
//! an entry that is gone without a tombstone, and one whose revision did not rise.

use std::collections::{BTreeMap, BTreeSet};

use super::report::Report;
use crate::fault::Fault;
use crate::git::Repository;
use crate::vault::format::{ROSTER_PATH, entry_path};
use crate::vault::model::Entry;
use crate::vault::name::{EnvironmentName, SecretName};
use crate::vault::store::{Place, STORE_FOLDER, Tree};
use crate::vault::trust::{Pin, Presented, Vault};

/// The vault as it was.
pub(super) struct Before {
    repository: Repository,
    revision: String,
    vault: Option<Vault>,
}

type Entries = BTreeMap<(EnvironmentName, SecretName), Entry>;

impl Before {
    /// Reads the vault at `revision`, which may have had none yet.
    ///
    /// # Errors
    /// When git does not know the revision, or the vault there does not hold by its own id.
    pub(super) fn read(place: &Place, revision: &str) -> Result<Self, Fault> {
        let repository = Repository::open(place.folder())?;
        let files = repository.files_at(revision, STORE_FOLDER)?;
        let vault = if files.contains_key(ROSTER_PATH) {
            Some(Presented::read(Tree::Committed(files))?.accept())
        } else {
            None
        };
        Ok(Self { repository, revision: revision.to_owned(), vault })
    }

    /// The pin that the revision supplies.
    pub(super) fn pin(&self) -> Option<Pin> {
        let roster = self.vault.as_ref()?.roster();
        Some(Pin { vault: roster.vault, floor: roster.floor })
    }

    /// Tells what is different in `now`, and finds what is gone or went back.
    pub(super) fn compare(&self, now: &Vault, report: &mut Report) -> Result<(), Fault> {
        if self.vault.as_ref().is_some_and(|before| before.roster().vault != now.roster().vault) {
            // The pin has said so; the entries of two vaults have nothing to do with each other.
            return Ok(());
        }
        let old = self.vault.as_ref().map_or_else(|| Ok(BTreeMap::new()), entries)?;
        let new = entries(now)?;
        if let Some(before) = &self.vault
            && now.roster().revision < before.roster().revision
        {
            report.findings.push(format!(
                "went back: .vault/{ROSTER_PATH} has revision {}, at {} it had {}",
                now.roster().revision,
                self.revision,
                before.roster().revision
            ));
        }
        let ever = self.repository.files_ever(&self.revision, STORE_FOLDER)?;
        let is_shallow = self.repository.is_shallow()?;
        let keys: BTreeSet<_> = old.keys().chain(new.keys()).collect();
        for key in keys {
            let (environment, name) = key;
            let path = entry_path(environment, name);
            match (old.get(key), new.get(key)) {
                (Some(old), Some(new)) if old == new => {}
                (Some(old), Some(new)) => changed(&path, old, new, report),
                // It does not hold, which is a finding already.
                (Some(_), None) if is_there(now, environment, name) => {}
                (Some(old), None) if now.roster().environments.contains_key(environment) => {
                    report.findings.push(format!(
                        "gone: .vault/{path} (revision {}) was deleted without a tombstone",
                        old.revision
                    ));
                }
                (Some(_), None) => {
                    report.facts.push(format!("removed with its environment: {path}"));
                }
                (None, Some(new)) if ever.contains(&format!("{STORE_FOLDER}/{path}")) => {
                    report.findings.push(format!(
                        "brought back: .vault/{path} (revision {}), which was gone at {}",
                        new.revision, self.revision
                    ));
                }
                (None, Some(new)) if is_shallow => report.findings.push(format!(
                    "unknown: whether .vault/{path} (revision {}) was there before: history is \
                     cut off here (git fetch --unshallow, or fetch-depth: 0 in CI)",
                    new.revision
                )),
                (None, Some(new)) => report
                    .facts
                    .push(format!("new: {path} (revision {}) by {}", new.revision, new.signer)),
                (None, None) => {}
            }
        }
        Ok(())
    }
}

fn is_there(vault: &Vault, environment: &EnvironmentName, name: &SecretName) -> bool {
    let folder = vault.tree().folder(environment.as_str()).ok().flatten();
    folder
        .is_some_and(|folder| !matches!(folder.read(environment.as_str(), &name.file()), Ok(None)))
}

fn changed(path: &str, old: &Entry, new: &Entry, report: &mut Report) {
    if is_sealed_anew(old, new) {
        report.facts.push(format!("sealed anew: {path} (epoch {} → {})", old.epoch, new.epoch));
        return;
    }
    if new.revision <= old.revision {
        report.findings.push(format!(
            "brought back: .vault/{path} has revision {}, before it had {}",
            new.revision, old.revision
        ));
        return;
    }
    let what = if new.sealed.is_some() { "set" } else { "removed" };
    report.facts.push(format!(
        "{what}: {path} (revision {} → {}) by {}",
        old.revision, new.revision, new.signer
    ));
}

/// Whether `new` is what a rotation or a change of signer makes of `old`: the same value, of the
/// same revision, in a newer epoch or under another signature.
fn is_sealed_anew(old: &Entry, new: &Entry) -> bool {
    let same = |entry: &Entry| {
        (
            entry.revision,
            entry.origin,
            entry.changed.clone(),
            entry.author.clone(),
            entry.sealed.is_some(),
        )
    };
    let rotated = new.epoch > old.epoch;
    let signed_anew =
        new.epoch == old.epoch && new.signer != old.signer && new.sealed == old.sealed;
    same(old) == same(new) && (rotated || signed_anew)
}

/// All entries that hold; what does not is a finding of the check itself.
fn entries(vault: &Vault) -> Result<Entries, Fault> {
    let mut all = BTreeMap::new();
    for name in vault.roster().environments.keys() {
        let Ok(environment) = vault.environment(name) else { continue };
        for entry in Report::default().sound_entries(vault, &environment)? {
            all.insert((name.clone(), entry.name().clone()), entry.content().clone());
        }
    }
    Ok(all)
}
