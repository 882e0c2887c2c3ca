//! `vault status`: what needs doing, and with which command.
//!
//! With no key it goes by what everybody can read, and says what only a key can show. Exits 1 while
//! anything is open; advice alone is not.

use serde_json::{Value, json};

use crate::fault::{Fault, Kind};
use crate::session::caller_key::CallerKey;
use crate::session::context::Context;
use crate::session::exposure::{self, Exposure, ExposureReport};
use crate::session::keyless;
use crate::session::open::Session;
use crate::session::output::Style;
use crate::session::read::valid_entries;
use crate::vault::name::{EnvironmentName, MemberName, SecretName};
use crate::vault::trust::Vault;

/// Where requests to join are, below `.vault`.
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
                let open = Open::find(&session.vault, exposure::find(&session)?)?;
                session.remember(context)?;
                return open.tell(context, &session.vault, style);
            }
            Err(fault) if fault.kind() == Kind::Locked => unchecked.push(format!("{fault:#}")),
            Err(fault) => return Err(fault),
        }
    }
    let (vault, _) = keyless::open(context, &place, credential)?;
    let mut open = Open::find(&vault, exposure::find_by_epochs(&vault)?)?;
    open.unchecked.extend(unchecked);
    open.tell(context, &vault, style)
}

/// What is open.
struct Open {
    exposures: Vec<Exposure>,
    /// Environments with the names that an older epoch seals.
    old: Vec<(EnvironmentName, Vec<SecretName>)>,
    /// What does not hold, and why.
    broken: Vec<Fault>,
    /// Machines with the floor in their credential.
    below: Vec<(MemberName, u64)>,
    floor: u64,
    admins: Vec<MemberName>,
    requests: Vec<String>,
    /// Environments with a change that was not finished.
    interrupted: Vec<EnvironmentName>,
    /// Why there may be more.
    unchecked: Vec<String>,
}

impl Open {
    fn find(vault: &Vault, report: ExposureReport) -> Result<Self, Fault> {
        let roster = vault.roster();
        let admins = roster.members.iter().filter(|(_, member)| member.is_admin());
        let credentials = roster
            .members
            .iter()
            .filter_map(|(name, member)| Some((name, member.credential_floor?)));
        let below = credentials.filter(|(_, floor)| *floor < roster.floor);
        let mut open = Self {
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
                open.interrupted.push(name.clone());
            }
            let (entries, broken) = valid_entries(vault, &environment)?;
            open.broken.extend(broken);
            let newest = environment.content().newest().number;
            let old = entries.iter().filter(|entry| entry.content().epoch != newest);
            let old: Vec<SecretName> = old.map(|entry| entry.name().clone()).collect();
            if !old.is_empty() {
                open.old.push((name.clone(), old));
            }
        }
        Ok(open)
    }

    fn tell(&self, context: &Context, vault: &Vault, style: Style) -> Result<(), Fault> {
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
            context.console.note("nothing needs doing");
            return Ok(());
        }
        let fault = Fault::new(Kind::Found, format!("open: {}", lines.len()));
        Err(self.hints().into_iter().fold(fault, Fault::hint))
    }

    /// Prints what is worth doing though nothing is wrong; it does not count as open.
    fn advise(&self, context: &Context) -> Result<(), Fault> {
        if let [only] = &self.admins[..] {
            context.console.line(format!(
                "advice: {only} is the only admin: if that key is lost, the vault cannot be recovered"
            ))?;
            context.console.note("add a second admin: `vault members set NAME --admin`");
        }
        Ok(())
    }

    /// One line for each thing that is open.
    fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.exposures.iter().map(ToString::to_string).collect();
        for (environment, names) in &self.old {
            let names: Vec<&str> = names.iter().map(SecretName::as_str).collect();
            lines
                .push(format!("{environment} has entries of an older epoch: {}", names.join(", ")));
        }
        lines.extend(self.broken.iter().map(ToString::to_string));
        for (member, floor) in &self.below {
            lines.push(format!(
                "the credential of {member} is from before the floor: it has {floor}, the floor is {}",
                self.floor
            ));
        }
        for name in &self.requests {
            lines.push(format!("{name} asks to join"));
        }
        for environment in &self.interrupted {
            lines.push(format!("a change to {environment} was interrupted"));
        }
        lines
    }

    /// What to type, once for each kind.
    fn hints(&self) -> Vec<String> {
        let mut hints = Vec::new();
        // Credentials before values: one that is replaced leaves values known, too.
        if !self.below.is_empty() {
            let names: Vec<&str> = self.below.iter().map(|(name, _)| name.as_str()).collect();
            hints.push(format!(
                "replace credentials first, all at once, since each removal raises the floor: \
                 vault members remove {}, then vault ci add NEW-NAME -e ENVIRONMENT",
                names.join(", ")
            ));
        }
        for (environment, _) in &self.old {
            hints.push(format!("vault rotate --finish -e {environment}"));
        }
        if !self.broken.is_empty() {
            hints.push("what does not hold: vault verify".to_owned());
        }
        if !self.exposures.is_empty() {
            hints.push(
                "get a new value where it is used, then: vault set NAME -e ENVIRONMENT".to_owned(),
            );
        }
        for name in &self.requests {
            hints.push(format!("vault members add {name} -e ENVIRONMENT=read"));
        }
        if !self.interrupted.is_empty() {
            hints.push("what was interrupted, an admin finishes: vault rotate --finish".to_owned());
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
        let interrupted: Vec<&str> = self.interrupted.iter().map(EnvironmentName::as_str).collect();
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

/// Who asks to join. A request is judged by `members add`; here its file's name is enough.
fn requests(vault: &Vault) -> Result<Vec<String>, Fault> {
    let Some(folder) = vault.tree().folder(REQUESTS)? else { return Ok(Vec::new()) };
    let names = folder.names(REQUESTS)?.into_iter();
    let member = |file: String| {
        let name: Option<MemberName> = file.strip_suffix(".toml")?.parse().ok();
        name.map(|name| name.to_string())
    };
    Ok(names.filter_map(member).collect())
}
