//! Names whose values redirect programs or make them run code.

use crate::review::report::{Item, Level};
use crate::vault::config::Config;
use crate::vault::families::{family_of, redirect_of};
use crate::vault::name::{EnvironmentName, SecretName};

/// Returns a remark about the name of a secret or variable that is new or changed.
pub(in crate::review) fn name(
    file: &str,
    environment: &EnvironmentName,
    name: &SecretName,
    config: Option<&Config>,
) -> Option<Item> {
    let item = |kind| {
        let item = Item::new(Level::Attention, kind, file)
            .detail("environment", environment.as_str())
            .detail("name", name.as_str());
        item.quote(file).text(": ").quote(name)
    };
    if let Some(family) = family_of(name.as_str()) {
        let is_allowed = config.is_some_and(|config| config.allowed_names.contains(name));
        let state = if is_allowed {
            "allowed in vault.toml"
        } else {
            "refused by exec"
        };
        return Some(item("name-runs-code").text(format!(" is {state}: {}", family.reason)));
    }
    let redirect = redirect_of(name.as_str())?;
    Some(item("name-redirects").text(format!(" decides {}", redirect.decides)))
}
