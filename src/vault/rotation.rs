//! The entries of an environment, re-encrypted and re-signed.
//!
//! Pure apart from randomness, like [`super::signing`]. A re-encrypted entry keeps its `origin`,
//! `revision`, `changed` and `author`: the value is the same, and was not chosen now.

use super::format::sealing_context;
use super::parallel::map_in_parallel;
use super::signing::EntrySigner;
use super::store::NewFile;
use super::trust::CheckedEntry;
use super::unlock::Unlocked;
use crate::crypto;
use crate::fault::Fault;

impl EntrySigner<'_> {
    /// The files of `entries`, which `from` opens, sealed in the newest epoch and signed.
    ///
    /// # Errors
    /// If one of them does not open, or the author has no data key.
    pub fn seal_anew(
        &self,
        entries: &[CheckedEntry],
        from: &Unlocked,
    ) -> Result<Vec<NewFile>, Fault> {
        let seal = |checked: &CheckedEntry| self.seal_as(checked, checked.content().revision, from);
        map_in_parallel(entries, |entries| entries.iter().map(seal).collect())
    }

    /// The file of an entry, which `from` opens, as this revision of it, sealed in the newest epoch and
    /// signed.
    ///
    /// # Errors
    /// If it does not open, or the author has no data key.
    pub fn seal_as(
        &self,
        checked: &CheckedEntry,
        revision: u64,
        from: &Unlocked,
    ) -> Result<NewFile, Fault> {
        let newest = self.environment.newest();
        let (name, mut entry) = (checked.name(), checked.content().clone());
        (entry.epoch, entry.revision) = (newest.number, revision);
        entry.signer = self.name.clone();
        if let Some(value) = from.value(checked)? {
            let key = self.keys.data_key(newest)?.entry_key(name.as_str());
            let environment = &self.environment.name;
            let place = sealing_context(&self.vault, environment, name, &newest.commitment, &entry);
            entry.sealed = Some(crypto::seal(&key, &place, &value));
        }
        Ok(self.sign_in(&newest.commitment, name, &entry))
    }

    /// The files of `entries` as they are, but signed by the author: of what `from` opens, so that
    /// no one vouches for a value that is none.
    ///
    /// # Errors
    /// If one of them does not open.
    pub fn sign_anew(
        &self,
        entries: &[CheckedEntry],
        from: &Unlocked,
    ) -> Result<Vec<NewFile>, Fault> {
        let sign = |checked: &CheckedEntry| {
            from.value(checked)?;
            let mut entry = checked.content().clone();
            entry.signer = self.name.clone();
            Ok(self.sign_in(checked.commitment(), checked.name(), &entry))
        };
        map_in_parallel(entries, |entries| entries.iter().map(sign).collect())
    }
}
