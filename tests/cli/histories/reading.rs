//! What people read with the real binary, compared with the state.

use std::collections::BTreeMap;

use serde_json::Value;

use super::model::{Env, Key, State};
use super::world::{NAMES, World};

impl World {
    /// Everything that `key` reads in `env`; `None` if it is refused.
    fn read(&mut self, key: Key, env: Env) -> Option<BTreeMap<String, String>> {
        let line = ["exec", "--no-mask", "-e", env, "--", "env"];
        let outcome = self.vault(key, &line).outcome();
        let name = self.people[key].name.clone();
        self.log
            .push(format!("  {name}: exec -e {env} -> {}", outcome.status));
        let text = String::from_utf8(outcome.output).unwrap();
        let pairs = text.lines().filter_map(|line| line.split_once('='));
        let own = pairs.filter(|(name, _)| NAMES.contains(name));
        let values = own
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        if outcome.status != 0 {
            self.log.push(outcome.said);
        }
        (outcome.status == 0).then_some(values)
    }

    /// Checks that `name` reads in `env` exactly what they may.
    pub(super) fn check_reader(&mut self, state: &State, name: &str, env: Env) {
        let member = &state.members[name];
        let (key, access) = (member.key, &member.access[env]);
        let credential = self.people[key].credential.as_ref();
        if credential.is_some_and(|own| own.authority != state.authority || own.env != env) {
            return;
        }
        let own = state.entries.iter().filter(|((place, _), _)| *place == env);
        let readable = own.filter(|((_, name), _)| access.reads(name));
        let expected: BTreeMap<String, String> = readable
            .filter_map(|((_, name), entry)| Some(((*name).to_owned(), self.value(entry.value?))))
            .collect();
        let is_open = |(place, _): &(Env, &str)| *place == env;
        let is_unfinished = state.late.contains(&(name.to_owned(), env))
            || state.stale.iter().any(is_open)
            || state.orphans.iter().any(is_open);
        match self.read(key, env) {
            None if is_unfinished => {}
            None => self.fail(&format!("{name} cannot read {env}")),
            Some(values) => {
                let is_part = values
                    .iter()
                    .all(|(name, value)| expected.get(name) == Some(value));
                if !is_part || (values != expected && !is_unfinished) {
                    self.fail(&format!(
                        "{name} reads {values:?} in {env} instead of {expected:?}"
                    ));
                }
            }
        }
    }

    /// Checks one member, chosen at random.
    pub(super) fn check_someone(&mut self, state: &State) {
        let members = state.members.iter();
        let pairs: Vec<(String, Env)> = members
            .flat_map(|(name, member)| member.access.keys().map(|env| (name.clone(), *env)))
            .collect();
        if let Some((name, env)) = self.random.one(&pairs) {
            self.check_reader(state, &name, env);
        }
    }

    /// Checks everyone: members read what they may, and all other keys read nothing.
    pub(super) fn check_everyone(&mut self, state: &State) {
        for (name, member) in &state.members {
            for env in member.access.keys() {
                self.check_reader(state, name, env);
            }
        }
        for key in 0..self.people.len() {
            let member = state.members.values().find(|member| member.key == key);
            for env in state.places.keys() {
                if member.is_some_and(|member| member.access.contains_key(env)) {
                    continue;
                }
                if let Some(values) = self.read(key, env).filter(|values| !values.is_empty()) {
                    self.fail(&format!(
                        "key {key} reads {values:?} in {env} without access"
                    ));
                }
            }
        }
    }

    /// Runs `verify`, and checks that it reports exactly what the state leaves unfinished.
    pub(super) fn check_verify(&mut self, state: &State) {
        let line = ["verify", "--json"];
        let home = self.sandbox.home().join("nobody").display().to_string();
        let run = self.sandbox.vault(&line).any_change();
        let outcome = run
            .variable("HOME", &home)
            .variable("VAULT_ID", &self.id)
            .outcome();
        self.log
            .push(format!("  vault verify -> {}", outcome.status));
        let report: Value = match serde_json::from_slice(&outcome.output) {
            Ok(report) => report,
            Err(_) => self.fail(&format!("verify fails: {}", outcome.said)),
        };
        for finding in report["findings"].as_array().unwrap() {
            let text = |key: &str| finding[key].as_str().unwrap_or_default();
            let is_expected = match text("kind") {
                "cannot-read-yet" => state
                    .late
                    .iter()
                    .any(|(name, env)| name == text("member") && *env == text("environment")),
                "old-epoch" => state
                    .stale
                    .iter()
                    .any(|(env, name)| *name == text("name") && *env == text("environment")),
                "unexpected-file" => state
                    .strays
                    .iter()
                    .any(|env| text("file") == format!(".vault/{env}")),
                "refused" => state
                    .orphans
                    .iter()
                    .any(|(env, name)| text("file") == format!(".vault/{env}/{name}.toml")),
                _ => false,
            };
            if !is_expected {
                self.fail(&format!("verify reports {finding:#}"));
            }
        }
    }
}
