//! The changes that people make on a branch: what they type, and the state that it must lead to.

use std::collections::BTreeSet;

use super::access::{Access, covers, reads_less};
use super::model::{Entry, Env, Member, Place, State};
use super::world::{ENVS, NAMES, World};

/// A command and its result.
pub(super) struct Change {
    pub(super) by: String,
    pub(super) words: Vec<String>,
    pub(super) input: String,
    pub(super) after: State,
    /// Whether it writes several files, so that it can be interrupted.
    pub(super) is_long: bool,
}

fn change(by: &str, line: &str, after: State) -> Change {
    Change {
        by: by.to_owned(),
        words: line.split_whitespace().map(str::to_owned).collect(),
        input: String::new(),
        after,
        is_long: false,
    }
}

fn long(by: &str, line: &str, after: State) -> Change {
    Change {
        is_long: true,
        ..change(by, line, after)
    }
}

impl World {
    /// A change that someone can make now, or `None`.
    pub(super) fn change(&mut self) -> Option<Change> {
        let state = self.present();
        match self.random.below(20) {
            0..=4 => self.set(state),
            5 => self.remove(state),
            6 | 7 => self.join(state),
            8 | 9 => self.add_without_request(state),
            10..=12 => self.grant(state),
            13 | 14 => self.take(state),
            15 => self.rotate(state),
            16 => self.leave(state),
            17 => self.replace_key(state),
            18 => self.change_environments(state),
            _ => self.promote(state),
        }
    }

    fn any_place(&mut self, state: &State) -> Option<Env> {
        self.random
            .one(&state.places.keys().copied().collect::<Vec<_>>())
    }

    fn writer(&mut self, state: &State, env: Env) -> Option<String> {
        let names = state.names_of(|_| true);
        let writers: Vec<String> = names
            .into_iter()
            .filter(|name| state.writes(name, env))
            .collect();
        self.random.one(&writers)
    }

    fn admin(&mut self, state: &State) -> Option<String> {
        self.random.one(&state.full_admins())
    }

    /// A member who is not an admin.
    fn plain_member(&mut self, state: &State) -> Option<String> {
        self.random.one(&state.names_of(|member| !member.is_admin))
    }

    fn set(&mut self, mut state: State) -> Option<Change> {
        let env = self.any_place(&state)?;
        let name = self.random.one(&NAMES)?;
        let by = self.writer(&state, env)?;
        let value = self.number();
        let revision = state
            .entries
            .get(&(env, name))
            .map_or(0, |entry| entry.revision);
        let entry = Entry {
            value: Some(value),
            revision: revision + 1,
            file: 0,
        };
        state.entries.insert((env, name), entry);
        let input = self.value(value);
        Some(Change {
            input,
            ..change(&by, &format!("set {name} -e {env} -q"), state)
        })
    }

    fn remove(&mut self, mut state: State) -> Option<Change> {
        let env = self.any_place(&state)?;
        let by = self.writer(&state, env)?;
        let own = state.entries.iter();
        let live = own.filter(|((place, _), entry)| *place == env && entry.value.is_some());
        let names: Vec<&str> = live.map(|((_, name), _)| *name).collect();
        let name = self.random.one(&names)?;
        let entry = state.entries.get_mut(&(env, name)).unwrap();
        (entry.value, entry.revision) = (None, entry.revision + 1);
        Some(change(&by, &format!("remove {name} -e {env} -q"), state))
    }

    /// Someone asks, and an admin gives them access to one or two environments.
    fn join(&mut self, mut state: State) -> Option<Change> {
        let by = self.admin(&state).filter(|_| state.members.len() < 7)?;
        let name = self.new_name();
        let key = self.newcomer(&name);
        let told = self.ask(key, &name, &[]);
        let mut line = format!("members add {name} --fingerprint {told} -q");
        let mut member = Member {
            key,
            signs: true,
            is_admin: false,
            access: [].into(),
            revision: 0,
            file: 0,
        };
        for _ in 0..=self.random.below(2) {
            let env = self.any_place(&state)?;
            let access = self.random.one(&[Access::Write, Access::Read])?;
            if member.access.contains_key(env) {
                continue;
            }
            line = format!("{line} -e {env}={}", access.spelled());
            member.access.insert(env, access);
        }
        state.members.insert(name, member);
        Some(change(&by, &line, state))
    }

    /// A machine, or a person who only reads.
    fn add_without_request(&mut self, mut state: State) -> Option<Change> {
        let by = self.admin(&state).filter(|_| state.members.len() < 7)?;
        let (name, env) = (self.new_name(), self.any_place(&state)?);
        let mut member = Member {
            key: 0,
            signs: false,
            is_admin: false,
            access: [].into(),
            revision: 0,
            file: 0,
        };
        if self.random.once_in(2) {
            member.key = self.newcomer(&name);
            let recipient = self.people[member.key].recipient();
            self.keep_identity(member.key);
            member.access.insert(env, Access::Read);
            state.members.insert(name.clone(), member);
            let line = format!("members add {name} --recipient {recipient} -e {env}=read -q");
            return Some(change(&by, &line, state));
        }
        let names: BTreeSet<&'static str> = NAMES
            .into_iter()
            .filter(|_| self.random.once_in(2))
            .collect();
        let only = if names.is_empty() {
            String::new()
        } else {
            format!(" --only {}", Access::Names(names.clone()).spelled())
        };
        let access = if names.is_empty() {
            Access::Read
        } else {
            Access::Names(names)
        };
        member.access.insert(env, access);
        // The credential is printed, so the key is known only afterward.
        member.key = self.people.len();
        state.members.insert(name.clone(), member);
        Some(change(
            &by,
            &format!("ci add {name} -e {env}{only} -q"),
            state,
        ))
    }

    fn grant(&mut self, mut state: State) -> Option<Change> {
        let by = self.admin(&state)?;
        let (name, env) = (self.plain_member(&state)?, self.any_place(&state)?);
        let old = state.access(&name, env).cloned();
        let mut choices = vec![
            Access::Read,
            Access::Names(["A"].into()),
            Access::Names(["A", "B"].into()),
        ];
        choices.extend(state.members[&name].signs.then_some(Access::Write));
        choices.retain(|access| covers(Some(access), old.as_ref()) && Some(access) != old.as_ref());
        let access = self.random.one(&choices)?;
        let line = format!("members set {name} -e {env}={} -q", access.spelled());
        state.members.get_mut(&name)?.access.insert(env, access);
        state.late.remove(&(name, env));
        Some(change(&by, &line, state))
    }

    fn take(&mut self, mut state: State) -> Option<Change> {
        let by = self.admin(&state)?;
        let (name, env) = (self.plain_member(&state)?, self.any_place(&state)?);
        let old = state.access(&name, env).cloned();
        let mut choices = vec![
            None,
            Some(Access::Read),
            Some(Access::Names(["A"].into())),
            Some(Access::Names(["B"].into())),
        ];
        choices.retain(|access| covers(old.as_ref(), access.as_ref()) && *access != old);
        let access = self.random.one(&choices)?;
        let spelled = access.as_ref().map_or("none".to_owned(), Access::spelled);
        state.tags.insert(self.number());
        if access.is_none() || reads_less(access.as_ref(), old.as_ref()) {
            self.start_epoch(&mut state, env);
        }
        let own = &mut state.members.get_mut(&name)?.access;
        match access {
            Some(access) => drop(own.insert(env, access)),
            None => drop(own.remove(env)),
        }
        Some(long(
            &by,
            &format!("members set {name} -e {env}={spelled} --yes -q"),
            state,
        ))
    }

    fn rotate(&mut self, mut state: State) -> Option<Change> {
        let (by, env) = (self.admin(&state)?, self.any_place(&state)?);
        state.tags.insert(self.number());
        self.start_epoch(&mut state, env);
        Some(long(&by, &format!("rotate -e {env} -q"), state))
    }

    fn leave(&mut self, mut state: State) -> Option<Change> {
        let (by, name) = (self.admin(&state)?, self.plain_member(&state)?);
        state.dismiss(&name);
        state.tags.insert(self.number());
        self.start_all_epochs(&mut state);
        Some(long(&by, &format!("members remove {name} --yes -q"), state))
    }

    /// Someone lost their key. Those who write ask with the new one.
    fn replace_key(&mut self, mut state: State) -> Option<Change> {
        let (by, name) = (self.admin(&state)?, self.plain_member(&state)?);
        let old = state.members[&name].clone();
        if self.people[old.key].credential.is_some() {
            return None;
        }
        let key = self.newcomer(&name);
        self.people[key].before = Some(old.key);
        let told = if old.signs {
            let told = self.ask(key, &name, &["--new-key"]);
            format!(" --fingerprint {told}")
        } else {
            self.keep_identity(key);
            String::new()
        };
        state.former_keys.insert(old.key);
        state.members.get_mut(&name)?.key = key;
        state.tags.insert(self.number());
        self.start_all_epochs(&mut state);
        let recipient = self.people[key].recipient();
        let line = format!("members set {name} --recipient {recipient}{told} --yes -q");
        Some(long(&by, &line, state))
    }

    fn change_environments(&mut self, mut state: State) -> Option<Change> {
        let (by, env) = (self.admin(&state)?, ENVS[2]);
        if state.places.contains_key(env) {
            state.places.remove(env);
            state.entries.retain(|(place, _), _| *place != env);
            state.late.retain(|(_, place)| *place != env);
            for member in state.members.values_mut() {
                member.access.remove(env);
            }
            state.tags.insert(self.number());
            return Some(long(
                &by,
                &format!("environments remove {env} --yes -q"),
                state,
            ));
        }
        let epoch = self.number();
        state.places.insert(
            env,
            Place {
                made: [epoch].into(),
                epoch,
            },
        );
        for member in state.members.values_mut().filter(|member| member.is_admin) {
            member.access.insert(env, Access::Write);
        }
        Some(long(&by, &format!("environments add {env} -q"), state))
    }

    fn promote(&mut self, mut state: State) -> Option<Change> {
        let by = self.admin(&state)?;
        let signers = state.names_of(|member| member.signs && !member.is_admin);
        let name = self.random.one(&signers)?;
        state.members.get_mut(&name)?.is_admin = true;
        Some(change(
            &by,
            &format!("members set {name} --admin -q"),
            state,
        ))
    }

    /// A change that no branch may be merged after.
    pub(super) fn rare_change(&mut self) -> Option<Change> {
        let mut state = self.present();
        let by = self.admin(&state)?;
        let others = state.names_of(|member| member.is_admin);
        let others: Vec<String> = others.into_iter().filter(|name| *name != by).collect();
        let line = match (self.random.below(4), self.random.one(&others)) {
            (0, _) => return Some(change(&by, "rotate --finish --forget -q", state)),
            (1, Some(name)) => {
                state.dismiss(&name);
                format!("members remove {name} --yes -q")
            }
            (2, Some(name)) => {
                state.members.get_mut(&name)?.is_admin = false;
                format!("members set {name} --no-admin --yes -q")
            }
            _ => "rotate --authority --yes -q".to_owned(),
        };
        state.authority = self.number();
        state.tags = [self.number()].into();
        self.start_all_epochs(&mut state);
        Some(change(&by, &line, state))
    }

    /// A new data key for everyone with access, also for those who could not read yet.
    pub(super) fn start_epoch(&mut self, state: &mut State, env: Env) {
        state.places.get_mut(env).unwrap().epoch = self.number();
        state.late.retain(|(_, place)| *place != env);
    }

    pub(super) fn start_all_epochs(&mut self, state: &mut State) {
        for env in state.places.keys().copied().collect::<Vec<_>>() {
            self.start_epoch(state, env);
        }
    }
}
