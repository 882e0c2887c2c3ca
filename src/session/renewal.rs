//! Sealing and signing anew, under the lock: what a rotation, a loss of access and a new authority
//! have in common.
//!
//! Every entry concerned is checked before any of them is opened, and all new files are written
//! before the first is moved to its place: environments, entries, the roster last. Whoever is
//! interrupted in between leaves environments that are newer than the roster says. What comes next
//! never goes on under their data keys, but starts a new epoch: somebody who has lost access since
//! may know them.

mod forget;
mod plan;

use std::collections::{BTreeMap, BTreeSet};

pub(crate) use self::forget::forget_older;
use self::plan::{Task, Work, plan, portions};
use super::admin::Admin;
use super::context::Context;
use super::open::Session;
use crate::crypto::{SigningKey, VaultId};
use crate::fault::Fault;
use crate::vault::holder::OpenedSigningKey;
use crate::vault::loss::Loss;
use crate::vault::model::{Entry, Roster};
use crate::vault::name::{EnvironmentName, MemberName, SecretName};
use crate::vault::rotation::Older;
use crate::vault::signing::{EntrySigner, RootSigner};
use crate::vault::store::{Batch, NewFile};
use crate::vault::trust::CheckedEntry;
use crate::vault::unlock::Unlocked;

/// What is wanted besides what a loss makes necessary.
#[derive(Default)]
pub(crate) struct Wanted {
    /// Environments that get a new epoch.
    pub(crate) epochs: BTreeSet<EnvironmentName>,
    /// Environments whose entries of older epochs are sealed in the newest.
    pub(crate) finished: BTreeSet<EnvironmentName>,
    /// Entries whose signer no longer counts, as somebody saw them and said yes.
    pub(crate) adopted: BTreeMap<EnvironmentName, BTreeMap<SecretName, Entry>>,
    /// Whether the vault gets a new authority, and so a new id.
    pub(crate) succession: Succession,
}

/// Whether there is to be a new authority.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Succession {
    /// Only where somebody who could open it no longer may.
    #[default]
    AsNeeded,
    /// In any case.
    Wanted,
}

/// What was done.
#[derive(Default)]
pub(crate) struct Renewed {
    /// New epochs, each with how many entries were sealed in it.
    pub(crate) epochs: BTreeMap<EnvironmentName, (u64, usize)>,
    /// How many entries were sealed in an epoch that was there.
    pub(crate) sealed: BTreeMap<EnvironmentName, usize>,
    /// How many entries were only signed.
    pub(crate) signed: BTreeMap<EnvironmentName, usize>,
    /// The id that the vault had, where it has a new one.
    pub(crate) former_id: Option<VaultId>,
}

/// Puts `after` in the place of the roster and does everything that this takes.
///
/// # Errors
/// When an entry is not as it should be, or the admin may not write where entries must be signed.
/// Nothing is written then.
pub(crate) fn renew(
    context: &Context,
    admin: &mut Admin<'_>,
    mut after: Roster,
    wanted: &Wanted,
) -> Result<Renewed, Fault> {
    let before = admin.roster();
    let loss = Loss::between(&before, &after);
    check_others(admin.session.holder().name(), &before, &loss)?;
    let is_new = loss.authority || wanted.succession == Succession::Wanted;
    let successor = is_new.then(SigningKey::generate);
    let tasks = plan(admin, &loss, wanted, successor.as_ref())?;
    // Everything is verified; where a new id cannot be remembered, nothing is written.
    admin.remember(context)?;
    let root_signer = successor
        .as_ref()
        .map_or_else(|| admin.authority(), RootSigner::new);
    let has_epoch = tasks.iter().any(|task| task.work == Work::Epoch);
    let is_other = has_epoch || after != before;
    if successor.is_some() {
        after.vault = root_signer.id();
        let admins = after
            .members
            .values_mut()
            .filter(|member| member.is_admin());
        admins.for_each(|member| member.authority = Some(root_signer.share(&member.recipient)));
    }
    let mut renewed = Renewed::default();
    let mut batch = admin.writer.batch()?;
    let signing_key = OpenedSigningKey::default();
    let mut doing = Doing {
        admin,
        root_signer: &root_signer,
        before: &before,
        signing_key,
    };
    for task in &tasks {
        after.record_lost(&before, task.environment.content());
        let count = doing.write(task, &mut after, &mut batch)?;
        renewed.tell(task, count);
    }
    if is_other {
        after.revision += 1;
        if has_epoch || !loss.members.is_empty() {
            after.floor = after.revision;
        }
        batch.add(&[root_signer.sign_roster(&after)])?;
    }
    match successor {
        None => {
            batch.finish()?;
            admin.read_again()?;
        }
        Some(key) => {
            renewed.former_id = Some(before.vault);
            if let Err(fault) = batch.finish_reversibly() {
                admin.writer.put_back()?;
                return Err(fault);
            }
            admin.succeed(key)?;
        }
    }
    Ok(renewed)
}

impl Renewed {
    fn tell(&mut self, task: &Task, count: usize) {
        let content = task.environment.content();
        let name = content.name.clone();
        match task.work {
            Work::Epoch => drop(
                self.epochs
                    .insert(name, (content.newest().number + 1, count)),
            ),
            Work::Seal => drop(self.sealed.insert(name, count)),
            Work::Sign => drop(self.signed.insert(name, count)),
        }
    }
}

/// What `after` in the place of the roster would take, said before anybody is asked.
///
/// # Errors
/// When the caller changes no members, or would take something from themselves.
pub(crate) fn foresee(session: &Session, after: &Roster) -> Result<Loss, Fault> {
    let (holder, before) = (session.holder(), session.vault.roster());
    holder.authority()?;
    let loss = Loss::between(before, after);
    check_others(holder.name(), before, &loss)?;
    Ok(loss)
}

/// Whoever loses something cannot be the one who signs everything anew.
fn check_others(own: &MemberName, before: &Roster, loss: &Loss) -> Result<(), Fault> {
    if !loss.members.contains(own) {
        return Ok(());
    }
    let admins = before
        .members
        .iter()
        .filter(|(name, member)| *name != own && member.is_admin());
    let admins: Vec<&str> = admins.map(|(name, _)| name.as_str()).collect();
    if admins.is_empty() {
        return Err(
            Fault::usage(format!("{own} is the only admin, and cannot lose anything")).hint(
                "make somebody else an admin, who then does this: vault members set NAME --admin",
            ),
        );
    }
    Err(
        Fault::usage(format!("{own} cannot take anything from {own}"))
            .hint(format!("another admin has to do it: {}", admins.join(", "))),
    )
}

/// What writing a task needs to know.
struct Doing<'a> {
    admin: &'a Admin<'a>,
    root_signer: &'a RootSigner<'a>,
    before: &'a Roster,
    signing_key: OpenedSigningKey,
}

impl Doing<'_> {
    /// Writes the files of `task` and lists its environment in `after`; says how many entries it
    /// were.
    fn write(
        &mut self,
        task: &Task,
        after: &mut Roster,
        batch: &mut Batch<'_>,
    ) -> Result<usize, Fault> {
        let checked = &task.environment;
        let mut environment = checked.content().clone();
        let mut new_key = None;
        if task.work == Work::Epoch {
            let keepers = after.keepers(self.before, &environment.name);
            let is_same = after.vault == self.before.vault;
            let older = if is_same {
                Older::For(&keepers)
            } else {
                Older::Dropped
            };
            let (next, key) = self
                .root_signer
                .next_epoch(&environment, &after.members, older)?;
            let (file, listed) = self.root_signer.sign_environment(&next);
            after.environments.insert(next.name.clone(), listed);
            batch.add(&[file])?;
            (environment, new_key) = (next, Some(key));
        }
        if task.names.is_empty() && task.adopted.is_empty() {
            return Ok(0);
        }
        let holder = self.admin.session.holder();
        let newest = checked.content().newest().number;
        let own = (task.work == Work::Seal).then_some(newest);
        let from = holder.unlock(checked, task.epochs.iter().copied().chain(own))?;
        let signer = EntrySigner {
            vault: after.vault,
            environment: &environment,
            keys: new_key.as_ref().unwrap_or(&from),
            name: holder.name(),
            key: self.signing_key.get(&holder, &environment.name)?,
        };
        for names in portions(&self.admin.session.vault, checked, &task.names)? {
            let entries = self.admin.session.vault.entries_named(checked, names)?;
            if entries.len() != names.len() {
                let folder = environment.name.as_str();
                return Err(Fault::refused_file(folder, "an entry went meanwhile"));
            }
            batch.add(&task.work.files(&signer, &entries, &from)?)?;
        }
        batch.add(&signer.seal_anew(&task.adopted, &from)?)?;
        Ok(task.names.len() + task.adopted.len())
    }
}

impl Work {
    fn files(
        self,
        signer: &EntrySigner<'_>,
        entries: &[CheckedEntry],
        from: &Unlocked,
    ) -> Result<Vec<NewFile>, Fault> {
        match self {
            Self::Epoch | Self::Seal => signer.seal_anew(entries, from),
            Self::Sign => signer.sign_anew(entries, from),
        }
    }
}
