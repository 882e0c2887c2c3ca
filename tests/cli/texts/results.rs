//! Tables, reports, and JSON.

use std::fs;

use repovault::crypto::{Identity, NativeKind};

use crate::support::colleague::Colleague;
use crate::support::membership::{with_bob, with_classic};
use crate::support::refusal::stocked;
use crate::support::sandbox::Sandbox;
use crate::support::transcript::Transcript;

#[test]
fn results_of_a_new_vault_are_in_their_file() {
    let sandbox = Sandbox::empty();
    let mut transcript = Transcript::of(&sandbox);
    transcript.run("init --name alice");
    for words in [
        "list",
        "list --json",
        "environments list",
        "environments list --json",
        "members list",
        "members list --json",
        "id",
        "id --json",
        "verify",
        "verify --json",
        "status",
        "status --json",
        "trust",
        "key show",
        "doctor",
        "doctor --json",
    ] {
        transcript.run(words);
    }
    transcript.check("results/new-vault");
}

#[test]
fn results_of_a_team_are_in_their_file() {
    let sandbox = stocked();
    let bob = with_bob(&sandbox, &["development=write", "production=read"]);
    let mut transcript = Transcript::of(&sandbox);
    transcript.run("ci add github -e production --only OTHER");
    fs::write(
        sandbox.repo().join("vault.toml"),
        "default = \"development\"\n",
    )
    .unwrap();
    transcript.run_as("set TOKEN", |run| run.input("value\n"));
    transcript.run_as("set TOKEN", |run| run.input("value"));
    transcript.run_as("set TOKEN", |run| run.input("other"));
    transcript.run("set GENERATED --generate=hex");
    transcript.run("copy TOKEN --from development --to production");
    transcript.run("remove TOKEN");
    transcript.run("environments add staging");
    transcript.run_as("import - -e staging", |run| run.input("A=1\nB=2\n"));
    for words in [
        "list",
        "list --json",
        "list -e production -e staging",
        "environments list",
        "environments list --json",
        "members list",
        "members list --json",
        "members sync",
        "verify",
        "verify --json",
        "verify --since HEAD",
        "verify --since HEAD --json",
        "verify --since HEAD --format markdown",
        "verify --since HEAD --format github",
        "members set bob -e production=DATABASE_URL",
        "members remove bob",
        "rotate -e production",
        "environments remove staging --yes",
        "status",
        "status --json",
        "verify --since HEAD",
        "verify --since HEAD --json",
        "rotate --authority --yes",
        "id",
        "members list",
    ] {
        transcript.run(words);
    }
    transcript.note("By bob, who has left");
    transcript.run_as("get DATABASE_URL", |run| {
        run.folder(&bob.repo())
            .variable("HOME", bob.home().to_str().unwrap())
    });
    transcript.check("results/team");
}

#[test]
fn report_of_a_damaged_vault_is_in_its_file() {
    let sandbox = stocked();
    let mut transcript = Transcript::of(&sandbox);
    let entry = sandbox.store("production/OTHER.toml");
    let text = fs::read_to_string(&entry).unwrap();
    fs::write(&entry, text.replace("revision = 1", "revision = 2")).unwrap();
    fs::write(sandbox.store("production/notes"), "x").unwrap();
    fs::write(sandbox.store("production/NEW.toml"), "x").unwrap();
    fs::remove_file(sandbox.store("development/DATABASE_URL.toml")).unwrap();
    for words in [
        "verify",
        "verify --json",
        "verify --since HEAD",
        "verify --since HEAD --json",
        "verify --since HEAD --format markdown",
        "verify --since HEAD --format github",
        "status",
        "status --json",
        "doctor",
        "doctor --json",
        "get OTHER -e production",
        "exec -e production -- true",
    ] {
        transcript.run(words);
    }
    transcript.check("results/damaged");
}

#[test]
fn joining_is_in_its_file() {
    let sandbox = stocked();
    let bob = Colleague::clone_of(&sandbox, "bob");
    let home = bob.home().to_str().unwrap().to_owned();
    let mut transcript = Transcript::of(&sandbox);
    let id = sandbox.id();
    transcript.note("By bob");
    let mut as_bob = |words: &str| {
        transcript.run_as(words, |run| run.folder(&bob.repo()).variable("HOME", &home));
    };
    as_bob("get DATABASE_URL");
    as_bob("join");
    as_bob("join --name bob");
    let join = format!("join --name bob --id {id}");
    as_bob(&join);
    as_bob("key show");
    as_bob("get DATABASE_URL");
    as_bob("doctor");
    bob.send();
    transcript.note("By alice");
    for words in [
        "members add bob -e production=read",
        "members add bob -e production=read --fingerprint qqqqqqqqqqqqqqqqqqqqqqqqqq",
        "status",
        "verify --since HEAD~",
        "members remove bob",
    ] {
        transcript.run(words);
    }
    transcript.check("results/joining");
}

#[test]
fn replaced_key_is_in_its_file() {
    let sandbox = stocked();
    let bob = with_bob(&sandbox, &["development=write"]);
    let home = bob.home().to_str().unwrap().to_owned();
    let id = sandbox.id();
    let mut transcript = Transcript::of(&sandbox);
    transcript.run("members set bob --new-key");
    transcript.note("By bob, whose key file is lost");
    bob.pull();
    fs::remove_file(bob.key_file()).unwrap();
    let join = format!("join --name bob --new-key --id {id}");
    transcript.run_as(&join, |run| run.folder(&bob.repo()).variable("HOME", &home));
    bob.send();
    transcript.note("By alice");
    transcript.talk(
        "members set bob --new-key",
        &[("fingerprint", "nonsense\r")],
    );
    transcript.check("results/new-key");
}

#[test]
fn several_keys_are_in_their_file() {
    let sandbox = Sandbox::empty();
    let mut transcript = Transcript::of(&sandbox);
    for words in [
        "init --name alice --classic",
        "status",
        "status --json",
        "key upgrade",
    ] {
        transcript.run(words);
    }
    let other = Identity::generate(NativeKind::Hybrid);
    let text = String::from_utf8(other.to_text().expose().to_vec()).unwrap();
    let credential = sandbox.credential("github", &["-e", "production", "--classic"]);
    transcript.run("status");
    for input in [
        format!("{text}\n"),
        format!("{text}\n"),
        credential,
        "nonsense".to_owned(),
    ] {
        transcript.run_as("key import -", |run| run.input(input));
    }
    for words in [
        "key show",
        "key show --json",
        "doctor",
        "key import missing",
    ] {
        transcript.run(words);
    }
    let credential = sandbox.credential("gitlab", &["-e", "production"]);
    fs::write(
        sandbox.home().join(".config/vault/identity.txt"),
        credential,
    )
    .unwrap();
    transcript.note("A credential instead of one's own key");
    transcript.run_as("key import -", |run| run.input(text));
    transcript.check("results/several-keys");
}

#[test]
fn upgrade_is_in_its_file() {
    let sandbox = stocked();
    let bob = with_classic(&sandbox, "bob", &["production=read"]);
    let home = bob.home().to_str().unwrap().to_owned();
    let mallory = Colleague::clone_of(&sandbox, "mallory");
    let id = sandbox.id();
    mallory
        .vault(&["join", "--name", "bob", "--new-key", "--id", &id])
        .outcome();
    fs::create_dir_all(bob.store("requests")).unwrap();
    fs::copy(
        mallory.store("requests/bob.toml"),
        bob.store("requests/bob.toml"),
    )
    .unwrap();
    let mut transcript = Transcript::of(&sandbox);
    transcript.note("By bob, after mallory");
    transcript.run_as("key upgrade", |run| {
        run.folder(&bob.repo()).variable("HOME", &home)
    });
    fs::remove_file(bob.store("requests/bob.toml")).unwrap();
    transcript.note("By bob");
    for words in [
        "key upgrade",
        "key upgrade --json",
        "status",
        "doctor",
        "key show",
    ] {
        transcript.run_as(words, |run| run.folder(&bob.repo()).variable("HOME", &home));
    }
    let key = fs::read_to_string(bob.key_file()).unwrap();
    let classic = key.lines().find(|line| line.starts_with("AGE-")).unwrap();
    transcript.run_as("key upgrade", |run| {
        run.folder(&bob.repo())
            .variable("HOME", &home)
            .variable("VAULT_KEY", classic)
    });
    bob.send();
    transcript.note("By alice");
    for words in ["status", "verify", "members set bob --new-key"] {
        transcript.run(words);
    }
    transcript.check("results/upgrade");
}
