//! `vault members sync`: limited members and the steps of `vault.toml`.
//!
//! `vault.toml` grants nothing. What a step names and a limited member has no key to is told, with
//! the words that grant it; an admin types them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::fault::{Fault, Kind};
use crate::session::admin::Admin;
use crate::session::caller_key::CallerKey;
use crate::session::context::Context;
use crate::session::grant::{Grants, grant, member as member_named};
use crate::session::keyless;
use crate::session::open::Session;
use crate::session::output::{Style, plain_table};
use crate::vault::config::Config;
use crate::vault::model::{Access, Roster};
use crate::vault::name::{EnvironmentName, MemberName, SecretName, StepName};

/// One name in one environment for one member.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Wanted {
    pub(crate) member: MemberName,
    pub(crate) environment: EnvironmentName,
    pub(crate) name: SecretName,
}

/// What is lacking, with the steps that name it.
type Lacks = BTreeMap<Wanted, Vec<StepName>>;

pub(crate) fn sync(
    context: &Context,
    key: CallerKey,
    typed: &[Wanted],
    style: Style,
) -> Result<(), Fault> {
    if typed.is_empty() { tell(context, key, style) } else { give(context, key, typed) }
}

fn tell(context: &Context, mut key: CallerKey, style: Style) -> Result<(), Fault> {
    let place = context.place(&mut key)?;
    let config = Context::config(&place)?;
    let (vault, _) = keyless::open(context, &place, key.credential(context.console)?)?;
    let lacks = lacks(&config, vault.roster())?;
    if style == Style::Json {
        context.console.json(json!({ "missing": lacks.iter().map(row).collect::<Vec<_>>() }))?;
    }
    let Some(first) = lacks.keys().next() else {
        context.console.note("no limited member lacks a name of a step that it serves");
        return Ok(());
    };
    let mut table = plain_table(&["MEMBER", "ENVIRONMENT", "LACKS", "NAMED BY"]);
    for (Wanted { member, environment, name }, steps) in &lacks {
        let steps: Vec<&str> = steps.iter().map(StepName::as_str).collect();
        let row = [member.as_str(), environment.as_str(), name.as_str(), &steps.join(", ")];
        table.add_row(row);
    }
    if style == Style::Table {
        context.console.line(table.trim_fmt())?;
    }
    let Wanted { member, environment, name } = first;
    Err(Fault::new(Kind::Found, format!("names that are lacking: {}", lacks.len()))
        .hint("whether they need them, you decide: anybody can edit vault.toml")
        .hint(format!("vault members sync --grant {member}:{environment}/{name}")))
}

fn row((wanted, steps): (&Wanted, &Vec<StepName>)) -> Value {
    json!({
        "member": wanted.member.as_str(),
        "environment": wanted.environment.as_str(),
        "name": wanted.name.as_str(),
        "steps": steps.iter().map(StepName::as_str).collect::<Vec<_>>(),
    })
}

fn give(context: &Context, key: CallerKey, typed: &[Wanted]) -> Result<(), Fault> {
    let mut session = Session::open(context, key)?;
    let mut admin = Admin::start(context, &mut session)?;
    let mut roster = admin.roster();
    let lacks = lacks(&admin.session.config, &roster)?;
    let mut grants = Grants::new();
    for wanted in typed {
        admin.session.vault.check_environment(&wanted.environment)?;
        let own = limited_to(&roster, wanted)?;
        // What they have already is sealed again, which finishes an interrupted command.
        if !lacks.contains_key(wanted) && !own.contains(&wanted.name) {
            return Err(not_asked_for(wanted));
        }
        let access = grants.entry(wanted.member.clone()).or_default();
        let access = access.entry(wanted.environment.clone());
        if let Access::Names(names) = access.or_insert_with(|| Access::Names(own.clone())) {
            names.insert(wanted.name.clone());
        }
    }
    grant(context, &mut admin, &mut roster, &grants)?;
    admin.finish(context)?;
    for Wanted { member, environment, name } in typed {
        context.console.note(format!("{member} may read {name} of {environment}"));
    }
    context.console.note("next: commit .vault");
    Ok(())
}

/// What each limited member lacks of the steps that it serves. A member serves a step in an
/// environment where it has the key of at least one of the secrets behind the step's names: the
/// roster knows names only, not for which step they were given.
fn lacks(config: &Config, roster: &Roster) -> Result<Lacks, Fault> {
    let mut lacks = Lacks::new();
    for (member, record) in &roster.members {
        for (environment, access) in &record.access {
            let Access::Names(own) = access else { continue };
            for (step, content) in &config.steps {
                let needed = config.secrets_behind(environment, &content.names)?;
                if needed.is_disjoint(own) {
                    continue;
                }
                for name in needed.difference(own) {
                    let (member, environment) = (member.clone(), environment.clone());
                    let wanted = Wanted { member, environment, name: name.clone() };
                    lacks.entry(wanted).or_default().push(step.clone());
                }
            }
        }
    }
    Ok(lacks)
}

/// The names that the member is limited to.
fn limited_to<'a>(
    roster: &'a Roster,
    Wanted { member, environment, .. }: &Wanted,
) -> Result<&'a BTreeSet<SecretName>, Fault> {
    match member_named(roster, member)?.access.get(environment) {
        Some(Access::Names(names)) => Ok(names),
        Some(_) => Err(Fault::usage(format!("{member} may read all of {environment} already"))),
        None => Err(Fault::usage(format!("{member} has no access to {environment}"))
            .hint(format!("give it first: vault members set {member} -e {environment}=…"))),
    }
}

fn not_asked_for(Wanted { member, environment, name }: &Wanted) -> Fault {
    Fault::usage(format!("no step that {member} serves in {environment} names {name}"))
        .hint("see what is lacking: vault members sync")
        .hint(format!("what no step names: vault members set {member} -e {environment}=…"))
}
