//! Checks `vault.toml`: arbitrary text is refused, or every question about it has an answer, and an
//! edit keeps it readable.

use repovault::vault::config::{Config, without_environment};

pub(crate) fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let Ok(config) = Config::parse(&text) else {
        let edited = without_environment(&text, &"production".parse().unwrap());
        drop(edited);
        return;
    };
    for environment in config.environments.keys() {
        let names: Vec<_> = config.variables(environment).into_keys().cloned().collect();
        let _ = config.secrets_behind(environment, &names);
        for name in &names {
            let _ = config.check_name(name);
        }
        for secret in config.secrets.values() {
            let _ = secret.required.holds_in(environment);
        }
        let edited = without_environment(&text, environment).unwrap();
        // If another environment inherits from this one, the edited text is refused.
        if let Ok(edited) = Config::parse(&edited) {
            assert!(!edited.environments.contains_key(environment));
            assert_eq!(edited.environments.len() + 1, config.environments.len());
        }
    }
}
