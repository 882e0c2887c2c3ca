//! The report after access was reduced or keys were replaced: the changes, and the work that
//! remains outside the vault.

use serde_json::{Value, json};

use super::context::Context;
use super::exposure::{self, Exposure};
use super::open::Session;
use super::output::Style;
use super::renewal::Renewed;
use crate::fault::{Fault, plural};
use crate::vault::model::{Member, Roster};
use crate::vault::name::MemberName;

/// Reports the changes; `floor` is that of the roster before them.
pub(crate) fn report(context: &Context, session: &Session, renewed: &Renewed, floor: u64) {
    let (console, roster) = (context.console, session.vault.roster());
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
            console.note(format!("the vault has a new id: {}", roster.vault));
            console.note(format!("its former id was {former}"));
            report_new_id(context, session);
        }
        None if roster.floor > floor => report_outdated_credentials(context, roster),
        None => {}
    }
}

/// Reports the values that `member`, who lost access or replaced a key, may still know.
pub(crate) fn report_exposures(
    context: &Context,
    session: &Session,
    member: &MemberName,
    style: Style,
) -> Result<(), Fault> {
    let report = match exposure::find(session) {
        Ok(report) => report,
        // The change itself is done, and this can be repeated.
        Err(fault) => {
            context.console.warn(format!(
                "could not list the values that {member} may know: {fault:#}"
            ));
            return report_no_exposures(context, style, &Value::Null);
        }
    };
    let is_of = |exposure: &&Exposure| exposure.member == *member || exposure.member.is_of(member);
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
            "{member} may still know {values}. Replace {them} at {their} source, then set {them} \
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
fn report_new_id(context: &Context, session: &Session) {
    let (console, roster) = (context.console, session.vault.roster());
    let own = session.holder().name().clone();
    let people = members(roster, |name, member| {
        member.credential_floor.is_none() && *name != own
    });
    if !people.is_empty() {
        let id = roster.vault;
        console.note(format!(
            "send the new id to {} through another channel (not this repository):",
            people.join(", ")
        ));
        console.note(format!("    vault trust {id}"));
    }
    let machines = members(roster, |_, member| member.credential_floor.is_some());
    if !machines.is_empty() {
        console.note(format!(
            "these credentials no longer work: {}; first remove them with `vault members remove`, \
             which raises the floor, then make new ones under new names with `vault ci add`",
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

/// Reports the credentials from before the floor.
fn report_outdated_credentials(context: &Context, roster: &Roster) {
    let below = members(roster, |_, member| {
        member
            .credential_floor
            .is_some_and(|floor| floor < roster.floor)
    });
    if !below.is_empty() {
        context.console.note(format!(
            "these credentials still accept the older files: {}; make new ones, or set \
             VAULT_ID={}@{} together with them",
            below.join(", "),
            roster.vault,
            roster.floor
        ));
    }
}

fn members(roster: &Roster, which: impl Fn(&MemberName, &Member) -> bool) -> Vec<&str> {
    let members = roster
        .members
        .iter()
        .filter(|(name, member)| which(name, member));
    members.map(|(name, _)| name.as_str()).collect()
}
