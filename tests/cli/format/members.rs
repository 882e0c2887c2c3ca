//! Members' files: which count, which of their parts do, and whom a wrong one affects.

use std::fs;

use repovault::crypto::{Commitment, Tag};
use repovault::vault::model::{Access, Former, Member, Reduced};
use snapbox::str;

use crate::support::craft::{self, Person};
use crate::support::refusal::{findings, found, held, stocked};
use crate::support::sandbox::Sandbox;

const BOB: &str = "members/bob.toml";

/// The stocked vault, bob with read access to production, and the path of bob's key file.
fn with_bob() -> (Sandbox, Person, String) {
    let sandbox = stocked();
    let bob = craft::enroll(&sandbox, "bob", &[("production", Access::Read)]);
    let key = bob.key_file(&sandbox).display().to_string();
    (sandbox, bob, key)
}

/// Checks that bob cannot use the vault for this reason, that `verify` reports it, and that everyone
/// else works as before.
#[track_caller]
fn only_bob_is_affected(sandbox: &Sandbox, key: &str, reason: &str) {
    let get = sandbox
        .vault(&["get", "OTHER", "-e", "production"])
        .variable("VAULT_KEY_FILE", key)
        .variable("VAULT_ID", &sandbox.id())
        .outcome();
    let said = format!("error: .vault/{BOB}: {reason}\n");
    assert!(
        get.status == 4 && get.said.starts_with(&said),
        "{}",
        get.said
    );
    let exec = [
        "exec",
        "-e",
        "production",
        "--no-mask",
        "--",
        "printenv",
        "OTHER",
    ];
    sandbox.vault(&exec).prints("other\n").check();
    sandbox.set("production", "NEW", b"new");
    sandbox.quick(&["remove", "NEW", "-e", "production"]);
    fs::remove_file(sandbox.store("production/NEW.toml")).unwrap();
    let line = format!(".vault/{BOB}: {reason}");
    found(sandbox, &[], 1, &(held(1, 2) + &findings(&[&line])));
}

fn tag(byte: u8) -> Tag {
    Tag::from_bytes(&[byte; 16]).unwrap()
}

/// Even what the authority signs must not contradict itself.
#[test]
fn contradictory_file_affects_only_its_member() {
    let (sandbox, _, key) = with_bob();
    let authority = craft::authority(&sandbox);
    let genuine = fs::read(sandbox.store(BOB)).unwrap();
    let changes: [fn(&mut Member); 4] = [
        // A writer without a signing key.
        |bob| {
            bob.signing = None;
            bob.access
                .insert("production".parse().unwrap(), Access::Write);
        },
        // A tag that replaces another one, and is none itself.
        |bob| bob.replaces = Some(tag(1)),
        // A tag that replaces itself.
        |bob| (bob.revocation, bob.replaces) = (Some(tag(1)), Some(tag(1))),
        // Zeros, which mean no revocation.
        |bob| bob.revocation = Some(Tag::NONE),
    ];
    for change in changes {
        craft::resign_member(&sandbox, "bob", &authority, change);
        only_bob_is_affected(&sandbox, &key, "is not in the form vault writes");
        fs::write(sandbox.store(BOB), &genuine).unwrap();
    }
}

#[test]
fn file_under_another_name_does_not_count() {
    let (sandbox, _, key) = with_bob();
    fs::rename(sandbox.store(BOB), sandbox.store("members/carol.toml")).unwrap();
    let text = fs::read_to_string(sandbox.store("members/carol.toml")).unwrap();
    for renamed in [text.clone(), text.replace("bob", "carol")] {
        fs::write(sandbox.store("members/carol.toml"), renamed).unwrap();
        let get = sandbox
            .vault(&["get", "OTHER", "-e", "production"])
            .variable("VAULT_KEY_FILE", &key)
            .variable("VAULT_ID", &sandbox.id())
            .fails(4);
        get.says(str![[r#"
error: .vault/members/carol.toml: does not match the signature of the authority of this vault
hint: put back the committed file: `git checkout -- .vault/members/carol.toml`
"#]])
            .check();
        let line = ".vault/members/carol.toml: does not match the signature of the authority of this vault";
        found(&sandbox, &[], 1, &(held(1, 2) + &findings(&[line])));
    }
}

#[test]
fn file_not_signed_by_the_authority_does_not_count() {
    let (sandbox, bob, key) = with_bob();
    craft::resign_member(&sandbox, "bob", &bob.key, |bob| {
        bob.access
            .insert("development".parse().unwrap(), Access::Write);
    });
    only_bob_is_affected(
        &sandbox,
        &key,
        "does not match the signature of the authority of this vault",
    );
}

/// The root's tag for a name must be the file's `revocation` or its `replaces`.
#[test]
fn tags_of_root_and_file_decide_if_files_count() {
    let (sandbox, _, key) = with_bob();
    let authority = craft::authority(&sandbox);
    let (old, new, other) = (Some(tag(1)), Some(tag(2)), Some(tag(3)));
    // The root's tag, the file's `revocation` and `replaces`, and whether it counts.
    let cases = [
        (None, None, None, true),
        (None, new, None, true),
        (None, new, old, false),
        (old, None, None, false),
        (old, old, None, true),
        (old, new, old, true),
        (old, new, None, false),
        (old, new, other, false),
        (new, new, old, true),
        (new, old, None, false),
        (new, old, other, false),
        (other, new, old, false),
    ];
    for (root_tag, revocation, replaces, counts) in cases {
        craft::resign_root(&sandbox, &authority, |root| {
            root.revocations = vec![tag(1), tag(2), tag(3)];
            root.members.clear();
            if root_tag.is_some() {
                let revocation = root_tag;
                let reduced = Reduced {
                    revocation,
                    ..Reduced::default()
                };
                root.members.insert("bob".parse().unwrap(), reduced);
            }
        });
        craft::resign_member(&sandbox, "bob", &authority, |bob| {
            (bob.revocation, bob.replaces) = (revocation, replaces);
        });
        let get = sandbox
            .vault(&["get", "OTHER", "-e", "production"])
            .variable("VAULT_KEY_FILE", &key)
            .variable("VAULT_ID", &sandbox.id())
            .outcome();
        let case = format!("{root_tag:?} {revocation:?} {replaces:?}: {}", get.said);
        assert_eq!(get.status, if counts { 0 } else { 3 }, "{case}");
    }
}

/// A higher revision does not help a file from before a revocation.
#[test]
fn file_from_before_a_revocation_does_not_count() {
    let (sandbox, _, key) = with_bob();
    let old = craft::member(&sandbox, "bob");
    sandbox.quick(&[
        "members",
        "set",
        "bob",
        "-e",
        "production=OTHER",
        "-q",
        "--yes",
    ]);
    assert!(craft::member(&sandbox, "bob").revision < 99);
    let raised = Member {
        revision: 99,
        ..old
    };
    craft::put_member(&sandbox, "bob", &raised, &craft::authority(&sandbox));
    let get = sandbox
        .vault(&["get", "OTHER", "-e", "production"])
        .variable("VAULT_KEY_FILE", &key)
        .variable("VAULT_ID", &sandbox.id());
    get.fails(3).says(str![[r#"
error: your key does not work here: .vault/members/bob.toml: does not count: it does not belong to the latest revocation of this member
hint: put back the committed file: `git checkout -- .vault/members/bob.toml`
"#]]).check();
    sandbox.vault(&["verify"]).fails(1).prints(str![[r#"
ENVIRONMENT  SECRETS  EPOCH  SIGNED BY  RESULT
development  1        1      alice      ok
production   2        2      alice      ok

findings:
  .vault/members/bob.toml: does not count: it does not belong to the latest revocation of this member
  production's key is known to bob, who is not a member here
"#]]).says(str!["error: verification failed: 2 findings"]).check();
    // Bob knows the newest key, though no file here shows it: nothing new is sealed with it.
    let set = sandbox.vault(&["set", "OTHER", "-e", "production"]);
    set.input("new").fails(4).says(str![[r#"
error: .vault/members: production's key is known to bob, who is not a member here
hint: put back the newer file: `git checkout -- .vault/members/bob.toml`, or merge the branch with it
hint: or remove bob: `vault members remove bob`, or make a new key: `vault rotate -e production`
"#]]).check();
    assert_eq!(sandbox.get("production", "OTHER"), b"other");
}

#[test]
fn former_name_or_key_does_not_count_under_any_name() {
    let (sandbox, bob, key) = with_bob();
    let authority = craft::authority(&sandbox);
    let genuine = fs::read(sandbox.store("root.toml")).unwrap();
    let recipient = Some(bob.identity.recipient().digest());
    let signer = Some(bob.key.public().digest());
    let own = Former {
        recipient,
        ..Former::default()
    };
    let former = Former {
        signer,
        ..Former::default()
    };
    let cases = [
        ("bob", Former::default(), "bob is a former member"),
        ("robert", own, "it has a key of the former member robert"),
        ("robert", former, "it has a key of the former member robert"),
    ];
    for (name, former, reason) in cases {
        craft::resign_root(&sandbox, &authority, |root| {
            root.revision += 1;
            root.former.insert(name.parse().unwrap(), former);
        });
        let get = sandbox
            .vault(&["get", "OTHER", "-e", "production"])
            .variable("VAULT_KEY_FILE", &key)
            .variable("VAULT_ID", &sandbox.id())
            .outcome();
        assert_eq!(get.status, 3, "{}", get.said);
        let outcome = sandbox.vault(&["verify"]).outcome();
        let printed = String::from_utf8(outcome.output).unwrap();
        let line = format!(".vault/{BOB}: does not count: {reason}");
        assert!(outcome.status == 1 && printed.contains(&line), "{printed}");
        // The file holds the newest key, so nothing is sealed with it until the next rotation.
        let set = ["set", "OTHER", "-e", "production"];
        let outcome = sandbox.vault(&set).input("new").outcome();
        let blocked = "error: .vault/members: production's key is known to bob";
        assert!(
            outcome.status == 4 && outcome.said.contains(blocked),
            "{}",
            outcome.said
        );
        fs::write(sandbox.store("root.toml"), &genuine).unwrap();
        fs::remove_dir_all(sandbox.home().join(".local")).unwrap();
        sandbox.quick(&["trust", &sandbox.id()]);
    }
}

/// A record of both kinds is a finding, and then the name is a former one.
#[test]
fn name_both_member_and_former_is_a_finding() {
    let (sandbox, _, _) = with_bob();
    craft::resign_root(&sandbox, &craft::authority(&sandbox), |root| {
        root.revision += 1;
        root.revocations = vec![tag(1)];
        let revocation = Some(tag(1));
        let reduced = Reduced {
            revocation,
            ..Reduced::default()
        };
        root.members.insert("bob".parse().unwrap(), reduced);
        root.former
            .insert("bob".parse().unwrap(), Former::default());
    });
    fs::remove_file(sandbox.store(BOB)).unwrap();
    assert_eq!(sandbox.get("production", "OTHER"), b"other");
    sandbox
        .vault(&["verify"])
        .fails(1)
        .prints(str![[r#"
ENVIRONMENT  SECRETS  EPOCH  SIGNED BY  RESULT
development  1        1      alice      ok
production   2        1      alice      ok

findings:
  .vault/root.toml: lists bob as a member and as a former one
"#]])
        .says(str!["error: verification failed: 1 finding"])
        .check();
}

#[test]
fn two_files_with_one_recipient_are_a_finding() {
    let (sandbox, bob, key) = with_bob();
    craft::enroll_person(&sandbox, "adam", &[("development", Access::Read)], &bob);
    sandbox
        .vault(&["verify"])
        .fails(1)
        .prints(str![[r#"
ENVIRONMENT  SECRETS  EPOCH  SIGNED BY  RESULT
development  1        1      alice      ok
production   2        1      alice      ok

findings:
  .vault/members/bob.toml: has the recipient of adam: remove one of the two names
"#]])
        .says(str!["error: verification failed: 1 finding"])
        .check();
    // The key is that of the first one by name.
    let get = |name, environment| {
        sandbox
            .vault(&["get", name, "-e", environment])
            .variable("VAULT_KEY_FILE", &key)
            .variable("VAULT_ID", &sandbox.id())
    };
    get("DATABASE_URL", "development")
        .prints("postgres://development")
        .check();
    get("OTHER", "production")
        .fails(3)
        .says(str![[r#"
error: production is locked: adam has access to development
hint: ask an admin for access to production
"#]])
        .check();
}

/// Access counts with the key of a listed epoch, and a key counts with access.
#[test]
fn access_without_a_listed_key_is_a_leftover() {
    let (sandbox, _, key) = with_bob();
    let authority = craft::authority(&sandbox);
    let genuine = fs::read(sandbox.store(BOB)).unwrap();
    let changes: [fn(&mut Member); 3] = [
        |bob| bob.sealed.clear(),
        |bob| {
            let keys = bob.sealed.get_mut(&"production".parse().unwrap()).unwrap();
            let (_, payload) = keys.pop_first().unwrap();
            keys.insert(Commitment([7; 32]), payload);
        },
        |bob| bob.access.clear(),
    ];
    let printed = [
        str![[r#"
ENVIRONMENT  SECRETS  EPOCH  SIGNED BY  RESULT
development  1        1      alice      ok
production   2        1      alice      ok

notes:
  .vault/members/bob.toml: still has access that does not count in production, until it is next written
"#]],
        str![[r#"
ENVIRONMENT  SECRETS  EPOCH  SIGNED BY  RESULT
development  1        1      alice      ok
production   2        1      alice      ok

notes:
  .vault/members/bob.toml: still has access that does not count, and 1 key of an unlisted epoch in production, until it is next written
"#]],
        str![[r#"
ENVIRONMENT  SECRETS  EPOCH  SIGNED BY  RESULT
development  1        1      alice      ok
production   2        1      alice      ok

notes:
  .vault/members/bob.toml: still has 1 key of an unlisted epoch in production, until it is next written
"#]],
    ];
    for (change, printed) in changes.into_iter().zip(printed) {
        craft::resign_root(&sandbox, &authority, |root| {
            let own = root.environments.get_mut(&"production".parse().unwrap());
            own.unwrap().given.remove(&"bob".parse().unwrap());
        });
        craft::resign_member(&sandbox, "bob", &authority, change);
        let get = sandbox
            .vault(&["get", "OTHER", "-e", "production"])
            .variable("VAULT_KEY_FILE", &key)
            .variable("VAULT_ID", &sandbox.id())
            .outcome();
        assert_eq!(get.status, 3, "{}", get.said);
        sandbox.vault(&["verify"]).prints(printed).check();
        fs::write(sandbox.store(BOB), &genuine).unwrap();
    }
}

/// Leftovers go when the file is next written.
#[test]
fn leftovers_are_dropped_by_the_next_write() {
    let (sandbox, _, _) = with_bob();
    craft::resign_member(&sandbox, "bob", &craft::authority(&sandbox), |bob| {
        bob.access.insert("gone".parse().unwrap(), Access::Read);
        let keys = [(Commitment([7; 32]), vec![1])];
        bob.sealed.insert("gone".parse().unwrap(), keys.into());
    });
    sandbox.vault(&["verify"]).prints(str![[r#"
ENVIRONMENT  SECRETS  EPOCH  SIGNED BY  RESULT
development  1        1      alice      ok
production   2        1      alice      ok

notes:
  .vault/members/bob.toml: still has access that does not count, and 1 key of an unlisted epoch in gone, until it is next written
"#]]).check();
    sandbox.quick(&["members", "set", "bob", "-e", "development=read", "-q"]);
    let bob = craft::member(&sandbox, "bob");
    assert!(
        !bob.access.contains_key(&"gone".parse().unwrap()),
        "{:?}",
        bob.access
    );
    assert!(!bob.sealed.contains_key(&"gone".parse().unwrap()));
    sandbox.vault(&["verify"]).prints(held(1, 2)).check();
}

/// Readers of an entry depend on the file of its signer.
#[test]
fn entries_of_a_signer_without_a_file_are_refused() {
    let sandbox = stocked();
    let bob = craft::enroll(&sandbox, "bob", &[("production", Access::Write)]);
    let key = bob.key_file(&sandbox).display().to_string();
    sandbox
        .vault(&["set", "BOBS", "-e", "production", "-q"])
        .variable("VAULT_KEY_FILE", &key)
        .variable("VAULT_ID", &sandbox.id())
        .input("value")
        .any_change()
        .check();
    assert_eq!(sandbox.get("production", "BOBS"), b"value");
    let genuine = fs::read(sandbox.store(BOB)).unwrap();
    fs::write(sandbox.store(BOB), "broken").unwrap();
    let run = |words: &[&str]| sandbox.vault(&[words, &["-e", "production"]].concat());
    run(&["get", "BOBS"]).fails(4).says(str![[r#"
error: .vault/production/BOBS.toml: is signed by bob, whose file .vault/members/bob.toml does not count
hint: put back one that a writer signed: `git log -p -- .vault/production/BOBS.toml`
"#]]).check();
    assert_eq!(sandbox.get("production", "OTHER"), b"other");
    let exec = [
        "exec",
        "-q",
        "-e",
        "production",
        "--only",
        "OTHER",
        "--",
        "true",
    ];
    sandbox.vault(&exec).check();
    let exec = ["exec", "-e", "production", "--", "touch", "started"];
    sandbox.vault(&exec).fails(122).says(str![[r#"
error: .vault/production/BOBS.toml: is signed by bob, whose file .vault/members/bob.toml does not count
hint: put back one that a writer signed: `git log -p -- .vault/production/BOBS.toml`
"#]]).check();
    fs::remove_file(sandbox.store(BOB)).unwrap();
    run(&["get", "BOBS"])
        .fails(4)
        .says(str![[r#"
error: .vault/production/BOBS.toml: is signed by bob, who is not a member
hint: put back one that a writer signed: `git log -p -- .vault/production/BOBS.toml`
"#]])
        .check();
    fs::write(sandbox.store(BOB), genuine).unwrap();
    assert_eq!(sandbox.get("production", "BOBS"), b"value");
}
