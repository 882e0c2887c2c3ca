//! Revocations that are killed before each of their writes: everyone who keeps access can read in every
//! state, and the same command or `vault rotate --finish` finishes it.

use std::fs;
use std::path::Path;
use std::process::Command;

use repovault::vault::format::member_path;
use repovault::vault::model::Access;
use repovault::vault::name::{EnvironmentName, MemberName};

use crate::support::craft::{self, Person};
use crate::support::membership::root;
use crate::support::refusal::stocked;
use crate::support::sandbox::{Run, Sandbox};
use crate::support::tracing::can_trace;

/// The system calls that move or remove a file.
const MOVES: [&str; 2] = ["renameat", "unlinkat"];

/// A vault with bob, a writer in both environments who signed an entry; with carol, a reader of
/// production; and with a machine that reads one name.
struct Cast {
    sandbox: Sandbox,
    bob: Person,
    carol: Person,
    bot: String,
}

fn cast() -> Cast {
    let sandbox = stocked();
    let write = ["development", "production"].map(|name| (name, Access::Write));
    let bob = craft::enroll(&sandbox, "bob", &write);
    let carol = craft::enroll(&sandbox, "carol", &[("production", Access::Read)]);
    craft::resign_entry(&sandbox, "production", "OTHER", &bob.key, |entry| {
        entry.signer = "bob".parse().unwrap();
    });
    let bot = sandbox.credential("bot", &["-e", "production", "--only", "OTHER"]);
    sandbox.commit("everyone");
    copy(&sandbox.store(""), &sandbox.root().join("kept"));
    copy(
        &sandbox.home().join(".local"),
        &sandbox.root().join("kept-state"),
    );
    Cast {
        sandbox,
        bob,
        carol,
        bot,
    }
}

fn copy(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    let copied = Command::new("cp").arg("-R").arg(from).arg(to).status();
    assert!(copied.unwrap().success());
}

impl Cast {
    /// Starts `command` in the vault from the beginning, and kills it before the `count`th time that it
    /// makes this system call. Returns whether it was killed.
    fn kill(&self, command: &[&str], call: &str, count: usize) -> bool {
        let root = self.sandbox.root();
        copy(&root.join("kept"), &self.sandbox.store(""));
        copy(
            &root.join("kept-state"),
            &self.sandbox.home().join(".local"),
        );
        let inject = format!("inject={call}:signal=KILL:when={count}");
        let run = self.sandbox.vault(command);
        let killed = run
            .under(&["strace", "-qq", "-o", "/dev/null", "-e", &inject])
            .outcome();
        assert!(
            [0, 137].contains(&killed.status),
            "{count}: {}",
            killed.said
        );
        killed.status == 137
    }

    /// Calls `check` with the state before each file that `command` moves or removes.
    fn each(&self, command: &[&str], check: impl Fn(usize)) {
        self.each_call(command, &MOVES, check);
    }

    /// Calls `check` with the state before each of these system calls of `command`.
    fn each_call(&self, command: &[&str], calls: &[&str], check: impl Fn(usize)) {
        if !can_trace() {
            return;
        }
        let mut kills = 0;
        // strace counts each call alone.
        for call in calls {
            let mut count = 1;
            while self.kill(command, call, count) {
                check(kills);
                (count, kills) = (count + 1, kills + 1);
            }
        }
        assert!(kills > 4, "{command:?} has only {kills} of {calls:?}");
    }

    /// A run with this identity and no memory.
    fn with_key(&self, person: &Person, arguments: &[&str]) -> Run<'_> {
        let key = person.key_file(&self.sandbox).display().to_string();
        self.sandbox
            .vault(arguments)
            .variable("VAULT_KEY_FILE", &key)
            .variable("VAULT_ID", &self.sandbox.id())
            .variable("HOME", "/nowhere")
    }

    #[track_caller]
    fn reads(&self, person: &Person, environment: &str, name: &str) -> bool {
        let get = ["get", name, "-e", environment];
        self.with_key(person, &get).outcome().status == 0
    }

    /// Alice, carol, and the machine read what they could read before.
    #[track_caller]
    fn others_read(&self, count: usize) {
        let get = |environment, name| self.sandbox.get(environment, name);
        assert_eq!(get("production", "DATABASE_URL"), b"postgres://production");
        assert_eq!(get("production", "OTHER"), b"other");
        assert_eq!(
            get("development", "DATABASE_URL"),
            b"postgres://development"
        );
        assert!(self.reads(&self.carol, "production", "OTHER"), "{count}");
        let run = self.sandbox.vault(&["get", "OTHER"]);
        let bot = run
            .variable("VAULT_KEY", &self.bot)
            .without("HOME")
            .outcome();
        assert_eq!(bot.output, b"other", "{count}: {}", bot.said);
    }

    /// The vault is valid, and nothing is left over.
    #[track_caller]
    fn holds(&self) {
        self.sandbox
            .vault(&["verify"])
            .prints("[..]RESULT\n[..]ok\n[..]ok\n")
            .check();
        assert_eq!(fs::read_dir(self.sandbox.store("tmp")).unwrap().count(), 0);
    }

    fn is_ahead(&self, name: &str) -> bool {
        let vault = craft::vault(&self.sandbox);
        let remarks = &vault.members().unwrap().remarks;
        let name: MemberName = name.parse().unwrap();
        remarks.get(&name).is_some_and(|own| own.is_ahead)
    }

    fn newest(&self, environment: &str) -> u64 {
        let environment: EnvironmentName = environment.parse().unwrap();
        root(&self.sandbox).environments[&environment]
            .newest()
            .number
    }
}

const REMOVE: [&str; 4] = ["members", "remove", "bob", "-q"];

#[test]
fn removal_killed_at_any_write_locks_no_one_out() {
    let cast = cast();
    let bob: MemberName = "bob".parse().unwrap();
    cast.each(&REMOVE, |count| {
        cast.others_read(count);
        // Its deletion is the end.
        if cast.sandbox.store(&member_path(&bob)).exists() {
            cast.sandbox.quick(&REMOVE);
        }
        cast.others_read(count);
        cast.holds();
        let former = root(&cast.sandbox).former[&bob].clone();
        assert!(
            former.lost.len() == 2 && former.recipient.is_some(),
            "{count}"
        );
        assert!(!cast.sandbox.store(&member_path(&bob)).exists(), "{count}");
        assert!(!cast.reads(&cast.bob, "production", "OTHER"), "{count}");
    });
}

/// What an interrupted removal leaves after the root was written.
#[test]
fn killed_removal_is_finished_by_rotate() {
    let cast = cast();
    let bob: MemberName = "bob".parse().unwrap();
    cast.each(&REMOVE, |count| {
        let is_former = root(&cast.sandbox).former.contains_key(&bob);
        cast.sandbox.quick(&["rotate", "--finish", "-q"]);
        cast.others_read(count);
        assert_eq!(root(&cast.sandbox).former.contains_key(&bob), is_former);
        let file = cast.sandbox.store(&member_path(&bob));
        assert_eq!(file.exists(), !is_former, "{count}");
        if is_former {
            cast.holds();
        }
    });
}

#[test]
fn reduction_killed_at_any_write_locks_no_one_out() {
    let cast = cast();
    let bob: MemberName = "bob".parse().unwrap();
    let production = "production".parse().unwrap();
    let set = ["members", "set", "bob", "-e", "production=OTHER", "-q"];
    cast.each(&set, |count| {
        cast.others_read(count);
        let bob_reads = || {
            assert!(cast.reads(&cast.bob, "production", "OTHER"), "{count}");
            assert!(
                cast.reads(&cast.bob, "development", "DATABASE_URL"),
                "{count}"
            );
        };
        bob_reads();
        let said = cast.sandbox.vault(&set).any_change().outcome();
        let expected = if cast.is_ahead("bob") { 4 } else { 0 };
        assert_eq!(said.status, expected, "{count}: {}", said.said);
        cast.sandbox.quick(&[&set[..], &["--yes"]].concat());
        cast.others_read(count);
        bob_reads();
        cast.holds();
        let lost = &root(&cast.sandbox).members[&bob].lost[&production];
        assert!(lost.epoch >= 1, "{count}");
        cast.sandbox.set("production", "DATABASE_URL", b"new");
        assert!(
            !cast.reads(&cast.bob, "production", "DATABASE_URL"),
            "{count}"
        );
    });
}

#[test]
fn replacement_killed_at_any_write_leaves_one_working_key() {
    let cast = cast();
    let new = Person::new();
    let recipient = new.identity.recipient().to_string();
    let set = ["members", "set", "carol", "-q", "--recipient", &recipient];
    cast.each(&set, |count| {
        assert_eq!(cast.sandbox.get("production", "OTHER"), b"other", "{count}");
        let reads = |person: &Person| cast.reads(person, "production", "OTHER");
        assert_ne!(reads(&cast.carol), reads(&new), "{count}");
        cast.sandbox.quick(&[&set[..], &["--yes"]].concat());
        cast.holds();
        assert!(reads(&new) && !reads(&cast.carol), "{count}");
        let former = "carol-until-1".parse().unwrap();
        let former = &root(&cast.sandbox).former[&former];
        assert_eq!(
            former.recipient,
            Some(cast.carol.identity.recipient().digest()),
            "{count}"
        );
        assert!(former.lost.contains_key(&"production".parse().unwrap()));
    });
}

#[test]
fn rotation_killed_at_any_write_is_finished() {
    let cast = cast();
    let rotate = ["rotate", "-e", "production", "-q"];
    cast.each(&rotate, |count| {
        cast.others_read(count);
        assert!(cast.reads(&cast.bob, "production", "OTHER"), "{count}");
        let before = cast.newest("production");
        cast.sandbox.quick(&["rotate", "--finish", "-q"]);
        assert_eq!(cast.newest("production"), before, "{count}");
        cast.others_read(count);
        cast.sandbox.quick(&rotate);
        cast.holds();
    });
}

/// If a signature alone is new, every state is valid, and the same command completes it.
#[test]
fn killed_resigning_is_valid_in_every_state() {
    let cast = cast();
    let set = [
        "members",
        "set",
        "bob",
        "-e",
        "production=read",
        "-e",
        "development=read",
        "-q",
    ];
    cast.each(&set, |count| {
        cast.others_read(count);
        assert!(cast.reads(&cast.bob, "production", "OTHER"), "{count}");
        cast.sandbox.quick(&[&set[..], &["--yes"]].concat());
        cast.others_read(count);
        cast.holds();
    });
}

/// Someone who could read the data key of an interrupted rotation is removed.
#[test]
fn removal_after_a_killed_rotation_uses_a_new_data_key() {
    let cast = cast();
    let (bob, production) = ("bob".parse().unwrap(), "production".parse().unwrap());
    cast.each(&["rotate", "-e", "production", "-q"], |count| {
        let newest = *root(&cast.sandbox).environments[&production].newest();
        cast.sandbox.quick(&REMOVE);
        cast.others_read(count);
        cast.holds();
        let now = root(&cast.sandbox);
        let environment = &now.environments[&production];
        assert!(environment.newest().number > newest.number, "{count}");
        assert_ne!(
            environment.newest().commitment,
            newest.commitment,
            "{count}"
        );
        assert_eq!(now.former[&bob].lost[&production].epoch, newest.number);
    });
}

/// A file that was created and not yet written is a state of its own.
#[test]
fn new_authority_killed_at_any_write_can_be_finished() {
    let cast = cast();
    let id = cast.sandbox.id();
    let rotate = ["rotate", "--authority", "--yes", "-q"];
    let writes = ["mkdirat", "write", "renameat", "unlinkat"];
    cast.each_call(&rotate, &writes, |count| {
        let run = cast.sandbox.vault(&["rotate", "--finish"]).any_change();
        let finished = run.outcome();
        assert_eq!(finished.status, 0, "{count}: {}", finished.said);
        // A credential names the id of its vault, so it ends with it.
        if cast.sandbox.id() == id {
            cast.others_read(count);
        } else {
            assert_eq!(cast.sandbox.get("production", "OTHER"), b"other", "{count}");
            assert!(cast.reads(&cast.carol, "production", "OTHER"), "{count}");
        }
        cast.holds();
    });
}
