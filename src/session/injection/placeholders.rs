//! `--if-locked placeholder`: if no source holds a key, as in the pull request of a fork or in the
//! build of an image, random values replace the secrets.
//!
//! Everything that can be checked without a key is checked as if there were one, so that what is
//! refused there is refused here. A caller with a key, even the wrong one, never gets here.

use super::scope::{Injected, Scope, Typed, entries_for, templates};
use crate::fault::Fault;
use crate::session::context::Context;
use crate::session::environment_choice::choose_environment;
use crate::session::generate::generated;
use crate::session::keyless;
use crate::session::older_root::judge;
use crate::session::open::{FORKED, tree};
use crate::vault::config::Config;
use crate::vault::name::{EnvironmentName, SecretName};
use crate::vault::store::Place;
use crate::vault::trust::{CheckedEntry, Standing, UnverifiedRoot, Vault};

/// How many names the notice lists.
const MOST_NAMED: usize = 5;

/// Does the same as [`super::collect`], with a random value of its declared kind for each secret.
pub(crate) fn placeholders(
    context: &Context,
    place: &Place,
    config: &Config,
    option: Option<&EnvironmentName>,
    typed: &Typed,
) -> Result<Injected, Fault> {
    let vault = open(context, place)?;
    let environment = &choose_environment(context, config, option, None, &vault)?;
    if config
        .environments
        .get(environment)
        .is_some_and(|own| own.confirm)
    {
        let message = format!("{environment} is locked: no key was found");
        return Err(Fault::locked(message)
            .hint("`confirm = true` in vault.toml: placeholders never replace its secrets"));
    }
    let wanted = typed.selection(config)?;
    let variables = templates(config, environment)?;
    let checked = vault.environment(environment)?;
    let entries = match wanted.names() {
        None => vault.entries(checked)?,
        Some(names) => vault.entries_named(checked, &entries_for(names, &variables))?,
    };
    let live = entries
        .iter()
        .filter(|entry| entry.content().sealed.is_some());
    let names: Vec<&SecretName> = live.map(CheckedEntry::name).collect();
    let secrets = names
        .iter()
        .map(|name| Ok(((*name).clone(), generated(config, name, None)?)))
        .collect::<Result<_, Fault>>()?;
    let scope = Scope {
        config,
        vault: &vault,
        environment,
        wanted: &wanted,
        may_read: &|_| true,
    };
    let injected = scope.filled(&variables, secrets)?;
    report(context, &names);
    Ok(injected)
}

/// The vault as anyone can check it. No pin is needed: nothing of it is decrypted.
fn open(context: &Context, place: &Place) -> Result<Vault, Fault> {
    let (trust, _) = keyless::trust(context, None)?;
    let presented = UnverifiedRoot::read(tree(place)?)?;
    if judge(&presented, &trust, place, None)? == Standing::Forked {
        context.console.warn(FORKED);
    }
    let vault = presented.into_vault()?;
    trust.check_asked(&vault)?;
    Ok(vault)
}

fn report(context: &Context, names: &[&SecretName]) {
    if names.is_empty() {
        return;
    }
    let shown: Vec<&str> = names
        .iter()
        .take(MOST_NAMED)
        .map(|name| name.as_str())
        .collect();
    let more = match names.len() - shown.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let listed = shown.join(", ");
    context.console.note(format!(
        "vault: no key was found, so these are random placeholders: {listed}{more}"
    ));
}
