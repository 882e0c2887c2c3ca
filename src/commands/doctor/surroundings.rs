//! The surroundings: the binary, the folder, git, and the terminal.

use std::io::{self, IsTerminal};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::Findings;
use crate::git::{self, Repository};
use crate::session::caller_key::CallerKey;
use crate::session::context::Context;
use crate::vault::store::{End, end_of_search};

pub(super) fn look(context: &Context, key: &mut CallerKey, findings: &mut Findings) {
    binary(context, findings);
    config(context, key, findings);
    git(context, key, findings);
    streams(context, findings);
}

/// Reports the binary, because `HashiCorp`'s vault may come first in `PATH`.
fn binary(context: &Context, findings: &mut Findings) {
    const SUBJECT: &str = "binary";
    let version = env!("CARGO_PKG_VERSION");
    let own = std::env::current_exe().ok();
    let shown = own
        .as_ref()
        .map_or_else(|| "unknown".to_owned(), |own| own.display().to_string());
    findings.fine(SUBJECT, format!("this is {shown}, version {version}"));
    let own = own.and_then(|own| own.canonicalize().ok());
    let folders = context.variable("PATH").map(std::env::split_paths);
    let found: Vec<PathBuf> = folders
        .into_iter()
        .flatten()
        .map(|folder| context.folder.join(folder).join("vault"))
        .filter(|path| is_executable(path))
        .collect();
    let is_own = |path: &Path| own.is_some() && path.canonicalize().ok() == own;
    for (at, path) in found.iter().enumerate() {
        let path_shown = path.display();
        match (at, is_own(path)) {
            (0, true) => findings.fine(SUBJECT, format!("the shell finds {path_shown}: this one")),
            (0, false) => findings.problem(
                SUBJECT,
                format!("the shell finds {path_shown} first: another program"),
                "HashiCorp's vault has the same name: put the folder of this one first in PATH",
            ),
            (_, true) => findings.note(SUBJECT, format!("then {path_shown}: this one")),
            (_, false) => findings.note(SUBJECT, format!("then {path_shown}: another program")),
        }
    }
    if found.is_empty() {
        findings.note(SUBJECT, "the shell finds no vault in PATH");
    }
}

fn is_executable(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

fn config(context: &Context, key: &mut CallerKey, findings: &mut Findings) {
    const SUBJECT: &str = "vault.toml";
    let why = match context.named_folder() {
        Some((option, _)) => format!("named by {option}"),
        None => format!("the nearest upward from {}", context.folder.display()),
    };
    match context.place(key) {
        Ok(place) => {
            findings.fine(SUBJECT, format!("{}, {why}", place.config().display()));
            if let Some(config) = findings.take(SUBJECT, Context::config(&place)) {
                let default = config.default.map_or_else(
                    || "it names no default environment".to_owned(),
                    |default| format!("its default environment is {default}"),
                );
                findings.note(SUBJECT, default);
            }
        }
        Err(fault) => {
            findings.take::<()>(SUBJECT, Err(fault));
            if context.named_folder().is_none() {
                let (folder, end) = end_of_search(&context.folder, context.home().as_deref());
                let end = match end {
                    End::Repository => "the top of a git repository",
                    End::Home => "your HOME",
                    End::Mount => "where another file system begins",
                    End::Root => "the root",
                };
                findings.note(
                    SUBJECT,
                    format!("the search ended at {}: {end}", folder.display()),
                );
            }
        }
    }
}

fn git(context: &Context, key: &mut CallerKey, findings: &mut Findings) {
    const SUBJECT: &str = "git";
    match git::version() {
        Ok(version) => findings.fine(SUBJECT, version),
        Err(fault) => {
            let text = format!("{fault:#}; only commands that read older revisions need it");
            return findings.note(SUBJECT, text);
        }
    }
    let place = context.place(key).ok();
    let folder = place
        .as_ref()
        .map_or(context.folder.as_path(), |place| place.folder());
    match Repository::open(folder) {
        Ok(_) => findings.fine(SUBJECT, format!("{} is in a repository", folder.display())),
        Err(fault) => findings.note(SUBJECT, fault.reason()),
    }
}

fn streams(context: &Context, findings: &mut Findings) {
    let terminal = |is_terminal: bool| {
        if is_terminal {
            "a terminal"
        } else {
            "not a terminal"
        }
    };
    findings.note(
        "terminal",
        format!(
            "standard input: {}, standard output: {}, standard error: {}",
            terminal(io::stdin().is_terminal()),
            terminal(io::stdout().is_terminal()),
            terminal(io::stderr().is_terminal()),
        ),
    );
    let ci = if context.variable("CI").is_some() {
        "CI is set"
    } else {
        "CI is not set"
    };
    findings.note("terminal", ci);
}
