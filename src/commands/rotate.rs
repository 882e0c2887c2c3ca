//! `vault rotate`: makes a new data key or a new authority, or finishes an interrupted change.

use std::collections::{BTreeMap, BTreeSet};

use crate::crypto::PublicKey;
use crate::fault::Fault;
use crate::session::admin::{Admin, ahead, interrupted};
use crate::session::caller_key::CallerKey;
use crate::session::change_report;
use crate::session::console::{Answer, confirm};
use crate::session::context::Context;
use crate::session::open::Session;
use crate::session::past;
use crate::session::renewal::{Renewed, Succession, Wanted, forget_older, renew};
use crate::session::succession::{Settled, settle};
use crate::vault::format::entry_path;
use crate::vault::model::Entry;
use crate::vault::name::{EnvironmentName, MemberName, SecretName};

/// The command line of `rotate`.
pub(crate) struct Rotate {
    pub(crate) environments: Vec<EnvironmentName>,
    pub(crate) what: What,
    pub(crate) answer: Answer,
}

/// The kind of rotation.
pub(crate) enum What {
    /// A new epoch.
    Epoch,
    /// Finish every change that was begun.
    Finish {
        adopted: Vec<SecretName>,
        older: Older,
    },
    /// A new authority, which re-encrypts everything.
    Authority,
}

/// What happens to older epochs that no entry needs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Older {
    /// They stay, for branches from before the rotation.
    Kept,
    /// They are dropped.
    Forgotten,
}

pub(crate) fn rotate(context: &Context, key: CallerKey, command: Rotate) -> Result<(), Fault> {
    match command.what {
        What::Epoch => epoch(context, key, &command.environments),
        What::Finish { adopted, older } => finish(
            context,
            key,
            &command.environments,
            &adopted,
            older,
            command.answer,
        ),
        What::Authority => authority(context, key, command.answer),
    }
}

fn epoch(context: &Context, key: CallerKey, named: &[EnvironmentName]) -> Result<(), Fault> {
    let mut session = Session::open(context, key)?;
    let mut epochs: BTreeSet<EnvironmentName> = named.iter().cloned().collect();
    if epochs.is_empty() {
        epochs.insert(session.environment(context, None)?);
    }
    for environment in &epochs {
        session.vault.environment(environment)?;
    }
    renew_vault(
        context,
        &mut session,
        &Wanted {
            epochs,
            ..Wanted::default()
        },
    )?;
    context.console.note("next: commit .vault");
    Ok(())
}

fn authority(context: &Context, key: CallerKey, answer: Answer) -> Result<(), Fault> {
    let mut session = Session::open(context, key)?;
    session.holder().check_admin()?;
    let question = "make a new authority? The vault gets a new id, which everyone has to trust \
                    again, and every credential has to be made again.";
    confirm(context.console, question, answer)?;
    let wanted = Wanted {
        succession: Succession::Wanted,
        ..Wanted::default()
    };
    renew_vault(context, &mut session, &wanted)?;
    context.console.note("next: commit .vault");
    Ok(())
}

fn finish(
    context: &Context,
    mut key: CallerKey,
    environments: &[EnvironmentName],
    names: &[SecretName],
    older: Older,
    answer: Answer,
) -> Result<(), Fault> {
    match settle(context, &mut key)? {
        Settled::Nothing => {}
        Settled::PutBack => context.console.note(
            "rolled back: the authority was not replaced; to replace it, run `vault rotate \
             --authority` again",
        ),
        Settled::Completed => context.console.note("the new id of the vault is in effect"),
    }
    let mut session = Session::open(context, key)?;
    let finished: BTreeSet<EnvironmentName> = session
        .vault
        .root()
        .environments
        .keys()
        .filter(|name| environments.is_empty() || environments.contains(name))
        .cloned()
        .collect();
    for environment in environments {
        session.vault.environment(environment)?;
    }
    for name in ahead(&session.vault)? {
        context.console.report(interrupted(&name));
    }
    let former_signers = former_signers(&session, &finished, names)?;
    let adopted = adopt(context, &session, &finished, names, &former_signers, answer)?;
    let wanted = Wanted {
        finished: finished.clone(),
        adopted,
        former_signers,
        ..Wanted::default()
    };
    let renewed = renew_vault(context, &mut session, &wanted)?;
    let mut forgotten = BTreeSet::new();
    if older == Older::Forgotten {
        let mut admin = Admin::start(context, &mut session)?;
        forgotten = forget_older(context, &mut admin, &finished)?;
        admin.finish(context)?;
    }
    for environment in &forgotten {
        context
            .console
            .note(format!("{environment} no longer has older epochs"));
    }
    let counts = renewed.sealed.values().copied();
    if renewed.epochs.is_empty() && counts.sum::<usize>() == 0 && forgotten.is_empty() {
        context.console.note("there was nothing to finish");
    } else {
        context.console.note("next: commit .vault");
    }
    Ok(())
}

fn renew_vault(
    context: &Context,
    session: &mut Session,
    wanted: &Wanted,
) -> Result<Renewed, Fault> {
    let mut admin = Admin::start_anew(context, session)?;
    let membership = admin.membership()?;
    let renewed = renew(context, &mut admin, membership, wanted)?;
    admin.finish(context)?;
    change_report::report(context, session, &renewed)?;
    Ok(renewed)
}

/// The keys that the signers of these entries once signed with, as the commits of this clone have them:
/// the root keeps only a hash.
fn former_signers(
    session: &Session,
    environments: &BTreeSet<EnvironmentName>,
    names: &[SecretName],
) -> Result<BTreeMap<MemberName, Vec<PublicKey>>, Fault> {
    let mut signers = BTreeMap::new();
    for environment in environments {
        for name in names {
            let signer = session.vault.claimed_signer(environment, name);
            if let Some(signer) = signer.filter(|signer| !signers.contains_key(signer)) {
                let keys = past::signers(session, &signer)?;
                signers.insert(signer, keys);
            }
        }
    }
    Ok(signers)
}

/// Returns the entries of these names whose signers can no longer write. Shows each of them, and asks
/// before it adopts them.
fn adopt(
    context: &Context,
    session: &Session,
    environments: &BTreeSet<EnvironmentName>,
    names: &[SecretName],
    former: &BTreeMap<MemberName, Vec<PublicKey>>,
    answer: Answer,
) -> Result<BTreeMap<EnvironmentName, BTreeMap<SecretName, Entry>>, Fault> {
    let signers = |name: &MemberName| former.get(name).cloned().unwrap_or_default();
    let mut adopted: BTreeMap<EnvironmentName, BTreeMap<SecretName, Entry>> = BTreeMap::new();
    for name in names {
        let mut found = false;
        for environment in environments {
            let checked = session.vault.environment(environment)?;
            let Some(entry) = session.vault.adoptable(checked, name, &signers)? else {
                continue;
            };
            show(context, environment, name, entry.content());
            found = true;
            let of = adopted.entry(environment.clone()).or_default();
            of.insert(name.clone(), entry.content().clone());
        }
        if !found {
            let all: Vec<&str> = environments.iter().map(EnvironmentName::as_str).collect();
            return Err(Fault::usage(format!(
                "{name} in {} does not need adopting: it is missing, or a current member signed it",
                all.join(", ")
            )));
        }
    }
    if !adopted.is_empty() {
        confirm(context.console, "re-sign these entries?", answer)?;
    }
    Ok(adopted)
}

fn show(context: &Context, environment: &EnvironmentName, name: &SecretName, entry: &Entry) {
    let what = if entry.sealed.is_some() {
        "value chosen"
    } else {
        "removed"
    };
    context.console.report(format!(
        ".vault/{}: signed by {}, who can no longer write in {environment}: {what} by {} at {}, \
         revision {}, epoch {}",
        entry_path(environment, name),
        entry.signer,
        entry.author,
        entry.changed.as_str(),
        entry.revision,
        entry.epoch
    ));
}
