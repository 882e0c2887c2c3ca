//! From files to checked content: environments and entries of a vault whose roster was accepted.

use std::collections::BTreeMap;

use super::unverified_root::AUTHORITY;
use crate::crypto::{Claim, PublicKey, sha256, verify_all};
use crate::fault::Fault;
use crate::vault::format::{
    ROSTER_PATH, Signed, entry_path, environment_file, environment_path, parse_environment,
    read_entry,
};
use crate::vault::model::{Entry, Environment, MOST_ENTRIES, Roster};
use crate::vault::name::{EnvironmentName, SecretName};
use crate::vault::parallel::map_in_parallel;
use crate::vault::store::{Folder, Tree};

/// How many entries are checked as one: enough for nearly all of the gain, and few enough that their
/// files need not all be in memory.
const TOGETHER: usize = 1000;
/// How many bytes of entries are in memory before their signatures are checked, about.
const ROOM: usize = 16 << 20;

/// A vault whose roster was accepted. Environments and entries come out of it checked.
pub struct Vault {
    pub(super) tree: Tree,
    pub(super) roster: Roster,
    pub(super) authority: PublicKey,
    pub(super) sha256: [u8; 32],
}

/// An environment whose file is the one that the roster lists, or a newer one by the same
/// authority.
pub struct CheckedEnvironment {
    content: Environment,
    sha256: [u8; 32],
    is_ahead: bool,
}

impl CheckedEnvironment {
    /// The environment.
    #[must_use]
    pub fn content(&self) -> &Environment {
        &self.content
    }

    /// SHA-256 of the file.
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        self.sha256
    }

    /// Whether the file is newer than the roster says, as an interrupted change leaves it.
    #[must_use]
    pub fn is_ahead(&self) -> bool {
        self.is_ahead
    }
}

/// An entry in its place, of a known epoch, signed by a member who may write here.
pub struct CheckedEntry {
    pub(super) name: SecretName,
    pub(super) content: Entry,
}

impl CheckedEntry {
    /// Name and entry.
    #[must_use]
    pub fn into_parts(self) -> (SecretName, Entry) {
        (self.name, self.content)
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &SecretName {
        &self.name
    }

    /// The entry.
    #[must_use]
    pub fn content(&self) -> &Entry {
        &self.content
    }
}

impl Vault {
    /// The roster.
    #[must_use]
    pub fn roster(&self) -> &Roster {
        &self.roster
    }

    /// SHA-256 of the roster's file.
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        self.sha256
    }

    /// The files it is read from.
    #[must_use]
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The environment `name`, whose file must be the listed one or a newer one that is signed by
    /// the authority, and must not be sealed to anyone without access.
    ///
    /// # Errors
    /// If it is unknown, missing, unlisted, older than listed, or not as it should be.
    pub fn environment(&self, name: &EnvironmentName) -> Result<CheckedEnvironment, Fault> {
        let path = environment_path(name);
        let listed = self
            .roster
            .environments
            .get(name)
            .ok_or_else(|| self.unknown(name))?;
        let refused = |reason: &str| Err(Fault::damaged_file(&path, reason));
        let Some(file) = self.tree.read(&path)? else {
            return refused("is missing, though the roster lists it");
        };
        let unparsed = environment_file(name, &file)?;
        unparsed.check(self.authority, &self.roster.vault, AUTHORITY)?;
        let content = parse_environment(name, &unparsed)?;
        let sha256 = sha256(&file);
        if content.revision < listed.revision {
            return refused("is older than the roster says");
        }
        if content.revision == listed.revision && sha256 != listed.sha256 {
            return refused("is not the file that the roster lists");
        }
        let sealed_to = content.newest().sealed.keys();
        for member in sealed_to {
            let listed = self.roster.members.get(member);
            if listed.is_none_or(|listed| !listed.access.contains_key(name)) {
                return refused(&format!("is sealed to {member}, who has no access"));
            }
        }
        Ok(CheckedEnvironment {
            is_ahead: content.revision > listed.revision,
            content,
            sha256,
        })
    }

    /// The entry `name`. Returns `None` if the file does not exist. A tombstone is an entry.
    ///
    /// # Errors
    /// If the file is not as it should be.
    pub fn entry(
        &self,
        environment: &CheckedEnvironment,
        name: &SecretName,
    ) -> Result<Option<CheckedEntry>, Fault> {
        Ok(self
            .entries_named(environment, std::slice::from_ref(name))?
            .pop())
    }

    /// Every entry of `environment`, by name.
    ///
    /// # Errors
    /// If a file is invalid or is not an entry.
    pub fn entries(&self, environment: &CheckedEnvironment) -> Result<Vec<CheckedEntry>, Fault> {
        let names = self.entry_names(&environment.content.name)?;
        self.entries_named(environment, &names)
    }

    /// The entries of these names that exist, in the order given.
    ///
    /// # Errors
    /// If one of the files is not as it should be.
    pub fn entries_named(
        &self,
        environment: &CheckedEnvironment,
        names: &[SecretName],
    ) -> Result<Vec<CheckedEntry>, Fault> {
        let folder = self.tree.folder(environment.content.name.as_str())?;
        let Some(folder) = folder else {
            return Ok(Vec::new());
        };
        map_in_parallel(names, |names| {
            let mut entries = Vec::with_capacity(names.len());
            for names in names.chunks(TOGETHER) {
                entries.extend(self.check_entries(environment, &folder, names)?);
            }
            Ok(entries)
        })
    }

    /// The names of all entries of `environment`, sorted.
    ///
    /// # Errors
    /// If there are too many files, one of them is not an entry, or two names differ in case only.
    pub fn entry_names(&self, environment: &EnvironmentName) -> Result<Vec<SecretName>, Fault> {
        let Some(folder) = self.tree.folder(environment.as_str())? else {
            return Ok(Vec::new());
        };
        let mut files = folder.names(environment.as_str())?;
        // Desktops create hidden files. No entry starts with a dot.
        files.retain(|file| !file.starts_with('.'));
        if files.len() > MOST_ENTRIES {
            let reason = format!(
                "holds {} files, the limit is {MOST_ENTRIES} entries",
                files.len()
            );
            return Err(
                Fault::refused_file(environment.as_str(), reason).hint(format!(
                    "see what does not belong there: git status .vault/{environment}"
                )),
            );
        }
        let names: Vec<SecretName> = files
            .iter()
            .map(|file| entry_name(environment, file))
            .collect::<Result<_, _>>()?;
        let mut spellings = BTreeMap::new();
        for name in &names {
            if let Some(other) = spellings.insert(name.folded(), name) {
                let reason = format!("{other} and {name} differ in case only");
                return Err(Fault::refused_file(environment.as_str(), reason)
                    .hint("remove one of the two files"));
            }
        }
        Ok(names)
    }

    /// Whether roster or environment on disk are no longer what was read, because a writer was at
    /// work in between; then it is worth reading everything once more.
    #[must_use]
    pub fn has_changed(&self, environment: &EnvironmentName, read: Option<[u8; 32]>) -> bool {
        let hash = |path: &str| {
            self.tree
                .read(path)
                .ok()
                .flatten()
                .map(|file| sha256(&file))
        };
        hash(ROSTER_PATH) != Some(self.sha256)
            || read.is_some_and(|read| hash(&environment_path(environment)) != Some(read))
    }

    fn check_entries(
        &self,
        environment: &CheckedEnvironment,
        folder: &Folder<'_>,
        names: &[SecretName],
    ) -> Result<Vec<CheckedEntry>, Fault> {
        let mut entries = Vec::with_capacity(names.len());
        let (mut claims, mut unchecked, mut size) = (Vec::new(), 0, 0);
        for name in names {
            let parent = environment.content.name.as_str();
            if let Some(file) = folder.read(parent, &name.file())? {
                let (entry, claim) = self.claimed(environment, name, &file)?;
                entries.push(entry);
                claims.push(claim);
                size += file.len();
            }
            if size > ROOM {
                check_claims(environment, &entries[unchecked..], &claims)?;
                (unchecked, size) = (entries.len(), 0);
                claims.clear();
            }
        }
        check_claims(environment, &entries[unchecked..], &claims)?;
        Ok(entries)
    }

    /// Everything about an entry but the signature itself, which is checked with others.
    fn claimed(
        &self,
        environment: &CheckedEnvironment,
        name: &SecretName,
        file: &[u8],
    ) -> Result<(CheckedEntry, Claim), Fault> {
        let signed: Signed<Entry> = read_entry(&environment.content.name, name, file)?;
        let path = signed.path();
        let refused = |reason: String| Fault::refused_file(path, reason);
        let entry = &signed.content;
        let epoch = environment.content.epoch(entry.epoch).ok_or_else(|| {
            refused(format!(
                "is of epoch {}, which the environment does not have",
                entry.epoch
            ))
            .hint("merge the branch in which the environment was rotated")
        })?;
        let key = self.signer(environment, entry).map_err(|reason| {
            refused(reason).hint(format!(
                "put back one that a writer signed: git log -p -- .vault/{path}"
            ))
        })?;
        let claim = signed.claim(key, &self.roster.vault, Some(&epoch.commitment));
        Ok((
            CheckedEntry {
                name: name.clone(),
                content: signed.content,
            },
            claim,
        ))
    }

    fn signer(&self, environment: &CheckedEnvironment, entry: &Entry) -> Result<PublicKey, String> {
        let (signer, environment) = (&entry.signer, &environment.content.name);
        match self.roster.members.get(signer) {
            Some(member) => member.signer_in(environment).ok_or_else(|| {
                format!("is signed by {signer}, who may not write in {environment}")
            }),
            None if self.roster.former.contains_key(signer) => {
                Err(format!("is signed by {signer}, who is no longer a member"))
            }
            None => Err(format!("is signed by {signer}, who is not a member")),
        }
    }

    /// Checks that the vault has the environment `name`.
    ///
    /// # Errors
    /// If it does not; the fault names the nearest one.
    pub fn check_environment(&self, name: &EnvironmentName) -> Result<(), Fault> {
        if self.roster.environments.contains_key(name) {
            Ok(())
        } else {
            Err(self.unknown(name))
        }
    }

    fn unknown(&self, name: &EnvironmentName) -> Fault {
        let known: Vec<&str> = self
            .roster
            .environments
            .keys()
            .map(EnvironmentName::as_str)
            .collect();
        Fault::usage(format!(
            "there is no environment {name}; there are: {}",
            known.join(", ")
        ))
        .did_you_mean(name.as_str(), known)
        .hint(format!("make it: vault environments add {name}"))
    }
}

/// Checks that each of `entries` is as its signer signed it; `claims` are theirs.
fn check_claims(
    environment: &CheckedEnvironment,
    entries: &[CheckedEntry],
    claims: &[Claim],
) -> Result<(), Fault> {
    if verify_all(claims) {
        return Ok(());
    }
    let wrong = entries.iter().zip(claims).find(|(_, claim)| !claim.holds());
    let (path, signer) = wrong.map_or_else(
        || {
            (
                environment.content.name.to_string(),
                "its signer".to_owned(),
            )
        },
        |(entry, _)| {
            let path = entry_path(&environment.content.name, &entry.name);
            (path, entry.content.signer.to_string())
        },
    );
    Err(not_signed(&path, &signer))
}

fn entry_name(environment: &EnvironmentName, file: &str) -> Result<SecretName, Fault> {
    let name = file
        .strip_suffix(".toml")
        .and_then(|name| name.parse().ok());
    name.ok_or_else(|| {
        let file = file.escape_debug();
        Fault::refused_file(&format!("{environment}/{file}"), "is not an entry")
            .hint("remove the file; vault did not write it")
    })
}

pub(super) fn not_signed(path: &str, signer: &str) -> Fault {
    Fault::damaged_file(path, format!("does not match the signature of {signer}"))
}
