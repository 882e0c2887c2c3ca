//! Persons and machines with keys of their own, and their runs of `vault`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use repovault::crypto::{Identity, NativeKind};

use super::knowledge::identity_of;
use super::model::{Env, Key, State};
use super::world::World;
use crate::support::sandbox::{Outcome, Run, Sandbox};

/// Someone with a key, and on each branch a memory of their own: a person looks at one branch at a time.
#[derive(Clone)]
pub(super) struct Person {
    pub(super) name: String,
    /// Their HOME, below that of the sandbox.
    pub(super) folder: String,
    /// The key that this one replaces: older values are sealed to its owner again.
    pub(super) before: Option<Key>,
    /// The identity as text.
    pub(super) identity: String,
    pub(super) credential: Option<MachineKey>,
}

/// The credential of a machine.
#[derive(Clone)]
pub(super) struct MachineKey {
    text: String,
    /// What it is for.
    pub(super) authority: usize,
    pub(super) env: Env,
}

impl Person {
    pub(super) fn home(&self, sandbox: &Sandbox) -> PathBuf {
        sandbox.home().join(&self.folder)
    }

    pub(super) fn state(&self, sandbox: &Sandbox, branch: &str) -> PathBuf {
        self.home(sandbox).join("state").join(branch)
    }

    pub(super) fn identity(&self) -> Identity {
        Identity::parse(&self.identity).unwrap()
    }

    pub(super) fn recipient(&self) -> String {
        self.identity().recipient().to_string()
    }
}

/// The identity that a run of `vault` made in a HOME.
pub(super) fn made_identity(home: &std::path::Path) -> String {
    let text = fs::read_to_string(home.join(".config/vault/identity.txt")).unwrap();
    let line = text
        .lines()
        .find(|line| line.starts_with("AGE-SECRET-KEY-"));
    line.unwrap().to_owned()
}

impl World {
    /// A run of `vault` with the keys of `key` on the present branch.
    pub(super) fn vault<S: AsRef<str>>(&self, key: Key, words: &[S]) -> Run<'_> {
        let person = &self.people[key];
        let (home, state) = (
            person.home(&self.sandbox),
            person.state(&self.sandbox, &self.branch),
        );
        let run = self
            .sandbox
            .vault(words)
            .any_change()
            .variable("HOME", home.to_str().unwrap())
            .variable("XDG_STATE_HOME", state.to_str().unwrap());
        match &person.credential {
            Some(credential) => run.variable("VAULT_KEY", &credential.text),
            // Someone new on this branch was sent the id.
            None if !state.exists() => run.variable("VAULT_ID", &self.id),
            None => run,
        }
    }

    /// Runs `vault` as the member `name`, and notes it.
    pub(super) fn run(
        &mut self,
        state: &State,
        name: &str,
        words: &[String],
        input: &str,
    ) -> Outcome {
        let key = state.members[name].key;
        let outcome = self.vault(key, words).input(input).outcome();
        let line = format!("  {name}: vault {} -> {}", words.join(" "), outcome.status);
        self.log.push(line);
        outcome
    }

    /// As [`Self::run`], for a command that must succeed. Returns standard output.
    pub(super) fn run_well(
        &mut self,
        state: &State,
        name: &str,
        words: &[String],
        input: &str,
    ) -> String {
        let outcome = self.run(state, name, words, input);
        if outcome.status != 0 {
            self.fail(&format!("{name}: vault {words:?} fails:\n{}", outcome.said));
        }
        String::from_utf8(outcome.output).unwrap()
    }

    /// A new person or machine without keys.
    pub(super) fn newcomer(&mut self, name: &str) -> Key {
        let key = self.people.len();
        let person = Person {
            name: name.to_owned(),
            before: None,
            folder: format!("{name}-{key}"),
            identity: String::from_utf8(
                Identity::generate(NativeKind::Hybrid)
                    .to_text()
                    .expose()
                    .to_vec(),
            )
            .unwrap(),
            credential: None,
        };
        fs::create_dir_all(person.home(&self.sandbox)).unwrap();
        self.people.push(person);
        key
    }

    /// A machine with this credential.
    pub(super) fn machine(
        &mut self,
        name: &str,
        env: Env,
        credential: &str,
        authority: usize,
    ) -> Key {
        let key = self.newcomer(name);
        let text = credential.trim().to_owned();
        let person = &mut self.people[key];
        person.identity = identity_of(&text);
        person.credential = Some(MachineKey {
            text,
            authority,
            env,
        });
        key
    }

    /// Puts the identity of a newcomer who does not ask to join into their HOME.
    pub(super) fn keep_identity(&self, key: Key) {
        let person = &self.people[key];
        let folder = person.home(&self.sandbox).join(".config/vault");
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("identity.txt");
        fs::write(&file, format!("{}\n", person.identity)).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// Gives everyone's memory of `from` to `to`, a branch that starts there.
    pub(super) fn copy_memories(&self, from: &str, to: &str) {
        for person in &self.people {
            let (old, new) = (
                person.state(&self.sandbox, from),
                person.state(&self.sandbox, to),
            );
            let _ = fs::remove_dir_all(&new);
            if old.exists() {
                let copied = Command::new("cp").arg("-a").arg(old).arg(new).status();
                assert!(copied.unwrap().success());
            }
        }
    }
}
