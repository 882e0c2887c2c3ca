//! Limited members: they hold the keys of a few names, and `vault.toml` gives them no others.

use std::fs;

use repovault::vault::name::EnvironmentName;
use snapbox::str;

use crate::support::colleague::Colleague;
use crate::support::craft;
use crate::support::golden::{names, read};
use crate::support::membership::{membership, touched};
use crate::support::sandbox::{Run, Sandbox};

const STEPS: &str = "default = \"development\"
[environments.production.variables]
DSN = \"https://${SENTRY_KEY}@sentry.example/1\"
[steps.migrate]
names = [\"DATABASE_URL\"]
[steps.deploy]
names = [\"API_KEY\", \"DSN\"]
";

/// Four secrets in production; the steps `migrate` and `deploy` need three of them.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with_vault();
    for name in ["API_KEY", "DATABASE_URL", "SENTRY_KEY", "OTHER"] {
        sandbox.set("production", name, format!("{name} value").as_bytes());
    }
    steps(&sandbox, STEPS);
    sandbox.commit("a vault");
    sandbox
}

fn steps(sandbox: &Sandbox, text: &str) {
    fs::write(sandbox.repo().join("vault.toml"), text).unwrap();
}

/// A run with only this credential.
fn machine<'a>(sandbox: &'a Sandbox, credential: &str, arguments: &[&str]) -> Run<'a> {
    sandbox
        .vault(arguments)
        .variable("VAULT_KEY", credential)
        .variable("HOME", "/nowhere")
}

/// The names that the second reader can open with a credential, and the others.
fn opened(sandbox: &Sandbox, credential: &str) -> (Vec<String>, Vec<String>) {
    let file = sandbox.home().join("credential");
    fs::write(&file, credential).unwrap();
    let result = read(sandbox, &file, &[]);
    fs::remove_file(file).unwrap();
    (
        names(&result["values"]["production"]),
        names(&result["closed"]["production"]),
    )
}

#[test]
fn limited_credential_holds_only_the_keys_of_its_names() {
    let sandbox = sandbox();
    let only = sandbox.credential("only", &["-e", "production", "--only", "API_KEY,OTHER"]);
    let step = sandbox.credential("step", &["-e", "production", "--step", "deploy"]);
    let (values, closed) = opened(&sandbox, &only);
    assert_eq!(
        (values, closed),
        (
            list(&["API_KEY", "OTHER"]),
            list(&["DATABASE_URL", "SENTRY_KEY"])
        )
    );
    let (values, closed) = opened(&sandbox, &step);
    assert_eq!(
        (values, closed),
        (
            list(&["API_KEY", "SENTRY_KEY"]),
            list(&["DATABASE_URL", "OTHER"])
        )
    );

    machine(&sandbox, &step, &["get", "API_KEY"])
        .prints("API_KEY value")
        .check();
    let exec = [
        "exec",
        "--no-mask",
        "--step",
        "deploy",
        "--",
        "printenv",
        "DSN",
    ];
    machine(&sandbox, &step, &exec)
        .prints("https://SENTRY_KEY value@sentry.example/1\n")
        .check();
    let said = str![[r#"
error: DATABASE_URL in production is not sealed to you
hint: ask an admin for access to this name
"#]];
    machine(&sandbox, &step, &["get", "DATABASE_URL"])
        .fails(3)
        .says(&said)
        .check();
    for wanted in [&["--only", "DATABASE_URL"][..], &["--step", "migrate"]] {
        let exec = [&["exec"], wanted, &["--", "touch", "started"]].concat();
        let outcome = machine(&sandbox, &step, &exec).outcome();
        assert!([121, 123].contains(&outcome.status), "{}", outcome.said);
        assert!(!sandbox.repo().join("started").exists());
    }
    let exec = ["exec", "--no-mask", "--", "printenv", "DATABASE_URL"];
    machine(&sandbox, &step, &exec).fails(1).check();
    let said = str![[r#"
error: step may not write in production
hint: ask an admin for write access
"#]];
    machine(&sandbox, &step, &["set", "API_KEY"])
        .input("x")
        .fails(3)
        .says(&said)
        .check();
    let said = str![[r#"
error: step is not an admin of this vault
hint: ask an admin: alice
"#]];
    let grant = ["members", "sync", "--grant", "step:production/OTHER"];
    machine(&sandbox, &step, &grant)
        .fails(3)
        .says(&said)
        .check();
}

fn list(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn person_can_be_limited_to_names() {
    let sandbox = sandbox();
    let bob = Colleague::clone_of(&sandbox, "bob");
    let told = bob.join();
    bob.send();
    let access = [
        "-e",
        "development=write",
        "-e",
        "production=OTHER,LATER,API_KEY",
    ];
    let add = [
        &["members", "add", "bob", "--fingerprint", &told],
        &access[..],
    ]
    .concat();
    let said = str![[r#"
warning: production has no LATER yet
added bob: development=write production=API_KEY,LATER,OTHER
next: commit .vault
"#]];
    sandbox.vault(&add).says(&said).any_change().check();
    sandbox.set("production", "LATER", b"later");
    let result = read(&sandbox, &bob.key_file(), &["--id", &sandbox.id()]);
    assert_eq!(
        names(&result["values"]["production"]),
        ["API_KEY", "LATER", "OTHER"]
    );
    assert_eq!(
        names(&result["closed"]["production"]),
        ["DATABASE_URL", "SENTRY_KEY"]
    );
    sandbox.commit("bob is a member");
    bob.pull();
    let get = ["get", "LATER", "-e", "production"];
    bob.vault(&get).prints("later").any_change().check();
    let said = str![[r#"
error: DATABASE_URL in production is not sealed to you
hint: ask an admin for access to this name
"#]];
    bob.vault(&["get", "DATABASE_URL", "-e", "production"])
        .fails(3)
        .says(&said)
        .check();
    let said = str![[r#"
error: bob may not write in production
hint: ask an admin for write access
"#]];
    bob.vault(&["set", "OTHER", "-e", "production"])
        .input("x")
        .fails(3)
        .says(&said)
        .check();
}

/// Anyone who can write to the repository can add every name to every step.
#[test]
fn name_added_to_a_step_is_reported_and_not_granted() {
    let sandbox = sandbox();
    let credential = sandbox.credential("deploy", &["-e", "production", "--step", "deploy"]);
    let quiet = str!["every limited member has all the names its steps use"];
    sandbox.vault(&["members", "sync"]).says(&quiet).check();

    steps(
        &sandbox,
        &STEPS.replace(
            "\"API_KEY\", ",
            "\"API_KEY\", \"OTHER\", \"DATABASE_URL\", ",
        ),
    );
    let before = opened(&sandbox, &credential);
    let output = str![[r#"
MEMBER  ENVIRONMENT  NEEDS         STEPS
deploy  production   DATABASE_URL  deploy
deploy  production   OTHER         deploy
"#]];
    let said = "error: 2 names are not granted
hint: check that they really need these names: anyone can edit vault.toml
hint: `vault members sync --grant deploy:production/DATABASE_URL`
";
    sandbox
        .vault(&["members", "sync"])
        .fails(1)
        .prints(&output)
        .says(said)
        .check();
    let warned = "warning: consistent, but not trusted: its id has not been confirmed\n";
    let run = sandbox.vault(&["members", "sync"]).without("HOME").fails(1);
    run.prints(&output).says(format!("{warned}{said}")).check();
    assert_eq!(opened(&sandbox, &credential), before);
    let exec = ["exec", "--step", "deploy", "--", "touch", "started"];
    let outcome = machine(&sandbox, &credential, &exec).outcome();
    assert!([121, 123].contains(&outcome.status), "{}", outcome.said);
    assert!(!sandbox.repo().join("started").exists());
    // Not by accident either: a change that an admin makes for another reason grants nothing.
    sandbox.set("production", "OTHER", b"another value");
    sandbox.quick(&["ci", "add", "second", "-e", "production"]);
    sandbox.quick(&[
        "members",
        "sync",
        "--grant",
        "deploy:production/DATABASE_URL",
    ]);
    assert_eq!(opened(&sandbox, &credential).1, ["OTHER"]);
}

#[test]
fn granting_a_name_keeps_the_credential() {
    let sandbox = sandbox();
    let credential = sandbox.credential("deploy", &["-e", "production", "--step", "deploy"]);
    steps(
        &sandbox,
        &STEPS.replace("\"API_KEY\", ", "\"API_KEY\", \"OTHER\", "),
    );
    let grant = ["members", "sync", "--grant", "deploy:production/OTHER"];
    sandbox
        .vault(&grant)
        .says(str![[r#"
deploy can read OTHER in production
next: commit .vault
"#]])
        .any_change()
        .check();
    assert_eq!(
        opened(&sandbox, &credential).0,
        ["API_KEY", "OTHER", "SENTRY_KEY"]
    );
    machine(&sandbox, &credential, &["get", "OTHER"])
        .prints("OTHER value")
        .check();
    // Repeated, as after an interruption: the key is encrypted again, and the name stays granted.
    sandbox
        .vault(&grant)
        .says(str![[r#"
deploy can read OTHER in production
next: commit .vault
"#]])
        .any_change()
        .check();
    assert_eq!(opened(&sandbox, &credential).1, ["DATABASE_URL"]);
}

#[test]
fn sync_grants_only_names_of_the_members_own_steps() {
    let sandbox = sandbox();
    sandbox.credential("deploy", &["-e", "production", "--step", "deploy"]);
    sandbox.credential("reader", &["-e", "production"]);
    let cases = [
        (
            "deploy:production/OTHER",
            str![[r#"
error: no step of deploy in production lists OTHER
hint: see which names are needed: `vault members sync`
hint: to grant a name that no step lists: `vault members set deploy -e production=…`
"#]],
        ),
        (
            // From another step, of which it has no name.
            "deploy:production/DATABASE_URL",
            str![[r#"
error: no step of deploy in production lists DATABASE_URL
hint: see which names are needed: `vault members sync`
hint: to grant a name that no step lists: `vault members set deploy -e production=…`
"#]],
        ),
        (
            "deploy:development/API_KEY",
            str![[r#"
error: deploy has no access to development
hint: grant it first: `vault members set deploy -e development=…`
"#]],
        ),
        (
            "reader:production/API_KEY",
            str!["error: reader can already read everything in production"],
        ),
        (
            "nobody:production/API_KEY",
            str![[r#"
error: nobody is not a member
hint: [..]
"#]],
        ),
        (
            "deploy/production:API_KEY",
            str!["error: write it as MEMBER:ENVIRONMENT/NAME"],
        ),
    ];
    for (grant, said) in cases {
        sandbox
            .vault(&["members", "sync", "--grant", grant])
            .fails(2)
            .says(said)
            .check();
    }
}

/// A name that is granted later does not include its older values.
#[test]
fn granted_name_opens_in_the_newest_epoch_only() {
    let sandbox = sandbox();
    let credential = sandbox.credential("deploy", &["-e", "production", "--step", "deploy"]);
    let old = fs::read(sandbox.store("production/DATABASE_URL.toml")).unwrap();
    sandbox.quick(&["rotate", "-e", "production"]);
    sandbox.set("production", "OTHER", b"of the new epoch");
    // As a branch from before the rotation would leave it.
    fs::write(sandbox.store("production/DATABASE_URL.toml"), old).unwrap();
    steps(
        &sandbox,
        &STEPS.replace(
            "\"API_KEY\", ",
            "\"API_KEY\", \"OTHER\", \"DATABASE_URL\", ",
        ),
    );
    let sealed = |epoch: usize| {
        let production: EnvironmentName = "production".parse().unwrap();
        let epochs = membership(&sandbox).root.environments[&production]
            .epochs
            .clone();
        let member = craft::member(&sandbox, "deploy");
        member
            .sealed_key(&production, &epochs[epoch])
            .map(<[u8]>::to_vec)
    };
    let before = (sealed(0), sealed(1));
    let grant = [
        "members",
        "sync",
        "--grant",
        "deploy:production/OTHER",
        "--grant",
        "deploy:production/DATABASE_URL",
    ];
    assert_eq!(touched(&sandbox, &grant), ["members/deploy.toml"]);
    assert!(before.0 != sealed(0) && before.1 == sealed(1));
    let get = machine(&sandbox, &credential, &["get", "OTHER"]);
    get.prints("of the new epoch").check();
    assert_eq!(opened(&sandbox, &credential).1, ["DATABASE_URL"]);
}
