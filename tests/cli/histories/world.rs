//! One history: a repository, its branches, the people, and what the model knows of each commit.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::process::Command;

use super::access::Access;
use super::knowledge::Knowledge;
use super::model::{Entry, Env, Member, Place, State};
use super::people::{Person, made_identity};
use crate::support::random::Random;
use crate::support::sandbox::Sandbox;

pub(super) const ENVS: [Env; 3] = ["development", "production", "staging"];
pub(super) const NAMES: [&str; 3] = ["A", "B", "C"];

pub(super) struct World {
    pub(super) sandbox: Sandbox,
    pub(super) seed: u64,
    pub(super) random: Random,
    pub(super) log: Vec<String>,
    pub(super) people: Vec<Person>,
    /// The present branch, and the state of each.
    pub(super) branch: String,
    pub(super) heads: BTreeMap<String, State>,
    /// The states of the commits that were looked at.
    pub(super) commits: HashMap<String, State>,
    pub(super) knowledge: Knowledge,
    /// The vault's present id.
    pub(super) id: String,
    /// The next number for a value, an epoch, or a tag.
    next: usize,
    joined: usize,
}

/// A vault with a few members, which every history starts from.
pub(super) struct Start {
    sandbox: Sandbox,
    people: Vec<Person>,
    state: State,
}

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

impl Start {
    /// alice and bob are admins, carol writes in development and reads production, and ci reads A there.
    pub(super) fn new() -> Self {
        let mut world = World::empty(Sandbox::empty(), 0);
        for name in ["alice", "bob", "carol"] {
            world.newcomer(name);
        }
        fs::create_dir_all(world.people[0].state(&world.sandbox, "main")).unwrap();
        let mut state = State::default();
        let access = |access: &[(Env, Access)]| access.iter().cloned().collect();
        let write: BTreeMap<Env, Access> = access(&[
            ("development", Access::Write),
            ("production", Access::Write),
        ]);
        let alice = Member {
            key: 0,
            signs: true,
            is_admin: true,
            access: write.clone(),
            revision: 0,
            file: 0,
        };
        let bob = Member {
            key: 1,
            ..alice.clone()
        };
        let own = access(&[("development", Access::Write), ("production", Access::Read)]);
        let carol = Member {
            key: 2,
            is_admin: false,
            access: own,
            ..alice.clone()
        };
        state.members.insert("alice".to_owned(), alice);
        world.run_well(&state, "alice", &words("init --name alice -q"), "");
        world.id = world.sandbox.id();
        world.people[0].identity = made_identity(&world.people[0].home(&world.sandbox));
        for env in ["development", "production"] {
            for name in ["A", "B"] {
                let value = world.number();
                let input = world.value(value);
                world.run_well(
                    &state,
                    "alice",
                    &words(&format!("set {name} -e {env} -q")),
                    &input,
                );
                let entry = Entry {
                    value: Some(value),
                    revision: 1,
                    file: 0,
                };
                state.entries.insert((env, name), entry);
            }
            let epoch = world.number();
            state.places.insert(
                env,
                Place {
                    made: [epoch].into(),
                    epoch,
                },
            );
        }
        let bobs = "-e development=write -e production=write --admin";
        let carols = "-e development=write -e production=read";
        for (name, member, access) in [("bob", bob, bobs), ("carol", carol, carols)] {
            let told = world.ask(member.key, name, &[]);
            let line = format!("members add {name} {access} --fingerprint {told} -q");
            world.run_well(&state, "alice", &words(&line), "");
            state.members.insert(name.to_owned(), member);
        }
        let line = words("ci add ci -e production --only A -q");
        let credential = world.run_well(&state, "alice", &line, "");
        let key = world.machine("ci", "production", &credential, 0);
        let own = access(&[("production", Access::Names(["A"].into()))]);
        let ci = Member {
            key,
            signs: false,
            is_admin: false,
            access: own,
            revision: 0,
            file: 0,
        };
        state.members.insert("ci".to_owned(), ci);
        world.observe(&mut state, false);
        world.commit("a vault");
        let World {
            sandbox, people, ..
        } = world;
        Self {
            sandbox,
            people,
            state,
        }
    }
}

impl World {
    fn empty(sandbox: Sandbox, seed: u64) -> Self {
        Self {
            sandbox,
            seed,
            random: Random(seed),
            log: Vec::new(),
            people: Vec::new(),
            branch: "main".to_owned(),
            heads: BTreeMap::new(),
            commits: HashMap::new(),
            knowledge: Knowledge::default(),
            id: String::new(),
            next: 1,
            joined: 0,
        }
    }

    /// A copy of `start`.
    pub(super) fn new(start: &Start, seed: u64) -> Self {
        let sandbox = Sandbox::empty();
        let copied = Command::new("cp")
            .arg("-a")
            .args(["repo", "home"].map(|folder| start.sandbox.root().join(folder)))
            .arg(sandbox.root())
            .status();
        assert!(copied.unwrap().success());
        let mut world = Self {
            people: start.people.clone(),
            id: start.sandbox.id(),
            next: 100,
            ..Self::empty(sandbox, seed)
        };
        let mut state = start.state.clone();
        world.observe(&mut state, false);
        world.keep(state);
        world
    }

    /// Ends the test, and shows how it came to this.
    pub(super) fn fail(&self, reason: &str) -> ! {
        panic!(
            "{reason}\n\nVAULT_HISTORY={}, on {}, in {}:\n{}",
            self.seed,
            self.branch,
            self.sandbox.repo().display(),
            self.log.join("\n")
        );
    }

    /// A number that was never used.
    pub(super) fn number(&mut self) -> usize {
        self.next += 1;
        self.next
    }

    /// Continues after `number`, which is in use.
    pub(super) fn skip_to(&mut self, number: usize) {
        self.next = number;
    }

    /// A name that no member ever had.
    pub(super) fn new_name(&mut self) -> String {
        self.joined += 1;
        format!("m{}", self.joined)
    }

    #[expect(
        clippy::unused_self,
        reason = "so that every text is made in one place"
    )]
    pub(super) fn value(&self, number: usize) -> String {
        format!("value-{number}")
    }

    pub(super) fn present(&self) -> State {
        self.heads[&self.branch].clone()
    }

    /// Remembers that the present branch is at `state`, which is committed.
    pub(super) fn keep(&mut self, state: State) {
        self.commits.insert(self.head(), state.clone());
        self.heads.insert(self.branch.clone(), state);
    }

    /// Asks to join, or for another key with `--new-key`. Returns the fingerprint.
    pub(super) fn ask(&mut self, key: usize, name: &str, options: &[&str]) -> String {
        let line = [&["join", "--name", name, "--id", &self.id, "-q"], options].concat();
        let state = self.people[key].state(&self.sandbox, &self.branch);
        fs::create_dir_all(state).unwrap();
        let outcome = self.vault(key, &line).outcome();
        self.log.push(format!("  {name}: vault {}", line.join(" ")));
        if outcome.status != 0 {
            self.fail(&format!("{name} cannot ask: {}", outcome.said));
        }
        self.people[key].identity = made_identity(&self.people[key].home(&self.sandbox));
        String::from_utf8(outcome.output).unwrap().trim().to_owned()
    }
}
