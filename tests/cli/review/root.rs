//! `verify --since`: the report for reviewers about the root: the authority, revocations, former
//! members, epochs, and environments.

use std::fs;

use repovault::crypto::{DataKey, SigningKey, Tag, base64_encode};
use repovault::vault::model::{Epoch, Lost, Root};
use repovault::vault::name::EnvironmentName;
use snapbox::str;

use crate::support::craft;
use crate::support::membership::root;
use crate::support::refusal::{compared, findings, held, section, stocked, table};
use crate::support::review::{REVOKED, cast, change_root, reviewed};
use crate::support::sandbox::Sandbox;

/// A vault that bob has left, and in which carol was reduced to one name; everything is committed.
fn reduced() -> Sandbox {
    let (sandbox, _) = cast();
    sandbox.quick(&["members", "remove", "bob", "--yes"]);
    let one = ["members", "set", "carol", "-e", "production=OTHER", "--yes"];
    sandbox.quick(&one);
    sandbox.commit("bob has left");
    sandbox
}

/// The findings of `verify --since HEAD`, in order.
fn found(sandbox: &Sandbox) -> Vec<String> {
    let run = sandbox
        .vault(&["verify", "--since", "HEAD"])
        .without("HOME");
    let text = String::from_utf8(run.outcome().output).unwrap();
    let lines = text.lines().skip_while(|line| *line != "findings:").skip(1);
    let lines = lines.take_while(|line| !line.is_empty());
    lines.map(|line| line.trim().to_owned()).collect()
}

fn epoch(sandbox: &Sandbox, number: u64) -> Epoch {
    let key = DataKey::generate(&root(sandbox).vault, "production");
    Epoch {
        number,
        commitment: key.commitment(),
    }
}

fn production() -> EnvironmentName {
    "production".parse().unwrap()
}

#[test]
fn older_or_replaced_root_is_found() {
    let sandbox = stocked();
    let old = fs::read(sandbox.store("root.toml")).unwrap();
    craft::resign_root(&sandbox, &craft::authority(&sandbox), |root| {
        root.revocations.push(Tag::random());
    });
    let replaced = "replaced: .vault/root.toml has different content with the same revision 1";
    reviewed(&sandbox, &held(1, 2), &[REVOKED], &[], &[replaced]);
    fs::write(sandbox.store("root.toml"), &old).unwrap();
    change_root(&sandbox, |_| ());
    sandbox.commit("the next revision");
    fs::write(sandbox.store("root.toml"), &old).unwrap();
    let back = "rolled back: .vault/root.toml has revision 1, and had 2 before";
    reviewed(&sandbox, &held(1, 2), &[], &[], &[back]);
}

/// Members' files are compared also if the root is an older one.
#[test]
fn older_root_does_not_hide_members() {
    let sandbox = stocked();
    let old = fs::read(sandbox.store("root.toml")).unwrap();
    change_root(&sandbox, |_| ());
    craft::enroll(&sandbox, "bob", &[]);
    sandbox.commit("the next revision, and bob");
    fs::write(sandbox.store("root.toml"), &old).unwrap();
    fs::remove_file(sandbox.store("members/bob.toml")).unwrap();
    let back = "rolled back: .vault/root.toml has revision 1, and had 2 before";
    let gone = "missing: bob is gone without a revocation";
    reviewed(&sandbox, &held(1, 2), &[], &[], &[back, gone]);
}

#[test]
fn missing_or_reordered_revocation_is_found() {
    let sandbox = reduced();
    change_root(&sandbox, |root| root.revocations.swap(0, 1));
    let order = "reordered: .vault/root.toml lists the revocations in another order";
    assert!(found(&sandbox).contains(&order.to_owned()));
    sandbox.git(&["checkout", "--quiet", "--", ".vault"]);
    change_root(&sandbox, |root| {
        root.revocations.remove(0);
    });
    let gone = "missing: .vault/root.toml no longer lists 1 revocation, and they are never removed";
    assert!(found(&sandbox).contains(&gone.to_owned()));
}

#[test]
fn changed_former_member_is_found() {
    let sandbox = reduced();
    let former =
        "changed: .vault/root.toml no longer lists the former member bob with the same keys";
    let lost = "changed: .vault/root.toml no longer says everything that bob could read";
    change_root(&sandbox, |root| root.former.clear());
    assert_eq!(found(&sandbox), [former, lost]);
    sandbox.git(&["checkout", "--quiet", "--", ".vault"]);
    change_root(&sandbox, |root| {
        let bob = root.former.get_mut(&"bob".parse().unwrap()).unwrap();
        bob.recipient = None;
    });
    assert_eq!(found(&sandbox), [former]);
}

#[test]
fn shortened_record_of_a_loss_is_found() {
    let sandbox = reduced();
    let lost = "changed: .vault/root.toml no longer says everything that carol could read";
    let carol = |change: fn(&mut Lost)| {
        move |root: &mut Root| {
            let own = root.members.get_mut(&"carol".parse().unwrap()).unwrap();
            change(own.lost.get_mut(&production()).unwrap());
        }
    };
    let fewer = carol(|lost| lost.names = Some(["NEW".parse().unwrap()].into()));
    let older = carol(|lost| lost.epoch -= 1);
    change_root(&sandbox, fewer);
    assert_eq!(found(&sandbox), [lost]);
    sandbox.git(&["checkout", "--quiet", "--", ".vault"]);
    change_root(&sandbox, older);
    assert_eq!(found(&sandbox), [lost]);
}

/// The file from before would count again.
#[test]
fn older_tag_of_a_member_is_found() {
    let sandbox = reduced();
    let first = root(&sandbox).revocations[0];
    let back = "rolled back: .vault/root.toml no longer has the latest revocation of carol, so \
                files from before it can count again";
    for tag in [None, Some(first)] {
        sandbox.git(&["checkout", "--quiet", "--", ".vault"]);
        change_root(&sandbox, |root| {
            let carol = root.members.get_mut(&"carol".parse().unwrap()).unwrap();
            carol.revocation = tag;
        });
        assert!(found(&sandbox).contains(&back.to_owned()), "{tag:?}");
    }
}

#[test]
fn changed_epochs_are_found() {
    let sandbox = stocked();
    sandbox.quick(&["rotate", "-e", "production"]);
    sandbox.commit("rotated");
    let changed = |change: &dyn Fn(&mut Root)| {
        sandbox.git(&["checkout", "--quiet", "--", ".vault"]);
        change_root(&sandbox, change);
        found(&sandbox)
    };
    let place = production();
    let other = epoch(&sandbox, 2);
    let replaced = "replaced: .vault/root.toml no longer has the data key of epoch 2 of production";
    let lines = changed(&|root| {
        root.environments.get_mut(&place).unwrap().epochs[0] = other;
    });
    assert!(lines.contains(&replaced.to_owned()), "{lines:?}");
    // The same data key with another number.
    let lines = changed(&|root| {
        root.environments.get_mut(&place).unwrap().epochs[0].number = 3;
    });
    assert!(lines.contains(&replaced.to_owned()), "{lines:?}");
    let given = "changed: .vault/root.toml names others who got the key of epoch 2 of production";
    let lines = changed(&|root| root.environments.get_mut(&place).unwrap().given.clear());
    assert_eq!(lines, [given]);
}

#[test]
fn rotation_or_removal_without_a_tag_is_found() {
    let sandbox = stocked();
    let next = epoch(&sandbox, 2);
    let untagged = |place: &str| {
        format!(
            "changed, not revoked: {place} was removed or rotated, and the files from before still count"
        )
    };
    change_root(&sandbox, |root| {
        let production = root.environments.get_mut(&production()).unwrap();
        production.epochs.insert(0, next);
    });
    assert!(found(&sandbox).contains(&untagged("production")));
    sandbox.git(&["checkout", "--quiet", "--", ".vault"]);
    fs::remove_dir_all(sandbox.store("development")).unwrap();
    change_root(&sandbox, |root| {
        root.environments.remove(&"development".parse().unwrap());
    });
    assert!(found(&sandbox).contains(&untagged("development")));
}

#[test]
fn older_epoch_from_another_branch_is_reported() {
    let sandbox = stocked();
    sandbox.quick(&["rotate", "-e", "production"]);
    sandbox.commit("rotated");
    let other = epoch(&sandbox, 1);
    change_root(&sandbox, |root| {
        let own = root.environments.get_mut(&production()).unwrap();
        own.epochs.push(other);
        own.epochs[1..].sort_by_key(|epoch| base64_encode(&epoch.commitment.0));
    });
    let table = table(&[
        ["development", "1", "1", "alice", "ok"],
        ["production", "2", "2", "alice", "ok"],
    ]);
    let merged = "merged: production also lists epoch 1 of another branch";
    reviewed(&sandbox, &table, &[merged], &[], &[]);
}

/// A new id is not a finding if the caller passes it, and is never accepted otherwise.
#[test]
fn new_authority_counts_only_with_its_id() {
    let sandbox = stocked();
    let old = sandbox.id();
    let key = SigningKey::generate();
    craft::resign_everything(&sandbox, &key);
    let new = sandbox.id();
    let other =
        format!(".vault/root.toml: belongs to a different vault: expected {old}, found {new}");
    reviewed(&sandbox, "", &[], &[], &[&other]);
    let verify = |id: &str| {
        sandbox
            .vault(&["verify", "--since", "HEAD", "--id", id])
            .without("HOME")
    };
    let attention = [
        &*format!(
            "authority changed: {old} → {new}; everyone must trust the new id, and every credential must be replaced"
        ),
        "signer changed: alice: [..] → [..]",
    ];
    let changed = [
        "re-encrypted: 1 entry of development (epoch 1 → 1) by alice",
        "re-encrypted: 2 entries of production (epoch 1 → 1) by alice",
    ];
    let output = compared("HEAD")
        + &held(1, 2)
        + &section("needs attention", &attention)
        + &section("changed since HEAD", &changed);
    verify(&new).prints(output).check();
    verify(&old)
        .fails(1)
        .prints(compared("HEAD") + findings(&[&other]).trim_start())
        .says(str!["error: verification failed: 1 finding"])
        .check();
}

#[test]
fn added_removed_and_recreated_environments_are_reported() {
    let sandbox = stocked();
    sandbox.quick(&["environments", "add", "staging"]);
    sandbox.set("staging", "A", b"a");
    let rows = |epochs: [&str; 2], staging: &str, signer: &str| {
        table(&[
            ["development", "1", "1", "alice", "ok"],
            ["production", "2", epochs[0], "alice", "ok"],
            ["staging", staging, epochs[1], signer, "ok"],
        ])
    };
    let added = [
        "environment added: staging",
        "new: .vault/staging/A.toml (revision 1) by alice",
    ];
    let granted = "access granted: alice in staging: none → write (environment added)";
    reviewed(
        &sandbox,
        &rows(["1", "1"], "1", "alice"),
        &added,
        &[granted],
        &[],
    );
    sandbox.commit("staging");
    sandbox.quick(&["environments", "remove", "staging", "--yes"]);
    let removed = [
        "1 revocation is listed: older files no longer count",
        "access taken: alice in staging: write → none (environment removed)",
    ];
    let had = "environment removed: staging, which had 1 entry";
    reviewed(&sandbox, &held(1, 2), &removed, &[had], &[]);
    sandbox.quick(&["environments", "add", "staging"]);
    let anew =
        "environment recreated: staging has a new data key, and none of its former entries (1)";
    reviewed(
        &sandbox,
        &rows(["1", "2"], "0", "-"),
        &removed[..1],
        &[anew],
        &[],
    );
    // An entry with the name of an older entry is not that entry.
    sandbox.set("staging", "A", b"another");
    let new = "new: .vault/staging/A.toml (revision 1) by alice";
    reviewed(
        &sandbox,
        &rows(["1", "2"], "1", "alice"),
        &[removed[0], new],
        &[anew],
        &[],
    );
    sandbox.quick(&["environments", "remove", "staging", "--yes"]);
    sandbox.commit("no staging");
    sandbox.quick(&["environments", "add", "staging"]);
    sandbox.set("staging", "A", b"a third");
    let added = ["environment added: staging", new];
    reviewed(
        &sandbox,
        &rows(["1", "3"], "1", "alice"),
        &added,
        &[granted],
        &[],
    );
}
