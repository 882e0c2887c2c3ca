//! Which environment a command means: its option, the variable, the credential, or the default.

use super::context::Context;
use crate::fault::Fault;
use crate::keys::{Found, is_key, misplaced};
use crate::vault::config::Config;
use crate::vault::name::EnvironmentName;
use crate::vault::trust::Vault;

/// Chooses the environment by all sources, and refuses one that the credential does not cover.
pub(super) fn environment_for_key(
    context: &Context,
    config: &Config,
    named: Option<&EnvironmentName>,
    key: &Found,
    vault: &Vault,
) -> Result<EnvironmentName, Fault> {
    let credential = key.credential.as_ref();
    let own = match credential.map(|credential| credential.environments.as_slice()) {
        Some([only]) => Some(only.parse()?),
        _ => None,
    };
    let name = choose_environment(context, config, named, own, vault)?;
    if let Some(credential) = credential
        && !credential
            .environments
            .iter()
            .any(|own| own == name.as_str())
    {
        // A mistyped name is not locked.
        vault.environment(&name)?;
        let own = credential.environments.join(", ");
        let message = format!("{name} is locked: this credential is for {own}");
        return Err(Fault::locked(message).hint(format!("make one: `vault ci add NAME -e {name}`")));
    }
    Ok(name)
}

/// Chooses the environment: `-e`, `VAULT_ENVIRONMENT`, the credential's only one (`own`), or
/// `default` in `vault.toml`.
pub(crate) fn choose_environment(
    context: &Context,
    config: &Config,
    named: Option<&EnvironmentName>,
    own: Option<EnvironmentName>,
    vault: &Vault,
) -> Result<EnvironmentName, Fault> {
    if let Some(named) = named {
        return Ok(named.clone());
    }
    if let Some(text) = context.text_variable("VAULT_ENVIRONMENT")? {
        if is_key(text) {
            return Err(misplaced("VAULT_ENVIRONMENT", "a name"));
        }
        return text
            .parse()
            .map_err(|fault: Fault| fault.within("VAULT_ENVIRONMENT"));
    }
    own.or_else(|| config.default.clone()).ok_or_else(|| {
        let environments = vault.root().environments.keys();
        let known: Vec<&str> = environments.map(EnvironmentName::as_str).collect();
        Fault::usage(format!(
            "which environment? there are: {}",
            known.join(", ")
        ))
        .hint("name it with `-e`, or write `default = …` into vault.toml")
    })
}
