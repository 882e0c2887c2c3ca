//! Which environments and entries are to be sealed or signed anew, all of them checked first.

use std::collections::{BTreeMap, BTreeSet};

use super::Wanted;
use crate::crypto::SigningKey;
use crate::fault::Fault;
use crate::session::admin::Admin;
use crate::vault::loss::Loss;
use crate::vault::model::{Entry, Member};
use crate::vault::name::{EnvironmentName, MemberName, SecretName};
use crate::vault::trust::{CheckedEntry, CheckedEnvironment, Vault};

/// What happens to the entries of an environment.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    /// All are sealed in a new epoch.
    Epoch,
    /// Those of older epochs are sealed in the newest.
    Seal,
    /// Those whose signer no longer counts are signed, and stay sealed as they are.
    Sign,
}

/// An environment, all of whose entries were checked.
pub(super) struct Task {
    pub(super) environment: CheckedEnvironment,
    pub(super) work: Work,
    /// The entries that are concerned.
    pub(super) names: Vec<SecretName>,
    pub(super) adopted: Vec<CheckedEntry>,
    /// The epochs that they are sealed in.
    pub(super) epochs: BTreeSet<u64>,
}

/// How many entries are in memory at a time, since two threads share them.
const TOGETHER: usize = 128;
/// How many bytes their files have at most, unless it is one alone.
const LARGEST: u64 = 4 << 20;

/// What there is to do, environment by environment.
///
/// # Errors
/// When an entry is not as it should be, or the admin may not write where entries must be signed.
pub(super) fn plan(
    admin: &Admin<'_>,
    loss: &Loss,
    wanted: &Wanted,
    successor: Option<&SigningKey>,
) -> Result<Vec<Task>, Fault> {
    let vault = &admin.session.vault;
    let nobody = BTreeSet::new();
    let mut tasks = Vec::new();
    for name in vault.roster().environments.keys() {
        let environment = vault.environment(name)?;
        let is_wanted = wanted.epochs.contains(name) || loss.readable.contains(name);
        let work = if successor.is_some() || is_wanted || environment.is_ahead() {
            Work::Epoch
        } else if wanted.finished.contains(name) {
            Work::Seal
        } else if loss.signatures.contains_key(name) {
            Work::Sign
        } else {
            continue;
        };
        let losers = loss.signatures.get(name).unwrap_or(&nobody);
        let task = task_for(vault, environment, work, losers, wanted.adopted.get(name))?;
        if !task.names.is_empty() || !task.adopted.is_empty() {
            check_writer(admin, name)?;
        }
        tasks.push(task);
    }
    Ok(tasks)
}

/// Checks every entry of `environment` and notes which are concerned.
fn task_for(
    vault: &Vault,
    environment: CheckedEnvironment,
    work: Work,
    losers: &BTreeSet<MemberName>,
    adopted: Option<&BTreeMap<SecretName, Entry>>,
) -> Result<Task, Fault> {
    let newest = environment.content().newest().number;
    let mut names = vault.entry_names(&environment.content().name)?;
    let mut task = Task {
        environment,
        work,
        names: Vec::new(),
        adopted: Vec::new(),
        epochs: BTreeSet::new(),
    };
    for (name, seen) in adopted.into_iter().flatten() {
        let entry = vault.adoptable(&task.environment, name)?;
        let entry = entry.filter(|entry| entry.content() == seen);
        let entry = entry.ok_or_else(|| Fault::refused(format!("{name} was changed meanwhile")))?;
        names.retain(|other| other != name);
        task.epochs
            .extend(seen.sealed.is_some().then_some(seen.epoch));
        task.adopted.push(entry);
    }
    for names in portions(vault, &task.environment, &names)? {
        for entry in check(vault, &task.environment, names)? {
            let content = entry.content();
            let is_concerned = match work {
                Work::Epoch => true,
                Work::Seal => content.epoch != newest,
                Work::Sign => losers.contains(&content.signer),
            };
            if is_concerned {
                task.epochs
                    .extend(content.sealed.is_some().then_some(content.epoch));
                task.names.push(entry.name().clone());
            }
        }
    }
    Ok(task)
}

/// `names` in portions that can be in memory at a time, however large their values are.
pub(super) fn portions<'n>(
    vault: &Vault,
    environment: &CheckedEnvironment,
    names: &'n [SecretName],
) -> Result<Vec<&'n [SecretName]>, Fault> {
    let parent = environment.content().name.as_str();
    let Some(folder) = vault.tree().folder(parent)? else {
        return Ok(vec![names]);
    };
    let (mut portions, mut start, mut size) = (Vec::new(), 0, 0);
    for (at, name) in names.iter().enumerate() {
        let own = folder.size(parent, &name.file())?;
        if at - start == TOGETHER || (at > start && size + own > LARGEST) {
            portions.push(&names[start..at]);
            (start, size) = (at, 0);
        }
        size += own;
    }
    portions.push(&names[start..]);
    Ok(portions)
}

/// The entries of `environment` that are of older epochs.
pub(super) fn stale(
    vault: &Vault,
    environment: CheckedEnvironment,
) -> Result<Vec<SecretName>, Fault> {
    Ok(task_for(vault, environment, Work::Seal, &BTreeSet::new(), None)?.names)
}

/// The entries of `names`, checked; says which can be adopted.
fn check(
    vault: &Vault,
    environment: &CheckedEnvironment,
    names: &[SecretName],
) -> Result<Vec<CheckedEntry>, Fault> {
    vault.entries_named(environment, names).map_err(|fault| {
        let adoptable = |name: &&SecretName| {
            matches!(vault.adoptable(environment, name), Ok(Some(_)))
        };
        match names.iter().find(adoptable) {
            Some(name) => fault.hint(format!(
                "or take it over, after a look at who signed it: vault rotate --finish -e {} --adopt {name}",
                environment.content().name
            )),
            None => fault,
        }
    })
}

fn check_writer(admin: &Admin<'_>, environment: &EnvironmentName) -> Result<(), Fault> {
    let holder = admin.session.holder();
    if holder.member().signer_in(environment).is_some() {
        return Ok(());
    }
    let members = admin.session.vault.roster().members.iter();
    let writers = members.filter(|(_, member)| member.signer_in(environment).is_some());
    let writers: Vec<(&MemberName, &Member)> = writers.collect();
    let fault = Fault::locked(format!(
        "{} may not write in {environment}, where entries must be signed anew",
        holder.name()
    ));
    let named = |members: &[&(&MemberName, &Member)]| {
        members
            .iter()
            .map(|(name, _)| name.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    };
    let admins: Vec<_> = writers
        .iter()
        .filter(|(_, member)| member.is_admin())
        .collect();
    Err(match (&admins[..], &writers[..]) {
        ([], []) => fault.hint(format!(
            "nobody may: vault environments remove {environment}"
        )),
        ([], [(writer, _), ..]) => fault.hint(format!(
            "make an admin of one who may: vault members set {writer} --admin"
        )),
        (admins, _) => fault.hint(format!("an admin who may has to do it: {}", named(admins))),
    })
}
