//! Members' files: whether each counts, and what of it does.
//!
//! A file that does not count grants nothing, and never stops the others. Nothing of it is understood
//! before the authority's signature was checked.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use super::Vault;
use super::counting::judge;
use super::unverified_root::AUTHORITY;
use crate::crypto::{Claim, Recipient, verify_all};
use crate::fault::{Fault, Kind};
use crate::vault::format::{MEMBERS, Unparsed, member_file, parse_member};
use crate::vault::model::{MOST_MEMBERS, Member, Membership, Root};
use crate::vault::name::{EnvironmentName, MemberName};
use crate::vault::store::Folder;

/// A member's file.
pub enum MemberFile {
    /// It counts.
    Counts(Counted),
    /// The authority signed it, but it grants nothing.
    Ignored(Member, Ignored),
    /// It is not signed by the authority, or cannot be read.
    Invalid(Fault),
}

/// A member's file that counts.
pub struct Counted {
    /// What of it counts.
    pub member: Member,
    /// What does not.
    pub remarks: Remarks,
}

/// Remarks on a file that counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remarks {
    /// Whether its tag is newer than the root's: a revocation was interrupted, or someone planted it.
    pub is_ahead: bool,
    /// Environments in which the file has access that does not count, or keys that the root does not
    /// list.
    pub leftovers: BTreeMap<EnvironmentName, Leftover>,
}

/// What of a file does not count in an environment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Leftover {
    /// Whether the file says that they have access.
    pub has_access: bool,
    /// How many sealed keys do not count.
    pub keys: usize,
}

/// Why a file that the authority signed grants nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ignored {
    /// The name is a former member's.
    FormerName,
    /// The recipient or the signer is this former member's.
    FormerKey(MemberName),
    /// Its tags are not the root's: it is from before a revocation, or from another branch.
    OtherTag,
}

/// All members' files of a vault.
#[derive(Default)]
pub struct Members {
    /// The members whose files count.
    pub counting: BTreeMap<MemberName, Member>,
    /// What else there is to say about those.
    pub remarks: BTreeMap<MemberName, Remarks>,
    /// Signed files that grant nothing.
    pub ignored: BTreeMap<MemberName, (Member, Ignored)>,
    /// Files that are not signed by the authority, or cannot be read.
    pub invalid: BTreeMap<MemberName, Fault>,
    /// Names of files that are not members' files.
    pub unexpected: Vec<String>,
}

impl Members {
    /// The number of files, whether they count or not.
    #[must_use]
    pub fn files(&self) -> usize {
        let members = self.counting.len() + self.ignored.len() + self.invalid.len();
        members + self.unexpected.len()
    }

    /// The file of `name`.
    fn file(&self, name: &MemberName) -> Option<MemberFile> {
        if let Some(member) = self.counting.get(name) {
            return Some(MemberFile::Counts(Counted {
                member: member.clone(),
                remarks: self.remarks.get(name).cloned().unwrap_or_default(),
            }));
        }
        if let Some((member, reason)) = self.ignored.get(name) {
            return Some(MemberFile::Ignored(member.clone(), reason.clone()));
        }
        let fault = self.invalid.get(name)?;
        Some(MemberFile::Invalid(fault.clone()))
    }
}

/// A file whose signature has not been checked yet.
struct Candidate {
    name: MemberName,
    file: Result<(Unparsed, Claim), Fault>,
}

impl Vault {
    /// The file of `name`. Returns `None` if it does not exist.
    ///
    /// # Errors
    /// If the folder cannot be opened. A file that cannot be read is [`MemberFile::Invalid`].
    pub fn member(&self, name: &MemberName) -> Result<Option<Arc<MemberFile>>, Fault> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = known.get(name) {
            return Ok(file.clone());
        }
        if let Some(members) = self.members.get() {
            let file = members.file(name).map(Arc::new);
            known.insert(name.clone(), file.clone());
            return Ok(file);
        }
        let folder = self.tree.folder(MEMBERS)?;
        let read = folder.and_then(|folder| self.candidate(&folder, name).transpose());
        let judged = read
            .transpose()?
            .map(|candidate| Arc::new(candidate.judge(&self.root, None)));
        known.insert(name.clone(), judged.clone());
        Ok(judged)
    }

    /// The member `name`, if there is one whose file counts.
    ///
    /// # Errors
    /// As [`Vault::member`].
    pub fn counting(&self, name: &MemberName) -> Result<Option<Member>, Fault> {
        Ok(match self.member(name)?.as_deref() {
            Some(MemberFile::Counts(counted)) => Some(counted.member.clone()),
            _ => None,
        })
    }

    /// All members' files.
    ///
    /// # Errors
    /// If the folder cannot be listed, or holds too many files.
    pub fn members(&self) -> Result<&Members, Fault> {
        if let Some(members) = self.members.get() {
            return Ok(members);
        }
        let mut members = Members::default();
        let mut candidates = Vec::new();
        if let Some(folder) = self.tree.folder(MEMBERS)? {
            for file in files(&folder)? {
                match member_name(&file) {
                    Some(name) => candidates.extend(self.candidate(&folder, &name)?),
                    None => members.unexpected.push(file),
                }
            }
        }
        for (name, file) in judge_all(candidates, &self.root) {
            match file {
                MemberFile::Counts(counted) => {
                    members.counting.insert(name.clone(), counted.member);
                    members.remarks.insert(name, counted.remarks);
                }
                MemberFile::Ignored(member, reason) => {
                    members.ignored.insert(name, (member, reason));
                }
                MemberFile::Invalid(fault) => drop(members.invalid.insert(name, fault)),
            }
        }
        Ok(self.members.get_or_init(|| members))
    }

    /// The root with every member whose file counts.
    ///
    /// # Errors
    /// As [`Vault::members`].
    pub fn membership(&self) -> Result<Membership, Fault> {
        Ok(Membership {
            root: self.root.clone(),
            members: self.members()?.counting.clone(),
        })
    }

    /// The member with this recipient: the first by name, if several files have it.
    ///
    /// # Errors
    /// As [`Vault::members`].
    pub fn member_with(
        &self,
        recipient: &Recipient,
    ) -> Result<Option<(MemberName, Member)>, Fault> {
        for name in self.names_with(recipient)? {
            if let Some(member) = self.counting(&name)?
                && member.recipient == *recipient
            {
                return Ok(Some((name, member)));
            }
        }
        Ok(None)
    }

    /// The names of the files that contain the text of this recipient, sorted. Checks no signature.
    ///
    /// # Errors
    /// As [`Vault::members`].
    pub fn names_with(&self, recipient: &Recipient) -> Result<Vec<MemberName>, Fault> {
        let Some(folder) = self.tree.folder(MEMBERS)? else {
            return Ok(Vec::new());
        };
        let text = recipient.to_string();
        let has_it = |name: &MemberName| {
            let file = folder.read(MEMBERS, &format!("{name}.toml"));
            let file = file.ok().flatten().unwrap_or_default();
            std::str::from_utf8(&file).is_ok_and(|file| file.contains(&text))
        };
        let names = files(&folder)?;
        let names = names.iter().filter_map(|file| member_name(file));
        Ok(names.filter(has_it).collect())
    }

    /// The file of `name` with the claim that the authority signed it. Returns `None` if it does not
    /// exist.
    fn candidate(
        &self,
        folder: &Folder<'_>,
        name: &MemberName,
    ) -> Result<Option<Candidate>, Fault> {
        let file = match folder.read(MEMBERS, &format!("{name}.toml")) {
            Ok(None) => return Ok(None),
            Ok(Some(file)) => member_file(name, &file).map(|file| {
                let claim = file.claim(self.authority, &self.root.vault);
                (file, claim)
            }),
            Err(fault) if fault.kind() == Kind::Failed => return Err(fault),
            Err(fault) => Err(fault),
        };
        Ok(Some(Candidate {
            name: name.clone(),
            file,
        }))
    }
}

impl Candidate {
    /// `holds` says whether the signature holds, if it was checked together with others.
    fn judge(self, root: &Root, holds: Option<bool>) -> MemberFile {
        let name = self.name;
        let (file, claim) = match self.file {
            Ok(file) => file,
            Err(fault) => return MemberFile::Invalid(fault),
        };
        if !holds.unwrap_or_else(|| claim.holds()) {
            return MemberFile::Invalid(file.rejection(AUTHORITY));
        }
        match parse_member(&name, &file) {
            Ok(member) => judge(&name, member, root),
            Err(fault) => MemberFile::Invalid(fault),
        }
    }
}

/// Judges files whose signatures are checked as one, or else one by one.
fn judge_all(
    candidates: Vec<Candidate>,
    root: &Root,
) -> impl Iterator<Item = (MemberName, MemberFile)> {
    let (mut claims, mut kept) = (Vec::new(), Vec::with_capacity(candidates.len()));
    for candidate in candidates {
        match candidate.file {
            Ok((file, claim)) => {
                claims.push(claim);
                kept.push((candidate.name, Ok(file)));
            }
            Err(fault) => kept.push((candidate.name, Err(fault))),
        }
    }
    let all_hold = verify_all(&claims);
    let mut claims = claims.into_iter();
    kept.into_iter().map(move |(name, file)| {
        let file = file.map(|file| (file, claims.next().expect("one claim per file")));
        let candidate = Candidate {
            name: name.clone(),
            file,
        };
        (name, candidate.judge(root, all_hold.then_some(true)))
    })
}

/// The names of the files in the folder of the members, sorted.
fn files(folder: &Folder<'_>) -> Result<Vec<String>, Fault> {
    let mut files = folder.names(MEMBERS)?;
    // Desktops create hidden files. No member's name starts with a dot.
    files.retain(|file| !file.starts_with('.'));
    if files.len() > MOST_MEMBERS {
        let count = files.len();
        let reason = format!("holds {count} files, the limit is {MOST_MEMBERS} members");
        return Err(Fault::refused_file(MEMBERS, reason).hint(format!(
            "see what does not belong there: `git status .vault/{MEMBERS}`"
        )));
    }
    Ok(files)
}

fn member_name(file: &str) -> Option<MemberName> {
    file.strip_suffix(".toml")?.parse().ok()
}
