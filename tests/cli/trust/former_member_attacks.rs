//! Attacks by a former member with the old key and a full clone, and attacks that mix old and new
//! files.

use std::fs;

use repovault::crypto::Identity;
use repovault::platform::Dir;
use repovault::secret::Secret;
use repovault::vault::holder::Holder;
use repovault::vault::model::Access;
use repovault::vault::signing::EntrySigner;
use repovault::vault::store::Tree;
use repovault::vault::trust::{UnverifiedRoot, Vault};
use snapbox::str;

use crate::support::colleague::Colleague;
use crate::support::craft;
use crate::support::refusal::{findings, found, stocked, table};
use crate::support::sandbox::Sandbox;

/// Bob could write in production and has left; the old clone is unchanged.
fn left(sandbox: &Sandbox) -> Colleague<'_> {
    let bob = Colleague::clone_of(sandbox, "bob");
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
    sandbox.commit("bob is a member");
    bob.pull();
    bob.vault(&["get", "OTHER", "-e", "production", "-q"])
        .prints("other")
        .any_change()
        .check();
    sandbox.quick(&["members", "remove", "bob"]);
    sandbox.commit("bob has left");
    bob
}

/// The vault in bob's clone, and bob's key.
fn remembered(bob: &Colleague<'_>) -> (Vault, Identity) {
    let text = fs::read_to_string(bob.key_file()).unwrap();
    let line = text
        .lines()
        .find(|line| line.starts_with("AGE-SECRET-KEY-"))
        .unwrap();
    let dir = Dir::open(&bob.store("")).unwrap().unwrap();
    let vault = UnverifiedRoot::read(Tree::Working(dir))
        .unwrap()
        .into_vault()
        .unwrap();
    (vault, Identity::parse(line).unwrap())
}

/// What `work` makes of the keys that bob still has to the vault in the old clone.
fn as_bob<T>(bob: &Colleague<'_>, work: impl FnOnce(&Vault, &Holder<'_>) -> T) -> T {
    let (vault, identity) = remembered(bob);
    let (name, member) = vault.member_with(&identity.recipient()).unwrap().unwrap();
    work(&vault, &Holder::new(&vault, &name, &member, &identity))
}

/// The entry for `name` in production that bob's old key creates in the old clone.
fn forged(bob: &Colleague<'_>, name: &str, value: Option<&str>) -> Vec<u8> {
    as_bob(bob, |vault, holder| {
        let place = "production".parse().unwrap();
        let environment = vault.environment(&place).unwrap();
        let newest = environment.newest().commitment;
        let signer = EntrySigner {
            vault: vault.root().vault,
            environment,
            keys: &holder.unlock(environment, [newest]).unwrap(),
            name: holder.name(),
            key: &holder.signing_key(&place).unwrap(),
        };
        let name = name.parse().unwrap();
        let file = match value {
            Some(value) => signer.set(&name, 7, &Secret::new(value.as_bytes().to_vec())),
            None => signer.remove(&name, 7),
        };
        file.unwrap().content
    })
}

#[test]
fn entry_made_by_a_former_member_is_refused() {
    let sandbox = stocked();
    let bob = left(&sandbox);
    let genuine = fs::read(sandbox.store("production/OTHER.toml")).unwrap();
    for value in [Some("planted"), None] {
        fs::write(
            sandbox.store("production/OTHER.toml"),
            forged(&bob, "OTHER", value),
        )
        .unwrap();
        let reason = ".vault/production/OTHER.toml: is signed by bob, who is no longer a member";
        let said = format!(
            "error: {reason}\nhint: put back one that a writer signed: `git log -p -- .vault/production/OTHER.toml`\n"
        );
        let production = ["-e", "production"];
        let run = |words: &[&str]| sandbox.vault(&[words, &production].concat());
        run(&["get", "OTHER"]).fails(4).says(&said).check();
        run(&["set", "OTHER"])
            .input("x")
            .fails(4)
            .says(&said)
            .check();
        let exec = [
            "exec",
            "-e",
            "production",
            "--no-mask",
            "--",
            "touch",
            "started",
        ];
        sandbox.vault(&exec).fails(122).says(&said).check();
        let rows = table(&[
            ["development", "1", "2", "alice", "ok"],
            ["production", "1", "2", "alice", "FAILED"],
        ]);
        found(&sandbox, &[], 1, &(rows + &findings(&[reason])));
        // Bob plants it before someone finishes a rotation: it is not adopted unseen.
        let hint = "hint: or take it over, after a look at who signed it: `vault rotate --finish -e production --adopt OTHER`\n";
        for anew in [&["rotate", "--finish"][..], &["rotate", "-e", "production"]] {
            sandbox
                .vault(anew)
                .fails(4)
                .says(format!("{said}{hint}"))
                .check();
        }
        fs::write(sandbox.store("production/OTHER.toml"), &genuine).unwrap();
    }
    assert_eq!(sandbox.get("production", "OTHER"), b"other");
}

/// Anyone can copy the number of the new epoch, but bob does not have its key.
#[test]
fn adopted_value_of_a_former_member_does_not_open() {
    let sandbox = stocked();
    let bob = left(&sandbox);
    let old = fs::read(sandbox.store("root.toml")).unwrap();
    let path = "production/OTHER.toml";
    fs::write(sandbox.store(path), forged(&bob, "OTHER", Some("planted"))).unwrap();
    let body = craft::body(&sandbox, path).replace("epoch = 1", "epoch = 2");
    let place = "production".parse().unwrap();
    let key = as_bob(&bob, |_, holder| holder.signing_key(&place).unwrap());
    fs::write(
        sandbox.store(path),
        craft::sign(&sandbox, path, body.as_bytes(), &key),
    )
    .unwrap();
    let adopt = ["rotate", "--finish", "--adopt", "OTHER", "--yes"];
    let said = str![[r#"
.vault/production/OTHER.toml: signed by bob, [..], revision 8, epoch 2
error: .vault/production/OTHER.toml: its value cannot be decrypted in this place
hint: [..]
"#]];
    sandbox.vault(&adopt).fails(4).says(&said).check();
    assert_eq!(fs::read(sandbox.store("root.toml")).unwrap(), old);
}

/// Every mixture of the root, bob's file, alice's file, and an entry from before and after bob left.
#[test]
fn no_mixture_of_old_and_new_files_helps_a_former_member() {
    let sandbox = stocked();
    let bob = left(&sandbox);
    let paths = [
        "root.toml",
        "members/bob.toml",
        "members/alice.toml",
        "production/OTHER.toml",
    ];
    let new = paths.map(|path| fs::read(sandbox.store(path)).ok());
    assert!(new[1].is_none(), "bob's file is gone");
    let mut old = paths.map(|path| fs::read(bob.store(path)).unwrap());
    // Bob created the entry with the old keys.
    old[3] = forged(&bob, "OTHER", Some("planted"));
    let (id, tag) = (sandbox.id(), craft::vault(&sandbox).root().latest());
    for mixture in 0..15 {
        let is_new = |at: usize| mixture & (1 << at) != 0;
        for (at, path) in paths.iter().enumerate() {
            match (is_new(at), &new[at]) {
                (true, None) => drop(fs::remove_file(sandbox.store(path))),
                (true, Some(file)) => fs::write(sandbox.store(path), file).unwrap(),
                (false, _) => fs::write(sandbox.store(path), &old[at]).unwrap(),
            }
        }
        let root =
            ".vault/root.toml: is from before a revocation that you have seen: bob was removed";
        let entry = ".vault/production/OTHER.toml: is signed by bob, who is no longer a member";
        let get = sandbox
            .vault(&["get", "OTHER", "-e", "production"])
            .outcome();
        let set = sandbox
            .vault(&["set", "NEW", "-e", "production"])
            .input("x");
        let set = set.outcome();
        // A reviewer needs neither a key nor state.
        let verified = sandbox
            .vault(&["verify", "--since", "HEAD"])
            .without("HOME")
            .outcome();
        let output = String::from_utf8(verified.output).unwrap();
        assert_eq!(verified.status, 1, "{mixture}: {output}");
        let reason = match (is_new(0), is_new(3)) {
            (false, _) => Some(root),
            (true, false) => Some(entry),
            (true, true) => None,
        };
        if let Some(reason) = reason {
            assert!(
                get.status == 4 && get.said.contains(reason),
                "{mixture}: {}",
                get.said
            );
            // A reader with nothing but the tag gets the same result.
            let pinned = format!("{id}@{tag}");
            let list = sandbox.vault(&["list", "-e", "production"]).without("HOME");
            let list = list.variable("VAULT_ID", &pinned).outcome();
            assert_eq!(list.status, 4, "{mixture}");
        } else if !is_new(2) {
            // Alice's file from before has no key of the newest epoch.
            assert_eq!(get.status, 3, "{mixture}: {}", get.said);
        } else {
            assert_eq!(get.output, b"other", "{mixture}: {}", get.said);
        }
        // Nothing is sealed with a key that bob knows.
        if set.status == 0 {
            assert!(is_new(0) && is_new(2), "{mixture}");
            fs::remove_file(sandbox.store("production/NEW.toml")).unwrap();
        }
    }
}

/// Only a reader without a tag, such as a machine with an older credential, accepts the old root, so
/// such credentials are listed until they are replaced. Even there, new values are not opened or
/// replaced.
#[test]
fn older_root_is_accepted_only_without_a_tag() {
    let sandbox = stocked();
    let bob = left(&sandbox);
    let (id, tag) = (sandbox.id(), craft::vault(&sandbox).root().latest());
    fs::copy(bob.store("root.toml"), sandbox.store("root.toml")).unwrap();
    fs::remove_dir_all(sandbox.home().join(".local")).unwrap();
    let run = |pin: &str, words: &[&str]| sandbox.vault(words).variable("VAULT_ID", pin).input("x");
    let newer = str![[r#"
error: .vault/production/OTHER.toml: is of epoch 2, which the environment does not have
hint: merge the branch in which the environment was rotated
"#]];
    let older = str![[r#"
error: .vault/root.toml: is from before a revocation that VAULT_ID, `--id`, or `--since` names: bob was removed, development was rotated, production was rotated (commit [..])
hint: [..]
hint: if that branch was abandoned: name a revocation of this one instead
"#]];
    for words in [
        ["get", "OTHER", "-e", "production"],
        ["set", "OTHER", "-e", "production"],
    ] {
        run(&id, &words).fails(4).says(&newer).check();
        run(&format!("{id}@{tag}"), &words)
            .fails(4)
            .says(&older)
            .check();
    }
    // And reviewers see it without a key, a tag, or state.
    let since = ["verify", "--id", &id, "--since", "HEAD"];
    let outcome = sandbox.vault(&since).without("HOME").outcome();
    let printed = String::from_utf8(outcome.output).unwrap();
    let line = "rolled back: .vault/root.toml has revision 1, and had 2 before";
    assert!(outcome.status == 1 && printed.contains(line), "{printed}");
}

/// A former reader restores an old value signed by alice. It opens, is re-encrypted when someone
/// finishes, and is reported to reviewers.
#[test]
fn rolled_back_value_is_found_after_its_reencryption() {
    let sandbox = stocked();
    let old = fs::read(sandbox.store("production/OTHER.toml")).unwrap();
    sandbox.set("production", "OTHER", b"new");
    sandbox.quick(&["rotate", "-e", "production"]);
    sandbox.commit("rotated");
    fs::write(sandbox.store("production/OTHER.toml"), old).unwrap();
    let warning = str![
        "warning: production has entries of an older epoch: OTHER; to re-encrypt them: `vault rotate --finish`"
    ];
    let exec = ["exec", "-e", "production", "--no-mask", "--", "true"];
    sandbox.vault(&exec).says(&warning).check();
    let back = "rolled back: .vault/production/OTHER.toml has revision 1, and had 2 before\n";
    let since = |status: i32| {
        let outcome = sandbox.vault(&["verify", "--since", "HEAD"]).outcome();
        assert_eq!(outcome.status, status);
        String::from_utf8(outcome.output).unwrap()
    };
    assert!(since(1).contains(back));
    sandbox.quick(&["rotate", "--finish"]);
    assert!(since(1).contains(back));
}

/// A data key sealed to a member in one epoch is not accepted in another, with any signer; the same
/// applies to a signing key and an authority.
#[test]
fn sealed_keys_open_only_in_their_own_place() {
    let sandbox = stocked();
    craft::enroll(&sandbox, "bob", &[("production", Access::Read)]);
    let old_entry = fs::read(sandbox.store("production/OTHER.toml")).unwrap();
    sandbox.quick(&["rotate", "-e", "production"]);
    fs::write(sandbox.store("production/OTHER.toml"), old_entry).unwrap();
    let authority = craft::authority(&sandbox);
    let genuine = fs::read(sandbox.store("members/alice.toml")).unwrap();
    craft::resign_member(&sandbox, "alice", &authority, |alice| {
        let keys = alice
            .sealed
            .get_mut(&"production".parse().unwrap())
            .unwrap();
        let (first, last) = (*keys.keys().next().unwrap(), *keys.keys().last().unwrap());
        assert_ne!(first, last, "two epochs");
        let payloads = [keys[&last].clone(), keys[&first].clone()];
        keys.extend([first, last].into_iter().zip(payloads));
        alice.revision += 1;
    });
    let said = str![[r#"
error: .vault/members/alice.toml: the data key of epoch [..] of production sealed to alice is not the one it should be
hint: put back the committed file: `git checkout -- .vault/members/alice.toml`
"#]];
    sandbox
        .vault(&["get", "DATABASE_URL", "-e", "production"])
        .fails(4)
        .says(&said)
        .check();
    sandbox
        .vault(&["rotate", "--finish"])
        .fails(4)
        .says(&said)
        .check();
    fs::write(sandbox.store("members/alice.toml"), genuine).unwrap();
    sandbox.quick(&["rotate", "--finish"]);
    // The seed of the previous authority is not the seed of the new one.
    let old = craft::member(&sandbox, "alice").authority;
    sandbox.quick(&["rotate", "--authority", "--yes"]);
    let authority = craft::authority(&sandbox);
    craft::resign_member(&sandbox, "alice", &authority, |alice| {
        alice.authority = old;
        alice.revision += 1;
    });
    let said = str![[r#"
error: .vault/members/alice.toml: the authority sealed to alice is not the one it names
hint: put back the committed file: `git checkout -- .vault/members/alice.toml`
"#]];
    sandbox
        .vault(&["rotate", "-e", "production"])
        .fails(4)
        .says(&said)
        .check();
}

/// Bob writes in development and has no key for production; forged entries are never adopted
/// automatically.
#[test]
fn entry_of_another_writer_is_adopted_only_by_name() {
    let sandbox = stocked();
    let bob = craft::enroll(&sandbox, "bob", &[("development", Access::Write)]);
    craft::resign_entry(&sandbox, "production", "OTHER", &bob.key, |entry| {
        entry.signer = "bob".parse().unwrap();
    });
    let reason =
        "error: .vault/production/OTHER.toml: is signed by bob, who may not write in production\n";
    let said = format!("{reason}hint: [..]\nhint: [..] --adopt OTHER`\n");
    for anew in [
        &["rotate", "--finish"][..],
        &["rotate", "-e", "production"],
        &["rotate", "--authority", "--yes"],
    ] {
        sandbox.vault(anew).fails(4).says(&said).check();
    }
    // An entry with a wrong signature is not even offered.
    let path = "production/OTHER.toml";
    let body = craft::body(&sandbox, path);
    let key = craft::Person::new().key;
    fs::write(
        sandbox.store(path),
        craft::sign(&sandbox, path, body.as_bytes(), &key),
    )
    .unwrap();
    let said = format!("{reason}hint: [..]\n");
    sandbox
        .vault(&["rotate", "--finish"])
        .fails(4)
        .says(&said)
        .check();
    let said = str![[r#"
error: .vault/production/OTHER.toml: does not match the signature of bob
hint: [..]
"#]];
    let adopt = ["rotate", "--finish", "--adopt", "OTHER", "--yes"];
    sandbox.vault(&adopt).fails(4).says(&said).check();
}
