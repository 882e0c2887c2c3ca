//! `vault doctor`: explains why something does not work. It checks everything even if a check fails,
//! changes nothing, and asks no questions.
//!
//! It shows no key and no value. It runs nothing but the command in `VAULT_KEY_COMMAND`, as every
//! other command does, and announces that before.

mod access;
mod key;
mod surroundings;

use serde_json::{Value, json};

use crate::fault::{Fault, Kind};
use crate::session::caller_key::CallerKey;
use crate::session::context::Context;
use crate::session::output::{Style, plain_table};

/// The result of a check.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// It works.
    Fine,
    /// A fact, neither good nor bad.
    Note,
    /// It keeps something from working.
    Problem,
}

impl State {
    fn as_str(self) -> &'static str {
        match self {
            Self::Fine => "ok",
            Self::Note => "note",
            Self::Problem => "problem",
        }
    }
}

/// One check.
struct Check {
    subject: &'static str,
    state: State,
    text: String,
    hints: Vec<String>,
}

/// All checks.
#[derive(Default)]
struct Findings(Vec<Check>);

impl Findings {
    fn fine(&mut self, subject: &'static str, text: impl Into<String>) {
        self.add(subject, State::Fine, text);
    }

    fn note(&mut self, subject: &'static str, text: impl Into<String>) {
        self.add(subject, State::Note, text);
    }

    fn problem(&mut self, subject: &'static str, text: impl Into<String>, hint: &str) {
        self.add(subject, State::Problem, text);
        self.0
            .last_mut()
            .into_iter()
            .for_each(|check| check.hints.push(hint.to_owned()));
    }

    /// Returns the value, or adds the fault as a problem.
    fn take<T>(&mut self, subject: &'static str, result: Result<T, Fault>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(fault) => {
                let hints = fault.hints().to_vec();
                self.0.push(Check {
                    subject,
                    state: State::Problem,
                    text: format!("{fault:#}"),
                    hints,
                });
                None
            }
        }
    }

    fn add(&mut self, subject: &'static str, state: State, text: impl Into<String>) {
        self.0.push(Check {
            subject,
            state,
            text: text.into(),
            hints: Vec::new(),
        });
    }
}

/// Whether `vault exec` would start its command in the default environment.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Exec {
    Works,
    Fails,
}

pub(crate) fn doctor(context: &Context, key: CallerKey, style: Style) -> Result<(), Fault> {
    let (mut findings, mut keys) = (Findings::default(), Findings::default());
    // The key first: a credential can determine the vault.
    let found = key::look(context, key.into_sources(), &mut keys);
    let mut key = CallerKey::read_as(found);
    surroundings::look(context, &mut key, &mut findings);
    findings.0.append(&mut keys.0);
    let exec = access::look(context, key, &mut findings);
    match style {
        Style::Json => context.console.json(json(&findings, exec))?,
        Style::Table => context.console.line(table(&findings))?,
    }
    // One cause often leads to several problems with the same hint.
    let mut hints: Vec<&String> = Vec::new();
    for hint in findings.0.iter().flat_map(|check| &check.hints) {
        if !hints.contains(&hint) {
            hints.push(hint);
        }
    }
    if exec == Exec::Works {
        for hint in hints {
            context.console.note(format!("hint: {hint}"));
        }
        return Ok(());
    }
    let fault = Fault::new(Kind::Found, "vault exec would not start a command here");
    Err(hints.into_iter().fold(fault, Fault::hint))
}

fn table(findings: &Findings) -> String {
    let mut table = plain_table(&["", "SUBJECT", "FOUND"]);
    for check in &findings.0 {
        table.add_row([check.state.as_str(), check.subject, &check.text]);
    }
    table.trim_fmt()
}

fn json(findings: &Findings, exec: Exec) -> Value {
    let check = |check: &Check| {
        json!({
            "subject": check.subject,
            "state": check.state.as_str(),
            "text": check.text,
            "hints": check.hints,
        })
    };
    json!({
        "works": exec == Exec::Works,
        "checks": findings.0.iter().map(check).collect::<Vec<_>>(),
    })
}
