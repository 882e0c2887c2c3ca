//! `vault status`: lists what needs attention, with the command for it.
//!
//! Without a key it uses public data only, and mentions the checks that need a key. Exits 1 if
//! anything needs attention; advice alone does not count.

use serde_json::{Value, json};

use crate::fault::{Fault, Kind, plural};
use crate::session::admin::ahead;
use crate::session::caller_key::CallerKey;
use crate::session::context::Context;
use crate::session::exposure::{self, Exposure, ExposureReport};
use crate::session::given::{hidden, unaccounted};
use crate::session::keyless;
use crate::session::membership::{Unsealed, cannot_read, unsealed};
use crate::session::open::Session;
use crate::session::output::Style;
use crate::session::past::{Grant, unmerged_grants};
use crate::session::read::valid_entries;
use crate::session::strength::{Strength, strengths};
use crate::vault::model::Member;
use crate::vault::name::{EnvironmentName, MemberName, SecretName};
use crate::vault::store::Place;
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
                let status = Status::find(&session.vault, &place, exposure::find(&session)?)?;
                session.remember(context)?;
                return status.show(context, &session.vault, style);
            }
            Err(fault) if fault.kind() == Kind::Locked => unchecked.push(format!("{fault:#}")),
            Err(fault) => return Err(fault),
        }
    }
    let (vault, _) = keyless::open(context, &place, credential)?;
    let mut status = Status::find(&vault, &place, exposure::find_by_epochs(&vault)?)?;
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
    /// Machines whose credential does not know the latest revocation.
    outdated: Vec<MemberName>,
    /// Machines whose credential knows a revocation that is not here.
    newer: Vec<MemberName>,
    /// Members with access who cannot read an environment yet.
    unsealed: Vec<Unsealed>,
    /// Access that commits of this clone give, and the vault here does not.
    grants: Vec<Grant>,
    admins: Vec<MemberName>,
    /// For each environment, whose keys are not post-quantum.
    strengths: Vec<Strength>,
    requests: Vec<String>,
    /// Those of the requests that are for a new key of a member.
    renewals: Vec<String>,
    /// Members whose revocation was interrupted.
    interrupted: Vec<MemberName>,
    /// Checks that could not be made.
    unchecked: Vec<String>,
}

impl Status {
    fn find(vault: &Vault, place: &Place, report: ExposureReport) -> Result<Self, Fault> {
        let (root, members) = (vault.root(), &vault.members()?.counting);
        let named = |which: &dyn Fn(&Member) -> bool| -> Vec<MemberName> {
            let found = members.iter().filter(|(_, member)| which(member));
            found.map(|(name, _)| name.clone()).collect()
        };
        let is_newer = |member: &Member| member.credential.is_some_and(|known| !root.lists(known));
        let is_outdated = |member: &Member| {
            let known = member.credential;
            known.is_some_and(|known| known != root.latest()) && !is_newer(member)
        };
        let mut status = Self {
            exposures: report.exposures,
            old: Vec::new(),
            broken: Vec::new(),
            outdated: named(&is_outdated),
            newer: named(&is_newer),
            unsealed: unsealed(vault)?,
            grants: unmerged_grants(vault, place)?,
            admins: named(&Member::is_admin),
            strengths: strengths(vault)?,
            requests: requests(vault)?,
            renewals: Vec::new(),
            interrupted: ahead(vault)?,
            unchecked: report.gaps,
        };
        let is_member = |name: &&String| members.keys().any(|own| own.as_str() == *name);
        status.renewals = status.requests.iter().filter(is_member).cloned().collect();
        status
            .broken
            .extend(vault.members()?.invalid.values().cloned());
        for (name, environment) in &root.environments {
            let (entries, broken) = valid_entries(vault, environment)?;
            status.broken.extend(broken);
            let old: Vec<SecretName> = entries
                .iter()
                .filter(|entry| !entry.is_newest(environment))
                .map(|entry| entry.name().clone())
                .collect();
            if !old.is_empty() {
                status.old.push((name.clone(), old));
            }
            for name in unaccounted(vault, environment)? {
                status.broken.push(hidden(environment, &name));
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
        let (strong, weak): (Vec<_>, Vec<_>) = self
            .strengths
            .iter()
            .partition(|strength| strength.classic.is_empty());
        for strength in &weak {
            context.console.line(format!("advice: {strength}"))?;
        }
        if !strong.is_empty() {
            let names: Vec<&str> = strong
                .iter()
                .map(|strength| strength.environment.as_str())
                .collect();
            context.console.note(format!(
                "every member's key is post-quantum: {}",
                names.join(", ")
            ));
        }
        if !weak.is_empty() {
            context
                .console
                .note("a person runs `vault key upgrade`; a machine needs a new credential: `vault ci add`");
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
        for member in &self.outdated {
            lines.push(format!(
                "the credential of {member} is outdated: it does not know the latest revocation"
            ));
        }
        for member in &self.newer {
            lines.push(format!(
                "the credential of {member} knows a revocation that is not in this checkout"
            ));
        }
        for (member, environment) in &self.unsealed {
            lines.push(cannot_read(member, environment));
        }
        for Grant {
            member,
            environment,
        } in &self.grants
        {
            lines.push(match environment {
                Some(environment) => format!(
                    "a commit of this clone gives {member} the key of {environment}, and {member} has \
                     no such access here"
                ),
                None => format!(
                    "a commit of this clone gives {member} the authority, and {member} is not an \
                     admin here"
                ),
            });
        }
        for name in &self.requests {
            lines.push(if self.renewals.contains(name) {
                format!("{name} wants to replace their key")
            } else {
                format!("{name} wants to join")
            });
        }
        for member in &self.interrupted {
            lines.push(format!("a revocation of {member} was interrupted"));
        }
        lines
    }

    /// Returns the commands to type, once for each kind.
    fn hints(&self) -> Vec<String> {
        let mut hints = Vec::new();
        // Credentials before values: replacing a credential exposes values again.
        if !self.outdated.is_empty() {
            let names: Vec<&str> = self.outdated.iter().map(MemberName::as_str).collect();
            hints.push(format!(
                "replace credentials first, all at once, because each removal is a revocation: \
                 `vault members remove {}`, then `vault ci add NEW-NAME -e ENVIRONMENT`",
                names.join(" ")
            ));
        }
        if !self.newer.is_empty() {
            hints.push("merge the branch on which these credentials were made".to_owned());
        }
        if !self.unsealed.is_empty() {
            hints.push("an admin lets them read: `vault members sync`".to_owned());
        }
        for grant in &self.grants {
            hints.push(format!(
                "if the branch with the grant to {} was abandoned: `{}`",
                grant.member,
                grant.remedy()
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
            let command = if self.renewals.contains(name) {
                format!("`vault members set {name} --new-key`")
            } else {
                format!("`vault members add {name} -e ENVIRONMENT=read`")
            };
            hints.push(format!("answer the request: {command}"));
        }
        for name in &self.interrupted {
            hints.push(format!(
                "an admin completes the revocation: `vault members set {name}`"
            ));
        }
        hints
    }

    fn json(&self, vault: &Vault, count: usize) -> Value {
        let texts = |names: &[MemberName]| -> Vec<String> {
            names.iter().map(ToString::to_string).collect()
        };
        let old = self.old.iter().map(|(environment, names)| {
            let names: Vec<&str> = names.iter().map(SecretName::as_str).collect();
            json!({ "environment": environment.as_str(), "names": names })
        });
        let unsealed = self.unsealed.iter().map(|(member, environment)| {
            json!({ "member": member.as_str(), "environment": environment.as_str() })
        });
        let grants = self.grants.iter().map(|grant| {
            let environment = grant.environment.as_ref().map(EnvironmentName::as_str);
            json!({ "member": grant.member.as_str(), "environment": environment })
        });
        let broken = |fault: &Fault| json!({ "file": fault.file(), "reason": fault.reason() });
        json!({
            "vault": vault.root().vault.to_string(),
            "revocation": Some(vault.root().latest())
                .filter(|latest| !latest.is_none())
                .map(|latest| latest.to_string()),
            "count": count,
            "exposed": self.exposures.iter().map(Exposure::json).collect::<Vec<_>>(),
            "old_epoch": old.collect::<Vec<_>>(),
            "broken": self.broken.iter().map(broken).collect::<Vec<_>>(),
            "outdated_credentials": texts(&self.outdated),
            "newer_credentials": texts(&self.newer),
            "cannot_read_yet": unsealed.collect::<Vec<_>>(),
            "unmerged_grants": grants.collect::<Vec<_>>(),
            "admins": texts(&self.admins),
            "not_post_quantum": self.strengths.iter().map(|strength| {
                (strength.environment.to_string(), json!(texts(&strength.classic)))
            }).collect::<serde_json::Map<_, _>>(),
            "requests": self.requests,
            "interrupted": texts(&self.interrupted),
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
