//! `vault members remove`: removes members and re-encrypts everything they could read.

use std::collections::BTreeSet;

use crate::fault::Fault;
use crate::session::admin::Admin;
use crate::session::caller_key::CallerKey;
use crate::session::change_report;
use crate::session::console::{Answer, confirm, is_interactive};
use crate::session::context::Context;
use crate::session::grant::no_member;
use crate::session::membership::{
    authority_question, check_unchanged, confirm_completions, rotated_without,
};
use crate::session::open::Session;
use crate::session::output::Style;
use crate::session::prompt::visible;
use crate::session::renewal::{Wanted, foresee, renew};
use crate::vault::model::{Lost, Membership};
use crate::vault::name::MemberName;
use crate::vault::trust::{MemberFile, Vault};

pub(crate) fn remove(
    context: &Context,
    key: CallerKey,
    typed: &[MemberName],
    answer: Answer,
    style: Style,
) -> Result<(), Fault> {
    let mut session = Session::open(context, key)?;
    session.holder().check_admin()?;
    let before = session.vault.membership()?;
    for name in typed {
        check_known(&session.vault, &before, name)?;
    }
    let names = with_other_names(context, &before, typed, answer)?;
    let completed = confirm_completions(context, &session, &names, answer)?;
    let epochs = rotated_without(context, &session, &names)?;
    let after = dismissed(&session.vault, &before, &names)?;
    if foresee(&session, &after)?.authority {
        confirm(context.console, &authority_question(&names[0]), answer)?;
    }
    let mut admin = Admin::start_anew(context, &mut session)?;
    let now = admin.membership()?;
    for name in &names {
        check_unchanged(&now, name, before.members.get(name))?;
    }
    let after = dismissed(&admin.session.vault, &now, &names)?;
    let wanted = Wanted {
        epochs,
        completed,
        ..Wanted::default()
    };
    let renewed = renew(context, &mut admin, after, &wanted)?;
    admin.finish(context)?;
    for name in &names {
        context.console.note(format!("removed the member {name}"));
    }
    change_report::report(context, &session, &renewed)?;
    change_report::report_exposures(context, &session, &names, style)?;
    context.console.note("next: commit .vault");
    Ok(())
}

/// Checks that `name` is a member, or that something in the vault still says so: a file that does not
/// count, or a data key that was sealed to them. The file of a former member is left by a removal that
/// was interrupted.
fn check_known(vault: &Vault, before: &Membership, name: &MemberName) -> Result<(), Fault> {
    let root = &before.root;
    let mut environments = root.environments.values();
    let is_known = vault.member(name)?.is_some()
        || root.members.contains_key(name) && !root.former.contains_key(name)
        || environments.any(|environment| environment.given.contains(name));
    if is_known {
        return Ok(());
    }
    Err(no_member(before, name))
}

/// The names to remove: those that were typed, and the other names of the same person, if that is
/// what the caller wants.
fn with_other_names(
    context: &Context,
    before: &Membership,
    typed: &[MemberName],
    answer: Answer,
) -> Result<Vec<MemberName>, Fault> {
    let mut names: BTreeSet<MemberName> = typed.iter().cloned().collect();
    for name in typed {
        let Some(member) = before.members.get(name) else {
            continue;
        };
        let others = before
            .members
            .iter()
            .filter(|(other, own)| own.recipient == member.recipient && !names.contains(*other));
        let others: Vec<MemberName> = others.map(|(other, _)| other.clone()).collect();
        let Some(other) = others.first() else {
            continue;
        };
        let same = format!("{name} and {other} have the same keys");
        if answer == Answer::Yes {
            continue;
        }
        if !is_interactive() {
            return Err(Fault::refused(format!(
                "{same}, and without a terminal no one can be asked which to remove"
            ))
            .hint(format!(
                "only the name: `vault members remove {name} --yes`"
            ))
            .hint(format!(
                "the person: `vault members remove {name} {other} --yes`"
            )));
        }
        let question = format!("{same}. Remove the person, with both names? [y/N] ");
        let typed = visible(context.console, &question)?;
        if matches!(typed.trim().to_lowercase().as_str(), "y" | "yes") {
            names.extend(others);
        }
    }
    Ok(names.into_iter().collect())
}

/// The members without `names`. The keys in a file that the authority signed are remembered, also if
/// the file does not count.
fn dismissed(
    vault: &Vault,
    before: &Membership,
    names: &[MemberName],
) -> Result<Membership, Fault> {
    let mut after = before.clone();
    let members = names.iter();
    for name in members.filter(|name| !before.root.former.contains_key(*name)) {
        let file = vault.member(name)?;
        let ignored = match file.as_deref() {
            Some(MemberFile::Ignored(member, _)) => Some(member),
            _ => None,
        };
        if let Some(member) = ignored {
            after.members.insert(name.clone(), member.clone());
        }
        after.dismiss(name);
        if before.members.contains_key(name) {
            continue;
        }
        for (place, environment) in &before.root.environments {
            let own = ignored.and_then(|member| before.root.highest_open(member, place));
            let given = environment.given.contains(name);
            let newest = given.then_some(environment.newest().number);
            if let Some(epoch) = own.max(newest) {
                let lost = Lost { epoch, names: None };
                after.add_lost(before, name, place, &lost);
            }
        }
    }
    Ok(after)
}
