//! Changes that only an admin can make: under the lock, signed by the authority, and in an order
//! in which every state on disk is consistent by itself.

use super::context::Context;
use super::open::Session;
use crate::crypto::SigningKey;
use crate::fault::Fault;
use crate::vault::format::{ROSTER_PATH, environment_path};
use crate::vault::model::{LARGEST_NUMBER, Listed, Roster};
use crate::vault::name::EnvironmentName;
use crate::vault::signing::RootSigner;
use crate::vault::store::{NewFile, Writer};
use crate::vault::trust::CheckedEnvironment;

/// An admin at work, with the right to write.
pub(crate) struct Admin<'a> {
    pub(crate) session: &'a mut Session,
    pub(crate) writer: Writer,
    pub(super) key: SigningKey,
}

impl<'a> Admin<'a> {
    /// Takes the lock, reads everything again under it, and opens the authority.
    ///
    /// # Errors
    /// Also when an interrupted change is to be finished first.
    pub(crate) fn start(context: &Context, session: &'a mut Session) -> Result<Self, Fault> {
        let admin = Self::start_anew(context, session)?;
        for name in admin.session.vault.roster().environments.keys() {
            check_finished(&admin.session.vault.environment(name)?)?;
        }
        Ok(admin)
    }

    /// As [`Admin::start`], for what starts a new epoch wherever a change was interrupted.
    pub(crate) fn start_anew(context: &Context, session: &'a mut Session) -> Result<Self, Fault> {
        let writer = session.lock(context)?;
        check_numbers(session.vault.roster())?;
        for name in session.vault.roster().environments.keys() {
            session.vault.environment(name)?;
        }
        let key = session.holder().authority()?;
        Ok(Self {
            session,
            writer,
            key,
        })
    }

    /// Signs with the authority.
    pub(crate) fn authority(&self) -> RootSigner<'_> {
        RootSigner::new(&self.key)
    }

    /// The current roster, to be changed and given to [`Admin::write_roster`].
    pub(crate) fn roster(&self) -> Roster {
        self.session.vault.roster().clone()
    }

    /// Remembers the vault, after every input of the change is verified and before anything is
    /// written. If a new id cannot be remembered, nothing is written.
    pub(crate) fn remember(&mut self, context: &Context) -> Result<(), Fault> {
        self.session.remember(context)
    }

    /// Writes environments' files and lists them in `roster`.
    pub(crate) fn write_environments(
        &self,
        roster: &mut Roster,
        files: Vec<(EnvironmentName, (NewFile, Listed))>,
    ) -> Result<(), Fault> {
        let mut contents = Vec::with_capacity(files.len());
        for (name, (file, listed)) in files {
            roster.environments.insert(name, listed);
            contents.push(file);
        }
        self.writer.replace(&contents)
    }

    /// Writes `roster` as the next revision.
    pub(crate) fn write_roster(&self, roster: &mut Roster) -> Result<(), Fault> {
        roster.revision += 1;
        self.writer.replace(&[self.authority().sign_roster(roster)])
    }

    /// Whether an interrupted change waits to be finished.
    pub(crate) fn is_unfinished(&self) -> Result<bool, Fault> {
        let vault = &self.session.vault;
        let mut names = vault.roster().environments.keys();
        names.try_fold(false, |found, name| {
            Ok(found || vault.environment(name)?.is_ahead())
        })
    }

    /// Reads the written files as any other command would, and continues with them.
    pub(crate) fn read_again(&mut self) -> Result<(), Fault> {
        self.session.read_again(self.writer.tree()?)
    }

    /// Reads what was written as any other command would, and remembers it.
    pub(crate) fn finish(self, context: &Context) -> Result<(), Fault> {
        self.session.read_again(self.writer.tree()?)?;
        self.session.remember(context)
    }
}

/// Every change counts up, and a command makes a few of them: nothing is written that could not be
/// read again because a number is above the largest.
fn check_numbers(roster: &Roster) -> Result<(), Fault> {
    const CHANGES: u64 = 1000;
    let members = roster.members.values().map(|member| &member.lost);
    let lost = members.chain(roster.former.values().map(|former| &former.lost));
    let epochs = lost.flat_map(|lost| lost.values().map(|lost| lost.epoch));
    let listed = roster.environments.values().map(|listed| listed.revision);
    let highest = epochs.chain(listed).chain([roster.revision]).max();
    if highest.is_some_and(|highest| highest > LARGEST_NUMBER - CHANGES) {
        return Err(
            Fault::refused_file(ROSTER_PATH, "has the last number that there can be")
                .hint("see which change wrote it, and put back an older one: git log -- .vault"),
        );
    }
    Ok(())
}

/// Refuses to seal under the data key of an environment that is newer than the roster says. The
/// file may come from another branch, and its key may be known to someone who has no access by this
/// roster.
pub(super) fn check_finished(environment: &CheckedEnvironment) -> Result<(), Fault> {
    if !environment.is_ahead() {
        return Ok(());
    }
    let path = environment_path(&environment.content().name);
    let reason = "is newer than the roster says: a change was interrupted";
    Err(Fault::refused_file(&path, reason).hint("an admin finishes it: vault rotate --finish"))
}
