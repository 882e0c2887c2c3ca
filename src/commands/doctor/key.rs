//! The sources of the key in their order, and why each was used or not.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::Findings;
use crate::keys::{self, Absence, Found, Given, Source, Sources};
use crate::session::context::Context;
use crate::session::prompt::passphrase;

const SUBJECT: &str = "key";
const KEYRING: &str = "keyring";

pub(super) fn look(context: &Context, sources: Sources, findings: &mut Findings) -> Option<Found> {
    let mut given = sources.given();
    let mut first = first_given(&given);
    if first.is_some_and(|first| given[first].0 == "VAULT_KEY_COMMAND") {
        context
            .console
            .note("running VAULT_KEY_COMMAND, like every command that needs the key");
    }
    let keyring = sources.keyring.clone();
    let key = keys::find(sources, &mut passphrase);
    if let (Some(at), Ok(key)) = (first, &key) {
        let is_used = key
            .as_ref()
            .is_some_and(|key| key.source == Source::Keyring);
        if given[at].0 == KEYRING && !is_used {
            // The files are next.
            let absence = keyring.absence().unwrap_or(Absence::Empty);
            given[at].1 = Given::Unused(absence.to_string());
            first = first_given(&given);
        }
    }
    let mut result = Some(key);
    let (mut found, mut failed) = (None, false);
    for (at, (name, given)) in given.iter().enumerate() {
        let source = match given {
            Given::Yes(Some(place)) | Given::Missing(place) | Given::Foreign(place) => {
                format!("{name} {place}")
            }
            _ => (*name).to_owned(),
        };
        match given {
            Given::No => findings.note(SUBJECT, format!("{source}: not set")),
            Given::Missing(_) => findings.note(SUBJECT, format!("{source}: does not exist")),
            Given::Foreign(_) => findings.note(
                SUBJECT,
                format!("{source}: not used, because its .pub is not a member's recipient here"),
            ),
            Given::Empty => {
                findings.note(SUBJECT, format!("{source}: empty, which counts as not set"));
            }
            Given::Unused(reason) => findings.note(SUBJECT, format!("{source}: {reason}")),
            Given::Yes(_) if first != Some(at) => {
                findings.note(
                    SUBJECT,
                    format!("{source}: skipped, because an earlier source is set"),
                );
            }
            Given::Yes(_) => match result.take().and_then(|key| findings.take(SUBJECT, key)) {
                Some(Some(key)) => {
                    findings.fine(SUBJECT, format!("{source}: used{}", readers(&key.source)));
                    if let Some(caution) = &key.caution {
                        findings.problem(SUBJECT, caution.clone(), "`chmod 600 FILE`");
                    }
                    found = Some(key);
                }
                Some(None) => findings.note(SUBJECT, format!("{source}: does not exist")),
                None => failed = true,
            },
        }
    }
    match &found {
        // The reason is already reported.
        None if failed => {}
        None => drop(findings.take::<()>(SUBJECT, Err(context.no_key()))),
        Some(key) => describe(key, findings),
    }
    found
}

fn describe(key: &Found, findings: &mut Findings) {
    let recipient = key.identity.recipient();
    findings.fine(SUBJECT, format!("your recipient is {}", recipient.shown()));
    if let Some(credential) = &key.credential {
        let environments = credential.environments.join(", ");
        findings.note(SUBJECT, format!("it is a credential for {environments}"));
    }
}

/// The source that is tried first.
fn first_given(given: &[(&str, Given)]) -> Option<usize> {
    let is_given = |(_, given): &(&str, Given)| matches!(given, Given::Yes(_));
    given.iter().position(is_given)
}

/// Returns who can read the file with the key.
fn readers(source: &Source) -> String {
    let path: &OsStr = match source {
        source if source.is_input() => return String::new(),
        Source::KeyFile(path) | Source::VariableFile(path) => path,
        Source::IdentityFile(path) | Source::Ssh(path) => path.as_os_str(),
        Source::KeyDescriptor(_) | Source::Variable | Source::Command | Source::Keyring => {
            return String::new();
        }
    };
    let Ok(found) = fs::metadata(path) else {
        return String::new();
    };
    let mode = found.permissions().mode() & 0o777;
    let others = if mode.trailing_zeros() < 6 {
        "others can access it"
    } else {
        "only you can access it"
    };
    format!(", {others} (mode {mode:03o})")
}
