//! `vault import`: the assignments of a dotenv file as secrets, all of them or none.

use std::path::Path;

use super::spellings::one_per_name;
use crate::fault::Fault;
use crate::import::dotenv::{self, Dotenv};
use crate::platform;
use crate::secret::Secret;
use crate::session::apply::{Change, Outcome, apply};
use crate::session::context::Context;
use crate::session::open::Session;
use crate::session::repeated;
use crate::vault::model::LARGEST_FILE;
use crate::vault::name::EnvironmentName;

pub(crate) fn import(
    context: &mut Context,
    path: &str,
    environment: Option<&EnvironmentName>,
) -> Result<(), Fault> {
    let mut session = Session::open(context)?;
    let environment = session.environment(context, environment)?;
    session.vault.environment(&environment)?;
    let file = dotenv::parse(&read(&session, path)?)?;
    report_lines(context, &file);
    let all = changes(&session, &environment, file)?;
    let changes = one_per_name(context, &session, &environment, all)?;
    if changes.is_empty() {
        context.console.note("nothing to import");
        return Ok(());
    }
    let outcomes = apply(context, &mut session, &changes)?;
    report(context, &environment, &outcomes);
    repeated::mention(context, &session, &changes, &outcomes);
    if path != "-" {
        context
            .console
            .note(format!("the plaintext is still in {path}: remove it, and keep it out of git"));
    }
    Ok(())
}

fn read(session: &Session, path: &str) -> Result<Secret, Fault> {
    if path == "-" && session.key.source.is_input() {
        return Err(Fault::usage("standard input holds the key, so it cannot hold the file"));
    }
    let file = if path == "-" {
        Secret::read(&mut platform::Input, LARGEST_FILE)
    } else {
        platform::open_named(Path::new(path))
            .and_then(|mut file| Secret::read(&mut file, LARGEST_FILE))
    };
    file.map_err(|error| Fault::failed(format!("could not read {path}: {error}")))
}

fn changes(
    session: &Session,
    environment: &EnvironmentName,
    file: Dotenv,
) -> Result<Vec<Change>, Fault> {
    let mut changes = Vec::with_capacity(file.assignments.len());
    for assignment in file.assignments {
        // Only the line is named: what stands there may be a piece of a value.
        let wrong = |fault: Fault| fault.within(&format!("line {}", assignment.line));
        let name = assignment.name.parse().map_err(wrong)?;
        session.config.check_name(&name)?;
        changes.push(Change {
            environment: environment.clone(),
            name,
            value: Some(assignment.value),
        });
    }
    Ok(changes)
}

fn report_lines(context: &Context, file: &Dotenv) {
    let list =
        |lines: &[usize]| lines.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    if !file.replaced.is_empty() {
        context.console.note(format!("set again further down: line {}", list(&file.replaced)));
    }
    if !file.without_value.is_empty() {
        context.console.note(format!("left out, no value: line {}", list(&file.without_value)));
    }
}

fn report(context: &Context, environment: &EnvironmentName, outcomes: &[Outcome]) {
    let count =
        |kind: fn(&Outcome) -> bool| outcomes.iter().filter(|outcome| kind(outcome)).count();
    context.console.note(format!(
        "imported into {environment}: {} set, {} changed, {} unchanged",
        count(|outcome| matches!(outcome, Outcome::Set(_))),
        count(|outcome| matches!(outcome, Outcome::Changed(_))),
        count(|outcome| matches!(outcome, Outcome::Unchanged)),
    ));
}
