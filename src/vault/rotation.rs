//! An environment under a new data key, and its entries re-encrypted and re-signed.
//!
//! Pure apart from randomness, like [`super::signing`]. A re-encrypted entry keeps its `origin`,
//! `revision`, `changed` and `author`: the value is the same, and was not chosen now.

use std::collections::{BTreeMap, BTreeSet};

use super::format::sealing_context;
use super::model::{Environment, Epoch, LARGEST_NUMBER, Member};
use super::name::MemberName;
use super::parallel::map_in_parallel;
use super::signing::{EntrySigner, RootSigner};
use super::store::NewFile;
use super::trust::CheckedEntry;
use super::unlock::Unlocked;
use crate::crypto::{self, DataKey};
use crate::fault::Fault;

/// What becomes of the epochs before a new one.
#[derive(Clone, Copy)]
pub enum Older<'a> {
    /// They stay, sealed to those of these members who had them.
    For(&'a BTreeSet<MemberName>),
    /// They go: under another id no signature of theirs holds.
    Dropped,
}

impl RootSigner<'_> {
    /// `environment` with a new epoch, sealed to everyone in `members` who has access, and the key
    /// to it.
    ///
    /// # Errors
    /// If a number is the last that there can be.
    pub fn next_epoch(
        &self,
        environment: &Environment,
        members: &BTreeMap<MemberName, Member>,
        older: Older<'_>,
    ) -> Result<(Environment, Unlocked), Fault> {
        let name = &environment.name;
        let number = next(environment.newest().number, environment)?;
        let key = DataKey::generate(&self.id(), name.as_str());
        let sealed = members.iter().filter_map(|(member, record)| {
            let access = record.access.get(name)?;
            Some((
                member.clone(),
                self.sealed(name, number, &key, &record.recipient, access),
            ))
        });
        let mut epochs = vec![Epoch {
            number,
            commitment: key.commitment(),
            sealed: sealed.collect(),
        }];
        if let Older::For(keepers) = older {
            epochs.extend(environment.epochs.iter().cloned().map(|mut epoch| {
                epoch.sealed.retain(|member, _| keepers.contains(member));
                epoch
            }));
        }
        let revision = next(environment.revision, environment)?;
        let environment = Environment {
            name: name.clone(),
            revision,
            epochs,
        };
        let keys = Unlocked::with(self.id(), &environment, key);
        Ok((environment, keys))
    }
}

/// `environment` without its older epochs, whose keys are no longer needed.
///
/// # Errors
/// If its revision is the last that there can be.
pub fn without_older(environment: &Environment) -> Result<Environment, Fault> {
    Ok(Environment {
        name: environment.name.clone(),
        revision: next(environment.revision, environment)?,
        epochs: vec![environment.newest().clone()],
    })
}

fn next(number: u64, environment: &Environment) -> Result<u64, Fault> {
    if number < LARGEST_NUMBER {
        return Ok(number + 1);
    }
    Err(Fault::refused(format!(
        "{} has the last number that there can be",
        environment.name
    )))
}

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
        let newest = self.environment.newest();
        let key = self.keys.data_key(newest.number)?;
        let seal = |checked: &CheckedEntry| {
            let name = checked.name();
            let mut entry = checked.content().clone();
            entry.epoch = newest.number;
            entry.signer = self.name.clone();
            if let Some(value) = from.value(checked)? {
                let environment = &self.environment.name;
                let place =
                    sealing_context(&self.vault, environment, name, &newest.commitment, &entry);
                entry.sealed = Some(crypto::seal(&key.entry_key(name.as_str()), &place, &value));
            }
            Ok(self.sign_in(newest, name, &entry))
        };
        map_in_parallel(entries, |entries| entries.iter().map(seal).collect())
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
            let epoch = self.environment.epoch(entry.epoch).ok_or_else(|| {
                Fault::refused(format!("{} is of an unknown epoch", checked.name()))
            })?;
            Ok(self.sign_in(epoch, checked.name(), &entry))
        };
        map_in_parallel(entries, |entries| entries.iter().map(sign).collect())
    }
}
