//! Trust of several people, each with their own HOME: a new id, an old id, an old root.

use std::path::{Path, PathBuf};
use std::process::Command;

use repovault::crypto::Tag;
use snapbox::str;

use crate::support::colleague::Colleague;
use crate::support::craft::{self, authority, resign_root};
use crate::support::refusal::stocked;
use crate::support::sandbox::{Run, Sandbox};

const GET: [&str; 4] = ["get", "OTHER", "-e", "production"];
const KEYLESS: [&[&str]; 3] = [
    &["list", "-e", "production"],
    &["environments", "list"],
    &["status"],
];

/// A vault of alice and recovery, with bob, a writer, and carol, the third admin.
struct Team {
    sandbox: Sandbox,
}

impl Team {
    fn new() -> Self {
        let sandbox = stocked();
        for (name, options) in [
            (
                "bob",
                &["-e", "development=write", "-e", "production=write"][..],
            ),
            ("carol", &["--admin"]),
        ] {
            let person = Colleague::clone_of(&sandbox, name);
            let fingerprint = person.join();
            person.send();
            let add = ["members", "add", name, "-q", "--fingerprint", &fingerprint];
            sandbox.quick(&[&add[..], options].concat());
            sandbox.commit("a new member");
            person.pull();
            person.vault(&GET).prints("other").any_change().check();
        }
        Self { sandbox }
    }

    fn person(&self, name: &'static str) -> Person<'_> {
        Person {
            sandbox: &self.sandbox,
            home: self.sandbox.home().join(name),
        }
    }

    /// A new folder with the vault at `revision`.
    fn clone_at(&self, revision: &str) -> PathBuf {
        let folder = self.sandbox.home().join(format!("clone-{revision}"));
        let source = self.sandbox.repo();
        self.sandbox.git(&[
            "clone",
            "--quiet",
            source.to_str().unwrap(),
            folder.to_str().unwrap(),
        ]);
        git(&folder, &["checkout", "--quiet", revision]);
        folder
    }

    /// Rotates or removes as alice and commits; returns the ids before and after.
    fn changes_authority(&self, arguments: &[&str]) -> (String, String) {
        let before = self.sandbox.id();
        self.sandbox.git(&["tag", "before"]);
        self.sandbox.quick(arguments);
        self.sandbox.commit("a new authority");
        (before, self.sandbox.id())
    }
}

struct Person<'a> {
    sandbox: &'a Sandbox,
    home: PathBuf,
}

impl<'a> Person<'a> {
    fn at(&self, folder: &Path, arguments: &[&str]) -> Run<'a> {
        let run = self.sandbox.vault(arguments).folder(folder);
        run.variable("HOME", self.home.to_str().unwrap())
    }

    fn repo(&self) -> PathBuf {
        self.home.join("repo")
    }
}

fn git(folder: &Path, arguments: &[&str]) {
    let mut command = Command::new("git");
    command
        .current_dir(folder)
        .args(["-c", "user.name=T", "-c", "user.email=t@example.com"]);
    let output = command.args(arguments).output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {output:?}");
}

/// Checks that the run refuses a vault other than the trusted one.
fn another_vault<'a>(run: Run<'a>, trusted: &str, here: &str) -> Run<'a> {
    run.redact("[TRUSTED]", trusted)
        .redact("[HERE]", here)
        .says(str![[r#"
error: .vault/root.toml: belongs to a different vault: expected [TRUSTED], found [HERE]
hint: put back the committed files: `git checkout -- .vault`
hint: only if a colleague sent you the new id: `vault trust ID`
"#]])
}

/// Checks that the run refuses a vault that the trusted one replaced.
fn was_replaced<'a>(run: Run<'a>, trusted: &str, here: &str) -> Run<'a> {
    run.redact("[TRUSTED]", trusted)
        .redact("[HERE]", here)
        .says(str![[r#"
error: .vault/root.toml: belongs to a vault that was replaced: expected [TRUSTED], found [HERE]
hint: take the current one: `git pull`, or merge the main branch
hint: only if a colleague sent you the old id on purpose: `vault trust ID`
"#]])
}

#[test]
fn new_authority_is_refused_until_each_person_trusts_it() {
    let team = Team::new();
    let (old, new) = team.changes_authority(&["rotate", "--authority", "--yes"]);
    team.sandbox.vault(&GET).prints("other").check();
    for name in ["bob", "carol"] {
        let person = team.person(name);
        git(&person.repo(), &["pull", "--quiet"]);
        let refused = |run| another_vault(run, &old, &new).check();
        refused(person.at(&person.repo(), &GET).fails(4));
        refused(
            person
                .at(&person.repo(), &["set", "OTHER"])
                .input("x")
                .fails(4),
        );
        let exec = ["exec", "--", "touch", "ran"];
        refused(person.at(&person.repo(), &exec).fails(122));
        for command in KEYLESS {
            refused(person.at(&person.repo(), command).fails(4));
        }
        let trusted = format!("trusted: {new}\n");
        let trust = ["trust", new.as_str()];
        person
            .at(&person.repo(), &trust)
            .says(&trusted)
            .any_change()
            .check();
        // The first command remembers who they are.
        person
            .at(&person.repo(), &GET)
            .prints("other")
            .any_change()
            .check();
        person.at(&person.repo(), &GET).prints("other").check();
    }
}

#[test]
fn replaced_id_is_refused_in_a_new_folder() {
    let team = Team::new();
    let (old, new) = team.changes_authority(&["rotate", "--authority", "--yes"]);
    let bob = team.person("bob");
    git(&bob.repo(), &["pull", "--quiet"]);
    bob.at(&bob.repo(), &["trust", &new, "-q"])
        .any_change()
        .check();
    let clone = team.clone_at("before");
    let refused = |run| was_replaced(run, &new, &old).check();
    // Alice created the new authority herself, so she was never asked.
    let alice = Person {
        sandbox: &team.sandbox,
        home: team.sandbox.home(),
    };
    for person in [&bob, &alice] {
        refused(person.at(&clone, &GET).fails(4));
        refused(person.at(&clone, &["set", "OTHER"]).input("x").fails(4));
        for command in KEYLESS {
            refused(person.at(&clone, command).fails(4));
        }
    }
    // The same in the folder with the new one.
    git(&bob.repo(), &["checkout", "--quiet", "before"]);
    another_vault(bob.at(&bob.repo(), &GET).fails(4), &new, &old).check();
    git(&bob.repo(), &["checkout", "--quiet", "main"]);
    // Someone who trusts it explicitly gets it, and loses nothing.
    bob.at(&clone, &["trust", &old])
        .says(format!("trusted: {old}\n"))
        .any_change()
        .check();
    for folder in [&clone, &bob.repo()] {
        bob.at(folder, &GET).prints("other").any_change().check();
    }
    // Another person's decision counts only for that person.
    refused(alice.at(&clone, &GET).fails(4));
}

#[test]
fn vault_of_a_former_admin_under_the_old_id_is_refused() {
    let team = Team::new();
    let old_key = authority(&team.sandbox);
    let (old, new) = team.changes_authority(&["members", "remove", "carol", "--yes"]);
    let bob = team.person("bob");
    git(&bob.repo(), &["pull", "--quiet"]);
    bob.at(&bob.repo(), &["trust", &new, "-q"])
        .any_change()
        .check();
    // Carol still has the old authority. Her root is newer than any that bob has seen.
    git(&team.sandbox.repo(), &["checkout", "--quiet", "before"]);
    resign_root(&team.sandbox, &old_key, |root| {
        root.revision += 100;
        root.revocations.push(Tag::random());
    });
    team.sandbox
        .git(&["switch", "--quiet", "--create", "attack"]);
    team.sandbox.commit("attack");
    let clone = team.clone_at("attack");
    for command in [&GET[..], &["list"], &["status"]] {
        was_replaced(bob.at(&clone, command).fails(4), &new, &old).check();
    }
}

#[test]
fn root_without_a_known_tag_is_refused() {
    let team = Team::new();
    let id = team.sandbox.id();
    let credential = team.sandbox.credential("github", &["-e", "production"]);
    team.sandbox.commit("github");
    team.sandbox.git(&["tag", "before"]);
    team.sandbox.quick(&["members", "remove", "bob"]);
    team.sandbox.commit("bob has left");
    let carol = team.person("carol");
    git(&carol.repo(), &["pull", "--quiet"]);
    carol
        .at(&carol.repo(), &GET)
        .prints("other")
        .any_change()
        .check();
    let clone = team.clone_at("before");
    let refused = |whose: &str| {
        format!(
            "error: .vault/root.toml: is from before a revocation that {whose}: bob was removed, [..] (commit [..])
hint: merge the branch with it: `git branch --all --contains [..]` lists it
"
        )
    };
    let seen = refused("you have seen")
        + "hint: if that branch was abandoned: `vault trust ID@[..]`, with `--give-back NAME` [..]
hint: these are: [..]
";
    let alice = Person {
        sandbox: &team.sandbox,
        home: team.sandbox.home(),
    };
    git(&carol.repo(), &["checkout", "--quiet", "before"]);
    for (person, folder) in [(&carol, &carol.repo()), (&carol, &clone), (&alice, &clone)] {
        person.at(folder, &GET).fails(4).says(&seen).check();
        person
            .at(folder, &["set", "OTHER"])
            .input("x")
            .fails(4)
            .says(&seen)
            .check();
        for command in KEYLESS {
            person.at(folder, command).fails(4).says(&seen).check();
        }
    }
    // Bob has not seen it, and reads only values that were readable before.
    let bob = team.person("bob");
    bob.at(&bob.repo(), &GET)
        .prints("other")
        .any_change()
        .check();
    git(&bob.repo(), &["pull", "--quiet"]);
    let stranger = str![[r#"
error: your key ([RECIPIENT]) belongs to no member of this vault
hint: [..]
"#]];
    bob.at(&bob.repo(), &GET).fails(3).says(&stranger).check();
    // An older credential accepts it, unless VAULT_ID raises it to a later tag.
    let machine = |arguments: &[&str]| {
        let run = team.sandbox.vault(arguments).folder(&clone).without("HOME");
        run.variable("VAULT_KEY", &credential)
    };
    machine(&["get", "OTHER"]).prints("other").check();
    let tag = craft::vault(&team.sandbox).root().latest();
    let raised = machine(&["get", "OTHER"]).variable("VAULT_ID", &format!("{id}@{tag}"));
    let newer = refused("VAULT_ID, `--id`, or `--since` names")
        + "hint: if that branch was abandoned: name a revocation of this one instead
hint: if the credential is newer than this checkout, [..]
";
    raised.fails(4).says(&newer).check();
}

#[test]
fn trust_is_separate_for_people_sharing_a_machine() {
    let team = Team::new();
    let id = team.sandbox.id();
    let dave = Colleague::clone_of(&team.sandbox, "dave");
    let locked = str![[r#"
error: locked: no key was found
hint: [..]
hint: [..]
"#]];
    dave.vault(&GET).fails(3).says(&locked).check();
    // Dave can use bob's key, but the key carries no trust.
    let key = team.sandbox.home().join("bob/.config/vault/identity.txt");
    let run = dave
        .vault(&GET)
        .variable("VAULT_KEY_FILE", key.to_str().unwrap());
    let untrusted = format!(
        "error: the id of this vault has not been confirmed yet
hint: in CI, after comparing it with a colleague, set `VAULT_ID={id}`
hint: on your own machine: ask a colleague for the output of `vault id`, then: `vault trust ID`
"
    );
    run.fails(3).says(&untrusted).check();
}
