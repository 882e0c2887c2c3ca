//! Changes that only an admin can make: under the lock, signed by the authority, and in an order
//! in which every state on disk is readable by everyone who keeps access.

use std::collections::BTreeMap;

use super::context::Context;
use super::open::Session;
use crate::crypto::SigningKey;
use crate::fault::Fault;
use crate::vault::format::{ROOT_PATH, member_path, request_path};
use crate::vault::model::{Environment, LARGEST_NUMBER, Member, Membership};
use crate::vault::name::MemberName;
use crate::vault::signing::RootSigner;
use crate::vault::store::{NewFile, Writer};
use crate::vault::trust::{Ignored, Vault};

/// An admin at work, with the right to write.
pub(crate) struct Admin<'a> {
    pub(crate) session: &'a mut Session,
    pub(crate) writer: Writer,
    pub(super) key: SigningKey,
    /// The files of former members, as they were at the start.
    former: BTreeMap<MemberName, (Member, Ignored)>,
}

impl<'a> Admin<'a> {
    /// Takes the lock, reads everything again under it, and opens the authority.
    ///
    /// # Errors
    /// Also if a revocation was interrupted, which is to be finished first.
    pub(crate) fn start(context: &Context, session: &'a mut Session) -> Result<Self, Fault> {
        let admin = Self::start_anew(context, session)?;
        match ahead(&admin.session.vault)?.first() {
            Some(name) => Err(interrupted(name)),
            None => Ok(admin),
        }
    }

    /// As [`Admin::start`], for a change that may be the end of an interrupted one.
    pub(crate) fn start_anew(context: &Context, session: &'a mut Session) -> Result<Self, Fault> {
        let writer = session.lock(context)?;
        let membership = session.vault.membership()?;
        check_numbers(&membership)?;
        let key = session.holder().authority()?;
        let former = former_files(&session.vault)?;
        Ok(Self {
            session,
            writer,
            key,
            former,
        })
    }

    /// Signs with the authority.
    pub(crate) fn authority(&self) -> RootSigner<'_> {
        RootSigner::new(&self.key)
    }

    /// The current members and root, to be changed.
    ///
    /// # Errors
    /// If the members cannot be read.
    pub(crate) fn membership(&self) -> Result<Membership, Fault> {
        self.session.vault.membership()
    }

    /// Remembers the vault, after every input of the change is verified and before anything is
    /// written. If a new id cannot be remembered, nothing is written.
    pub(crate) fn remember(&mut self, context: &Context) -> Result<(), Fault> {
        self.session.remember(context)
    }

    /// The files of those members who differ in `after`, each as its next revision.
    pub(crate) fn member_files(
        &self,
        before: &Membership,
        after: &mut Membership,
    ) -> Vec<(MemberName, NewFile)> {
        let mut files = Vec::new();
        for (name, member) in &mut after.members {
            let old = before.members.get(name);
            if old == Some(member) {
                continue;
            }
            member.revision = old.map_or(1, |old| old.revision + 1);
            files.push((name.clone(), self.authority().sign_member(name, member)));
        }
        files
    }

    /// The files of all members without what `root` no longer lists, each as its next revision, if
    /// there is something to leave out.
    pub(crate) fn cleaned_files(&self, after: &Membership) -> Vec<NewFile> {
        let mut files = Vec::new();
        for (name, member) in &after.members {
            let (mut clean, _) = after.root.counting_part(member.clone());
            if clean != *member {
                clean.revision += 1;
                files.push(self.authority().sign_member(name, &clean));
            }
        }
        files
    }

    /// Seals the newest data key of `environment` to each member in `after` with access who does not
    /// have it. Returns their names.
    ///
    /// # Errors
    /// If it is missing to someone, and the admin has no key to it.
    pub(crate) fn seal_newest(
        &self,
        environment: &Environment,
        after: &mut Membership,
    ) -> Result<Vec<MemberName>, Fault> {
        let (name, newest) = (&environment.name, environment.newest());
        let is_missing = |member: &Member| {
            member.access.contains_key(name) && member.sealed_key(name, newest).is_none()
        };
        let mut sealed = Vec::new();
        for (member, own) in after.members.iter_mut().filter(|(_, own)| is_missing(own)) {
            let keys = self
                .session
                .holder()
                .unlock(environment, [newest.commitment])?;
            self.authority().seal_to(own, name, keys.data_key(newest)?);
            sealed.push(member.clone());
        }
        Ok(sealed)
    }

    /// Reads the written files as any other command would, and continues with them.
    pub(crate) fn read_again(&mut self) -> Result<(), Fault> {
        self.session.read_again(self.writer.tree()?)
    }

    /// Reads what was written as any other command would, and remembers it. Also deletes the files of
    /// former members, which an interrupted removal leaves, except those with a newest data key: they
    /// show that someone knows it.
    pub(crate) fn finish(self, context: &Context) -> Result<(), Fault> {
        self.session.read_again(self.writer.tree()?)?;
        let environments = &self.session.vault.root().environments;
        let knows_newest = |member: &Member| {
            let mut environments = environments.values();
            environments.any(|own| member.sealed_key(&own.name, own.newest()).is_some())
        };
        let former = self.former.iter();
        let old: Vec<_> = former
            .filter(|(_, (member, _))| !knows_newest(member))
            .collect();
        for (name, (_, reason)) in &old {
            let path = member_path(name);
            self.writer.remove(&path)?;
            let why = match reason {
                Ignored::FormerKey(former) => format!("it has a key of the former member {former}"),
                Ignored::FormerName | Ignored::OtherTag => format!("{name} is a former member"),
            };
            context
                .console
                .note(format!("deleted .vault/{path}: {why}"));
        }
        if !old.is_empty() {
            self.session.read_again(self.writer.tree()?)?;
        }
        self.delete_answered(context)?;
        self.session.remember(context)
    }

    /// Deletes requests of those who are members with the keys they asked for, which an interrupted
    /// change leaves.
    fn delete_answered(&self, context: &Context) -> Result<(), Fault> {
        let vault = &self.session.vault;
        for name in vault.requests()?.into_iter().flatten() {
            // One that is not valid is a finding of `verify`.
            let (Ok(Some(request)), Some(member)) = (vault.request(&name), vault.counting(&name)?)
            else {
                continue;
            };
            let has_signer = member.signer() == Some(request.signing.signer);
            if has_signer && member.recipient == request.recipient {
                let path = request_path(&name);
                self.writer.remove(&path)?;
                let note = format!("deleted .vault/{path}: {name} has the keys that it asks for");
                context.console.note(note);
            }
        }
        Ok(())
    }
}

/// The files of former members, and others with their keys.
fn former_files(vault: &Vault) -> Result<BTreeMap<MemberName, (Member, Ignored)>, Fault> {
    let ignored = vault.members()?.ignored.iter();
    let former = ignored.filter(|(_, (_, reason))| *reason != Ignored::OtherTag);
    Ok(former
        .map(|(name, file)| (name.clone(), file.clone()))
        .collect())
}

/// The members whose files have a newer tag than the root.
pub(crate) fn ahead(vault: &Vault) -> Result<Vec<MemberName>, Fault> {
    let remarks = vault.members()?.remarks.iter();
    let ahead = remarks.filter(|(_, remarks)| remarks.is_ahead);
    Ok(ahead.map(|(name, _)| name.clone()).collect())
}

/// A revocation that was interrupted, or a file that someone planted: they look the same.
pub(crate) fn interrupted(name: &MemberName) -> Fault {
    let path = member_path(name);
    Fault::refused_file(
        &path,
        "is newer than the root says: a revocation was interrupted, or someone put it there",
    )
    .hint(format!(
        "to complete that revocation: `vault members set {name}`"
    ))
    .hint(format!(
        "to undo it: `git log -- .vault/{path}`, then check out the file before it"
    ))
}

/// Every change counts up, and a command makes a few of them: nothing is written that could not be
/// read again because a number is above the largest.
fn check_numbers(membership: &Membership) -> Result<(), Fault> {
    const CHANGES: u64 = 1000;
    let root = &membership.root;
    let lost = root.losses().flat_map(|(_, lost)| lost.values());
    let epochs = lost.map(|lost| lost.epoch);
    let members = membership.members.values().map(|member| member.revision);
    let highest = epochs.chain(members).chain([root.revision]).max();
    if highest.is_some_and(|highest| highest > LARGEST_NUMBER - CHANGES) {
        return Err(
            Fault::refused_file(ROOT_PATH, "has the last number that there can be")
                .hint("see which change wrote it, and put back an older one: `git log -- .vault`"),
        );
    }
    Ok(())
}
