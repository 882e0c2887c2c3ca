//! The checks of one vault: each environment, its entries, the requests, and unexpected files.

use std::collections::BTreeSet;

use super::compare::{Contents, Requests};
use super::members::check_members;
use super::report::{Counted, Item, Level, Report, Row, Validity};
use super::wording;
use crate::fault::Fault;
use crate::vault::config::Config;
use crate::vault::format::{MEMBERS, REQUESTS, ROOT_PATH, entry_path, request_path};
use crate::vault::model::Environment;
use crate::vault::name::{EnvironmentName, SecretName};
use crate::vault::store::{CONFIG_FILE, STORE_FOLDER};
use crate::vault::trust::{CheckedEntry, Vault};

/// The valid content of a vault.
#[derive(Default)]
pub(super) struct ValidContent {
    pub(super) contents: Contents,
    pub(super) requests: Requests,
}

/// Checks everything below `.vault`, adds a row per environment to `report`, and returns the valid
/// content.
pub(super) fn check(
    vault: &Vault,
    config: Option<&Config>,
    report: &mut Report,
) -> Result<ValidContent, Fault> {
    let mut content = ValidContent::default();
    check_members(vault, report)?;
    for (name, environment) in &vault.root().environments {
        let before = report.findings();
        let counted = check_environment(vault, environment, config, &mut content, report)?;
        let result = if report.findings() == before {
            Validity::Valid
        } else {
            Validity::Invalid
        };
        report.rows.push(Row {
            environment: name.clone(),
            counted,
            result,
        });
    }
    content.requests = check_requests(vault, report)?;
    check_unexpected_files(vault, report)?;
    Ok(content)
}

/// Returns the valid content of a vault and reports nothing: for the older of two vaults.
pub(super) fn valid_content(vault: &Vault) -> Result<ValidContent, Fault> {
    let mut content = ValidContent::default();
    for environment in vault.root().environments.values() {
        check_environment(
            vault,
            environment,
            None,
            &mut content,
            &mut Report::default(),
        )?;
    }
    content.requests = check_requests(vault, &mut Report::default())?;
    Ok(content)
}

fn check_environment(
    vault: &Vault,
    environment: &Environment,
    config: Option<&Config>,
    valid: &mut ValidContent,
    report: &mut Report,
) -> Result<Counted, Fault> {
    let (name, before) = (&environment.name, report.findings());
    let entries = valid_entries(vault, environment, report)?;
    if report.findings() != before {
        let names: BTreeSet<&SecretName> = entries.iter().map(CheckedEntry::name).collect();
        let invalid = files(vault, name)
            .into_iter()
            .filter(|file| !names.contains(file));
        valid
            .contents
            .invalid
            .extend(invalid.map(|file| (name.clone(), file)));
    }
    check_epochs(environment, &entries, report);
    check_names(environment, &entries, config, report);
    let counted = count(environment, &entries);
    let parts = entries.into_iter().map(CheckedEntry::into_parts);
    valid
        .contents
        .entries
        .extend(parts.map(|(entry, content)| ((name.clone(), entry), content)));
    Ok(counted)
}

/// Returns the valid entries. Each of the others becomes a finding.
fn valid_entries(
    vault: &Vault,
    environment: &Environment,
    report: &mut Report,
) -> Result<Vec<CheckedEntry>, Fault> {
    // If all are valid, checking them together is far cheaper.
    if let Ok(entries) = vault.entries(environment) {
        return Ok(entries);
    }
    let environment_name = &environment.name;
    let folder = below(environment_name.as_str());
    let names = report.take(&folder, vault.entry_names(environment_name))?;
    let mut valid = Vec::new();
    for name in names.unwrap_or_default() {
        let path = below(&entry_path(environment_name, &name));
        valid.extend(
            report
                .take(&path, vault.entry(environment, &name))?
                .flatten(),
        );
    }
    Ok(valid)
}

/// Returns the names of all files in the environment's folder that could be entries.
fn files(vault: &Vault, name: &EnvironmentName) -> Vec<SecretName> {
    let folder = vault.tree().folder(name.as_str()).ok().flatten();
    let files = folder
        .and_then(|folder| folder.names(name.as_str()).ok())
        .unwrap_or_default();
    files
        .iter()
        .filter_map(|file| file.strip_suffix(".toml")?.parse().ok())
        .collect()
}

/// Checks for entries in an older epoch.
fn check_epochs(environment: &Environment, entries: &[CheckedEntry], report: &mut Report) {
    let name = &environment.name;
    let finding = |kind, file: String| {
        Item::new(Level::Finding, kind, file).detail("environment", name.as_str())
    };
    let newest = environment.newest().number;
    for entry in entries.iter().filter(|entry| !entry.is_newest(environment)) {
        let (epoch, file) = (
            entry.content().epoch,
            below(&entry_path(name, entry.name())),
        );
        report.items.push(
            finding("old-epoch", file.clone())
                .detail("name", entry.name().as_str())
                .detail("from", epoch)
                .detail("to", newest)
                .quote(file)
                .text(format!(
                    ": is sealed in epoch {epoch}, but the newest is {newest}: "
                ))
                .command(format!("vault rotate --finish -e {name}")),
        );
    }
}

/// Checks that no name is both a secret and a variable.
fn check_names(
    environment: &Environment,
    entries: &[CheckedEntry],
    config: Option<&Config>,
    report: &mut Report,
) {
    let name = &environment.name;
    let variables = config
        .map(|config| config.variables(name))
        .unwrap_or_default();
    // Two names that differ only in case are one name.
    let folded: BTreeSet<String> = variables.into_keys().map(SecretName::folded).collect();
    let secrets = entries
        .iter()
        .filter(|entry| entry.content().sealed.is_some());
    for entry in secrets
        .map(CheckedEntry::name)
        .filter(|name| folded.contains(&name.folded()))
    {
        report.items.push(
            Item::new(Level::Finding, "name-conflict", CONFIG_FILE)
                .detail("environment", name.as_str())
                .detail("name", entry.as_str())
                .quote(entry)
                .text(" is both a secret and a variable of ")
                .quote(name),
        );
    }
}

fn count(environment: &Environment, entries: &[CheckedEntry]) -> Counted {
    let secrets = entries
        .iter()
        .filter(|entry| entry.content().sealed.is_some())
        .count();
    Counted {
        secrets,
        tombstones: entries.len() - secrets,
        epoch: environment.newest().number,
        signers: entries
            .iter()
            .map(|entry| entry.content().signer.clone())
            .collect(),
    }
}

/// Reports each request to join. One that could not be accepted is a finding.
fn check_requests(vault: &Vault, report: &mut Report) -> Result<Requests, Fault> {
    let (mut requests, membership) = (Requests::new(), vault.membership()?);
    for found in report
        .take(&below(REQUESTS), vault.requests())?
        .unwrap_or_default()
    {
        let name = match found {
            Ok(name) => name,
            Err(file) => {
                let file = below(&format!("{REQUESTS}/{}", file.escape_debug()));
                report.items.push(
                    Item::new(Level::Finding, "unexpected-file", file.clone())
                        .quote(file)
                        .text(": is not a request to join"),
                );
                continue;
            }
        };
        let file = below(&request_path(&name));
        let Some(request) = report.take(&file, vault.request(&name))?.flatten() else {
            continue;
        };
        report
            .items
            .push(wording::waiting(&name, &request, &membership));
        requests.insert(name, request);
    }
    Ok(requests)
}

/// Checks that every file below `.vault` belongs to something that the root lists.
fn check_unexpected_files(vault: &Vault, report: &mut Report) -> Result<(), Fault> {
    let known = [ROOT_PATH, MEMBERS, REQUESTS, "tmp"];
    let environments: Vec<&EnvironmentName> = vault.root().environments.keys().collect();
    for found in vault.tree().names()? {
        let listed = environments.iter().any(|name| found == name.as_str());
        if !listed && !found.starts_with('.') && !known.contains(&found.as_str()) {
            let file = below(&found.escape_debug().to_string());
            report.items.push(
                Item::new(Level::Finding, "unexpected-file", file.clone())
                    .quote(file)
                    .text(": belongs to nothing that the root lists"),
            );
        }
    }
    let file = below(".gitattributes");
    let attributes = report
        .take(&file, vault.tree().read(".gitattributes"))?
        .flatten();
    if attributes.is_none_or(|text| !text.starts_with(b"* -text")) {
        report.items.push(
            Item::new(Level::Finding, "gitattributes-changed", file.clone())
                .quote(file)
                .text(": must start with ")
                .quote("* -text")
                .text(", or git may change line endings"),
        );
    }
    Ok(())
}

/// Returns a path below `.vault` relative to the folder of `vault.toml`.
pub(super) fn below(path: &str) -> String {
    format!("{STORE_FOLDER}/{path}")
}
