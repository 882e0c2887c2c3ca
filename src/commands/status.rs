//! `vault status`: lists what needs attention, with the command for it.
//!
//! Without a key it uses public data only, and mentions the checks that need a key. Exits 1 if
//! anything needs attention; advice alone does not count.

use serde_json::{Value, json};

use crate::fault::{Fault, Kind, plural};
use crate::session::caller_key::CallerKey;
use crate::session::context::Context;
use crate::session::exposure::{self, Exposure, ExposureReport};
use crate::session::keyless;
use crate::session::open::Session;
use crate::session::output::Style;
use crate::session::read::valid_entries;
use crate::vault::name::{EnvironmentName, MemberName, SecretName};
use crate::vault::trust::Vault;

/// The folder of requests to join, below `.vault`.
const REQUESTS: &str = "requests";

pub(crate) fn status(context: &Context, mut key: CallerKey, style: Style) -> Result<(), Fault> {
    let place = context.place_for_key(&mut key)?;
    let config = Context::config(&place)?;
    let mut unchecked = Vec::new();
    let mut credential = None;
    if let Some(found) = key.read(context.console)? {
        credential.clone_from(&found.credential);
        match Session::open_with(context, place.clone(), config, found) {
            Ok(mut session) => {
                let status = Status::find(&session.vault, exposure::find(&session)?)?;
                session.remember(context)?;
                return status.show(context, &session.vault, style);
            }
            Err(fault) if fault.kind() == Kind::Locked => unchecked.push(format!("{fault:#}")),
            Err(fault) => return Err(fault),
        }
    }
    let (vault, _) = keyless::open(context, &place, credential)?;
    let mut status = Status::find(&vault, exposure::find_by_epochs(&vault)?)?;
    status.unchecked.extend(unchecked);
    status.show(context, &vault, style)
}

/// Everything that needs attention.
struct Status {
    exposures: Vec<Exposure>,
    /// Environments with the names of entries in an older epoch.
    old: Vec<(EnvironmentName, Vec<SecretName>)>,
    /// Invalid files, each with the reason.
    broken: Vec<Fault>,
    /// Machines with the floor of their credential.
    below: Vec<(MemberName, u64)>,
    floor: u64,
    admins: Vec<MemberName>,
    requests: Vec<String>,
    /// Environments with an interrupted change.
    interrupted: Vec<EnvironmentName>,
    /// Checks that could not be made.
    unchecked: Vec<String>,
}

impl Status {
    fn find(vault: &Vault, report: ExposureReport) -> Result<Self, Fault> {
        let roster = vault.roster();
        let admins = roster
            .members
            .iter()
            .filter(|(_, member)| member.is_admin());
        let credentials = roster
            .members
            .iter()
            .filter_map(|(name, member)| Some((name, member.credential_floor?)));
        let below = credentials.filter(|(_, floor)| *floor < roster.floor);
        let mut status = Self {
            exposures: report.exposures,
            old: Vec::new(),
            broken: Vec::new(),
            below: below.map(|(name, floor)| (name.clone(), floor)).collect(),
            floor: roster.floor,
            admins: admins.map(|(name, _)| name.clone()).collect(),
            requests: requests(vault)?,
            interrupted: Vec::new(),
            unchecked: report.gaps,
        };
        for name in roster.environments.keys() {
            let environment = vault.environment(name)?;
            if environment.is_ahead() {
                status.interrupted.push(name.clone());
            }
            let (entries, broken) = valid_entries(vault, &environment)?;
            status.broken.extend(broken);
            let newest = environment.content().newest().number;
            let old: Vec<SecretName> = entries
                .iter()
                .filter(|entry| entry.content().epoch != newest)
                .map(|entry| entry.name().clone())
                .collect();
            if !old.is_empty() {
                status.old.push((name.clone(), old));
            }
        }
        Ok(status)
    }

    fn show(&self, context: &Context, vault: &Vault, style: Style) -> Result<(), Fault> {
        let lines = self.lines();
        match style {
            Style::Json => context.console.json(self.json(vault, lines.len()))?,
            Style::Table => {
                for line in &lines {
                    context.console.line(line)?;
                }
            }
        }
        for line in self.unchecked.iter().filter(|_| style == Style::Table) {
            context.console.warn(format!("not checked: {line}"));
        }
        if style == Style::Table {
            self.advise(context)?;
        }
        if lines.is_empty() {
            context.console.note("nothing needs attention");
            return Ok(());
        }
        let fault = Fault::new(
            Kind::Found,
            plural(lines.len(), "item needs attention", "items need attention"),
        );
        Err(self.hints().into_iter().fold(fault, Fault::hint))
    }

    /// Prints advice, which does not count as needing attention.
    fn advise(&self, context: &Context) -> Result<(), Fault> {
        if let [only] = &self.admins[..] {
            context.console.line(format!(
                "advice: {only} is the only admin: if that key is lost, the vault cannot be recovered"
            ))?;
            context
                .console
                .note("add a second admin: `vault members set NAME --admin`");
        }
        Ok(())
    }

    /// Returns one line for each item.
    fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.exposures.iter().map(ToString::to_string).collect();
        for (environment, names) in &self.old {
            let names: Vec<&str> = names.iter().map(SecretName::as_str).collect();
            lines.push(format!(
                "{environment} has entries in an older epoch: {}",
                names.join(", ")
            ));
        }
        lines.extend(self.broken.iter().map(ToString::to_string));
        for (member, floor) in &self.below {
            lines.push(format!(
                "the credential of {member} is outdated: it has floor {floor}, and the floor is {}",
                self.floor
            ));
        }
        for name in &self.requests {
            lines.push(format!("{name} wants to join"));
        }
        for environment in &self.interrupted {
            lines.push(format!("a change to {environment} was interrupted"));
        }
        lines
    }

    /// Returns the commands to type, once for each kind.
    fn hints(&self) -> Vec<String> {
        let mut hints = Vec::new();
        // Credentials before values: replacing a credential exposes values again.
        if !self.below.is_empty() {
            let names: Vec<&str> = self.below.iter().map(|(name, _)| name.as_str()).collect();
            hints.push(format!(
                "replace credentials first, all at once, because each removal raises the floor: \
                 `vault members remove {}`, then `vault ci add NEW-NAME -e ENVIRONMENT`",
                names.join(", ")
            ));
        }
        for (environment, _) in &self.old {
            hints.push(format!(
                "re-encrypt the older entries: `vault rotate --finish -e {environment}`"
            ));
        }
        if !self.broken.is_empty() {
            hints.push("check the invalid files: `vault verify`".to_owned());
        }
        if !self.exposures.is_empty() {
            hints.push(
                "replace each value at its source, then set it: `vault set NAME -e ENVIRONMENT`"
                    .to_owned(),
            );
        }
        for name in &self.requests {
            hints.push(format!(
                "answer the request: `vault members add {name} -e ENVIRONMENT=read`"
            ));
        }
        if !self.interrupted.is_empty() {
            hints.push(
                "an admin must finish the interrupted change: `vault rotate --finish`".to_owned(),
            );
        }
        hints
    }

    fn json(&self, vault: &Vault, count: usize) -> Value {
        let roster = vault.roster();
        let texts = |names: &[MemberName]| -> Vec<String> {
            names.iter().map(ToString::to_string).collect()
        };
        let old = self.old.iter().map(|(environment, names)| {
            let names: Vec<&str> = names.iter().map(SecretName::as_str).collect();
            json!({ "environment": environment.as_str(), "names": names })
        });
        let below = self
            .below
            .iter()
            .map(|(member, floor)| json!({ "member": member.as_str(), "floor": floor }));
        let broken = |fault: &Fault| json!({ "file": fault.file(), "reason": fault.reason() });
        let interrupted: Vec<&str> = self
            .interrupted
            .iter()
            .map(EnvironmentName::as_str)
            .collect();
        json!({
            "vault": roster.vault.to_string(),
            "floor": self.floor,
            "count": count,
            "exposed": self.exposures.iter().map(Exposure::json).collect::<Vec<_>>(),
            "old_epoch": old.collect::<Vec<_>>(),
            "broken": self.broken.iter().map(broken).collect::<Vec<_>>(),
            "below_floor": below.collect::<Vec<_>>(),
            "admins": texts(&self.admins),
            "requests": self.requests,
            "interrupted": interrupted,
            "unchecked": self.unchecked,
        })
    }
}

/// Returns the names of those who want to join. `members add` checks the requests; the file names are
/// enough here.
fn requests(vault: &Vault) -> Result<Vec<String>, Fault> {
    let Some(folder) = vault.tree().folder(REQUESTS)? else {
        return Ok(Vec::new());
    };
    let names = folder.names(REQUESTS)?.into_iter();
    let member = |file: String| {
        let name: Option<MemberName> = file.strip_suffix(".toml")?.parse().ok();
        name.map(|name| name.to_string())
    };
    Ok(names.filter_map(member).collect())
}
