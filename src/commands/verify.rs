//! `vault verify`: everything but the values, with no key.
//!
//! Goes on after a finding, so that one run names all of them, and exits 1 if there was any.

use super::list::keyless_trust;
use super::report::Report;
use super::since::Before;
use crate::fault::Fault;
use crate::session::context::Context;
use crate::session::open::{folder, tree};
use crate::vault::config::Config;
use crate::vault::format::{REQUESTS, ROSTER_PATH, environment_path, request_path};
use crate::vault::model::Member;
use crate::vault::name::EnvironmentName;
use crate::vault::store::Place;
use crate::vault::trust::{CheckedEntry, CheckedEnvironment, Pin, Presented, Standing, Vault};

/// The command line of `verify`.
pub(crate) struct Verify {
    pub(crate) id: Option<Pin>,
    pub(crate) since: Option<String>,
}

pub(crate) fn verify(context: &mut Context, command: &Verify) -> Result<(), Fault> {
    let place = context.place()?;
    let (mut trust, _) = keyless_trust(context)?;
    trust.pins.extend(command.id);
    let before = command.since.as_ref().map(|revision| Before::read(&place, revision));
    let before = before.transpose()?;
    trust.pins.extend(before.as_ref().and_then(Before::pin));
    let mut report = Report::default();
    let presented = report.take(tree(&place).and_then(Presented::read))?;
    if let Some(presented) = presented {
        let standing = report.take(presented.judge(&trust, &folder(&place)))?;
        let vault = presented.accept();
        match standing {
            Some(Standing::Trusted) | None => {}
            Some(Standing::Forked) => report.findings.push(
                ".vault/members.toml: another roster of this revision was seen before".to_owned(),
            ),
            Some(Standing::Unknown) => {
                report.hint = Some("say which vault it must be: vault verify --id ID");
                report.findings.push(format!(
                    "consistent, not trusted: nobody has said that {} is the right vault",
                    vault.roster().vault
                ));
            }
        }
        check(&place, &vault, &mut report)?;
        if let Some(before) = before {
            before.compare(&vault, &mut report)?;
        }
    }
    report.finish(context)
}

fn check(place: &Place, vault: &Vault, report: &mut Report) -> Result<(), Fault> {
    let config = report.take(Config::read(&place.config()))?;
    for name in vault.roster().environments.keys() {
        let Some(environment) = report.take(vault.environment(name))? else { continue };
        let before = report.findings.len();
        let entries = report.sound_entries(vault, &environment)?;
        check_entries(name, &environment, &entries, config.as_ref(), report);
        check_sealed(vault, &environment, report);
        let secrets = entries.iter().filter(|entry| entry.content().sealed.is_some()).count();
        let epoch = environment.content().newest().number;
        let holds = if report.findings.len() == before { "holds" } else { "DOES NOT HOLD" };
        let noun = if secrets == 1 { "secret" } else { "secrets" };
        report.facts.push(format!("{name}: {secrets} {noun}, epoch {epoch}: {holds}"));
    }
    check_requests(vault, report)?;
    check_strangers(vault, report)
}

fn check_entries(
    name: &EnvironmentName,
    environment: &CheckedEnvironment,
    entries: &[CheckedEntry],
    config: Option<&Config>,
    report: &mut Report,
) {
    if environment.is_ahead() {
        report.findings.push(format!(
            ".vault/{name}.toml: is newer than the roster says: a change was interrupted: \
             vault rotate --finish"
        ));
    }
    let newest = environment.content().newest().number;
    let stale = entries.iter().filter(|entry| entry.content().epoch != newest).count();
    if stale > 0 {
        report.findings.push(format!(
            "{name}: {stale} entries of an older epoch: vault rotate --finish -e {name}"
        ));
    }
    let variables = config.map(|config| config.variables(name)).unwrap_or_default();
    for entry in entries.iter().filter(|entry| entry.content().sealed.is_some()) {
        if variables.contains_key(entry.name()) {
            let entry = entry.name();
            report.findings.push(format!("{entry} is both a secret and a variable of {name}"));
        }
    }
}

/// The newest epoch is sealed to everybody with access; that it is to nobody else was checked before.
fn check_sealed(vault: &Vault, environment: &CheckedEnvironment, report: &mut Report) {
    let content = environment.content();
    for (member, record) in &vault.roster().members {
        let sealed = content.newest().sealed.contains_key(member);
        if record.access.contains_key(&content.name) && !sealed {
            let name = &content.name;
            report.findings.push(format!(
                ".vault/{name}.toml: is not sealed to {member}, who has access: a change was interrupted"
            ));
        }
    }
}

/// Whoever asks to join is told of; a request that nobody could be added by is amiss.
fn check_requests(vault: &Vault, report: &mut Report) -> Result<(), Fault> {
    for found in report.take(vault.requests())?.unwrap_or_default() {
        let name = match found {
            Ok(name) => name,
            Err(file) => {
                let file = file.escape_debug();
                report.findings.push(format!(".vault/{REQUESTS}/{file}: is no request to join"));
                continue;
            }
        };
        let request = report.take(vault.request(&name))?.flatten();
        let Some(request) = request else { continue };
        let path = request_path(&name);
        let roster = vault.roster();
        let known = |(_, member): &(_, &Member)| member.recipient == request.recipient;
        if roster.members.contains_key(&name) || roster.former.contains_key(&name) {
            report.findings.push(format!(".vault/{path}: the name is taken, and never used twice"));
        } else if let Some((other, _)) = roster.members.iter().find(known) {
            report.findings.push(format!(".vault/{path}: its recipient is a member, {other}"));
        } else {
            report.facts.push(format!("{name} asks to join"));
        }
    }
    Ok(())
}

/// Everything below `.vault` belongs to something that the roster lists.
fn check_strangers(vault: &Vault, report: &mut Report) -> Result<(), Fault> {
    let known = [ROSTER_PATH, REQUESTS, "tmp"];
    let environments: Vec<&EnvironmentName> = vault.roster().environments.keys().collect();
    for found in vault.tree().names()? {
        let listed = environments
            .iter()
            .any(|name| found == name.as_str() || found == environment_path(name));
        if !listed && !found.starts_with('.') && !known.contains(&found.as_str()) {
            report
                .findings
                .push(format!(".vault/{}: belongs to nothing listed", found.escape_debug()));
        }
    }
    let attributes = report.take(vault.tree().read(".gitattributes"))?.flatten();
    if attributes.is_none_or(|text| !text.starts_with(b"* -text")) {
        report.findings.push(
            ".vault/.gitattributes: must start with `* -text`, or git may change line endings"
                .to_owned(),
        );
    }
    Ok(())
}
