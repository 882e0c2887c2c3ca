//! Which environments and entries are to be sealed or signed again, all of them checked first.

use std::collections::BTreeSet;

use super::Wanted;
use crate::crypto::Commitment;
use crate::fault::Fault;
use crate::session::admin::Admin;
use crate::vault::loss::Loss;
use crate::vault::model::{Environment, Member};
use crate::vault::name::{EnvironmentName, MemberName, SecretName};
use crate::vault::trust::{CheckedEntry, Vault};

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
    pub(super) environment: Environment,
    pub(super) work: Work,
    /// The entries that are sealed again.
    pub(super) names: Vec<SecretName>,
    /// The entries whose signer no longer counts.
    pub(super) resigned: Vec<SecretName>,
    pub(super) adopted: Vec<CheckedEntry>,
    /// The epochs that all of these are sealed in.
    pub(super) epochs: BTreeSet<Commitment>,
}

/// How many entries are in memory at a time, since two threads share them.
const TOGETHER: usize = 128;
/// How many bytes their files have at most, unless it is one alone.
const LARGEST: u64 = 4 << 20;

/// The work to do, environment by environment; with a new authority, everything.
///
/// # Errors
/// If an entry is not as it should be, or the admin may not write where entries must be signed.
pub(super) fn plan(
    admin: &Admin<'_>,
    loss: &Loss,
    wanted: &Wanted,
    is_new_authority: bool,
) -> Result<Vec<Task>, Fault> {
    let vault = &admin.session.vault;
    let nobody = BTreeSet::new();
    let mut tasks = Vec::new();
    for (name, environment) in &vault.root().environments {
        let is_wanted = wanted.epochs.contains(name) || loss.readable.contains(name);
        let work = if is_new_authority || is_wanted {
            Work::Epoch
        } else if wanted.finished.contains(name) {
            Work::Seal
        } else if loss.signatures.contains_key(name) {
            Work::Sign
        } else {
            continue;
        };
        let losers = loss.signatures.get(name).unwrap_or(&nobody);
        let task = task_for(vault, environment, work, losers, wanted)?;
        let is_empty = task.names.is_empty() && task.resigned.is_empty() && task.adopted.is_empty();
        if !is_empty {
            check_writer(admin, name)?;
        }
        tasks.push(task);
    }
    Ok(tasks)
}

/// Checks every entry of `environment` and notes which are concerned.
fn task_for(
    vault: &Vault,
    environment: &Environment,
    work: Work,
    losers: &BTreeSet<MemberName>,
    wanted: &Wanted,
) -> Result<Task, Fault> {
    let mut names = vault.entry_names(&environment.name)?;
    let mut task = Task {
        environment: environment.clone(),
        work,
        names: Vec::new(),
        resigned: Vec::new(),
        adopted: Vec::new(),
        epochs: BTreeSet::new(),
    };
    let signers = |name: &MemberName| wanted.former_signers.get(name).cloned().unwrap_or_default();
    for (name, seen) in wanted.adopted.get(&environment.name).into_iter().flatten() {
        let entry = vault.adoptable(environment, name, &signers)?;
        let entry = entry.filter(|entry| entry.content() == seen);
        let entry = entry
            .ok_or_else(|| Fault::refused(format!("{name} was changed while this command ran")))?;
        names.retain(|other| other != name);
        task.epochs
            .extend(seen.sealed.is_some().then_some(*entry.commitment()));
        task.adopted.push(entry);
    }
    for names in portions(vault, environment, &names)? {
        for entry in check(vault, environment, names)? {
            let is_sealed_again = match work {
                Work::Epoch => true,
                Work::Seal => !entry.is_newest(environment),
                Work::Sign => false,
            };
            let is_resigned = losers.contains(&entry.content().signer);
            if is_sealed_again || is_resigned {
                let is_live = entry.content().sealed.is_some();
                task.epochs.extend(is_live.then_some(*entry.commitment()));
            }
            if is_resigned {
                task.resigned.push(entry.name().clone());
            }
            if is_sealed_again {
                task.names.push(entry.name().clone());
            }
        }
    }
    Ok(task)
}

/// `names` in portions that can be in memory at a time, however large their values are.
pub(super) fn portions<'n>(
    vault: &Vault,
    environment: &Environment,
    names: &'n [SecretName],
) -> Result<Vec<&'n [SecretName]>, Fault> {
    let parent = environment.name.as_str();
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
pub(super) fn stale(vault: &Vault, environment: &Environment) -> Result<Vec<SecretName>, Fault> {
    let (nobody, nothing) = (BTreeSet::new(), Wanted::default());
    Ok(task_for(vault, environment, Work::Seal, &nobody, &nothing)?.names)
}

/// The entries of `names`, checked; says which can be adopted.
fn check(
    vault: &Vault,
    environment: &Environment,
    names: &[SecretName],
) -> Result<Vec<CheckedEntry>, Fault> {
    vault.entries_named(environment, names).map_err(|fault| {
        let former = |name: &&SecretName| vault.has_former_signer(environment, name);
        match names.iter().find(former) {
            Some(name) => fault.hint(format!(
                "or take it over, after a look at who signed it: `vault rotate --finish -e {} --adopt {name}`",
                environment.name
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
    let members = admin.session.vault.members()?.counting.iter();
    let writers = members.filter(|(_, member)| member.signer_in(environment).is_some());
    let writers: Vec<(&MemberName, &Member)> = writers.collect();
    let fault = Fault::locked(format!(
        "{} may not write in {environment}, where entries must be signed again",
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
            "no one may: `vault environments remove {environment}`"
        )),
        ([], [(writer, _), ..]) => fault.hint(format!(
            "make an admin of one who may: `vault members set {writer} --admin`"
        )),
        (admins, _) => fault.hint(format!("an admin who may has to do it: {}", named(admins))),
    })
}
