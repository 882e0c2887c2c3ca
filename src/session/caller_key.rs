//! The caller's key, which is read at most once.
//!
//! A command receives it as a value and hands it over when it reads the key, so that nothing can ask
//! for it a second time and find nothing. Only the search for the vault looks at it earlier.

use super::console::Console;
use super::context::Context;
use super::prompt::passphrase;
use crate::fault::Fault;
use crate::keys::{self, Found, Pinned, Sources};

/// The key, or the sources that may hold one.
pub(crate) enum CallerKey {
    /// No source was read.
    Unread(Sources),
    /// The result of reading the sources.
    Read(Result<Option<Box<Found>>, Fault>),
}

impl CallerKey {
    /// The sources, for a command that reports on each of them. Empty after the key was read.
    pub(crate) fn into_sources(self) -> Sources {
        match self {
            Self::Unread(sources) => sources,
            Self::Read(_) => Sources::default(),
        }
    }

    /// The result of reading the sources elsewhere.
    pub(crate) fn read_as(found: Option<Found>) -> Self {
        Self::Read(Ok(found.map(Box::new)))
    }

    /// Returns the key, or `None` if no source holds one.
    ///
    /// # Errors
    /// If a source is named and cannot be used.
    pub(crate) fn read(self, console: Console) -> Result<Option<Found>, Fault> {
        match self {
            Self::Unread(sources) => find(sources, console),
            Self::Read(result) => Ok(result?.map(|found| *found)),
        }
    }

    /// Returns the key.
    ///
    /// # Errors
    /// Also if there is none; the hint says what to do.
    pub(crate) fn needed(self, context: &Context) -> Result<Found, Fault> {
        self.read(context.console)?.ok_or_else(|| context.no_key())
    }

    /// Returns what a machine's credential pins, for a command that needs no key.
    ///
    /// # Errors
    /// For the same reasons as [`CallerKey::read`].
    pub(crate) fn credential(self, console: Console) -> Result<Option<Pinned>, Fault> {
        Ok(self
            .for_machines()
            .read(console)?
            .and_then(|found| found.credential))
    }

    /// Leaves out the sources that ask a person or were not made for machines.
    fn for_machines(self) -> Self {
        match self {
            Self::Unread(sources) => Self::Unread(Sources {
                command: None,
                identity: None,
                ssh: None,
                ..sources
            }),
            read @ Self::Read(_) => read,
        }
    }

    /// Reads the key early and keeps it for the command.
    ///
    /// # Errors
    /// For the same reasons as [`CallerKey::read`].
    pub(crate) fn look(&mut self, console: Console) -> Result<Option<&Found>, Fault> {
        if let Self::Unread(sources) = self {
            let result = find(std::mem::take(sources), console);
            *self = Self::Read(result.map(|found| found.map(Box::new)));
        }
        match self {
            Self::Read(Err(fault)) => Err(fault.clone()),
            Self::Read(Ok(found)) => Ok(found.as_deref()),
            Self::Unread(_) => Ok(None),
        }
    }

    /// The same without the sources that ask a person.
    ///
    /// # Errors
    /// For the same reasons as [`CallerKey::read`].
    pub(super) fn look_for_machines(&mut self, console: Console) -> Result<Option<&Found>, Fault> {
        if let Self::Unread(sources) = self {
            (sources.command, sources.identity, sources.ssh) = (None, None, None);
        }
        self.look(console)
    }
}

fn find(sources: Sources, console: Console) -> Result<Option<Found>, Fault> {
    let found = keys::find(sources, &mut passphrase)?;
    if let Some(caution) = found.as_ref().and_then(|found| found.caution.as_ref()) {
        console.warn(caution);
    }
    Ok(found)
}
