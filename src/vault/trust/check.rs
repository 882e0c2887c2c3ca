//! From files to checked content: the entries of a vault whose root was accepted.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock};

use super::members::{MemberFile, Members};
use crate::crypto::{Claim, Commitment, PublicKey, sha256, verify_all};
use crate::fault::Fault;
use crate::vault::format::{ROOT_PATH, Signed, entry_path, member_path, read_entry};
use crate::vault::model::{Entry, Environment, Epoch, MOST_ENTRIES, Root};
use crate::vault::name::{EnvironmentName, MemberName, SecretName};
use crate::vault::parallel::map_in_parallel;
use crate::vault::store::{Folder, Tree};

/// How many entries are checked as one: enough for nearly all of the gain, and few enough that their
/// files need not all be in memory.
const TOGETHER: usize = 1000;
/// How many bytes of entries are in memory before their signatures are checked, about.
const ROOM: usize = 16 << 20;

/// A vault whose root was accepted. Members and entries come out of it checked.
pub struct Vault {
    pub(super) tree: Tree,
    pub(super) root: Root,
    pub(super) authority: PublicKey,
    pub(super) sha256: [u8; 32],
    /// The members' files that were read one by one; `None` if the file does not exist.
    pub(super) known: Mutex<BTreeMap<MemberName, Option<Arc<MemberFile>>>>,
    /// All members' files, once they are needed.
    pub(super) members: OnceLock<Members>,
}

/// An entry in its place, of a known epoch, signed by a member who may write here.
#[derive(Clone)]
pub struct CheckedEntry {
    pub(super) name: SecretName,
    pub(super) content: Entry,
    pub(super) commitment: Commitment,
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

    /// Names the epoch that seals it.
    #[must_use]
    pub fn commitment(&self) -> &Commitment {
        &self.commitment
    }

    /// Whether it is sealed in the newest epoch of `environment`.
    #[must_use]
    pub fn is_newest(&self, environment: &Environment) -> bool {
        self.commitment == environment.newest().commitment
    }
}

impl Vault {
    /// The root.
    #[must_use]
    pub fn root(&self) -> &Root {
        &self.root
    }

    /// SHA-256 of the root's file.
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        self.sha256
    }

    /// The files it is read from.
    #[must_use]
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The environment `name`.
    ///
    /// # Errors
    /// If there is none; the fault names the nearest one.
    pub fn environment(&self, name: &EnvironmentName) -> Result<&Environment, Fault> {
        self.root
            .environments
            .get(name)
            .ok_or_else(|| self.unknown(name))
    }

    /// The entry `name`. Returns `None` if the file does not exist. A tombstone is an entry.
    ///
    /// # Errors
    /// If the file is not as it should be.
    pub fn entry(
        &self,
        environment: &Environment,
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
    pub fn entries(&self, environment: &Environment) -> Result<Vec<CheckedEntry>, Fault> {
        let names = self.entry_names(&environment.name)?;
        self.entries_named(environment, &names)
    }

    /// The entries of these names that exist, in the order given.
    ///
    /// # Errors
    /// If one of the files is not as it should be.
    pub fn entries_named(
        &self,
        environment: &Environment,
        names: &[SecretName],
    ) -> Result<Vec<CheckedEntry>, Fault> {
        let folder = self.tree.folder(environment.name.as_str())?;
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
                    "see what does not belong there: `git status .vault/{environment}`"
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

    /// Whether the root on disk is no longer what was read, because a writer was at work in between;
    /// then it is worth reading everything once more.
    #[must_use]
    pub fn has_changed(&self) -> bool {
        let read = self.tree.read(ROOT_PATH).ok().flatten();
        read.map(|file| sha256(&file)) != Some(self.sha256)
    }

    fn check_entries(
        &self,
        environment: &Environment,
        folder: &Folder<'_>,
        names: &[SecretName],
    ) -> Result<Vec<CheckedEntry>, Fault> {
        let mut entries = Vec::with_capacity(names.len());
        let (mut claims, mut unchecked, mut size) = (Vec::new(), 0, 0);
        for name in names {
            let parent = environment.name.as_str();
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
        environment: &Environment,
        name: &SecretName,
        file: &[u8],
    ) -> Result<(CheckedEntry, Claim), Fault> {
        let signed: Signed<Entry> = read_entry(&environment.name, name, file)?;
        let path = signed.path();
        let entry = &signed.content;
        let numbered: Vec<&Epoch> = environment.numbered(entry.epoch).collect();
        let Some(&first) = numbered.first() else {
            return Err(unknown_epoch(path, entry));
        };
        let key = self.signer(environment, entry)?.map_err(|reason| {
            Fault::refused_file(path, reason).hint(format!(
                "put back one that a writer signed: `git log -p -- .vault/{path}`"
            ))
        })?;
        let claim = |epoch: &Epoch| signed.claim(key, &self.root.vault, Some(&epoch.commitment));
        // Two branches may have started epochs of one number; the signature shows which it is.
        let epoch = match numbered[..] {
            [only] => only,
            _ => numbered
                .into_iter()
                .find(|epoch| claim(epoch).holds())
                .unwrap_or(first),
        };
        let claim = claim(epoch);
        Ok((
            CheckedEntry {
                name: name.clone(),
                commitment: epoch.commitment,
                content: signed.content,
            },
            claim,
        ))
    }

    /// The key of the entry's signer, or why they may not write here.
    ///
    /// # Errors
    /// If the members cannot be read.
    fn signer(
        &self,
        environment: &Environment,
        entry: &Entry,
    ) -> Result<Result<PublicKey, String>, Fault> {
        let (signer, environment) = (&entry.signer, &environment.name);
        if self.root.former.contains_key(signer) {
            return Ok(Err(format!(
                "is signed by {signer}, who is no longer a member"
            )));
        }
        Ok(match self.member(signer)?.as_deref() {
            Some(MemberFile::Counts(counted)) => {
                counted.member.signer_in(environment).ok_or_else(|| {
                    format!("is signed by {signer}, who may not write in {environment}")
                })
            }
            Some(MemberFile::Ignored(..) | MemberFile::Invalid(_)) => Err(format!(
                "is signed by {signer}, whose file .vault/{} does not count",
                member_path(signer)
            )),
            None => Err(format!("is signed by {signer}, who is not a member")),
        })
    }

    fn unknown(&self, name: &EnvironmentName) -> Fault {
        let known: Vec<&str> = self
            .root
            .environments
            .keys()
            .map(EnvironmentName::as_str)
            .collect();
        Fault::usage(format!(
            "there is no environment {name}; there are: {}",
            known.join(", ")
        ))
        .did_you_mean(name.as_str(), known)
        .hint(format!("make it: `vault environments add {name}`"))
    }
}

/// Checks that each of `entries` is as its signer signed it; `claims` are theirs.
fn check_claims(
    environment: &Environment,
    entries: &[CheckedEntry],
    claims: &[Claim],
) -> Result<(), Fault> {
    if verify_all(claims) {
        return Ok(());
    }
    let wrong = entries.iter().zip(claims).find(|(_, claim)| !claim.holds());
    let (path, signer) = wrong.map_or_else(
        || (environment.name.to_string(), "its signer".to_owned()),
        |(entry, _)| {
            let path = entry_path(&environment.name, &entry.name);
            (path, entry.content.signer.to_string())
        },
    );
    Err(not_signed(&path, &signer))
}

/// An entry of an epoch that the environment does not have.
pub(super) fn unknown_epoch(path: &str, entry: &Entry) -> Fault {
    let epoch = entry.epoch;
    let reason = format!("is of epoch {epoch}, which the environment does not have");
    Fault::refused_file(path, reason).hint("merge the branch in which the environment was rotated")
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
