//! `vault members sync`: limited members and the steps of `vault.toml`.
//!
//! `vault.toml` grants nothing. If a step lists a name for which a limited member has no key, this
//! command shows the option that grants it, and an admin types it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::fault::{Fault, Kind, plural};
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

/// The missing names, with the steps that list them.
type Needs = BTreeMap<Wanted, Vec<StepName>>;

pub(crate) fn sync(
    context: &Context,
    key: CallerKey,
    typed: &[Wanted],
    style: Style,
) -> Result<(), Fault> {
    if typed.is_empty() {
        report(context, key, style)
    } else {
        grant_names(context, key, typed)
    }
}

fn report(context: &Context, mut key: CallerKey, style: Style) -> Result<(), Fault> {
    let place = context.place(&mut key)?;
    let config = Context::config(&place)?;
    let (vault, _) = keyless::open(context, &place, key.credential(context.console)?)?;
    let needs = needs(&config, vault.roster())?;
    if style == Style::Json {
        context
            .console
            .json(json!({ "missing": needs.iter().map(row).collect::<Vec<_>>() }))?;
    }
    let Some(first) = needs.keys().next() else {
        context
            .console
            .note("every limited member has all the names its steps use");
        return Ok(());
    };
    let mut table = plain_table(&["MEMBER", "ENVIRONMENT", "NEEDS", "STEPS"]);
    for (
        Wanted {
            member,
            environment,
            name,
        },
        steps,
    ) in &needs
    {
        let steps: Vec<&str> = steps.iter().map(StepName::as_str).collect();
        let row = [
            member.as_str(),
            environment.as_str(),
            name.as_str(),
            &steps.join(", "),
        ];
        table.add_row(row);
    }
    if style == Style::Table {
        context.console.line(table.trim_fmt())?;
    }
    let Wanted {
        member,
        environment,
        name,
    } = first;
    Err(Fault::new(
        Kind::Found,
        format!(
            "{} not granted",
            plural(needs.len(), "name is", "names are")
        ),
    )
    .hint("check that they really need these names: anyone can edit vault.toml")
    .hint(format!(
        "`vault members sync --grant {member}:{environment}/{name}`"
    )))
}

fn row((wanted, steps): (&Wanted, &Vec<StepName>)) -> Value {
    json!({
        "member": wanted.member.as_str(),
        "environment": wanted.environment.as_str(),
        "name": wanted.name.as_str(),
        "steps": steps.iter().map(StepName::as_str).collect::<Vec<_>>(),
    })
}

fn grant_names(context: &Context, key: CallerKey, typed: &[Wanted]) -> Result<(), Fault> {
    let mut session = Session::open(context, key)?;
    let mut admin = Admin::start(context, &mut session)?;
    let mut roster = admin.roster();
    let needs = needs(&admin.session.config, &roster)?;
    let mut grants = Grants::new();
    for wanted in typed {
        admin.session.vault.check_environment(&wanted.environment)?;
        let own = limited_to(&roster, wanted)?;
        // A name they already have is sealed again, which finishes an interrupted command.
        if !needs.contains_key(wanted) && !own.contains(&wanted.name) {
            return Err(not_asked_for(wanted));
        }
        let access = grants
            .entry(wanted.member.clone())
            .or_default()
            .entry(wanted.environment.clone())
            .or_insert_with(|| Access::Names(own.clone()));
        if let Access::Names(names) = access {
            names.insert(wanted.name.clone());
        }
    }
    grant(context, &mut admin, &mut roster, &grants)?;
    admin.finish(context)?;
    for Wanted {
        member,
        environment,
        name,
    } in typed
    {
        context
            .console
            .note(format!("{member} can read {name} in {environment}"));
    }
    context.console.note("next: commit .vault");
    Ok(())
}

/// Returns the names that limited members need for their steps. The roster does not record for which
/// step a name was granted, so a step counts as a member's own in an environment if the member has
/// at least one of the secrets that the step needs there.
fn needs(config: &Config, roster: &Roster) -> Result<Needs, Fault> {
    let mut needs = Needs::new();
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
                    let wanted = Wanted {
                        member,
                        environment,
                        name: name.clone(),
                    };
                    needs.entry(wanted).or_default().push(step.clone());
                }
            }
        }
    }
    Ok(needs)
}

/// Returns the names that the member is limited to.
fn limited_to<'a>(
    roster: &'a Roster,
    Wanted {
        member,
        environment,
        ..
    }: &Wanted,
) -> Result<&'a BTreeSet<SecretName>, Fault> {
    match member_named(roster, member)?.access.get(environment) {
        Some(Access::Names(names)) => Ok(names),
        Some(_) => Err(Fault::usage(format!(
            "{member} can already read everything in {environment}"
        ))),
        None => Err(
            Fault::usage(format!("{member} has no access to {environment}")).hint(format!(
                "grant it first: `vault members set {member} -e {environment}=…`"
            )),
        ),
    }
}

fn not_asked_for(
    Wanted {
        member,
        environment,
        name,
    }: &Wanted,
) -> Fault {
    Fault::usage(format!("no step of {member} in {environment} lists {name}"))
        .hint("see which names are needed: `vault members sync`")
        .hint(format!(
            "to grant a name that no step lists: `vault members set {member} -e {environment}=…`"
        ))
}
