//! Attacks with genuine members' files: deleted ones, ones of another branch, and ones from before a
//! revocation. The authority signed each of them once, so only the root shows which of them count.

use std::fs;

use repovault::vault::model::Access;
use snapbox::str;

use crate::support::craft::{self, Person};
use crate::support::refusal::stocked;
use crate::support::sandbox::{Outcome, Run, Sandbox};

const BOB: &str = "members/bob.toml";

/// The stocked vault in which bob can read production, whose key is new since then; committed.
fn with_bob() -> (Sandbox, Person) {
    let sandbox = stocked();
    let bob = craft::enroll(&sandbox, "bob", &[("production", Access::Read)]);
    sandbox.quick(&["rotate", "-e", "production"]);
    sandbox.commit("bob is a member");
    (sandbox, bob)
}

/// A command of a person with this key who uses the vault for the first time.
fn by<'a>(sandbox: &'a Sandbox, person: &Person, words: &[&str]) -> Run<'a> {
    let key = person.key_file(sandbox).display().to_string();
    let home = sandbox.root().join("elsewhere");
    let run = sandbox.vault(words).variable("VAULT_KEY_FILE", &key);
    run.variable("VAULT_ID", &sandbox.id())
        .variable("HOME", home.to_str().unwrap())
}

const GET: [&str; 4] = ["get", "OTHER", "-e", "production"];
const SET: [&str; 4] = ["set", "OTHER", "-e", "production"];

/// Checks that no value is sealed with a key that `name` knows, and that `verify` says so.
#[track_caller]
fn known_to(sandbox: &Sandbox, name: &str) {
    let line = format!("production's key is known to {name}, who is not a member here");
    let set = sandbox.vault(&SET).input("new").outcome();
    assert_eq!(set.status, 4, "{}", set.said);
    assert!(set.said.contains(&line), "{}", set.said);
    let verify = sandbox.vault(&["verify"]).outcome();
    let printed = text(&verify);
    assert!(verify.status == 1 && printed.contains(&line), "{printed}");
    // Readers are not stopped.
    assert_eq!(sandbox.get("production", "OTHER"), b"other");
}

fn text(outcome: &Outcome) -> String {
    String::from_utf8(outcome.output.clone()).unwrap()
}

/// A branch without someone's file looks as if they had been removed, but they know the key.
#[test]
fn deleted_member_file_is_not_a_removal() {
    let (sandbox, _) = with_bob();
    fs::remove_file(sandbox.store(BOB)).unwrap();
    known_to(&sandbox, "bob");
    for command in [
        &[
            "copy",
            "DATABASE_URL",
            "--from",
            "development",
            "--to",
            "production",
        ][..],
        &["import", "-", "-e", "production"],
    ] {
        let outcome = sandbox.vault(command).input("NEW=value\n").outcome();
        assert_eq!(outcome.status, 4, "{command:?}: {}", outcome.said);
    }
    // One of the ways out: the removal that it looked like.
    sandbox.quick(&["members", "remove", "bob", "--yes"]);
    sandbox.set("production", "OTHER", b"new");
}

/// Bob was added after the newest epoch began, so only a comparison shows that bob knows its key.
#[test]
fn deleted_file_of_a_late_member_is_found_by_reviewers() {
    let sandbox = stocked();
    craft::enroll(&sandbox, "bob", &[("production", Access::Read)]);
    sandbox.commit("bob is a member");
    fs::remove_file(sandbox.store(BOB)).unwrap();
    let since = ["verify", "--since", "HEAD"];
    sandbox
        .vault(&since)
        .without("HOME")
        .fails(1)
        .prints(str![[r#"
compared with HEAD = [COMMIT]

ENVIRONMENT  SECRETS  EPOCH  SIGNED BY  RESULT
development  1        1      alice      ok
production   2        1      alice      ok

findings:
  missing: bob is gone without a revocation
  not rotated: .vault/root.toml: bob lost access to production, but knows the data key of epoch 1, which is still in use
  taken, not revoked: bob lost something, and the files from before still count

needs attention:
  granted in another commit: bob has the key of production from there, and no such access here; unless that commit will be merged, run `vault members set bob -e production=none`

changed since HEAD:
  access taken: bob in production: read → none (member removed)
"#]])
        .says(str!["error: verification failed: 3 findings"])
        .check();
}

/// The file of another branch has a higher revision, and still shows what was taken on this one.
#[test]
fn file_of_another_branch_does_not_undo_a_reduction() {
    let (sandbox, bob) = with_bob();
    sandbox.git(&["switch", "--quiet", "--create", "other"]);
    for access in ["development=read", "development=write", "staging=read"] {
        if access.starts_with("staging") {
            sandbox.quick(&["environments", "add", "staging"]);
        }
        sandbox.quick(&["members", "set", "bob", "-e", access, "-q"]);
    }
    sandbox.commit("bob gets more");
    let granted = fs::read(sandbox.store(BOB)).unwrap();
    let revision = craft::member(&sandbox, "bob").revision;
    sandbox.git(&["switch", "--quiet", "main"]);
    sandbox.quick(&[
        "members",
        "set",
        "bob",
        "-e",
        "production=none",
        "--yes",
        "-q",
    ]);
    sandbox.commit("bob loses production");
    assert!(craft::member(&sandbox, "bob").revision < revision);
    by(&sandbox, &bob, &GET)
        .fails(3)
        .says(str![[r#"
error: production is locked: bob has access to nothing
hint: ask an admin for access to production
"#]])
        .check();
    fs::write(sandbox.store(BOB), granted).unwrap();
    by(&sandbox, &bob, &GET).fails(3).says(str![[r#"
error: your key does not work here: .vault/members/bob.toml: does not count: it does not belong to the latest revocation of this member
hint: put back the committed file: `git checkout -- .vault/members/bob.toml`
"#]]).check();
    sandbox
        .vault(&["verify", "--since", "HEAD"])
        .fails(1)
        .prints(str![[r#"
compared with HEAD = [COMMIT]

ENVIRONMENT  SECRETS  EPOCH  SIGNED BY  RESULT
development  1        1      alice      ok
production   2        3      alice      ok

findings:
  .vault/members/bob.toml: does not count: it does not belong to the latest revocation of this member
  missing: bob is gone without a revocation

needs attention:
  .vault/root.toml: differs from the root that was seen before with this revision
  granted in another commit: bob has the key of development from there, and no such access here; unless that commit will be merged, run `vault members set bob -e development=none`
"#]])
        .says(str!["error: verification failed: 2 findings"])
        .check();
    // No admin builds on such a file.
    let grant = ["members", "set", "bob", "-e", "development=read"];
    sandbox.vault(&grant).fails(4).says(str![[r#"
warning: the root is not the one seen before at this revision: two branches changed it, and one of them is not merged here
error: .vault/members/bob.toml: does not count: it does not belong to the latest revocation of this member
hint: put back the committed file: `git checkout -- .vault/members/bob.toml`
hint: to add them again with another name, first remove this one: `vault members remove bob`
"#]]).check();
}

/// Everyone who keeps access reads before and after each step of a reduction; bob's file counts with
/// the root before it and the one after it.
#[test]
fn file_of_a_reduction_counts_before_and_after_its_root() {
    let (sandbox, bob) = with_bob();
    let old_root = fs::read(sandbox.store("root.toml")).unwrap();
    sandbox.quick(&[
        "members",
        "set",
        "bob",
        "-e",
        "production=OTHER",
        "--yes",
        "-q",
    ]);
    by(&sandbox, &bob, &GET).prints("other").check();
    let new_root = fs::read(sandbox.store("root.toml")).unwrap();
    sandbox.git(&["checkout", "--quiet", "HEAD", "--", ".vault/production"]);
    fs::write(sandbox.store("root.toml"), old_root).unwrap();
    by(&sandbox, &bob, &GET).prints("other").check();
    // It may also have been planted: an admin decides.
    let home = sandbox.home().join(".local");
    fs::remove_dir_all(home).unwrap();
    sandbox.quick(&["trust", &sandbox.id()]);
    sandbox
        .vault(&["verify"])
        .fails(1)
        .prints(str![[r#"
ENVIRONMENT  SECRETS  EPOCH  SIGNED BY  RESULT
development  1        1      alice      ok
production   2        2      alice      ok

findings:
  .vault/members/bob.toml: is newer than the root says: a revocation was interrupted, or someone put it there: `vault members set bob`

notes:
  .vault/members/alice.toml: still has 1 key of an unlisted epoch in production, until it is next written
  .vault/members/bob.toml: still has 1 key of an unlisted epoch in production, until it is next written
"#]])
        .says(str!["error: verification failed: 1 finding"])
        .check();
    let add = ["ci", "add", "github", "-e", "production"];
    sandbox.vault(&add).fails(4).says(str![[r#"
error: .vault/members/bob.toml: is newer than the root says: a revocation was interrupted, or someone put it there
hint: to complete that revocation: `vault members set bob`
hint: to undo it: `git log -- .vault/members/bob.toml`, then check out the file before it
"#]]).check();
    fs::write(sandbox.store("root.toml"), new_root).unwrap();
    let get = by(&sandbox, &bob, &GET).prints("other");
    get.says(str![
        "warning: production has entries of an older epoch: OTHER; to re-encrypt them: `vault rotate --finish`"
    ])
    .check();
}

/// What bob could read in the first environment of this name says nothing about the second.
#[test]
fn environment_made_again_is_locked_for_old_access() {
    let (sandbox, bob) = with_bob();
    let old = fs::read(sandbox.store(BOB)).unwrap();
    sandbox.quick(&["environments", "remove", "production", "--yes"]);
    sandbox.quick(&["environments", "add", "production"]);
    sandbox.set("production", "OTHER", b"second");
    let production =
        craft::vault(&sandbox).root().environments[&"production".parse().unwrap()].clone();
    assert!(production.newest().number > 2, "{production:?}");
    by(&sandbox, &bob, &GET)
        .fails(3)
        .says(str![[r#"
error: production is locked: bob has access to nothing
hint: ask an admin for access to production
"#]])
        .check();
    // The file from before has access, but no key of a listed epoch.
    fs::write(sandbox.store(BOB), old).unwrap();
    by(&sandbox, &bob, &GET)
        .fails(3)
        .says(str![[r#"
error: production is locked: bob has access to nothing
hint: ask an admin for access to production
"#]])
        .check();
    let verify = sandbox.vault(&["verify"]);
    verify.prints(str![[r#"
ENVIRONMENT  SECRETS  EPOCH  SIGNED BY  RESULT
development  1        1      alice      ok
production   1        3      alice      ok

notes:
  .vault/members/bob.toml: still has access that does not count, and 2 keys of unlisted epochs in production, until it is next written
"#]]).check();
    sandbox.set("production", "OTHER", b"third");
    by(&sandbox, &bob, &GET)
        .fails(3)
        .says(str![[r#"
error: production is locked: bob has access to nothing
hint: ask an admin for access to production
"#]])
        .check();
}

/// On another branch, bob joined once more with the same keys.
#[test]
fn former_member_is_locked_out_under_another_name() {
    let (sandbox, bob) = with_bob();
    sandbox.git(&["switch", "--quiet", "--create", "other"]);
    craft::enroll_person(&sandbox, "robert", &[("production", Access::Write)], &bob);
    sandbox.commit("robert is bob");
    sandbox.git(&["switch", "--quiet", "main"]);
    sandbox.quick(&["members", "remove", "bob", "--yes"]);
    sandbox.commit("bob has left");
    sandbox.git(&["merge", "--quiet", "--no-edit", "other"]);
    by(&sandbox, &bob, &GET).fails(3).says(str!["error: your key does not work here: .vault/members/robert.toml: does not count: it has a key of the former member bob"]).check();
    by(&sandbox, &bob, &SET).input("bob's").fails(3).says(str!["error: your key does not work here: .vault/members/robert.toml: does not count: it has a key of the former member bob"]).check();
    sandbox
        .vault(&["verify"])
        .fails(1)
        .prints(str![[r#"
ENVIRONMENT  SECRETS  EPOCH  SIGNED BY  RESULT
development  1        2      alice      ok
production   2        3      alice      ok

findings:
  .vault/members/robert.toml: does not count: it has a key of the former member bob
"#]])
        .says(str!["error: verification failed: 1 finding"])
        .check();
    // The file has no key of the newest epoch, so it stops no one, and the next change deletes it.
    sandbox.set("production", "OTHER", b"new");
    let add = sandbox.vault(&["ci", "add", "github", "-e", "production"]);
    add.prints("vaultci1_[..]\n")
        .says(str![[r#"
deleted .vault/members/robert.toml: it has a key of the former member bob
github can read every secret in production
commit .vault, then store this line as the secret VAULT_KEY of the CI platform
(it is shown only once):
"#]])
        .any_change()
        .check();
    assert!(!sandbox.store("members/robert.toml").exists());
    sandbox
        .vault(&["verify"])
        .prints("[..]\n[..]\n[..]\n")
        .check();
}

/// A former member's file with the newest key stops writers until the next rotation.
#[test]
fn file_of_a_former_member_with_the_newest_key_stops_writers() {
    let (sandbox, bob) = with_bob();
    sandbox.quick(&["members", "remove", "bob", "--yes"]);
    craft::enroll_person(&sandbox, "robert", &[("production", Access::Read)], &bob);
    known_to(&sandbox, "robert");
    by(&sandbox, &bob, &GET).fails(3).says(str!["error: your key does not work here: .vault/members/robert.toml: does not count: it has a key of the former member bob"]).check();
    sandbox.quick(&["rotate", "-e", "production"]);
    sandbox.set("production", "OTHER", b"new");
}

/// Neither the files nor the root of an old authority count.
#[test]
fn files_of_an_old_authority_do_not_count() {
    let (sandbox, bob) = with_bob();
    let old = sandbox.id();
    sandbox.quick(&["rotate", "--authority", "--yes"]);
    sandbox.commit("a new authority");
    let get = by(&sandbox, &bob, &GET);
    get.prints("other").check();
    sandbox.git(&[
        "checkout",
        "--quiet",
        "HEAD~",
        "--",
        ".vault/members/bob.toml",
    ]);
    let get = by(&sandbox, &bob, &GET);
    get.fails(4)
        .says(str![[r#"
error: .vault/members/bob.toml: does not match the signature of the authority of this vault
hint: put back the committed file: `git checkout -- .vault/members/bob.toml`
"#]])
        .check();
    known_to(&sandbox, "bob");
    sandbox.git(&["checkout", "--quiet", "HEAD", "--", ".vault"]);
    sandbox.git(&["checkout", "--quiet", "HEAD~", "--", ".vault/root.toml"]);
    let said = format!("expected {}, found {old}", craft_id(&sandbox));
    for command in [&GET, &SET] {
        let outcome = sandbox.vault(command).input("x").outcome();
        assert!(
            outcome.status == 4 && outcome.said.contains(&said),
            "{}",
            outcome.said
        );
    }
    // The old root with the new id is signed by the old key.
    let new = craft_id(&sandbox);
    let text = fs::read_to_string(sandbox.store("root.toml")).unwrap();
    fs::write(sandbox.store("root.toml"), text.replace(&old, &new)).unwrap();
    sandbox
        .vault(&GET)
        .fails(4)
        .says(str![[r#"
error: .vault/root.toml: does not match the signature of the authority of this vault
hint: put back the committed file: `git checkout -- .vault/root.toml`
"#]])
        .check();
}

/// The id in the last commit.
fn craft_id(sandbox: &Sandbox) -> String {
    let root = sandbox.git(&["show", "HEAD:.vault/root.toml"]);
    let line = root.lines().nth(2).unwrap();
    let id = line.strip_prefix("vault = \"bech32:").unwrap();
    id.trim_end_matches('"').to_owned()
}

/// No environment or member has the name of one of the vault's own files and folders.
#[test]
fn reserved_names_are_refused() {
    let sandbox = stocked();
    for name in ["root", "vault", "members", "requests", "tmp"] {
        for command in [
            &["environments", "add", name][..],
            &["ci", "add", name, "-e", "production"],
            &["members", "add", name, "-e", "production=read"],
            &["join", "--name", name],
            &["get", "OTHER", "-e", name],
        ] {
            let outcome = sandbox.vault(command).outcome();
            assert_eq!(outcome.status, 2, "{command:?}: {}", outcome.said);
        }
        // Nor do files make them one.
        let folder = sandbox.store(name);
        if !folder.exists() {
            fs::create_dir(&folder).unwrap();
            fs::copy(
                sandbox.store("production/OTHER.toml"),
                folder.join("OTHER.toml"),
            )
            .unwrap();
            let outcome = sandbox
                .vault(&["exec", "-e", name, "--", "touch", "ran"])
                .outcome();
            assert_eq!(outcome.status, 125, "{}", outcome.said);
            fs::remove_dir_all(folder).unwrap();
        }
    }
    let printed = sandbox.git(&["status", "--short"]);
    assert_eq!(printed, "");
}

/// `VAULT_ID` raises the tag of a credential, and never lowers it.
#[test]
fn every_pin_must_be_met() {
    let sandbox = stocked();
    let id = sandbox.id();
    sandbox.git(&["branch", "first"]);
    sandbox.quick(&["rotate", "-e", "production"]);
    let older = craft::vault(&sandbox).root().latest();
    let credential = sandbox.credential("github", &["-e", "production"]);
    sandbox.commit("a credential");
    sandbox.git(&["branch", "second"]);
    sandbox.quick(&["rotate", "-e", "production"]);
    let newer = craft::vault(&sandbox).root().latest();
    sandbox.commit("another rotation");
    let get = |pin: &str| {
        let run = sandbox.vault(&["get", "OTHER"]).without("HOME");
        let run = run
            .variable("VAULT_KEY", &credential)
            .variable("VAULT_ID", pin);
        run.outcome().status
    };
    let (bare, older, newer) = (id.clone(), format!("{id}@{older}"), format!("{id}@{newer}"));
    let status = |branch: &str| {
        sandbox.git(&["switch", "--quiet", branch]);
        [get(&bare), get(&older), get(&newer)]
    };
    assert_eq!(status("main"), [0, 0, 0]);
    assert_eq!(status("second"), [0, 0, 4]);
    // The bare id does not lower what the credential knows.
    assert_eq!(status("first"), [4, 4, 4]);
}

/// Also with the markers of a merge in it.
#[test]
fn broken_member_file_stops_no_one_else() {
    let (sandbox, _) = with_bob();
    let credential = sandbox.credential("github", &["-e", "production"]);
    fs::write(
        sandbox.store(BOB),
        "<<<<<<< ours\n=======\n>>>>>>> theirs\n",
    )
    .unwrap();
    let exec = [
        "exec",
        "--no-mask",
        "-e",
        "production",
        "--",
        "printenv",
        "OTHER",
    ];
    sandbox.vault(&exec).prints("other\n").check();
    let machine = sandbox.vault(&exec).without("HOME");
    machine
        .variable("VAULT_KEY", &credential)
        .prints("other\n")
        .check();
    sandbox
        .vault(&["list", "-e", "production"])
        .prints("[..]\n[..]\n[..]\n")
        .check();
    known_to(&sandbox, "bob");
}
