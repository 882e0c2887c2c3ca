//! `vault resolve` from start to end.

use std::collections::BTreeSet;

use super::Which;
use super::checks::{check_known, check_went_back, confirm_revocations};
use super::choices::Choices;
use super::entries::{self, Asker, Entries};
use super::environments::unite;
use super::members::{self, Merged};
use super::sides::{self, Sides};
use super::write::{self, Signers};
use crate::crypto::{Identity, SigningKey};
use crate::fault::{Fault, plural};
use crate::git::{Merging, Repository};
use crate::keys::Found;
use crate::session::caller_key::CallerKey;
use crate::session::context::Context;
use crate::session::new_vault::untrusted;
use crate::session::open::{folder, met, tree, trust};
use crate::vault::holder::Holder;
use crate::vault::model::Member;
use crate::vault::name::{EnvironmentName, MemberName};
use crate::vault::store::{Place, STORE_FOLDER, Writer};
use crate::vault::trust::{Met, Trust, UnverifiedRoot, Vault};

/// Ends the conflicts below `.vault` of the merge that is under way.
///
/// # Errors
/// If there is none, a side is not valid, a choice is missing, or the caller may not sign what has to
/// be signed. Nothing is written then.
pub(crate) fn resolve(
    context: &Context,
    mut key: CallerKey,
    choices: &Choices,
) -> Result<(), Fault> {
    let place = context.place_for_key(&mut key)?;
    let repository = Repository::open(place.folder())?;
    let is_unmerged = !repository.unmerged(STORE_FOLDER)?.is_empty();
    let merging = match repository.merging() {
        Ok(Some(merging)) => merging,
        Ok(None) => {
            let fault = Fault::usage("no merge, rebase, cherry-pick, or revert is under way here")
                .hint("see what is: `git status`");
            return Err(if is_unmerged {
                fault.hint(way_out(None))
            } else {
                fault
            });
        }
        Err(fault) => return Err(fault.hint(way_out(None))),
    };
    let way_out = way_out(Some(merging.theirs.name()));
    if !is_unmerged && is_valid(&place) {
        choices.check_used()?;
        context.console.note("nothing below .vault is in conflict");
        return Ok(());
    }
    let mut key = key.needed(context).map_err(|fault| fault.hint(&way_out))?;
    end(context, &place, &repository, &merging, &mut key, choices)
        .map_err(|fault| fault.hint(&way_out))
}

/// Says how to take one side instead. `git checkout --ours` would leave all files as they are that git
/// could merge, and a vault of both sides.
fn way_out(theirs: Option<&str>) -> String {
    let other = theirs.map_or(String::new(), |theirs| format!(" (or `--source={theirs}`)"));
    format!(
        "always possible: take one side whole, with `git restore --source=HEAD --staged --worktree \
         .vault`{other}, and do the other side's work again"
    )
}

/// Whether the files can be read as they are.
fn is_valid(place: &Place) -> bool {
    let read = || {
        let vault = UnverifiedRoot::read(tree(place)?)?.into_vault()?;
        for environment in vault.root().environments.values() {
            vault.entries(environment)?;
        }
        Ok::<bool, Fault>(vault.members()?.invalid.is_empty())
    };
    read().unwrap_or(false)
}

fn end(
    context: &Context,
    place: &Place,
    repository: &Repository,
    merging: &Merging,
    key: &mut Found,
    choices: &Choices,
) -> Result<(), Fault> {
    let mut trust = trust(context, key)?;
    let here = folder(place);
    let sides = sides::read(repository, merging, &|id| {
        trust.check_id(id, &here)?;
        let is_known = !trust.pins.is_empty()
            || trust
                .states
                .iter()
                .any(|own| own.seen(id).is_some() || own.asked(id).is_some());
        if is_known { Ok(()) } else { Err(untrusted(id)) }
    })?;
    check_known(&trust, &sides)?;
    key.prefer(&|identity| Ok(caller(&sides, identity).is_ok()))?;
    check_went_back(context, &sides, choices)?;
    confirm_revocations(context, &sides, choices)?;
    let merged = merge(context, &sides, &key.identity, choices)?;
    let entries = decide(context, &sides, &merged, key, choices)?;
    choices.check_used()?;
    let (name, _) = caller(&sides, &key.identity)?;
    let authority = authority(&sides, &merged, merging, &key.identity)?;
    check_writer(&merged, merging, &name, &entries)?;
    let signers = Signers {
        identity: &key.identity,
        name: &name,
        authority: authority.as_ref(),
    };
    let writer = Writer::lock(place, &|| {
        context
            .console
            .note("waiting for another vault to finish writing…");
    })?;
    let (merged, vault) = write::write(&writer, &sides, merged, &entries, &signers)?;
    remember(context, place, &mut trust, &vault, &name);
    report(context, merging, &merged, &entries);
    Ok(())
}

/// The members and the root of the result.
fn merge(
    context: &Context,
    sides: &Sides,
    identity: &Identity,
    choices: &Choices,
) -> Result<Merged, Fault> {
    let roots = [&sides.base, &sides.ours, &sides.theirs].map(|side| &side.membership.root);
    let united = unite(roots[0], roots[1], roots[2]);
    for name in &united.removed {
        let lost: Vec<String> = set_since(sides, name)?;
        if !lost.is_empty() {
            let question = format!(
                "one side removed {name}, and the other set {} there. Remove it?",
                lost.join(", ")
            );
            choices.confirm_name(context, name.as_str(), &question)?;
        }
    }
    for (name, which) in &united.recreated {
        let other = match which {
            Which::Ours => &sides.theirs,
            Which::Theirs => &sides.ours,
        };
        let lost: Vec<String> = other
            .entries(name)?
            .keys()
            .map(ToString::to_string)
            .collect();
        if !lost.is_empty() {
            let question = format!(
                "one side made {name} again, so these of the other are left out: {}. Continue?",
                lost.join(", ")
            );
            choices.confirm_name(context, name.as_str(), &question)?;
        }
    }
    let mut merged = members::merge(sides, united, &|name| choices.keys_of(name))?;
    for (name, has_it) in merged.gone.clone() {
        let other = match has_it {
            Which::Ours => &sides.theirs,
            Which::Theirs => &sides.ours,
        };
        // A file that is there and does not count was taken something from.
        if other.member_file(&name).is_none() && choices.taken(name.as_str()) == Some(has_it) {
            continue;
        }
        let question = format!(
            "{} has no file of {name} that counts, without a revocation. Remove {name}?",
            other.label
        );
        let confirmed = choices.confirm_name(context, name.as_str(), &question);
        confirmed.map_err(|fault| {
            fault.hint(format!(
                "to keep {name}: `vault resolve --take {name}={}`",
                has_it.word()
            ))
        })?;
        let (_, own) = caller(sides, identity)?;
        let (_, remover) = sides.side(own).member_of(identity)?;
        merged.dismiss(&name, &remover);
    }
    merged.complete(sides)?;
    for name in &merged.dropped {
        context.console.report(format!(
            "{name} has a key of a former member, so their file does not count and is left out"
        ));
    }
    Ok(merged)
}

/// The entries of an environment that were set since the common commit on the side that has it.
fn set_since(sides: &Sides, environment: &EnvironmentName) -> Result<Vec<String>, Fault> {
    let old = sides.base.entries(environment)?;
    let mut set = BTreeSet::new();
    for side in [&sides.ours, &sides.theirs] {
        for (name, entry) in side.entries(environment)? {
            let before = old.get(&name).map(|entry| entry.content().revision);
            if before.is_none_or(|before| entry.content().revision > before) {
                set.insert(name.to_string());
            }
        }
    }
    Ok(set.into_iter().collect())
}

/// The entries of all environments of the result.
fn decide(
    context: &Context,
    sides: &Sides,
    merged: &Merged,
    key: &Found,
    choices: &Choices,
) -> Result<Vec<Entries>, Fault> {
    let asker = Asker {
        context,
        choices,
        identity: &key.identity,
    };
    let recreated = &merged.recreated;
    let environments = merged.membership.root.environments.keys();
    environments
        .map(|name| entries::decide(sides, merged, recreated.get(name).copied(), name, &asker))
        .collect()
}

/// The caller, and a side on which they are a member.
fn caller(sides: &Sides, identity: &Identity) -> Result<(MemberName, Which), Fault> {
    let ours = sides.ours.member_of(identity);
    match ours {
        Ok((name, _)) => Ok((name, Which::Ours)),
        Err(fault) => match sides.theirs.member_of(identity) {
            Ok((name, _)) => Ok((name, Which::Theirs)),
            Err(_) => Err(fault),
        },
    }
}

/// The authority, if a member's file, the root, or an epoch has to be signed.
fn authority(
    sides: &Sides,
    merged: &Merged,
    merging: &Merging,
    identity: &Identity,
) -> Result<Option<SigningKey>, Fault> {
    if !merged.needs_authority() {
        return Ok(None);
    }
    for which in [Which::Ours, Which::Theirs] {
        let side = sides.side(which);
        let Ok((name, member)) = side.member_of(identity) else {
            continue;
        };
        let still = merged.membership.members.get(&name);
        if member.is_admin() && still.is_some_and(Member::is_admin) {
            return Holder::new(&side.vault, &name, &member, identity)
                .authority()
                .map(Some);
        }
    }
    let (name, _) = caller(sides, identity)?;
    let reason = format!("this merge has to be signed by an admin, and {name} is none");
    Err(others_can(&reason, merging, merged, &Member::is_admin))
}

/// Checks that the caller may sign the entries that have to be signed again.
fn check_writer(
    merged: &Merged,
    merging: &Merging,
    name: &MemberName,
    entries: &[Entries],
) -> Result<(), Fault> {
    for entries in entries {
        let place = &entries.environment;
        let is_epoch = merged.epochs.contains(place) && !entries.kept.is_empty();
        let is_signed = is_epoch || !entries.adopted.is_empty() || !entries.chosen.is_empty();
        let member = merged.membership.members.get(name);
        let may_write = member.is_some_and(|member| member.signer_in(place).is_some());
        if is_signed && !may_write {
            let can = |own: &Member| {
                own.signer_in(place).is_some() && (own.is_admin() || !merged.needs_authority())
            };
            let reason =
                format!("{name} may not write in {place}, where entries must be signed again");
            return Err(others_can(&reason, merging, merged, &can));
        }
    }
    Ok(())
}

/// The refusal of a merge that only others can sign.
fn others_can(
    reason: &str,
    merging: &Merging,
    merged: &Merged,
    can: &dyn Fn(&Member) -> bool,
) -> Fault {
    let members = merged.membership.members.iter();
    let able: Vec<&str> = members
        .filter(|(_, member)| can(member))
        .map(|(name, _)| name.as_str())
        .collect();
    Fault::locked(reason).hint(format!(
        "`{}`, and someone who can ({}) merges the target into the branch",
        merging.operation.aborting(),
        able.join(", ")
    ))
}

/// Keeps the result in mind.
fn remember(context: &Context, place: &Place, trust: &mut Trust, vault: &Vault, name: &MemberName) {
    let id = vault.root().vault;
    let now = Met {
        member: Some(name.clone()),
        ..met(vault, place)
    };
    for state in &mut trust.states {
        if state.seen(&id).is_some()
            && let Err(fault) = state.record(&now)
        {
            context.console.warn(fault);
        }
    }
}

fn report(context: &Context, merging: &Merging, merged: &Merged, entries: &[Entries]) {
    let console = context.console;
    for name in &merged.epochs {
        let environment = &merged.membership.root.environments[name];
        let count = entries
            .iter()
            .find(|entries| entries.environment == *name)
            .map_or(0, |entries| entries.kept.len());
        console.note(format!(
            "{name} has epoch {}: {} re-encrypted",
            environment.newest().number,
            plural(count, "entry", "entries")
        ));
    }
    console.note("resolved: everything below .vault is consistent again");
    let command = merging.operation.going_on();
    console.note(format!("next: `git add .vault`, then `{command}`"));
}
