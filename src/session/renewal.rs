//! Revocations and rotations under the lock: new data keys, and entries sealed and signed again.
//!
//! Every entry concerned is checked before any of them is opened, and all new files are written
//! before the first is moved to its place. They are moved in an order in which no one who keeps access
//! loses anything on the way: entries that must be signed again, members' files with the new keys, the
//! files of those who lose something, the root, and then the re-encrypted entries. The root is the
//! switch. An interruption before it leaves keys that do not count yet, and one after it leaves
//! entries in an older epoch, which `vault rotate --finish` re-encrypts.

mod files;
mod forget;
mod plan;
mod revoke;

use std::collections::{BTreeMap, BTreeSet};

use self::files::Doing;
pub(crate) use self::forget::forget_older;
use self::plan::{Task, Work, plan};
use self::revoke::{forget_keys, revoke, seal_older, succeed};
use super::admin::Admin;
use super::context::Context;
use super::open::Session;
use crate::crypto::{PublicKey, SigningKey, VaultId};
use crate::fault::Fault;
use crate::vault::format::member_path;
use crate::vault::holder::OpenedSigningKey;
use crate::vault::loss::Loss;
use crate::vault::model::{Entry, Member, Membership};
use crate::vault::name::{EnvironmentName, MemberName, SecretName};
use crate::vault::signing::RootSigner;
use crate::vault::unlock::Unlocked;

/// The changes that are wanted besides those that a loss makes necessary.
#[derive(Default)]
pub(crate) struct Wanted {
    /// Environments that get a new epoch.
    pub(crate) epochs: BTreeSet<EnvironmentName>,
    /// Environments whose entries of older epochs are sealed in the newest.
    pub(crate) finished: BTreeSet<EnvironmentName>,
    /// Entries whose signer no longer counts, as someone saw them and said yes.
    pub(crate) adopted: BTreeMap<EnvironmentName, BTreeMap<SecretName, Entry>>,
    /// The keys that former members signed these entries with, as history has them.
    pub(crate) former_signers: BTreeMap<MemberName, Vec<PublicKey>>,
    /// Access to take from names that are not members here: a branch that is not merged gives it.
    pub(crate) taken: BTreeMap<MemberName, BTreeSet<EnvironmentName>>,
    /// Members whose revocation was interrupted and is completed, with their files from before it.
    pub(crate) completed: BTreeMap<MemberName, Vec<Member>>,
    /// Whether the vault gets a new authority, and so a new id.
    pub(crate) succession: Succession,
}

/// Whether there is to be a new authority.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Succession {
    /// Only if someone who could open it no longer may.
    #[default]
    AsNeeded,
    /// In any case.
    Wanted,
}

/// The changes that were made.
#[derive(Default)]
pub(crate) struct Renewed {
    /// New epochs, each with the number of entries that were sealed in it.
    pub(crate) epochs: BTreeMap<EnvironmentName, (u64, usize)>,
    /// How many entries were sealed in an epoch that existed.
    pub(crate) sealed: BTreeMap<EnvironmentName, usize>,
    /// How many entries were only signed.
    pub(crate) signed: BTreeMap<EnvironmentName, usize>,
    /// Whether there was a revocation.
    pub(crate) is_revocation: bool,
    /// The id that the vault had, if it has a new one.
    pub(crate) former_id: Option<VaultId>,
}

impl Renewed {
    /// Whether nothing was sealed or signed again.
    pub(crate) fn is_nothing(&self) -> bool {
        let mut counts = self.sealed.values().chain(self.signed.values());
        !self.is_revocation && self.former_id.is_none() && counts.all(|count| *count == 0)
    }
}

/// Puts `after` in the place of the members and the root, and does everything that this requires.
///
/// # Errors
/// If an entry is not as it should be, or the admin may not write where entries must be signed.
/// Nothing is written then.
pub(crate) fn renew(
    context: &Context,
    admin: &mut Admin<'_>,
    mut after: Membership,
    wanted: &Wanted,
) -> Result<Renewed, Fault> {
    let before = admin.membership()?;
    let loss = Loss::between(&before, &after);
    check_others(admin.session.holder().name(), &before, &loss)?;
    let is_new = loss.authority || wanted.succession == Succession::Wanted;
    let successor = is_new.then(SigningKey::generate);
    let tasks = plan(admin, &loss, wanted, successor.is_some())?;
    // Everything is verified; if a new id cannot be remembered, nothing is written.
    admin.remember(context)?;
    let has_epoch = tasks.iter().any(|task| task.work == Work::Epoch);
    let is_revocation = has_epoch
        || !loss.members.is_empty()
        || !wanted.completed.is_empty()
        || after.root.former != before.root.former;
    let root_signer = successor
        .as_ref()
        .map_or_else(|| admin.authority(), RootSigner::new);
    if is_revocation {
        revoke(&before, &mut after, &loss, wanted);
    }
    if successor.is_some() {
        succeed(&mut after, &root_signer);
    }
    after.drop_lost_keys(&before);
    if successor.is_none() {
        seal_older(admin, &before, &mut after, &loss)?;
    }
    let keys = start_epochs(&before, &mut after, &tasks, &root_signer)?;
    if successor.is_some() {
        forget_keys(&mut after.root);
    }
    let mut renewed = Renewed {
        is_revocation,
        ..Renewed::default()
    };
    let mut doing = Doing {
        admin,
        root_signer: &root_signer,
        before: &before,
        after: &after,
        keys: &keys,
        signing_key: OpenedSigningKey::default(),
    };
    let mut batch = admin.writer.batch()?;
    doing.write(&tasks, &loss, &mut batch, &mut renewed)?;
    match successor {
        None => batch.finish()?,
        Some(key) => {
            renewed.former_id = Some(before.root.vault);
            if let Err(fault) = batch.finish_reversibly() {
                admin.writer.put_back()?;
                return Err(fault);
            }
            admin.succeed(key)?;
        }
    }
    let is_known = |name: &&MemberName| before.root.former.contains_key(*name);
    for name in after.root.former.keys().filter(|name| !is_known(name)) {
        admin.writer.remove(&member_path(name))?;
    }
    admin.read_again()?;
    Ok(renewed)
}

/// Starts the new epochs of `tasks`, and writes down who lost what.
fn start_epochs(
    before: &Membership,
    after: &mut Membership,
    tasks: &[Task],
    root_signer: &RootSigner<'_>,
) -> Result<BTreeMap<EnvironmentName, Unlocked>, Fault> {
    let is_same = after.root.vault == before.root.vault;
    let mut keys = BTreeMap::new();
    for task in tasks {
        after.record_lost(before, &task.environment.name);
    }
    for task in tasks.iter().filter(|task| task.work == Work::Epoch) {
        let name = &task.environment.name;
        if !is_same {
            for member in after.members.values_mut() {
                member.sealed.remove(name);
            }
        }
        let key = root_signer.start_epoch(after, name)?;
        if !is_same && let Some(environment) = after.root.environments.get_mut(name) {
            environment.epochs.truncate(1);
        }
        keys.insert(name.clone(), Unlocked::with(root_signer.id(), name, key));
    }
    Ok(keys)
}

/// Whom `after` would take something from, before anyone is asked.
///
/// # Errors
/// If the caller changes no members, or would take something from themselves.
pub(crate) fn foresee(session: &Session, after: &Membership) -> Result<Loss, Fault> {
    let (holder, before) = (session.holder(), session.vault.membership()?);
    holder.authority()?;
    let loss = Loss::between(&before, after);
    check_others(holder.name(), &before, &loss)?;
    Ok(loss)
}

/// Checks that the caller loses nothing, because the caller signs everything again.
fn check_others(own: &MemberName, before: &Membership, loss: &Loss) -> Result<(), Fault> {
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
                "make someone else an admin, who then does this: `vault members set NAME --admin`",
            ),
        );
    }
    Err(
        Fault::usage(format!("{own} cannot take anything from {own}"))
            .hint(format!("another admin has to do it: {}", admins.join(", "))),
    )
}

impl Renewed {
    fn add(&mut self, task: &Task, newest: u64) {
        let name = task.environment.name.clone();
        let count = task.names.len() + task.adopted.len();
        match task.work {
            Work::Epoch => drop(self.epochs.insert(name, (newest, count))),
            Work::Seal => drop(self.sealed.insert(name, count)),
            Work::Sign => drop(self.signed.insert(name, task.resigned.len())),
        }
    }
}
