//! Whose keys are post-quantum. A large quantum computer could open what is sealed to any other key,
//! and every clone keeps that.

use std::fmt;

use crate::fault::Fault;
use crate::vault::name::{EnvironmentName, MemberName};
use crate::vault::trust::Vault;

/// The members of an environment whose keys are not post-quantum.
pub(crate) struct Strength {
    pub(crate) environment: EnvironmentName,
    pub(crate) classic: Vec<MemberName>,
}

impl fmt::Display for Strength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let environment = &self.environment;
        let names: Vec<&str> = self.classic.iter().map(MemberName::as_str).collect();
        match &names[..] {
            [] => write!(f, "{environment}: every member's key is post-quantum"),
            [name] => write!(f, "{environment}: the key of {name} is not post-quantum"),
            names => write!(
                f,
                "{environment}: the keys of these members are not post-quantum: {}",
                names.join(", ")
            ),
        }
    }
}

/// Returns the strength of every environment.
pub(crate) fn strengths(vault: &Vault) -> Result<Vec<Strength>, Fault> {
    let members = &vault.members()?.counting;
    let strength = |environment: &EnvironmentName| {
        let classic = members.iter().filter(|(_, member)| {
            member.access.contains_key(environment) && !member.recipient.is_post_quantum()
        });
        Strength {
            environment: environment.clone(),
            classic: classic.map(|(name, _)| name.clone()).collect(),
        }
    };
    Ok(vault.root().environments.keys().map(strength).collect())
}
