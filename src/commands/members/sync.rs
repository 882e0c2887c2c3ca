//! `vault members sync`: members who cannot read yet, and limited members and the steps of
//! `vault.toml`.
//!
//! Someone who is added on one branch while another one rotates has access without the newest key. An
//! admin seals it to them. `vault.toml` grants nothing. If a step lists a name for which a limited member has no key, this
//! command shows the option that grants it, and an admin types it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::fault::{Fault, Kind, plural};
use crate::git::Repository;
use crate::session::admin::Admin;
use crate::session::caller_key::CallerKey;
use crate::session::console::{Answer, confirm};
use crate::session::context::Context;
use crate::session::grant::{Grants, grant, member as member_named, write};
use crate::session::keyless;
use crate::session::membership::{Unsealed, unsealed};
use crate::session::open::Session;
use crate::session::output::{Style, plain_table};
use crate::vault::config::Config;
use crate::vault::model::{Access, Member, Membership};
use crate::vault::name::{EnvironmentName, MemberName, SecretName, StepName};
use crate::vault::trust::Vault;

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
    mut key: CallerKey,
    typed: &[Wanted],
    answer: Answer,
    style: Style,
) -> Result<(), Fault> {
    if !typed.is_empty() {
        return grant_names(context, key, typed);
    }
    let place = context.place(&mut key)?;
    let config = Context::config(&place)?;
    let found = key.read(context.console)?;
    let credential = found.as_ref().and_then(|found| found.credential.clone());
    let (vault, _) = keyless::open(context, &place, credential)?;
    let unsealed = unsealed(&vault)?;
    let mut sealed = Vec::new();
    if !unsealed.is_empty() {
        list(context, &unsealed);
        let found = found.ok_or_else(|| context.no_key())?;
        let again = Context::config(&place)?;
        let mut session = Session::open_after_keyless(context, place.clone(), again, found)?;
        seal(context, &mut session, &unsealed, answer)?;
        sealed = unsealed;
    }
    report(context, &config, &vault, &sealed, style)
}

fn list(context: &Context, unsealed: &[Unsealed]) {
    for (member, environment) in unsealed {
        context
            .console
            .note(format!("{member} cannot read {environment} yet"));
    }
}

/// Seals the newest data keys to them. Does only what was confirmed.
fn seal(
    context: &Context,
    session: &mut Session,
    unsealed: &[Unsealed],
    answer: Answer,
) -> Result<(), Fault> {
    session.holder().check_admin()?;
    session.check_not_forked()?;
    if let Ok(repository) = Repository::open(session.place.folder())
        && repository.is_merging()?
    {
        return Err(
            Fault::refused("a merge is under way, and its result is not decided yet").hint(
                "end its conflicts with `vault resolve`, commit it, then `vault members sync`",
            ),
        );
    }
    confirm(
        context.console,
        "let them read what was set since they were added?",
        answer,
    )?;
    let mut admin = Admin::start(context, session)?;
    let before = admin.membership()?;
    let mut after = before.clone();
    let mut done = Vec::new();
    for environment in admin.session.vault.root().environments.values() {
        let names = admin.seal_newest(environment, &mut after)?;
        done.extend(
            names
                .into_iter()
                .map(|name| (name, environment.name.clone())),
        );
    }
    if done.iter().any(|found| !unsealed.contains(found)) {
        return Err(Fault::refused(
            "the members were changed while this command ran",
        ));
    }
    write(context, &mut admin, &before, after)?;
    admin.finish(context)?;
    for (member, environment) in unsealed {
        context
            .console
            .note(format!("{member} can read {environment}"));
    }
    context.console.note("next: commit .vault");
    Ok(())
}

fn report(
    context: &Context,
    config: &Config,
    vault: &Vault,
    sealed: &[Unsealed],
    style: Style,
) -> Result<(), Fault> {
    let needs = needs(config, &vault.members()?.counting)?;
    if style == Style::Json {
        let sealed: Vec<Value> = sealed
            .iter()
            .map(|(member, environment)| {
                json!({ "member": member.as_str(), "environment": environment.as_str() })
            })
            .collect();
        context.console.json(json!({
            "sealed": sealed,
            "missing": needs.iter().map(row).collect::<Vec<_>>(),
        }))?;
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
    let membership = admin.membership()?;
    let needs = needs(&admin.session.config, &membership.members)?;
    let mut grants = Grants::new();
    for wanted in typed {
        admin.session.vault.environment(&wanted.environment)?;
        let own = limited_to(&membership, wanted)?;
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
    grant(context, &mut admin, membership, &grants)?;
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

/// Returns the names that limited members need for their steps. A member's file does not record for
/// which step a name was granted, so a step counts as a member's own in an environment if the member has
/// at least one of the secrets that the step needs there.
fn needs(config: &Config, members: &BTreeMap<MemberName, Member>) -> Result<Needs, Fault> {
    let mut needs = Needs::new();
    for (member, record) in members {
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
    membership: &'a Membership,
    Wanted {
        member,
        environment,
        ..
    }: &Wanted,
) -> Result<&'a BTreeSet<SecretName>, Fault> {
    match member_named(membership, member)?.access.get(environment) {
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
