//! `vault import`: sets all assignments of a dotenv file as secrets, or none.

mod conversion;
mod mentions;
mod spellings;

use std::io::{self, IsTerminal};
use std::path::Path;

use anyhow::{Context as _, bail};

use self::spellings::one_per_name;
use crate::fault::Fault;
use crate::import::dotenv::{self, Dotenv};
use crate::import::foreign;
use crate::platform;
use crate::secret::Secret;
use crate::session::apply::{Change, Outcome, apply};
use crate::session::caller_key::CallerKey;
use crate::session::context::Context;
use crate::session::open::Session;
use crate::session::presence;
use crate::session::repeated;
use crate::vault::name::EnvironmentName;

pub(crate) fn import(
    context: &Context,
    key: CallerKey,
    path: &str,
    named: Option<&EnvironmentName>,
) -> anyhow::Result<()> {
    let mut session = Session::open(context, key)?;
    let environment = session.environment(context, named)?;
    session.vault.environment(&environment)?;
    let target = conversion::Target {
        path,
        environment: named,
    };
    let text = read(&session, path)?;
    if let Some(foreign) = foreign::file(text.expose()) {
        return Err(target.refusal(foreign, text.expose()).into());
    }
    let file = dotenv::parse(&text)?;
    target.check_plain(&file)?;
    if file.assignments.is_empty() {
        return Err(nothing(path, &file).into());
    }
    report_lines(context, &file);
    mentions::warn(context.console, &file);
    let all = changes(&session, &environment, file)?;
    let changes = one_per_name(context, &session, &environment, all)?;
    let outcomes = apply(context, &mut session, &changes)?;
    report(context, &environment, &outcomes);
    repeated::mention(context, &session, &changes, &outcomes);
    presence::warn_if_ignored(context.console, &session.place, &changes);
    if target.is_file() {
        context.console.note(format!(
            "the plaintext is still in {path}: remove it, and keep it out of git"
        ));
        presence::warn_if_committed(context.console, path);
    }
    Ok(())
}

fn read(session: &Session, path: &str) -> anyhow::Result<Secret> {
    let is_input = path == "-" || platform::own_descriptor(Path::new(path)) == Some(0);
    if is_input && session.key.source.is_input() {
        bail!(Fault::usage(
            "standard input contains the key, so it cannot contain the file"
        ));
    }
    // A terminal cuts long lines and shows the typed text.
    if is_input && io::stdin().is_terminal() {
        bail!(
            Fault::usage("standard input is a terminal, not a dotenv file")
                .hint("import a file: `vault import FILE`")
                .hint("or type one value at a prompt: `vault set NAME`")
        );
    }
    let file = if is_input {
        Secret::read(&mut platform::Input, LARGEST_INPUT)
    } else {
        platform::open_named(Path::new(path))
            .and_then(|mut file| Secret::read(&mut file, LARGEST_INPUT))
    };
    file.with_context(|| format!("could not read {path}"))
}

/// The largest file of variables, in bytes.
const LARGEST_INPUT: usize = 16 << 20;

/// Refuses a file that sets nothing, because something must have gone wrong before.
fn nothing(path: &str, file: &Dotenv) -> Fault {
    let place = if path == "-" { "standard input" } else { path };
    let fault = Fault::usage(format!("{place} sets nothing; nothing was imported"));
    if file.without_value.is_empty() {
        return fault.hint("write one `NAME=value` per line");
    }
    fault.hint(format!(
        "names without `=` set nothing: line {}",
        listed(&file.without_value)
    ))
}

fn changes(
    session: &Session,
    environment: &EnvironmentName,
    file: Dotenv,
) -> anyhow::Result<Vec<Change>> {
    let mut changes = Vec::with_capacity(file.assignments.len());
    for assignment in file.assignments {
        // Only the line is named, because its text may be part of a value.
        let name = assignment
            .name
            .parse()
            .with_context(|| format!("line {}", assignment.line))?;
        session.config.check_name(&name)?;
        changes.push(Change {
            environment: environment.clone(),
            name,
            value: Some(assignment.value),
        });
    }
    Ok(changes)
}

fn listed(lines: &[usize]) -> String {
    lines
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

fn report_lines(context: &Context, file: &Dotenv) {
    if !file.replaced.is_empty() {
        let lines = listed(&file.replaced);
        context.console.note(format!(
            "skipped lines whose names are set again further down: {lines}"
        ));
    }
    if !file.without_value.is_empty() {
        context.console.note(format!(
            "skipped lines without a value: {}",
            listed(&file.without_value)
        ));
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
