//! `rotate`: new data keys, what branches bring that were cut before, and a new authority.

use std::fs;

use repovault::crypto::Tag;
use repovault::vault::model::Access;
use snapbox::str;

use crate::support::colleague::Colleague;
use crate::support::craft;
use crate::support::golden;
use crate::support::machine::all_is_wanted;
use crate::support::membership::root;
use crate::support::refusal::{compared, findings, found, section, stocked, table};
use crate::support::review::change_member;
use crate::support::sandbox::Sandbox;
use crate::support::terminal::Terminal;

const URL: &str = "production/DATABASE_URL.toml";

/// The value of a field of an entry.
fn field(sandbox: &Sandbox, path: &str, field: &str) -> String {
    let body = craft::body(sandbox, path);
    let line = body
        .lines()
        .find_map(|line| line.strip_prefix(&format!("{field} = ")));
    line.unwrap().trim_matches('"').to_owned()
}

fn revocations(sandbox: &Sandbox) -> Vec<Tag> {
    root(sandbox).revocations
}

#[test]
fn rotation_reencrypts_all_values_and_keeps_their_metadata() {
    let sandbox = stocked();
    sandbox.quick(&["remove", "OTHER", "-e", "production"]);
    let keeps = ["origin", "revision", "changed", "author"];
    let all = |path: &str| keeps.map(|name| field(&sandbox, path, name));
    let (url, gone) = (all(URL), all("production/OTHER.toml"));
    let sealed = field(&sandbox, URL, "sealed");
    sandbox
        .vault(&["rotate", "-e", "production"])
        .says(str![[r#"
production has epoch 2: 2 entries re-encrypted
next: commit .vault
"#]])
        .changes(
            &[
                "home/.local/state/vault/[..]",
                "repo/.vault/members/alice.toml",
                "repo/.vault/production/DATABASE_URL.toml",
                "repo/.vault/production/OTHER.toml",
                "repo/.vault/root.toml",
            ]
            .map(|path| path.replace("[..]", &state_file(&sandbox)))
            .each_ref()
            .map(String::as_str),
        )
        .check();
    assert_eq!((all(URL), all("production/OTHER.toml")), (url, gone));
    assert_eq!(field(&sandbox, URL, "epoch"), "2");
    assert_eq!(field(&sandbox, "production/OTHER.toml", "epoch"), "2");
    assert_ne!(field(&sandbox, URL, "sealed"), sealed);
    assert_eq!(
        sandbox.get("production", "DATABASE_URL"),
        b"postgres://production"
    );
    sandbox
        .vault(&["verify", "--since", "HEAD"])
        .prints(
            compared("HEAD")
                + &rotated("1", "ok")
                + &section(
                    "changed since HEAD",
                    &[
                        "1 revocation is listed: older files no longer count",
                        "rotated: production (epoch 1 → 2)",
                        "re-encrypted: 1 entry of production (epoch 1 → 2) by alice",
                        "removed: .vault/production/OTHER.toml (revision 1 → 2) by alice",
                    ],
                ),
        )
        .check();
}

/// The table of `verify` after a rotation of production, which holds so many secrets.
fn rotated(secrets: &str, result: &str) -> String {
    table(&[
        ["development", "1", "1", "alice", "ok"],
        ["production", secrets, "2", "alice", result],
    ])
}

/// The one file in alice's state folder.
fn state_file(sandbox: &Sandbox) -> String {
    let mut files = fs::read_dir(sandbox.home().join(".local/state/vault")).unwrap();
    files
        .next()
        .unwrap()
        .unwrap()
        .file_name()
        .into_string()
        .unwrap()
}

/// The second reader, too, opens what a rotation made; a limited member has its names' keys only.
#[test]
fn readers_and_limited_members_can_open_the_new_epoch() {
    let sandbox = stocked();
    let all = sandbox.credential("all", &["-e", "production"]);
    let one = sandbox.credential("one", &["-e", "production", "--only", "OTHER"]);
    sandbox.quick(&["rotate", "-e", "production", "-e", "development"]);
    sandbox.quick(&["rotate", "-e", "production"]);
    let opened = |credential: &str| {
        let file = sandbox.home().join("credential");
        fs::write(&file, credential).unwrap();
        let result = golden::read(&sandbox, &file, &[]);
        golden::names(&result["values"]["production"])
    };
    assert_eq!(opened(&all), ["DATABASE_URL", "OTHER"]);
    assert_eq!(opened(&one), ["OTHER"]);
    let identity = sandbox.home().join(".config/vault/identity.txt");
    let own = golden::read(&sandbox, &identity, &["--id", &sandbox.id()]);
    assert_eq!(
        own["facts"]["production"]["epochs"],
        serde_json::json!([3, 2, 1])
    );
    assert_eq!(
        golden::names(&own["values"]["production"]),
        ["DATABASE_URL", "OTHER"]
    );
    let exec = |credential: &str| {
        let printed = sandbox
            .vault(&[
                "exec",
                "--no-mask",
                "--",
                "sh",
                "-c",
                "echo $DATABASE_URL/$OTHER",
            ])
            .variable("VAULT_KEY", credential)
            .without("HOME");
        String::from_utf8(printed.outcome().output).unwrap()
    };
    assert_eq!(
        (exec(&all), exec(&one)),
        ("postgres://production/other\n".into(), "/other\n".into())
    );
}

/// Otherwise an old root could be put back, and values would be set with a data key that was given
/// up.
#[test]
fn rotation_adds_a_revocation_and_names_old_credentials() {
    let sandbox = stocked();
    sandbox.quick(&["ci", "add", "github", "-e", "production", "-q"]);
    sandbox.commit("before");
    let outcome = sandbox.vault(&["rotate", "-e", "production"]).outcome();
    let [tag] = revocations(&sandbox)[..] else {
        panic!("{}", outcome.said)
    };
    assert_eq!(
        outcome.said,
        format!(
            "production has epoch 2: 2 entries re-encrypted
these credentials still accept the older files: github; make new ones, or set VAULT_ID={}@{tag} \
             together with them
next: commit .vault
",
            sandbox.id()
        )
    );
    sandbox.git(&["checkout", "--quiet", "HEAD", "--", ".vault"]);
    let said = str![[r#"
error: .vault/root.toml: is from before a revocation that you have seen, which no commit of this clone has
hint: take the newer files: `git pull`, or merge the branch with that revocation
hint: if that branch was abandoned: `vault trust [ID]@none`; it cannot say who would have access again
"#]];
    sandbox
        .vault(&["set", "OTHER", "-e", "production"])
        .input("x")
        .fails(4)
        .says(&said)
        .check();
    sandbox
        .vault(&["get", "OTHER", "-e", "production"])
        .fails(4)
        .says(&said)
        .check();
}

#[test]
fn default_environment_is_rotated_without_an_option() {
    let sandbox = stocked();
    let said = str![[r#"
development has epoch 2: 1 entry re-encrypted
next: commit .vault
"#]];
    sandbox.vault(&["rotate"]).says(&said).any_change().check();
    let said = str![[r#"
error: there is no environment staging; there are: development, production
hint: make it: `vault environments add staging`
"#]];
    sandbox
        .vault(&["rotate", "-e", "staging"])
        .fails(2)
        .says(&said)
        .check();
    sandbox
        .vault(&["rotate", "--finish", "-e", "staging"])
        .fails(2)
        .says(&said)
        .check();
    sandbox
        .vault(&["rotate", "--finish"])
        .says(str!["there was nothing to finish"])
        .check();
}

#[test]
fn rotation_needs_an_admin_with_write_access() {
    let sandbox = stocked();
    let bob = craft::enroll(&sandbox, "bob", &[("production", Access::Write)]);
    let key = bob.key_file(&sandbox).display().to_string();
    let said = str![[r#"
error: bob is not an admin of this vault
hint: ask an admin: alice
"#]];
    let id = sandbox.id();
    for arguments in [
        &["rotate", "-e", "production"][..],
        &["rotate", "--finish"],
        &["rotate", "--authority", "--yes"],
        &["members", "remove", "alice", "--yes"],
        &["members", "set", "bob", "--admin"],
    ] {
        let run = sandbox
            .vault(arguments)
            .variable("VAULT_ID", &id)
            .variable("VAULT_KEY_FILE", &key);
        run.fails(3).says(&said).check();
    }
    // An admin who may only read cannot sign what is re-encrypted.
    for name in ["OTHER", "DATABASE_URL"] {
        craft::resign_entry(&sandbox, "production", name, &bob.key, |entry| {
            entry.signer = "bob".parse().unwrap();
        });
    }
    change_member(&sandbox, "alice", |alice| {
        alice
            .access
            .insert("production".parse().unwrap(), Access::Read);
    });
    let said = str![[r#"
error: alice may not write in production, where entries must be signed again
hint: make an admin of one who may: `vault members set bob --admin`
"#]];
    sandbox
        .vault(&["rotate", "-e", "production"])
        .fails(3)
        .says(&said)
        .check();
}

/// On main production is rotated; the branch, cut before, brings `NEW` and, where `more` says so,
/// another value of `OTHER`.
fn merged() -> Sandbox {
    let sandbox = stocked();
    sandbox.git(&["checkout", "--quiet", "-b", "branch"]);
    sandbox.set("production", "NEW", b"from the branch");
    sandbox.commit("new");
    sandbox.git(&["checkout", "--quiet", "main"]);
    sandbox.quick(&["rotate", "-e", "production"]);
    sandbox.commit("rotated");
    sandbox.git(&["merge", "--quiet", "--no-edit", "branch"]);
    sandbox
}

#[test]
fn merged_entry_of_an_older_epoch_opens_with_a_warning() {
    let sandbox = merged();
    let warning = str![
        "warning: production has entries of an older epoch: NEW; to re-encrypt them: `vault rotate --finish`"
    ];
    sandbox
        .vault(&[
            "exec",
            "--no-mask",
            "-e",
            "production",
            "--",
            "sh",
            "-c",
            "echo $NEW",
        ])
        .prints("from the branch\n")
        .says(&warning)
        .check();
    let older = ".vault/production/NEW.toml: is sealed in epoch 1, but the newest is 2: \
                 `vault rotate --finish -e production`";
    found(
        &sandbox,
        &[],
        1,
        &(rotated("3", "FAILED") + &findings(&[older])),
    );
    let before = root(&sandbox);
    sandbox
        .vault(&["rotate", "--finish"])
        .says(str![[r#"
production: 1 entry re-encrypted
next: commit .vault
"#]])
        .changes(&["repo/.vault/production/NEW.toml"])
        .check();
    assert_eq!(root(&sandbox), before);
    assert_eq!(field(&sandbox, "production/NEW.toml", "origin"), "1");
    assert_eq!(sandbox.get("production", "NEW"), b"from the branch");
    sandbox
        .vault(&["verify"])
        .prints("[..]RESULT\n[..]ok\n[..]ok\n")
        .check();
    sandbox
        .vault(&["rotate", "--finish"])
        .says(str!["there was nothing to finish"])
        .check();
}

#[test]
fn rotation_reencrypts_entries_of_older_epochs() {
    let sandbox = merged();
    let said = str![[r#"
production has epoch 3: 3 entries re-encrypted
next: commit .vault
"#]];
    sandbox
        .vault(&["rotate", "-e", "production"])
        .says(&said)
        .any_change()
        .check();
    assert_eq!(sandbox.get("production", "NEW"), b"from the branch");
    sandbox
        .vault(&["verify"])
        .prints("[..]RESULT\n[..]ok\n[..]ok\n")
        .check();
}

#[test]
fn older_epochs_are_removed_only_by_forgetting_them() {
    let sandbox = merged();
    let epochs = |sandbox: &Sandbox| {
        let production = &root(sandbox).environments[&"production".parse().unwrap()];
        let numbers = production.epochs.iter().map(|epoch| epoch.number);
        numbers.collect::<Vec<_>>()
    };
    assert_eq!(epochs(&sandbox), [2, 1]);
    sandbox
        .vault(&["rotate", "--forget"])
        .fails(2)
        .says(str![[r#"
error: missing argument: --finish
hint: type `vault rotate --finish --forget`
hint: list its options: `vault rotate --help`
"#]])
        .check();
    sandbox
        .vault(&["rotate", "--finish", "--forget"])
        .says(str![[r#"
production: 1 entry re-encrypted
production no longer has older epochs
next: commit .vault
"#]])
        .any_change()
        .check();
    assert_eq!(epochs(&sandbox), [2]);
    sandbox
        .vault(&["verify"])
        .prints("[..]RESULT\n[..]ok\n[..]ok\n")
        .check();
    assert_eq!(sandbox.get("production", "NEW"), b"from the branch");
}

/// The names of files that git cannot merge.
fn conflicts(sandbox: &Sandbox) -> String {
    sandbox.git(&["diff", "--name-only", "--diff-filter=U"])
}

#[test]
fn parallel_rotations_conflict_in_git() {
    let sandbox = stocked();
    sandbox.git(&["checkout", "--quiet", "-b", "branch"]);
    sandbox.quick(&["rotate", "-e", "production"]);
    sandbox.set("production", "NEW", b"sealed under the losing one");
    sandbox.commit("rotated on a branch");
    sandbox.git(&["checkout", "--quiet", "main"]);
    // Another admin's machine: this one has seen the branch's revocation.
    fs::remove_dir_all(sandbox.home().join(".local")).unwrap();
    sandbox.quick(&["trust", &sandbox.id()]);
    sandbox.quick(&["rotate", "-e", "production"]);
    sandbox.commit("rotated on main");
    let merge = [
        "-c",
        "user.name=x",
        "-c",
        "user.email=x@x",
        "merge",
        "--no-edit",
        "branch",
    ];
    let merged = std::process::Command::new("git")
        .current_dir(sandbox.repo())
        .args(merge)
        .output()
        .unwrap();
    assert_eq!(merged.status.code(), Some(1), "{merged:?}");
    assert_eq!(
        conflicts(&sandbox),
        ".vault/members/alice.toml
.vault/production/DATABASE_URL.toml
.vault/production/OTHER.toml
.vault/root.toml
"
    );
    sandbox.git(&["checkout", "--ours", "--", ".vault"]);
    sandbox.git(&["checkout", "branch", "--", ".vault/production/OTHER.toml"]);
    let output = rotated("1", "FAILED")
        + &findings(&[
            ".vault/production/NEW.toml: does not match the signature of alice",
            ".vault/production/OTHER.toml: does not match the signature of alice",
        ]);
    sandbox
        .vault(&["verify", "--id", &sandbox.id()])
        .without("HOME")
        .fails(1)
        .prints(output)
        .says(str![[r#"
error: verification failed: 2 findings
hint: a merge is under way: end its conflicts with `vault resolve`
"#]])
        .check();
    let said = str![[r#"
error: .vault/production/NEW.toml: does not match the signature of alice
hint: put back the committed file: `git checkout -- .vault/production/NEW.toml`
hint: a merge is under way: end its conflicts with `vault resolve`
"#]];
    sandbox
        .vault(&["rotate", "--finish"])
        .fails(4)
        .says(&said)
        .check();
    sandbox
        .vault(&["get", "NEW", "-e", "production"])
        .fails(4)
        .says(&said)
        .check();
}

#[test]
fn entry_of_a_former_member_is_adopted_only_by_name() {
    let sandbox = stocked();
    let bob = Colleague::clone_of(&sandbox, "bob");
    let fingerprint = bob.join();
    bob.send();
    let add = [
        "members",
        "add",
        "bob",
        "-e",
        "production=write",
        "--fingerprint",
        &fingerprint,
    ];
    sandbox.quick(&add);
    sandbox.commit("bob");
    bob.pull();
    bob.vault(&["set", "NEW", "-e", "production", "-q"])
        .input("bob's")
        .any_change()
        .check();
    sandbox.quick(&["members", "remove", "bob"]);
    sandbox.commit("bob has left");
    bob.send();
    let refused = str![[r#"
error: .vault/production/NEW.toml: is signed by bob, who is no longer a member
hint: put back one that a writer signed: `git log -p -- .vault/production/NEW.toml`
hint: or take it over, after a look at who signed it: `vault rotate --finish -e production --adopt NEW`
"#]];
    for arguments in [&["rotate", "--finish"][..], &["rotate", "-e", "production"]] {
        sandbox.vault(arguments).fails(4).says(&refused).check();
    }
    let shown = ".vault/production/NEW.toml: signed by bob, who can no longer write in production: value \
                 chosen by bob at [..], revision 1, epoch 1\n";
    let adopt = ["rotate", "--finish", "--adopt", "NEW"];
    let said = format!(
        "{shown}error: cannot ask for confirmation without a terminal: re-sign these entries\nhint: to confirm, pass `--yes`\n"
    );
    sandbox.vault(&adopt).fails(4).says(&said).check();
    let mut terminal = Terminal::start(sandbox.vault(&adopt));
    terminal.sees("re-sign these entries? [y/N] ");
    terminal.types("n\n");
    terminal.ends(4);
    let output = table(&[
        ["development", "1", "2", "alice", "ok"],
        ["production", "2", "2", "alice", "FAILED"],
    ]) + &findings(&[
        ".vault/production/NEW.toml: is signed by bob, who is no longer a member",
    ]);
    sandbox
        .vault(&["verify"])
        .fails(1)
        .prints(output)
        .says(str!["error: verification failed: 1 finding"])
        .check();
    let said = str![
        "error: OTHER in development, production does not need adopting: it is missing, or a current member signed it"
    ];
    sandbox
        .vault(&["rotate", "--finish", "--adopt", "OTHER"])
        .fails(2)
        .says(&said)
        .check();
    let said = format!("{shown}production: 1 entry re-encrypted\nnext: commit .vault\n");
    sandbox
        .vault(&["rotate", "--finish", "--adopt", "NEW", "--yes"])
        .says(&said)
        .changes(&["repo/.vault/production/NEW.toml"])
        .check();
    assert_eq!(sandbox.get("production", "NEW"), b"bob's");
    let of = |name| field(&sandbox, "production/NEW.toml", name);
    assert_eq!(
        (of("author"), of("signer"), of("origin")),
        ("bob".into(), "alice".into(), "1".into())
    );
    // Its value is one that bob knows.
    let status = sandbox.vault(&["status"]).outcome();
    let known = "bob could read NEW in production, and the value has not changed\n";
    assert!(String::from_utf8(status.output).unwrap().contains(known));
}

/// They are not all in memory at a time.
#[test]
fn large_values_survive_a_rotation() {
    let sandbox = Sandbox::with_vault();
    let value = |number: u8| vec![number; (1 << 20) - usize::from(number)];
    let count = if all_is_wanted() { 5 } else { 2 };
    for number in 0..count {
        sandbox.set("production", &format!("LARGE_{number}"), &value(number));
        sandbox.set("production", &format!("SMALL_{number}"), b"small");
    }
    sandbox.quick(&["rotate", "-e", "production"]);
    for number in 0..count {
        assert!(sandbox.get("production", &format!("LARGE_{number}")) == value(number));
        assert_eq!(
            sandbox.get("production", &format!("SMALL_{number}")),
            b"small"
        );
    }
    sandbox
        .vault(&["verify"])
        .prints(format!(
            "[..]RESULT\n[..]ok\nproduction   {:<2} [..]ok\n",
            2 * count
        ))
        .check();
}
