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

/// The entry for `name` in production that bob's old key creates in the old clone.
fn forged(bob: &Colleague<'_>, name: &str, value: Option<&str>) -> Vec<u8> {
    let (vault, identity) = remembered(bob);
    let holder = Holder::find(&vault, &identity).unwrap();
    let environment = "production".parse().unwrap();
    let checked = vault.environment(&environment).unwrap();
    let signer = EntrySigner {
        vault: vault.roster().vault,
        environment: checked.content(),
        keys: &holder.unlock(&checked, [1]).unwrap(),
        name: holder.name(),
        key: &holder.signing_key(&environment).unwrap(),
    };
    let name = name.parse().unwrap();
    let file = match value {
        Some(value) => signer.set(&name, 7, &Secret::new(value.as_bytes().to_vec())),
        None => signer.remove(&name, 7),
    };
    file.unwrap().content
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
            "error: {reason}\nhint: put back one that a writer signed: git log -p -- .vault/production/OTHER.toml\n"
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
            ["development", "1", "1", "alice", "ok"],
            ["production", "1", "2", "alice", "FAILED"],
        ]);
        found(&sandbox, &[], 1, &(rows + &findings(&[reason])));
        // Bob plants it before someone finishes a rotation: it is not adopted unseen.
        let hint = "hint: or take it over, after a look at who signed it: vault rotate --finish -e production --adopt OTHER\n";
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
    let old = fs::read(sandbox.store("production.toml")).unwrap();
    let path = "production/OTHER.toml";
    fs::write(sandbox.store(path), forged(&bob, "OTHER", Some("planted"))).unwrap();
    let body = craft::body(&sandbox, path).replace("epoch = 1", "epoch = 2");
    let (vault, identity) = remembered(&bob);
    let holder = Holder::find(&vault, &identity).unwrap();
    let key = holder.signing_key(&"production".parse().unwrap()).unwrap();
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
    assert_eq!(fs::read(sandbox.store("production.toml")).unwrap(), old);
}

/// Every mixture of roster, environment, and entry from before and after bob left.
#[test]
fn no_mixture_of_old_and_new_files_helps_a_former_member() {
    let sandbox = stocked();
    let bob = left(&sandbox);
    let paths = ["members.toml", "production.toml", "production/OTHER.toml"];
    let new = paths.map(|path| fs::read(sandbox.store(path)).unwrap());
    let mut old = paths.map(|path| fs::read(bob.store(path)).unwrap());
    // Bob created the entry with the old keys.
    old[2] = forged(&bob, "OTHER", Some("planted"));
    let floor =
        ".vault/members.toml: is older than the last loss of access: its floor is 1, known is 4";
    let id = sandbox.id();
    for mixture in 0..7 {
        let is_new = |at: usize| mixture & (1 << at) != 0;
        for (at, path) in paths.iter().enumerate() {
            fs::write(
                sandbox.store(path),
                if is_new(at) { &new[at] } else { &old[at] },
            )
            .unwrap();
        }
        let reason = match (is_new(0), is_new(1)) {
            (false, _) => floor,
            (true, false) => ".vault/production.toml: is older than the roster says",
            (true, true) => {
                ".vault/production/OTHER.toml: is signed by bob, who is no longer a member"
            }
        };
        let said = format!("error: {reason}\nhint: [..]\n");
        let get = sandbox.vault(&["get", "OTHER", "-e", "production"]);
        get.fails(4).says(&said).check();
        let set = sandbox.vault(&["set", "OTHER", "-e", "production"]);
        set.input("x").fails(4).says(&said).check();
        // A reviewer needs neither a key nor state.
        let verified = sandbox
            .vault(&["verify", "--since", "HEAD"])
            .without("HOME")
            .outcome();
        let output = String::from_utf8(verified.output).unwrap();
        assert!(
            verified.status == 1 && output.contains(reason),
            "{mixture}: {output}"
        );
        // A reader with nothing but the floor gets the same result.
        let pinned = format!("{id}@4");
        let list = sandbox.vault(&["list", "-e", "production"]).without("HOME");
        assert_eq!(
            list.variable("VAULT_ID", &pinned).outcome().status,
            4,
            "{mixture}"
        );
    }
}

/// Only a reader without a floor, such as a machine with an older credential, accepts the old
/// roster, so such credentials are listed until they are replaced. Even there, no value is sealed
/// under a key that bob knows.
#[test]
fn writing_under_an_older_roster_is_refused() {
    let sandbox = stocked();
    let bob = left(&sandbox);
    fs::copy(bob.store("members.toml"), sandbox.store("members.toml")).unwrap();
    fs::remove_dir_all(sandbox.home().join(".local")).unwrap();
    let run = |words: &[&str]| sandbox.vault(words).variable("VAULT_ID", &sandbox.id());
    let said = str![[r#"
error: .vault/production.toml: is newer than the roster says: a change was interrupted
hint: an admin finishes it: vault rotate --finish
"#]];
    run(&["set", "OTHER", "-e", "production"])
        .input("x")
        .fails(4)
        .says(&said)
        .check();
    run(&["ci", "add", "github", "-e", "production"])
        .fails(4)
        .says(&said)
        .check();
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
    let warning =
        str!["warning: production has entries of an older epoch: OTHER; vault rotate --finish"];
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

/// A value sealed to a member in one epoch is not accepted in another, with any signer; the same
/// applies to a signing key and an authority.
#[test]
fn sealed_keys_open_only_in_their_own_place() {
    let sandbox = stocked();
    sandbox.quick(&["rotate", "-e", "production"]);
    let authority = craft::authority(&sandbox);
    let alice = "alice".parse().unwrap();
    let genuine = fs::read(sandbox.store("production.toml")).unwrap();
    craft::resign_environment(&sandbox, "production", &authority, |environment| {
        let [newest, older] = &mut environment.epochs[..] else {
            panic!()
        };
        std::mem::swap(
            newest.sealed.get_mut(&alice).unwrap(),
            older.sealed.get_mut(&alice).unwrap(),
        );
        environment.revision += 1;
    });
    let said = str![[r#"
error: .vault/production.toml: the data key of epoch 2 sealed to alice is not the one it should be
hint: [..]
"#]];
    sandbox
        .vault(&["get", "OTHER", "-e", "production"])
        .fails(4)
        .says(&said)
        .check();
    sandbox
        .vault(&["rotate", "--finish"])
        .fails(4)
        .says(&said)
        .check();
    fs::write(sandbox.store("production.toml"), genuine).unwrap();
    // The seed of the previous authority is not the seed of the new one.
    let old = craft::vault(&sandbox).roster().members[&alice]
        .authority
        .clone();
    sandbox.quick(&["rotate", "--authority", "--yes"]);
    let authority = craft::authority(&sandbox);
    craft::resign_roster(&sandbox, &authority, |roster| {
        roster.members.get_mut(&alice).unwrap().authority = old;
        roster.revision += 1;
    });
    let said = str![[r#"
error: .vault/members.toml: the authority sealed to alice is not the one it names
hint: [..]
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
    let said = format!("{reason}hint: [..]\nhint: [..] --adopt OTHER\n");
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
