//! The opened keys of an environment, and the values that they open.
//!
//! Takes checked content only.

use std::collections::BTreeMap;

use super::format::{entry_path, sealing_context};
use super::model::{Epoch, LONGEST_VALUE};
use super::name::{EnvironmentName, SecretName};
use super::parallel::map_in_parallel;
use super::trust::CheckedEntry;
use crate::crypto::{self, Commitment, DataKey, EntryKey, Framed, VaultId};
use crate::fault::Fault;
use crate::platform;
use crate::secret::{Key, Secret};

/// The keys to one environment.
pub struct Unlocked {
    pub(super) vault: VaultId,
    pub(super) environment: EnvironmentName,
    /// By the commitment of their epoch.
    pub(super) keys: BTreeMap<Commitment, EpochKey>,
}

/// The key of one epoch, or the keys of a few names in it.
pub(super) enum EpochKey {
    Whole(DataKey),
    Names(BTreeMap<SecretName, EntryKey>),
}

impl Unlocked {
    /// The keys of the process that has just made `key`, the data key of an epoch of `environment`.
    #[must_use]
    pub fn with(vault: VaultId, environment: &EnvironmentName, key: DataKey) -> Self {
        Self {
            vault,
            environment: environment.clone(),
            keys: BTreeMap::from([(key.commitment(), EpochKey::Whole(key))]),
        }
    }

    /// Names and values of `entries`, tombstones left out.
    ///
    /// # Errors
    /// As [`Unlocked::value`], for one of them.
    pub fn values(&self, entries: &[CheckedEntry]) -> Result<Vec<(SecretName, Secret)>, Fault> {
        map_in_parallel(entries, |entries| {
            let named = |entry: &CheckedEntry| {
                let value = self.value(entry)?;
                Ok(value.map(|value| (entry.name().clone(), value)))
            };
            entries
                .iter()
                .filter_map(|entry| named(entry).transpose())
                .collect()
        })
    }

    /// The value of `entry`, or `None` for a tombstone.
    ///
    /// # Errors
    /// If the member has no key to this name, or the sealed value does not open in its place.
    pub fn value(&self, entry: &CheckedEntry) -> Result<Option<Secret>, Fault> {
        let (name, commitment, entry) = (entry.name(), entry.commitment(), entry.content());
        let Some(sealed) = &entry.sealed else {
            return Ok(None);
        };
        let key = self.keys.get(commitment).ok_or_else(|| {
            Fault::locked(format!(
                "no key to epoch {} of {}",
                entry.epoch, self.environment
            ))
        })?;
        let place = sealing_context(&self.vault, &self.environment, name, commitment, entry);
        let value = match key {
            EpochKey::Whole(key) => crypto::open(&key.entry_key(name.as_str()), &place, sealed),
            EpochKey::Names(keys) => {
                let key = keys.get(name).ok_or_else(|| {
                    Fault::locked(format!(
                        "{name} in {} is not sealed to you",
                        self.environment
                    ))
                    .hint("ask an admin for access to this name")
                })?;
                crypto::open(key, &place, sealed)
            }
        };
        let refused = || {
            let path = entry_path(&self.environment, name);
            Fault::damaged_file(&path, "its value cannot be decrypted in this place")
        };
        value
            .filter(|value| value.len() <= LONGEST_VALUE)
            .map(Some)
            .ok_or_else(refused)
    }

    /// The data key of `epoch`.
    ///
    /// # Errors
    /// If it was not unlocked, or the member has the keys of a few names only.
    pub fn data_key(&self, epoch: &Epoch) -> Result<&DataKey, Fault> {
        match self.keys.get(&epoch.commitment) {
            Some(EpochKey::Whole(key)) => Ok(key),
            _ => Err(Fault::locked(format!(
                "only some names of {} are sealed to you, not its data key",
                self.environment
            ))
            .hint("ask an admin who can read all of it: `vault members list`")),
        }
    }
}

/// The payload for a member who may read everything: the data key.
#[must_use]
pub fn data_key_payload(vault: &VaultId, environment: &EnvironmentName, key: &DataKey) -> Secret {
    let mut payload = place(DATA_KEY, vault, environment, &key.commitment());
    append(&mut payload, key.expose());
    payload
}

/// The payload for a limited member: the keys of `names`.
#[must_use]
pub fn entry_keys_payload<'a>(
    vault: &VaultId,
    environment: &EnvironmentName,
    key: &DataKey,
    names: impl IntoIterator<Item = &'a SecretName>,
) -> Secret {
    let mut payload = place(ENTRY_KEYS, vault, environment, &key.commitment());
    for name in names {
        append(&mut payload, name.as_str().as_bytes());
        append(&mut payload, key.entry_key(name.as_str()).expose());
    }
    payload
}

const DATA_KEY: &str = "vault/v1/data-key";
const ENTRY_KEYS: &str = "vault/v1/entry-keys";

/// The public start of a payload, which binds the following keys to their place.
fn place(
    label: &str,
    vault: &VaultId,
    environment: &EnvironmentName,
    commitment: &Commitment,
) -> Secret {
    let place = Framed::new(label)
        .part(vault.as_bytes())
        .part(environment.as_str().as_bytes())
        .part(&commitment.0);
    Secret::new(place.into_bytes())
}

fn append(payload: &mut Secret, part: &[u8]) {
    payload.extend(&(part.len() as u64).to_be_bytes());
    payload.extend(part);
}

/// Takes the first part off framed bytes.
fn take<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, after) = rest.split_first_chunk::<8>()?;
    let length = usize::try_from(u64::from_be_bytes(*length)).ok()?;
    let (part, after) = after.split_at_checked(length)?;
    *rest = after;
    Some(part)
}

impl EpochKey {
    /// Keeps it out of swap.
    pub(super) fn lock(&self) {
        match self {
            Self::Whole(key) => key.parts().into_iter().for_each(platform::lock_memory),
            Self::Names(keys) => keys
                .values()
                .for_each(|key| platform::lock_memory(key.expose())),
        }
    }

    /// Opens the sealed value of `name` in `place`. Returns `None` without a key for it.
    pub(super) fn open(&self, name: &SecretName, place: &[u8], sealed: &[u8]) -> Option<Secret> {
        match self {
            Self::Whole(key) => crypto::open(&key.entry_key(name.as_str()), place, sealed),
            Self::Names(keys) => crypto::open(keys.get(name)?, place, sealed),
        }
    }

    /// Reads what was unsealed, if it belongs to the epoch with this commitment in this place.
    pub(super) fn read(
        payload: &Secret,
        vault: &VaultId,
        environment: &EnvironmentName,
        commitment: &Commitment,
    ) -> Option<Self> {
        let after = |label| {
            let start = place(label, vault, environment, commitment);
            payload.expose().strip_prefix(start.expose())
        };
        if let Some(mut rest) = after(DATA_KEY) {
            let key = DataKey::new(
                Key::from_slice(take(&mut rest)?)?,
                vault,
                environment.as_str(),
            );
            let complete = rest.is_empty() && key.commitment() == *commitment;
            return complete.then_some(Self::Whole(key));
        }
        let mut rest = after(ENTRY_KEYS)?;
        let mut keys = BTreeMap::new();
        while !rest.is_empty() {
            let name: SecretName = std::str::from_utf8(take(&mut rest)?).ok()?.parse().ok()?;
            if keys.last_key_value().is_some_and(|(last, _)| *last >= name) {
                return None;
            }
            keys.insert(name, EntryKey::new(Key::from_slice(take(&mut rest)?)?));
        }
        Some(Self::Names(keys))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::SigningKey;
    use crate::crypto::random_key;

    #[test]
    fn keys_of_a_limited_member_are_unique_and_sorted() {
        let vault = VaultId::new(SigningKey::generate().public());
        let environment: EnvironmentName = "production".parse().unwrap();
        let key = DataKey::new(random_key(), &vault, environment.as_str());
        let names = |names: &[&str]| {
            let names: Vec<SecretName> = names.iter().map(|name| name.parse().unwrap()).collect();
            let payload = entry_keys_payload(&vault, &environment, &key, &names);
            EpochKey::read(&payload, &vault, &environment, &key.commitment())
        };
        assert!(matches!(names(&[]), Some(EpochKey::Names(_))));
        assert!(matches!(names(&["A", "B"]), Some(EpochKey::Names(_))));
        assert!(names(&["B", "A"]).is_none());
        assert!(names(&["A", "A"]).is_none());
    }

    #[test]
    fn payload_opens_only_in_its_own_place() {
        let vault = VaultId::new(SigningKey::generate().public());
        let environment: EnvironmentName = "production".parse().unwrap();
        let other: EnvironmentName = "staging".parse().unwrap();
        let key = DataKey::new(random_key(), &vault, environment.as_str());
        let (own, foreign) = (key.commitment(), Commitment([7; 32]));
        let payload = data_key_payload(&vault, &environment, &key);
        assert!(EpochKey::read(&payload, &vault, &environment, &own).is_some());
        assert!(EpochKey::read(&payload, &vault, &environment, &foreign).is_none());
        assert!(EpochKey::read(&payload, &vault, &other, &own).is_none());
        let stranger = VaultId::new(SigningKey::generate().public());
        assert!(EpochKey::read(&payload, &stranger, &environment, &own).is_none());
        let mut longer = data_key_payload(&vault, &environment, &key);
        longer.extend(&[0]);
        assert!(EpochKey::read(&longer, &vault, &environment, &own).is_none());
    }
}
