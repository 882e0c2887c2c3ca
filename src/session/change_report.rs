//! The report after access was reduced or keys were replaced: the changes, and the work that
//! remains outside the vault.

use serde_json::{Value, json};

use super::context::Context;
use super::exposure::{self, Exposure};
use super::open::Session;
use super::output::Style;
use super::renewal::Renewed;
use crate::fault::{Fault, plural};
use crate::vault::model::{Member, Membership};
use crate::vault::name::MemberName;

/// Reports the changes.
///
/// # Errors
/// If the members cannot be read.
pub(crate) fn report(context: &Context, session: &Session, renewed: &Renewed) -> Result<(), Fault> {
    let (console, membership) = (context.console, session.vault.membership()?);
    for (environment, (epoch, count)) in &renewed.epochs {
        let entries = plural(*count, "entry", "entries");
        console.note(format!(
            "{environment} has epoch {epoch}: {entries} re-encrypted"
        ));
    }
    for (environment, count) in renewed.sealed.iter().filter(|(_, count)| **count > 0) {
        console.note(format!(
            "{environment}: {} re-encrypted",
            plural(*count, "entry", "entries")
        ));
    }
    for (environment, count) in renewed.signed.iter().filter(|(_, count)| **count > 0) {
        console.note(format!(
            "{environment}: {} re-signed",
            plural(*count, "entry", "entries")
        ));
    }
    match renewed.former_id {
        Some(former) => {
            let id = membership.root.vault;
            console.note(format!("the vault has a new id: {id}"));
            console.note(format!("its former id was {former}"));
            report_new_id(context, session, &membership);
        }
        None if renewed.is_revocation => report_outdated_credentials(context, &membership),
        None => {}
    }
    Ok(())
}

/// Reports the values that `members` may still know after losing access or replacing a key.
pub(crate) fn report_exposures(
    context: &Context,
    session: &Session,
    members: &[MemberName],
    style: Style,
) -> Result<(), Fault> {
    let names: Vec<&str> = members.iter().map(MemberName::as_str).collect();
    let names = names.join(" and ");
    let report = match exposure::find(session) {
        Ok(report) => report,
        // The change itself is done, and this can be repeated.
        Err(fault) => {
            context.console.warn(format!(
                "could not list the values that {names} may know: {fault:#}"
            ));
            return report_no_exposures(context, style, &Value::Null);
        }
    };
    let is_of = |exposure: &&Exposure| {
        let mut members = members.iter();
        members.any(|member| exposure.member == *member || exposure.member.is_of(member))
    };
    let exposures: Vec<&Exposure> = report.exposures.iter().filter(is_of).collect();
    match style {
        Style::Json => {
            let exposed: Value = exposures.iter().map(|exposure| exposure.json()).collect();
            context.console.json(json!({ "exposed": exposed }))?;
        }
        Style::Table => {
            for exposure in &exposures {
                context.console.line(exposure)?;
            }
        }
    }
    for gap in &report.gaps {
        context.console.warn(gap);
    }
    let count = exposures.len();
    if count > 0 {
        let values = plural(count, "value", "values");
        let (them, their) = if count == 1 {
            ("it", "its")
        } else {
            ("them", "their")
        };
        context.console.note(format!(
            "{names} may still know {values}. Replace {them} at {their} source, then set {them} \
             here (`vault status` lists what is left)"
        ));
    }
    Ok(())
}

/// Prints the document without an exposure: an empty list, or null if it could not be made.
pub(crate) fn report_no_exposures(
    context: &Context,
    style: Style,
    exposed: &Value,
) -> Result<(), Fault> {
    match style {
        Style::Json => context.console.json(json!({ "exposed": exposed })),
        Style::Table => Ok(()),
    }
}

/// Lists the people who need the new id, and the machines that need a new credential.
fn report_new_id(context: &Context, session: &Session, membership: &Membership) {
    let console = context.console;
    let own = session.holder().name().clone();
    let people = members(membership, |name, member| {
        member.credential.is_none() && *name != own
    });
    if !people.is_empty() {
        let id = membership.root.vault;
        console.note(format!(
            "send the new id to {} through another channel (not this repository):",
            people.join(", ")
        ));
        console.note(format!("    vault trust {id}"));
    }
    let machines = members(membership, |_, member| member.credential.is_some());
    if !machines.is_empty() {
        console.note(format!(
            "these credentials no longer work: {}; first remove them with `vault members remove`, \
             then make new ones under new names with `vault ci add`",
            machines.join(", ")
        ));
    }
    let requests = session.vault.requests().unwrap_or_default();
    let asked: Vec<String> = requests.iter().flatten().map(ToString::to_string).collect();
    if !asked.is_empty() {
        console.note(format!(
            "these requests to join are for the old id and must be made again: {}",
            asked.join(", ")
        ));
    }
    console.note("if you set VAULT_ID anywhere, update it to the new id");
}

/// Reports the credentials that do not know the latest revocation.
fn report_outdated_credentials(context: &Context, membership: &Membership) {
    let latest = membership.root.latest();
    let older = members(membership, |_, member| {
        member.credential.is_some_and(|known| known != latest)
    });
    if !older.is_empty() {
        context.console.note(format!(
            "these credentials still accept the older files: {}; make new ones, or set \
             VAULT_ID={}@{latest} together with them",
            older.join(", "),
            membership.root.vault,
        ));
    }
}

fn members(membership: &Membership, which: impl Fn(&MemberName, &Member) -> bool) -> Vec<&str> {
    let members = membership
        .members
        .iter()
        .filter(|(name, member)| which(name, member));
    members.map(|(name, _)| name.as_str()).collect()
}
