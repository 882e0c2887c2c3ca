//! The ways in which a wrapped command could still reach the key: those that vault removes, and
//! those that only the caller can.
//!
//! No protection against a command that looks further: it can read what every process of its user can.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt;

use super::context::Context;
use crate::crypto::Recipient;
use crate::keys::{Found, Source, holds_key_to, is_identity};
use crate::platform::{self, Ancestor};
use crate::secret::Secret;

const KEY: &str = "VAULT_KEY";
/// Programs that `exec` replaces.
const SHELLS: [&str; 8] = ["ash", "bash", "busybox", "dash", "ksh", "mksh", "sh", "zsh"];

/// Whether the variables with a CI job's identity are passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IdentityVariables {
    Passed,
    /// If the key came from `VAULT_KEY_COMMAND`.
    Withheld,
}

/// The ways in which a command could get the key.
#[derive(Default)]
pub(crate) struct Reach {
    /// Variables that hold a copy of the key; they are never passed on.
    copies: Vec<OsString>,
    /// Variables with which the key can be fetched again.
    pub(crate) identity: Vec<OsString>,
    /// Processes above this one that still hold a key.
    pub(crate) above: Above,
}

/// The result of looking at the processes above this one.
#[derive(Default)]
pub(crate) enum Above {
    /// They were not looked at: the key came from a file, and is in no variable here.
    #[default]
    NotLookedAt,
    /// This system does not show them.
    NotKnown,
    /// Those that hold a key in their environment.
    Holding(Vec<Ancestor>),
}

impl Reach {
    /// Looks at the caller's environment, and at the processes above if a key may be there.
    pub(crate) fn look(context: &Context, key: &Found) -> Self {
        let recipient = key.identity.recipient();
        let holds_own = |value: &[u8]| {
            key.identities()
                .any(|identity| holds_key_to(value, &identity.recipient()))
        };
        let names = |wanted: &dyn Fn(&OsStr, &OsStr) -> bool| {
            let found = context
                .environ
                .iter()
                .filter(|(name, value)| wanted(name, value));
            found.map(|(name, _)| name.clone()).collect()
        };
        let copies: Vec<OsString> = names(&|_, value| holds_own(value.as_encoded_bytes()));
        let command = context
            .variable("VAULT_KEY_COMMAND")
            .filter(|_| key.source == Source::Command);
        let identity = command
            .map(|command| names(&|name, _| is_identity(name, command)))
            .unwrap_or_default();
        // What started this process most likely has these variables, too.
        let is_near = context.environ.iter().any(|(name, _)| name == KEY) || !copies.is_empty();
        let above = if is_near || key.source == Source::Command {
            above(&recipient)
        } else {
            Above::NotLookedAt
        };
        Self {
            copies,
            identity,
            above,
        }
    }

    /// Takes what the command must not get out of the environment that it inherits. Gives the names
    /// that were taken because they hold the caller's identity.
    pub(crate) fn withhold(
        &self,
        environ: &mut Vec<(OsString, OsString)>,
        identity: IdentityVariables,
        is_kept: &dyn Fn(&OsStr) -> bool,
    ) -> Vec<String> {
        let is_taken = |name: &OsString| identity == IdentityVariables::Withheld && !is_kept(name);
        let taken: Vec<&OsString> = self.identity.iter().filter(|name| is_taken(name)).collect();
        for (name, copy) in environ
            .iter_mut()
            .filter(|(name, _)| self.copies.contains(name))
        {
            // Wiped, here and where the kernel shows it: vault may stay as long as the command runs.
            drop(Secret::new(std::mem::take(copy).into_vec()));
            drop(name.to_str().map(platform::take_variable));
        }
        environ.retain(|(name, _)| !self.copies.contains(name) && !taken.contains(&name));
        taken
            .iter()
            .map(|name| name.to_string_lossy().into_owned())
            .collect()
    }

    /// What to say of a process above that holds a key, with the form that leaves none there.
    pub(crate) fn notice(&self, context: &Context) -> Option<String> {
        let Above::Holding(ancestors) = &self.above else {
            return None;
        };
        let nearest = ancestors.first()?;
        let Ancestor { process, program } = nearest;
        let is_set = |name: &&str| context.variable(name).is_some();
        let is_shell = SHELLS.contains(&program.as_str());
        let form = if is_set(&"GITHUB_ACTIONS") {
            "in GitHub Actions use `shell: vault exec … -- bash -e {0}`"
        } else if ["GITLAB_CI", "JENKINS_URL"].iter().any(is_set) {
            // A shell of the platform's own is above every line, so `exec` would not help.
            "keep the key in a file and delete it first: \
             `exec 3<FILE; rm FILE; exec vault exec --key-fd 3 …`"
        } else if is_shell && ancestors.len() == 1 && platform::is_parent(nearest) {
            "use `exec vault exec …`, which replaces the shell, or a credential for this step only"
        } else {
            "use a credential for this step only: `vault ci add NAME --step STEP`"
        };
        Some(format!(
            "the command can read {KEY} in the environment of {program} (process {process}); {form}"
        ))
    }
}

/// Processes above that hold this key under any name, or any key as `VAULT_KEY`.
fn above(recipient: &Recipient) -> Above {
    let is_key = |variable: &[u8]| {
        let value = variable
            .strip_prefix(KEY.as_bytes())
            .and_then(|rest| rest.strip_prefix(b"="));
        value.is_some_and(|value| !value.trim_ascii().is_empty())
            || holds_key_to(variable, recipient)
    };
    let found =
        platform::ancestors_whose_environment(&|block| block.split(|&byte| byte == 0).any(is_key));
    found.map_or(Above::NotKnown, Above::Holding)
}
