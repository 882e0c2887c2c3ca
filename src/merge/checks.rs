//! The checks and questions before anything is decided: neither side may be older than the common
//! commit, and a person sees the revocations of each side.

use super::choices::Choices;
use super::environments::is_again;
use super::sides::{Side, Sides};
use crate::fault::{Fault, plural};
use crate::session::context::Context;
use crate::vault::trust::Trust;

/// Judges both roots together: a revocation that the caller knows must be on one of the sides, or in a
/// later commit of the same rebase.
pub(super) fn check_known(trust: &Trust, sides: &Sides) -> Result<(), Fault> {
    let mut root = sides.ours.membership.root.clone();
    let more = &sides.theirs.membership.root.revocations;
    root.revocations.extend(more.iter().copied());
    root.revocations.extend(sides.later.iter().copied());
    trust.judge(&root, sides.ours.vault.sha256(), "")?;
    for side in [&sides.ours, &sides.theirs] {
        trust
            .check_asked(&side.vault)
            .map_err(|fault| fault.within(side.label))?;
    }
    Ok(())
}

/// Checks that no side is older than the common commit, unless a person confirms it by name. The author
/// of a branch chose that commit.
pub(super) fn check_went_back(
    context: &Context,
    sides: &Sides,
    choices: &Choices,
) -> Result<(), Fault> {
    let both = [&sides.ours, &sides.theirs];
    let pairs = sides
        .common()
        .flat_map(|base| both.map(|side| (base, side)));
    for (base, side) in pairs {
        let (old, new) = (&base.membership.root, &side.membership.root);
        let label = side.label;
        if new.revision < old.revision {
            let question = format!("{label} has an older root than the common commit. Continue?");
            choices.confirm_name(context, "root", &question)?;
        }
        if old.revocations.iter().any(|tag| !new.lists(*tag)) {
            let question = format!(
                "{label} lacks a revocation that the common commit has. Keep it and continue?"
            );
            choices.confirm_name(context, "root", &question)?;
        }
        for name in old
            .former
            .keys()
            .filter(|name| !new.former.contains_key(*name))
        {
            let question = format!(
                "{label} does not list the former member {name}, whom the common commit lists. Keep \
                 {name} out and continue?"
            );
            choices.confirm_name(context, name.as_str(), &question)?;
        }
        for (name, member) in &base.membership.members {
            let now = side.membership.members.get(name);
            if now.is_some_and(|now| now.revision < member.revision) {
                let question = format!(
                    "{label} has an older file of {name} than the common commit. Continue?"
                );
                choices.confirm_name(context, name.as_str(), &question)?;
            }
        }
        check_entries(context, base, side, choices)?;
    }
    Ok(())
}

fn check_entries(
    context: &Context,
    base: &Side,
    side: &Side,
    choices: &Choices,
) -> Result<(), Fault> {
    let label = side.label;
    for (environment, new) in &side.membership.root.environments {
        // Its entries went with the environment when it was removed.
        let old = base.membership.root.environments.get(environment);
        if old.is_some_and(|old| is_again(new, old)) {
            continue;
        }
        let now = side.entries(environment)?;
        for (name, old) in base.entries(environment)? {
            let question = match now.get(&name) {
                None => {
                    format!("{label} has no {name} in {environment}, not even removed. Continue?")
                }
                Some(new) if new.content().revision < old.content().revision => format!(
                    "{label} has an older {name} in {environment} than the common commit. Continue?"
                ),
                Some(_) => continue,
            };
            choices.confirm_name(context, name.as_str(), &question)?;
        }
    }
    Ok(())
}

/// Shows the revocations of each side, and asks for a confirmation.
pub(super) fn confirm_revocations(
    context: &Context,
    sides: &Sides,
    choices: &Choices,
) -> Result<(), Fault> {
    let mut lines = Vec::new();
    for side in [&sides.ours, &sides.theirs] {
        lines.extend(revocations(&sides.base, side));
    }
    if lines.is_empty() {
        return Ok(());
    }
    for line in lines {
        context.console.report(line);
    }
    choices.confirm(context, "put these revocations into effect together?")
}

fn revocations(base: &Side, side: &Side) -> Vec<String> {
    let (old, new) = (&base.membership.root, &side.membership.root);
    let count = new
        .revocations
        .iter()
        .filter(|tag| !old.lists(**tag))
        .count();
    if count == 0 {
        return Vec::new();
    }
    let mut facts = Vec::new();
    let former = new
        .former
        .keys()
        .filter(|name| !old.former.contains_key(*name));
    facts.extend(former.map(|name| format!("{name} was removed")));
    let reduced = new
        .members
        .keys()
        .filter(|name| new.tag_of(name) != old.tag_of(name));
    facts.extend(reduced.map(|name| format!("{name} lost access")));
    for (name, environment) in &new.environments {
        let before = old.environments.get(name);
        if before.is_some_and(|before| before.newest() != environment.newest()) {
            facts.push(format!("{name} was rotated"));
        }
    }
    let gone = old.environments.keys();
    let gone = gone.filter(|name| !new.environments.contains_key(*name));
    facts.extend(gone.map(|name| format!("{name} was removed")));
    vec![format!(
        "{}: {} since the common commit: {}",
        side.label,
        plural(count, "revocation", "revocations"),
        facts.join(", ")
    )]
}
