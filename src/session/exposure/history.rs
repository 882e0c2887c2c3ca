//! Values in git's history that someone could read, and that were deleted, changed, or moved since.

use super::search::{Search, SourceValue, TOGETHER};
use crate::fault::{Fault, Kind, plural};
use crate::git::{Repository, Version};
use crate::session::open::Session;
use crate::vault::format::{MEMBERS, ROOT_PATH};
use crate::vault::history::{History, HistoryEntry};
use crate::vault::model::{LARGEST_MEMBER, LARGEST_ROOT};
use crate::vault::name::{EnvironmentName, MemberName, SecretName};
use crate::vault::store::{LARGEST_ENTRY, STORE_FOLDER};

/// How many contents of entries are looked at: a longer history takes minutes, and the rest is
/// counted.
const MOST: usize = 500_000;
/// The approximate number of bytes of entries in memory at a time.
const ROOM: usize = 32 << 20;

/// Compares values in use with the values in any commit that those who lost access could read.
pub(super) fn search(session: &Session, search: &mut Search<'_>) -> Result<(), Fault> {
    let repository = match Repository::open(session.place.folder()) {
        Err(fault) if fault.kind() == Kind::Refused => return Err(fault),
        Err(fault) => {
            search.add_gap(format!("older values were not compared: {fault:#}"));
            return Ok(());
        }
        Ok(repository) => repository,
    };
    if repository.is_shallow()? {
        search.add_gap(
            "git's history is incomplete here, so values are missing: `git fetch --unshallow`",
        );
    }
    let versions = repository.versions(STORE_FOLDER)?;
    let mut files = Files::sort(&versions, search);
    if files.entries.len() > MOST {
        search.add_gap(format!(
            "{} left out",
            plural(
                files.entries.len() - MOST,
                "older file was",
                "older files were"
            )
        ));
        files.entries.truncate(MOST);
    }
    let mut past = History::new(&session.key.identity);
    let mut missing = files.frame(&repository, session, &mut past)?;
    missing += files.compare(&repository, &mut past, search)?;
    if missing > 0 {
        search.add_gap(format!(
            "{} not compared, because they are not in this clone",
            plural(missing, "older file was", "older files were")
        ));
    }
    Ok(())
}

/// The versions of the vault's files, by kind.
#[derive(Default)]
struct Files<'a> {
    roots: Vec<&'a Version>,
    members: Vec<(MemberName, &'a Version)>,
    entries: Vec<(EnvironmentName, SecretName, &'a Version)>,
}

impl<'a> Files<'a> {
    fn sort(versions: impl IntoIterator<Item = &'a Version>, search: &Search<'_>) -> Self {
        let mut files = Self::default();
        for version in versions {
            let below_store = version
                .path
                .strip_prefix(STORE_FOLDER)
                .and_then(|path| path.strip_prefix('/'));
            let stem = below_store.and_then(|path| path.strip_suffix(".toml"));
            let Some(path) = stem else { continue };
            match path.split_once('/') {
                None if ROOT_PATH.strip_suffix(".toml") == Some(path) => {
                    files.roots.push(version);
                }
                None => {}
                Some((MEMBERS, name)) => files
                    .members
                    .extend(name.parse().ok().map(|name| (name, version))),
                Some((environment, name)) => {
                    let names = environment.parse().ok().zip(name.parse().ok());
                    files.entries.extend(
                        names
                            .filter(|(environment, name)| {
                                search.was_name_readable(environment, name)
                            })
                            .map(|(environment, name)| (environment, name, version)),
                    );
                }
            }
        }
        files
    }

    /// Reads the epochs, the signers, and the data keys.
    fn frame(
        &self,
        repository: &Repository,
        session: &Session,
        past: &mut History<'_>,
    ) -> Result<usize, Fault> {
        // Uncommitted files count too.
        let (vault, knows) = (&session.vault, |vault: &_| session.knows(vault));
        past.add_epochs(vault.root());
        let mut missing = repository.read_each(&self.roots, LARGEST_ROOT, &mut |_, file| {
            past.add_root(&file, &knows);
        })?;
        let versions: Vec<&Version> = self.members.iter().map(|(_, version)| *version).collect();
        missing += repository.read_each(&versions, LARGEST_MEMBER, &mut |at, file| {
            past.add_member(&self.members[at].0, &file);
        })?;
        for (name, member) in &vault.members()?.counting {
            past.add_keys(vault.root().vault, name, member.clone());
        }
        Ok(missing)
    }

    /// Opens the entries and compares their values.
    fn compare(
        &self,
        repository: &Repository,
        past: &mut History<'_>,
        search: &mut Search<'_>,
    ) -> Result<usize, Fault> {
        let versions: Vec<&Version> = self
            .entries
            .iter()
            .map(|(_, _, version)| *version)
            .collect();
        let (mut some, mut size, mut closed) = (Vec::new(), 0, 0);
        let missing = repository.read_each(&versions, LARGEST_ENTRY, &mut |at, file| {
            let (environment, name, _) = &self.entries[at];
            let entry = HistoryEntry::read(environment.clone(), name.clone(), &file);
            let wanted = entry.filter(|entry| {
                search.was_readable(&SourceValue::new(environment, name, entry.content()))
            });
            size += wanted.as_ref().map_or(0, |_| file.len());
            some.extend(wanted);
            if some.len() >= TOGETHER || size >= ROOM {
                closed += open(std::mem::take(&mut some), past, search);
                size = 0;
            }
        })?;
        closed += open(some, past, search);
        if closed > 0 {
            search.add_gap(format!(
                "{} not compared: no known member signed them, or you have no key to them",
                plural(closed, "older value was", "older values were")
            ));
        }
        Ok(missing)
    }
}

/// Compares the values of `entries`, and returns the number of those that could not be opened.
fn open(entries: Vec<HistoryEntry>, past: &mut History<'_>, search: &mut Search<'_>) -> usize {
    let all = entries.len();
    let values = past.values(entries);
    for (entry, value) in &values {
        let past = SourceValue::new(&entry.environment, &entry.name, entry.content());
        search.compare(&past, value);
    }
    all - values.len()
}
