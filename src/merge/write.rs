//! The result of a merge, signed and written in the order of a revocation.

use std::collections::{BTreeMap, BTreeSet};

use super::Which;
use super::entries::Entries;
use super::members::Merged;
use super::sides::{Side, Sides};
use crate::crypto::{Commitment, Identity, SigningKey};
use crate::fault::Fault;
use crate::vault::format::{MEMBERS, ROOT_PATH, entry_path, member_path};
use crate::vault::holder::{Holder, OpenedSigningKey};
use crate::vault::model::{Access, Environment, Member};
use crate::vault::name::{EnvironmentName, MemberName};
use crate::vault::signing::{EntrySigner, RootSigner};
use crate::vault::store::{NewFile, Tree, Writer};
use crate::vault::trust::{CheckedEntry, UnverifiedRoot, Vault};
use crate::vault::unlock::Unlocked;

/// What signs the result.
pub(super) struct Signers<'a> {
    pub(super) identity: &'a Identity,
    /// The caller's name.
    pub(super) name: &'a MemberName,
    /// The authority, if the result needs it.
    pub(super) authority: Option<&'a SigningKey>,
}

/// Writes everything, and removes what the result does not have. Returns the result, read as any other
/// command would read it.
///
/// # Errors
/// If a value does not open, or the disk fails. Nothing is written if one of the files cannot be.
pub(super) fn write(
    writer: &Writer,
    sides: &Sides,
    mut merged: Merged,
    entries: &[Entries],
    signers: &Signers<'_>,
) -> Result<(Merged, Vault), Fault> {
    let keys = seal(sides, &mut merged, signers)?;
    let mut files = members(sides, &merged, signers);
    files.push(root(sides, &merged, signers)?);
    for entries in entries {
        let new = keys.get(&entries.environment);
        files.extend(seal_entries(sides, &merged, entries, new, signers)?);
    }
    files.extend(others(sides));
    let vault = check(&merged, &files)?;
    let kept: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let gone: Vec<&String> = sides
        .paths()
        .into_iter()
        .filter(|path| !kept.contains(path.as_str()))
        .collect();
    let mut batch = writer.batch()?;
    batch.add(&files)?;
    batch.finish()?;
    for path in gone {
        writer.remove(path)?;
    }
    for name in sides.environments().filter(|name| !merged.has(name)) {
        writer.remove(name.as_str())?;
    }
    Ok((merged, vault))
}

/// Reads the result before anything is written: every signature holds, and everyone has the access
/// that was decided on.
fn check(merged: &Merged, files: &[NewFile]) -> Result<Vault, Fault> {
    let files = files.iter();
    let files = files.map(|file| (file.path.clone(), file.content.clone()));
    let vault = UnverifiedRoot::read(Tree::Committed(files.collect()))?.into_vault()?;
    for environment in vault.root().environments.values() {
        vault.entries(environment)?;
    }
    for (name, member) in &merged.membership.members {
        let counting = vault.counting(name)?;
        let has = |place: &&EnvironmentName| {
            let counting = counting.as_ref();
            counting.is_some_and(|own| own.access.contains_key(*place))
        };
        if let Some(place) = member.access.keys().find(|place| !has(place)) {
            return Err(Fault::locked(format!(
                "the key of {place} must be sealed to {name} again, and your key does not open it"
            ))
            .hint(format!("an admin who can read {place} ends this merge")));
        }
    }
    Ok(vault)
}

impl Merged {
    fn has(&self, name: &EnvironmentName) -> bool {
        self.membership.root.environments.contains_key(name)
    }
}

impl Sides {
    fn environments(&self) -> impl Iterator<Item = &EnvironmentName> {
        let sides = [&self.ours, &self.theirs];
        sides
            .into_iter()
            .flat_map(|side| side.membership.root.environments.keys())
    }
}

/// Starts the new epochs, and seals the newest keys that are missing to members whose files were merged.
fn seal(
    sides: &Sides,
    merged: &mut Merged,
    signers: &Signers<'_>,
) -> Result<BTreeMap<EnvironmentName, Unlocked>, Fault> {
    let mut keys = BTreeMap::new();
    let Some(authority) = signers.authority else {
        return Ok(keys);
    };
    let root_signer = RootSigner::new(authority);
    for (name, member) in &mut merged.membership.members {
        if member.authority.as_ref().is_some_and(Vec::is_empty) {
            member.authority = Some(root_signer.share(&member.recipient));
            merged.changed.insert(name.clone());
        }
    }
    for name in merged.epochs.clone() {
        let key = root_signer.start_epoch(&mut merged.membership, &name)?;
        for (member, own) in &merged.membership.members {
            if own.access.contains_key(&name) {
                merged.changed.insert(member.clone());
            }
        }
        let key = Unlocked::with(root_signer.id(), &name, key);
        keys.insert(name, key);
    }
    for name in merged.changed.clone() {
        let Some(mut member) = merged.membership.members.get(&name).cloned() else {
            continue;
        };
        for environment in merged.membership.root.environments.values() {
            seal_missing(sides, environment, &mut member, &name, signers);
        }
        merged.membership.members.insert(name, member);
    }
    Ok(keys)
}

/// Seals those epochs to `member` that a side had sealed to them and the merge left out, and the newest.
fn seal_missing(
    sides: &Sides,
    environment: &Environment,
    member: &mut Member,
    name: &MemberName,
    signers: &Signers<'_>,
) {
    let place = &environment.name;
    if !member.access.contains_key(place) {
        return;
    }
    let both = [Which::Ours, Which::Theirs].map(|which| sides.side(which));
    for (at, epoch) in environment.epochs.iter().enumerate() {
        let is_known = both.iter().any(|side| {
            let file = side.membership.members.get(name);
            file.is_some_and(|file| {
                file.recipient == member.recipient
                    && file.sealed_key(place, epoch).is_some()
                    && !Access::loses(file.access.get(place), member.access.get(place))
            })
        });
        if member.sealed_key(place, epoch).is_some() || (at > 0 && !is_known) {
            continue;
        }
        for side in both {
            let Ok(keys) = side.unlock(signers.identity, place, [epoch.commitment]) else {
                continue;
            };
            if let (Ok(key), Some(authority)) = (keys.data_key(epoch), signers.authority) {
                RootSigner::new(authority).seal_to(member, place, key);
                break;
            }
        }
    }
}

/// The files of all members, from the side that has them so, or signed.
fn members(sides: &Sides, merged: &Merged, signers: &Signers<'_>) -> Vec<NewFile> {
    let (mut keeping, mut losing) = (Vec::new(), Vec::new());
    for (name, member) in &merged.membership.members {
        let path = member_path(name);
        if merged.changed.contains(name)
            && let Some(authority) = signers.authority
        {
            let revision = [&sides.ours, &sides.theirs]
                .into_iter()
                .filter_map(|side| side.membership.members.get(name))
                .map(|own| own.revision)
                .max();
            let member = Member {
                revision: revision.unwrap_or(0) + 1,
                ..member.clone()
            };
            let file = RootSigner::new(authority).sign_member(name, &member);
            let is_losing = member
                .revocation
                .is_some_and(|tag| Some(&tag) == merged.membership.root.revocations.last());
            if is_losing { &mut losing } else { &mut keeping }.push(file);
        } else if let Some(which) = merged.kept.get(name)
            && let Some(content) = sides.side(*which).file(&path)
        {
            let content = content.to_vec();
            keeping.push(NewFile { path, content });
        }
    }
    // A signed file that counts on neither side is not a decision of this merge.
    for name in sides.ours.member_names() {
        let path = member_path(&name);
        let is_elsewhere = merged.membership.members.contains_key(&name)
            || merged.membership.root.former.contains_key(&name)
            || merged.dropped.contains(&name);
        if let (false, Some(Some(content))) = (is_elsewhere, sides.unchanged(&path)) {
            let content = content.to_vec();
            keeping.push(NewFile { path, content });
        }
    }
    keeping.extend(losing);
    keeping
}

fn root(sides: &Sides, merged: &Merged, signers: &Signers<'_>) -> Result<NewFile, Fault> {
    if let (true, Some(authority)) = (merged.is_new_root, signers.authority) {
        let mut root = merged.membership.root.clone();
        root.revision = sides
            .ours
            .membership
            .root
            .revision
            .max(sides.theirs.membership.root.revision)
            + 1;
        return Ok(RootSigner::new(authority).sign_root(&root));
    }
    let content = sides.unchanged(ROOT_PATH).flatten();
    let content = content.ok_or_else(|| Fault::refused_file(ROOT_PATH, "is missing"))?;
    Ok(NewFile {
        path: ROOT_PATH.to_owned(),
        content: content.to_vec(),
    })
}

/// The files of the entries of one environment: as they are, signed by the caller, or sealed again with
/// the data key of a new epoch.
fn seal_entries(
    sides: &Sides,
    merged: &Merged,
    entries: &Entries,
    new: Option<&Unlocked>,
    signers: &Signers<'_>,
) -> Result<Vec<NewFile>, Fault> {
    let name = &entries.environment;
    let environment = &merged.membership.root.environments[name];
    let mut files = Vec::new();
    for which in [Which::Ours, Which::Theirs] {
        let side = sides.side(which);
        let newest = match new {
            Some(_) => None,
            None => sides.newest_key(environment, signers),
        };
        let is_outdated = is_outdated(side, environment, signers)
            && newest.is_some()
            && sides.writer(merged, signers, name).is_ok();
        let mut made: Vec<(CheckedEntry, Work)> = Vec::new();
        for (entry, (from, checked)) in &entries.kept {
            if *from != which {
                continue;
            }
            let epoch = side.membership.root.environments[name].newest();
            let is_late = is_outdated && *checked.commitment() == epoch.commitment;
            if let Some(revision) = entries.chosen.get(entry) {
                made.push((checked.clone(), Work::Chosen(*revision)));
            } else if new.is_some() || is_late {
                made.push((checked.clone(), Work::Seal));
            } else if entries.adopted.contains(entry) {
                made.push((checked.clone(), Work::Sign));
            } else {
                let path = entry_path(name, entry);
                let content = side.file(&path).unwrap_or_default().to_vec();
                files.push(NewFile { path, content });
            }
        }
        if made.is_empty() {
            continue;
        }
        let live = made.iter().map(|(entry, _)| entry);
        let live = live.filter(|entry| entry.content().sealed.is_some());
        let epochs: BTreeSet<Commitment> = live.map(|entry| *entry.commitment()).collect();
        let from = side.unlock(signers.identity, name, epochs)?;
        let mut signing_key = OpenedSigningKey::default();
        let (own, member) = sides.writer(merged, signers, name)?;
        let holder = Holder::new(&own.vault, signers.name, &member, signers.identity);
        let signer = EntrySigner {
            vault: own.vault.root().vault,
            environment,
            keys: new.or(newest.as_ref()).unwrap_or(&from),
            name: signers.name,
            key: signing_key.get(&holder, name)?,
        };
        let mut sealed = Vec::new();
        for (entry, work) in made {
            match work {
                Work::Chosen(revision) => files.push(signer.seal_as(&entry, revision, &from)?),
                Work::Sign => files.extend(signer.sign_anew(&[entry], &from)?),
                Work::Seal => sealed.push(entry),
            }
        }
        files.extend(signer.seal_anew(&sealed, &from)?);
    }
    Ok(files)
}

/// The caller's work on an entry.
enum Work {
    /// Seal and sign it as this revision.
    Chosen(u64),
    /// Seal it in the newest epoch.
    Seal,
    /// Sign it.
    Sign,
}

/// Whether the entries of a side's newest epoch are of an older one after the merge, and the caller can
/// open them: then `vault rotate --finish` has nothing left to do.
fn is_outdated(side: &Side, environment: &Environment, signers: &Signers<'_>) -> bool {
    let Some(own) = side.membership.root.environments.get(&environment.name) else {
        return false;
    };
    let newest = own.newest().commitment;
    newest != environment.newest().commitment
        && side
            .unlock(signers.identity, &environment.name, [newest])
            .is_ok()
}

impl Sides {
    /// The side on which the caller has the signing key that the result gives them in `place`.
    fn writer(
        &self,
        merged: &Merged,
        signers: &Signers<'_>,
        place: &EnvironmentName,
    ) -> Result<(&Side, Member), Fault> {
        let wanted = merged.membership.members.get(signers.name);
        let wanted = wanted.and_then(|member| member.signer_in(place));
        for side in [&self.ours, &self.theirs] {
            if let Ok((name, member)) = side.member_of(signers.identity)
                && name == *signers.name
                && member.signer_in(place) == wanted
            {
                return Ok((side, member));
            }
        }
        let reason = format!(
            "no side has the key with which {} writes in {place}",
            signers.name
        );
        Err(Fault::locked(reason))
    }

    /// The caller's key to the newest epoch, from a side that has it.
    fn newest_key(&self, environment: &Environment, signers: &Signers<'_>) -> Option<Unlocked> {
        let newest = environment.newest().commitment;
        [Which::Ours, Which::Theirs].into_iter().find_map(|which| {
            let side = self.side(which);
            side.unlock(signers.identity, &environment.name, [newest])
                .ok()
        })
    }
}

/// Everything else below `.vault`: requests, and the files for git.
fn others(sides: &Sides) -> Vec<NewFile> {
    let is_environment = |folder: &str| sides.environments().any(|name| name.as_str() == folder);
    let is_other = |path: &&&String| {
        **path != ROOT_PATH
            && path
                .split_once('/')
                .is_none_or(|(folder, _)| folder != MEMBERS && !is_environment(folder))
    };
    let mut files = Vec::new();
    for path in sides.paths().iter().filter(is_other) {
        let ours = || sides.ours.file(path).or_else(|| sides.theirs.file(path));
        if let Some(content) = sides.unchanged(path).unwrap_or_else(ours) {
            files.push(NewFile {
                path: (*path).clone(),
                content: content.to_vec(),
            });
        }
    }
    files
}
