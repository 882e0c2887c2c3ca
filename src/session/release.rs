//! Letting values out of an environment: the one place that decides whether a person is asked.
//!
//! In an environment with `confirm = true`, no value leaves the vault before a person at the
//! terminal has said yes. `--yes` is not an answer to this question. A credential is never asked:
//! it was made for the environment. Values are read with a [`Release`] only.

use std::io::{self, IsTerminal};

use super::console::not_confirmed;
use super::context::Context;
use super::open::Session;
use super::prompt::visible;
use crate::fault::Fault;
use crate::platform::{self, Terminal};
use crate::vault::name::{EnvironmentName, SecretName};

/// The right to open values of one environment.
pub(crate) struct Release {
    environment: EnvironmentName,
}

impl Release {
    /// For a command that lets values out; `question` says what will be done with them.
    ///
    /// # Errors
    /// `Refused` without a yes, or without a terminal.
    pub(crate) fn ask(
        context: &Context,
        session: &Session,
        environment: &EnvironmentName,
        question: &str,
    ) -> Result<Self, Fault> {
        let config = session.config.environments.get(environment);
        if config.is_some_and(|own| own.confirm) && session.key.credential.is_none() {
            // No one is asked about an environment that is refused anyway.
            session.vault.environment(environment)?;
            if !has_terminal() {
                return Err(no_terminal(environment));
            }
            let typed = visible(context.console, &format!("{question} [y/N] "))
                .map_err(|fault| Fault::refused(fault.reason()))?;
            if !matches!(typed.trim().to_lowercase().as_str(), "y" | "yes") {
                return Err(not_confirmed());
            }
        }
        Ok(Self {
            environment: environment.clone(),
        })
    }

    /// For a command that opens values and lets none out.
    pub(crate) fn withheld(environment: &EnvironmentName) -> Self {
        Self {
            environment: environment.clone(),
        }
    }

    /// The environment whose values may be opened.
    pub(crate) fn environment(&self) -> &EnvironmentName {
        &self.environment
    }
}

/// Names as a question lists them.
pub(crate) fn listed(names: &[SecretName]) -> String {
    let names: Vec<&str> = names.iter().map(SecretName::as_str).collect();
    names.join(", ")
}

fn no_terminal(environment: &EnvironmentName) -> Fault {
    let state = "has `confirm = true` in vault.toml, but no terminal is available to ask a person";
    let machine = "a machine uses a credential, which is not asked";
    Fault::refused(format!("{environment} {state}"))
        .hint("run it with standard error at a terminal; `--yes` does not answer this question")
        .hint(format!("{machine}: `vault ci add NAME -e {environment}`"))
}

/// Whether a person can be asked: the question is shown on standard error. If standard input is not
/// a terminal, the answer is typed at the controlling one, and the input is left to the command.
fn has_terminal() -> bool {
    io::stderr().is_terminal() && Terminal::of_stream(platform::input()).is_ok()
}
