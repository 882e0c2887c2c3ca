//! What a check has to tell: facts, and findings, of which one is enough to fail.

use crate::fault::{Fault, Kind};
use crate::session::context::Context;
use crate::vault::trust::{CheckedEntry, CheckedEnvironment, Vault};

/// What a check has to tell, and what it found amiss.
#[derive(Default)]
pub(super) struct Report {
    pub(super) facts: Vec<String>,
    pub(super) findings: Vec<String>,
    /// What to do about the first of them.
    pub(super) hint: Option<&'static str>,
}

impl Report {
    /// Takes what a check gives; a refusal becomes a finding.
    pub(super) fn take<T>(&mut self, result: Result<T, Fault>) -> Result<Option<T>, Fault> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(fault) if fault.kind() == Kind::Failed => Err(fault),
            Err(fault) => {
                self.findings.push(fault.to_string());
                Ok(None)
            }
        }
    }

    /// Every entry that is as it should be; the others become findings, each by its own.
    pub(super) fn sound_entries(
        &mut self,
        vault: &Vault,
        environment: &CheckedEnvironment,
    ) -> Result<Vec<CheckedEntry>, Fault> {
        // All at once where all hold, which is far cheaper.
        if let Ok(entries) = vault.entries(environment) {
            return Ok(entries);
        }
        let names = self.take(vault.entry_names(&environment.content().name))?;
        let mut sound = Vec::new();
        for name in names.unwrap_or_default() {
            sound.extend(self.take(vault.entry(environment, &name))?.flatten());
        }
        Ok(sound)
    }

    /// Tells everything; fails where there was a finding.
    pub(super) fn finish(&self, context: &Context) -> Result<(), Fault> {
        for line in self.facts.iter().chain(&self.findings) {
            context.console.line(line)?;
        }
        let count = self.findings.len();
        if count == 0 {
            return Ok(());
        }
        let fault = Fault::new(Kind::Found, format!("findings: {count}"));
        Err(match self.hint {
            Some(hint) => fault.hint(hint),
            None => fault,
        })
    }
}
