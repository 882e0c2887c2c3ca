//! Values in use that someone who lost access may still know.
//!
//! Decided by epochs, never by clocks. If a value was first sealed in an epoch that they could open
//! by the root, they know it until it is set again. With a key, the values themselves are
//! compared as well. A value that they could read once, in today's files or in git's history, may
//! be in use in another place, or again in the same one. No value leaves this module.

mod history;
mod search;

use std::fmt;

use serde_json::{Value, json};

use self::search::Search;
use super::open::Session;
use crate::fault::Fault;
use crate::vault::name::{EnvironmentName, MemberName, SecretName};
use crate::vault::trust::Vault;

/// A secret in use whose value someone who lost access may know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Exposure {
    /// Who lost access.
    pub(crate) member: MemberName,
    /// The environment of the secret.
    pub(crate) environment: EnvironmentName,
    /// Its name.
    pub(crate) name: SecretName,
    /// The place in which they could read its value, or `None` if it has not changed since.
    pub(crate) source: Option<ExposureSource>,
}

/// A place that has a value, or once had it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ExposureSource {
    pub(crate) environment: EnvironmentName,
    pub(crate) name: SecretName,
    pub(crate) revision: u64,
}

/// The findings, and the reasons why there may be more.
#[derive(Default)]
pub(crate) struct ExposureReport {
    /// Sorted by member, environment, and name.
    pub(crate) exposures: Vec<Exposure>,
    /// Reasons why there may be more, each in one line.
    pub(crate) gaps: Vec<String>,
}

impl Exposure {
    /// For scripts.
    pub(crate) fn json(&self) -> Value {
        let source = self.source.as_ref().map(|source| {
            json!({
                "environment": source.environment.as_str(),
                "name": source.name.as_str(),
                "revision": source.revision,
            })
        });
        json!({
            "member": self.member.as_str(),
            "environment": self.environment.as_str(),
            "name": self.name.as_str(),
            "source": source,
        })
    }
}

impl fmt::Display for Exposure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            member,
            environment,
            name,
            source,
        } = self;
        match source {
            None => {
                write!(
                    f,
                    "{member} could read {name} in {environment}, and the value has not changed"
                )
            }
            Some(source) => {
                let (former_name, former_environment) = (&source.name, &source.environment);
                write!(
                    f,
                    "{member} may know {name} in {environment}: it has the value of {former_name} in \
                     {former_environment} (revision {})",
                    source.revision
                )
            }
        }
    }
}

/// What those who lost access may know. Values are compared where the caller can open them, of
/// today's files and of those in git's history.
///
/// # Errors
/// If files or git's history cannot be read, or a value that is in use does not open.
pub(crate) fn find(session: &Session) -> Result<ExposureReport, Fault> {
    let mut search = Search::new(&session.vault)?;
    if search.has_work() {
        search.index_current_values(Some(&session.holder()))?;
        history::search(session, &mut search)?;
    }
    Ok(search.finish())
}

/// The same by epochs alone, with no key.
///
/// # Errors
/// If files cannot be read.
pub(crate) fn find_by_epochs(vault: &Vault) -> Result<ExposureReport, Fault> {
    let mut search = Search::new(vault)?;
    if search.has_work() {
        search.index_current_values(None)?;
        search.add_gap("values were not compared with each other, because no key was found");
    }
    Ok(search.finish())
}
