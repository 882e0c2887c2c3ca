//! What each key opens in any commit of the clone, compared with what the model allows. Opening is done
//! with the library, as an attacker would: without asking who is a member.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use repovault::crypto::Commitment;
use repovault::keys::Credential;
use repovault::vault::holder::Holder;
use repovault::vault::model::{Environment, Epoch as Numbered, Member as Signed};
use repovault::vault::name::MemberName;
use repovault::vault::trust::{CheckedEntry, Vault};
use repovault::vault::unlock::Unlocked;

use super::access::Access;
use super::model::{Env, Epoch, Key, Secret, State};
use super::people::Person;

#[derive(Default)]
pub(super) struct Knowledge {
    /// Sealed keys that were tried with every key.
    tried: HashSet<Vec<u8>>,
    opened: HashMap<(Key, Commitment), Unlocked>,
    /// The real data key of each epoch.
    real: BTreeMap<Epoch, Commitment>,
    /// Whom an epoch was given to on any branch.
    knowers: BTreeMap<Epoch, BTreeMap<Key, Vec<Access>>>,
    /// The epochs of the states that contain a value.
    sealed_in: BTreeMap<usize, BTreeSet<Epoch>>,
    /// Every sealed value, and the number of the value in it.
    seen: HashMap<u64, (CheckedEntry, Env, Secret, usize)>,
}

/// The identity in a machine's credential.
pub(super) fn identity_of(credential: &str) -> String {
    let credential = Credential::parse(credential).unwrap();
    let text = credential.identity.to_text();
    String::from_utf8(text.expose().to_vec()).unwrap()
}

impl Knowledge {
    /// Tries all keys that are sealed in `member`'s file, whether it counts or not.
    pub(super) fn try_file(
        &mut self,
        vault: &Vault,
        people: &[Person],
        name: &MemberName,
        member: &Signed,
    ) {
        for (env, sealed) in &member.sealed {
            for (commitment, payload) in sealed {
                if !self.tried.insert(payload.clone()) {
                    continue;
                }
                let epoch = Numbered {
                    number: 1,
                    commitment: *commitment,
                };
                let environment = Environment {
                    name: env.clone(),
                    epochs: vec![epoch],
                    given: BTreeSet::new(),
                };
                for (key, person) in people.iter().enumerate() {
                    let identity = person.identity();
                    let holder = Holder::new(vault, name, member, &identity);
                    if let Ok(keys) = holder.unlock(&environment, [*commitment]) {
                        self.opened.insert((key, *commitment), keys);
                    }
                }
            }
        }
    }

    /// The value of an entry, with anyone's key.
    pub(super) fn value(&self, entry: &CheckedEntry) -> Option<String> {
        let keys = self.opened.iter();
        let mut keys = keys.filter(|((_, commitment), _)| commitment == entry.commitment());
        let value = keys.find_map(|(_, keys)| keys.value(entry).ok().flatten())?;
        Some(String::from_utf8(value.expose().to_vec()).unwrap())
    }

    pub(super) fn note(
        &mut self,
        file: u64,
        entry: CheckedEntry,
        place: (Env, Secret),
        value: usize,
    ) {
        self.seen.insert(file, (entry, place.0, place.1, value));
    }

    pub(super) fn is_noted(&self, file: u64) -> bool {
        self.seen.contains_key(&file)
    }

    /// Notes who may read what in a committed state.
    pub(super) fn note_state(&mut self, state: &State) {
        for (env, place) in &state.places {
            let knowers = self.knowers.entry(place.epoch).or_default();
            for (name, member) in &state.members {
                if let Some(access) = member.access.get(env).filter(|_| state.holds(name, env)) {
                    let known = knowers.entry(member.key).or_default();
                    if !known.contains(access) {
                        known.push(access.clone());
                    }
                }
            }
        }
        for ((env, _), entry) in &state.entries {
            if let (Some(value), Some(place)) = (entry.value, state.places.get(env)) {
                self.sealed_in.entry(value).or_default().insert(place.epoch);
            }
        }
    }

    /// The real data key of `epoch`, if it was seen.
    pub(super) fn real(&self, epoch: Epoch) -> Option<Commitment> {
        self.real.get(&epoch).copied()
    }

    pub(super) fn epoch_of(&self, commitment: &Commitment) -> Option<Epoch> {
        let mut real = self.real.iter();
        real.find(|(_, own)| *own == commitment)
            .map(|(epoch, _)| *epoch)
    }

    pub(super) fn set_real(&mut self, epoch: Epoch, commitment: Commitment) {
        self.real.insert(epoch, commitment);
    }

    /// Everyone who can read a value in the clone that they may not know.
    pub(super) fn leaks(&self, people: &[Person]) -> Vec<String> {
        let mut leaks = Vec::new();
        for (entry, env, name, value) in self.seen.values() {
            for (key, person) in people.iter().enumerate() {
                let own = self.opened.get(&(key, *entry.commitment()));
                let opens = own.is_some_and(|keys| keys.value(entry).is_ok());
                if opens && !self.may_know(people, key, name, *value) {
                    leaks.push(format!(
                        "{} (key {key}) can read {name} in {env}: value-{value}",
                        person.name
                    ));
                }
            }
        }
        leaks.sort();
        leaks
    }

    fn may_know(&self, people: &[Person], key: Key, name: Secret, value: usize) -> bool {
        let keys: Vec<Key> = std::iter::successors(Some(key), |key| people[*key].before).collect();
        let epochs = self.sealed_in.get(&value).into_iter().flatten();
        epochs
            .filter_map(|epoch| self.knowers.get(epoch))
            .flat_map(|knowers| keys.iter().filter_map(|key| knowers.get(key)))
            .flatten()
            .any(|access| access.reads(name))
    }
}
