//! The files of a vault, compared with the state that the model expects.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::hash::{Hash, Hasher};

use repovault::platform::Dir;
use repovault::vault::format::{member_file, parse_member};
use repovault::vault::model::{Access as Real, Member as Signed};
use repovault::vault::name::{EnvironmentName, MemberName, SecretName};
use repovault::vault::store::Tree;
use repovault::vault::trust::{UnverifiedRoot, Vault};

use super::access::Access;
use super::model::{Env, File, Secret, State};
use super::world::{ENVS, World};

fn environment(env: Env) -> EnvironmentName {
    env.parse().unwrap()
}

/// As the command line spells it.
fn spelled(access: &Real) -> String {
    match access {
        Real::Write => "write".to_owned(),
        Real::Read => "read".to_owned(),
        Real::Names(names) => names
            .iter()
            .map(SecretName::as_str)
            .collect::<Vec<_>>()
            .join(","),
    }
}

/// A member's recipient, whether they are an admin, and their access.
type Shown = (String, bool, BTreeMap<String, String>);

impl World {
    pub(super) fn file(&self, path: &str) -> File {
        let mut hasher = DefaultHasher::new();
        fs::read(self.sandbox.store(path)).ok().hash(&mut hasher);
        hasher.finish()
    }

    /// The vault in the working tree, whose root must be valid.
    pub(super) fn read_vault(&self) -> Vault {
        let dir = Dir::open(&self.sandbox.store("")).unwrap().unwrap();
        let root = UnverifiedRoot::read(Tree::Working(dir));
        match root.and_then(UnverifiedRoot::into_vault) {
            Ok(vault) => vault,
            Err(fault) => self.fail(&format!("the root is not valid: {fault:#}")),
        }
    }

    /// Compares the working tree with `state`, and adds to it what the model does not decide: files,
    /// epochs that a merge started without need, and what is still to be finished.
    pub(super) fn observe(&mut self, state: &mut State, is_merge: bool) {
        let vault = self.read_vault();
        state.root = self.file("root.toml");
        self.observe_members(state, &vault);
        self.observe_epochs(state, &vault, is_merge);
        self.observe_late(state, &vault);
        self.observe_entries(state, &vault, is_merge);
        self.knowledge.note_state(state);
    }

    fn observe_members(&mut self, state: &mut State, vault: &Vault) {
        let membership = match vault.membership() {
            Ok(membership) => membership,
            Err(fault) => self.fail(&format!("the members cannot be read: {fault:#}")),
        };
        let real: BTreeMap<String, Shown> = membership
            .members
            .iter()
            .map(|(name, member)| {
                let access = member.access.iter();
                let access = access.map(|(env, access)| (env.to_string(), spelled(access)));
                let shown = (
                    member.recipient.to_string(),
                    member.is_admin(),
                    access.collect(),
                );
                (name.to_string(), shown)
            })
            .collect();
        let expected: BTreeMap<String, Shown> = state
            .members
            .iter()
            .map(|(name, member)| {
                let access = member.access.iter();
                let access = access.map(|(env, access)| ((*env).to_owned(), access.spelled()));
                let recipient = self.people[member.key].recipient();
                (name.clone(), (recipient, member.is_admin, access.collect()))
            })
            .collect();
        if real != expected {
            self.fail(&format!("members are {real:#?}\ninstead of {expected:#?}"));
        }
        let former = membership.root.former.keys().map(MemberName::as_str);
        let former: BTreeSet<String> = former
            .filter(|name| !name.contains("-until-"))
            .map(str::to_owned)
            .collect();
        if former != state.former {
            self.fail(&format!(
                "former members are {former:?} instead of {:?}",
                state.former
            ));
        }
        for name in state.members.keys().cloned().collect::<Vec<_>>() {
            let file = self.file(&format!("members/{name}.toml"));
            let revision = membership.members[&name.parse::<MemberName>().unwrap()].revision;
            let own = state.members.get_mut(&name).unwrap();
            (own.file, own.revision) = (file, revision);
        }
        for (name, member) in self.all_members() {
            self.knowledge.try_file(vault, &self.people, &name, &member);
        }
    }

    /// All members' files, whether they count or not.
    fn all_members(&self) -> Vec<(MemberName, Signed)> {
        let files = fs::read_dir(self.sandbox.store("members")).unwrap();
        let names = files.filter_map(|file| {
            let file = file.unwrap().file_name().into_string().unwrap();
            file.strip_suffix(".toml")?.parse::<MemberName>().ok()
        });
        let read = |name: MemberName| {
            let path = self.sandbox.store(&format!("members/{name}.toml"));
            let file = member_file(&name, &fs::read(path).ok()?).ok()?;
            let member = parse_member(&name, &file).ok()?;
            Some((name, member))
        };
        names.filter_map(read).collect()
    }

    /// Each epoch of the model has a data key of its own. A merge may start more than the model.
    fn observe_epochs(&mut self, state: &mut State, vault: &Vault, is_merge: bool) {
        let real: BTreeSet<String> = vault
            .root()
            .environments
            .keys()
            .map(ToString::to_string)
            .collect();
        let expected: BTreeSet<String> = state.places.keys().map(|env| (*env).to_owned()).collect();
        if real != expected {
            self.fail(&format!(
                "environments are {real:?} instead of {expected:?}"
            ));
        }
        for (env, place) in &mut state.places {
            let newest = vault
                .environment(&environment(env))
                .unwrap()
                .newest()
                .commitment;
            let known = self.knowledge.epoch_of(&newest);
            match self.knowledge.real(place.epoch) {
                Some(real) if real == newest => {}
                None if known.is_none() => self.knowledge.set_real(place.epoch, newest),
                Some(_) if known.is_none() && is_merge => {
                    place.epoch = self.number();
                    self.knowledge.set_real(place.epoch, newest);
                    self.log
                        .push(format!("  (a new epoch of {env} without need)"));
                }
                own => self.fail(&format!(
                    "{env} has the epoch {known:?} instead of {} ({own:?})",
                    place.epoch
                )),
            }
        }
    }

    fn observe_late(&mut self, state: &mut State, vault: &Vault) {
        let mut late = BTreeSet::new();
        let membership = vault.membership().unwrap();
        for env in state.places.keys() {
            let checked = vault.environment(&environment(env)).unwrap();
            for name in state.names_of(|member| member.access.contains_key(env)) {
                let member = &membership.members[&name.parse::<MemberName>().unwrap()];
                if member.sealed_key(&checked.name, checked.newest()).is_none() {
                    late.insert((name, *env));
                }
            }
        }
        if !late.is_subset(&state.late) {
            self.fail(&format!(
                "cannot read yet: {late:?}, expected {:?}",
                state.late
            ));
        }
        state.late = late;
    }

    fn observe_entries(&mut self, state: &mut State, vault: &Vault, is_merge: bool) {
        let places: Vec<Env> = state.places.keys().copied().collect();
        state.stale.clear();
        state.orphans.clear();
        state.strays.clear();
        for env in ENVS
            .into_iter()
            .filter(|env| !state.places.contains_key(env))
        {
            if self.sandbox.store(env).exists() {
                state.strays.insert(env);
            }
        }
        if !state.strays.is_empty() && !is_merge {
            self.fail(&format!("files of {:?} are left", state.strays));
        }
        for env in places {
            let own = state.entries.keys().filter(|(place, _)| *place == env);
            let expected: BTreeSet<String> = own.map(|(_, name)| (*name).to_owned()).collect();
            let real = vault.entry_names(&environment(env)).unwrap();
            let real: BTreeSet<String> = real.iter().map(ToString::to_string).collect();
            if real != expected {
                self.fail(&format!("{env} has {real:?} instead of {expected:?}"));
            }
        }
        for (env, name) in state.entries.keys().copied().collect::<Vec<_>>() {
            self.observe_entry(state, vault, (env, name), is_merge);
        }
    }

    fn observe_entry(
        &mut self,
        state: &mut State,
        vault: &Vault,
        (env, name): (Env, Secret),
        is_merge: bool,
    ) {
        let file = self.file(&format!("{env}/{name}.toml"));
        let place = environment(env);
        let (checked, secret) = (vault.environment(&place).unwrap(), name.parse().unwrap());
        let signer = vault
            .claimed_signer(&place, &secret)
            .map(|signer| signer.to_string());
        let entry = match vault.entry(checked, &secret) {
            Ok(entry) => entry.unwrap(),
            Err(fault) => {
                let signer = signer.unwrap();
                let may_write = state.access(&signer, env) == Some(&Access::Write);
                if may_write && !self.has_other_key(state, &signer) || !is_merge {
                    self.fail(&format!("{name} in {env} is refused: {fault:#}"));
                }
                state.orphans.insert((env, name));
                state.entries.get_mut(&(env, name)).unwrap().file = file;
                return;
            }
        };
        if !entry.is_newest(checked) {
            state.stale.insert((env, name));
        }
        let content = entry.content();
        let own = state.entries.get_mut(&(env, name)).unwrap();
        (own.file, own.revision) = (file, content.revision);
        let own = own.clone();
        if content.sealed.is_some() != own.value.is_some() {
            self.fail(&format!("{name} in {env} is not {own:?}"));
        }
        let Some(value) = own.value.filter(|_| !self.knowledge.is_noted(file)) else {
            return;
        };
        let real = self.knowledge.value(&entry);
        if real != Some(self.value(value)) {
            self.fail(&format!(
                "{name} in {env} is {real:?} instead of value-{value}"
            ));
        }
        self.knowledge.note(file, entry, (env, name), value);
    }

    /// Whether `name` had another key in any state: what it signed then is refused.
    fn has_other_key(&self, state: &State, name: &str) -> bool {
        let key = state.members[name].key;
        let mut others = self
            .commits
            .values()
            .filter_map(|state| state.members.get(name));
        others.any(|member| member.key != key)
    }
}
