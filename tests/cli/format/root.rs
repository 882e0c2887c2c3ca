//! Roots that are old, forked, replaced, or contradict themselves.

use std::collections::BTreeSet;
use std::fs;

use repovault::crypto::{Commitment, Tag};
use repovault::vault::model::{Access, Epoch, Former, Lost, Reduced, Root};
use snapbox::str;

use crate::support::craft;
use crate::support::refusal::{
    Command, KEYED, KEYLESS, Why, findings, found, held, refused, stocked, stopped,
};

const ROOT: &str = "root.toml";

/// The refusal of a root that does not list a known revocation.
const BEFORE: &str = ".vault/root.toml: is from before a revocation that is known here, or from a \
                      branch without it";
/// The refusal of a root without a revocation that is named in the commit of another branch.
fn without(whose: &str, revoked: &str, way: &str) -> String {
    format!(
        "error: .vault/root.toml: is from before a revocation that {whose}: {revoked} (commit [..])
hint: merge the branch with it: `git branch --all --contains [..]` lists it
{way}"
    )
}

#[test]
fn root_of_another_vault_is_refused_in_a_known_folder() {
    let (sandbox, other) = (stocked(), stocked());
    let id = sandbox.id();
    fs::copy(other.store(ROOT), sandbox.store(ROOT)).unwrap();
    let reason = format!(
        ".vault/root.toml: belongs to a different vault: expected {id}, found {}",
        other.id()
    );
    let said = format!(
        "error: {reason}
hint: put back the committed files: `git checkout -- .vault`
hint: only if a colleague sent you the new id: `vault trust ID`
"
    );
    refused(&sandbox, KEYED, &said);
    refused(&sandbox, KEYLESS, &said);
    // Nothing else of it is looked at.
    found(&sandbox, &[], 1, findings(&[&reason]).trim_start());
}

/// Alice is a member of both vaults and trusts both, but one must not take the other's place:
/// what she sets here must not be sealed to the members there.
#[test]
fn vault_trusted_elsewhere_is_refused_in_this_folder() {
    let sandbox = stocked();
    let elsewhere = sandbox.repo().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let init = sandbox
        .vault(&["init", "--name", "alice", "-q"])
        .folder(&elsewhere);
    init.any_change().check();
    sandbox
        .vault(&["list", "-q"])
        .folder(&elsewhere)
        .says("")
        .check();
    fs::rename(sandbox.store(""), sandbox.repo().join("gone")).unwrap();
    fs::rename(elsewhere.join(".vault"), sandbox.store("")).unwrap();
    let said = str![[r#"
error: .vault/root.toml: belongs to a different vault: expected [..], found [..]
hint: put back the committed files: `git checkout -- .vault`
hint: only if a colleague sent you the new id: `vault trust ID`
"#]];
    refused(&sandbox, KEYED, &said);
    refused(&sandbox, KEYLESS, &said);
    // The id in VAULT_ID is an explicit decision.
    sandbox
        .vault(&["set", "NEW", "-q"])
        .variable("VAULT_ID", &sandbox.id())
        .input("value")
        .any_change()
        .check();
}

#[test]
fn root_without_the_tag_of_any_pin_is_refused() {
    let sandbox = stocked();
    let id = sandbox.id();
    sandbox.git(&["branch", "before"]);
    sandbox.quick(&["rotate", "-e", "development"]);
    let credential = sandbox.credential("github", &["-e", "production"]);
    assert_eq!(sandbox.get("production", "OTHER"), b"other");
    let tag = craft::vault(&sandbox).root().latest();
    sandbox.commit("someone lost access");
    sandbox.git(&["checkout", "--quiet", "before"]);
    let revoked = "development was rotated";
    let trust = format!("hint: if that branch was abandoned: `vault trust {id}@none`\n");
    let said = without("you have seen", revoked, &trust);
    refused(&sandbox, KEYED, &said);
    refused(&sandbox, KEYLESS, &said);
    let keyed: &[Command] = &[
        &["get", "OTHER"],
        &["exec", "--no-mask", "--", "touch", "started"],
    ];
    let newer = "hint: if the credential is newer than this checkout, [..]\n";
    for (reading, way) in [(keyed, newer), (&[&["list"]], "")] {
        let said = without("the credential knows", revoked, way);
        stopped(&sandbox, reading, Why::Refused, &said, |run| {
            run.variable("VAULT_KEY", &credential).without("HOME")
        });
    }
    let pinned = format!("{id}@{tag}");
    let other = "hint: if that branch was abandoned: name a revocation of this one instead\n";
    let said = without("VAULT_ID, `--id`, or `--since` names", revoked, other);
    stopped(&sandbox, KEYLESS, Why::Refused, &said, |run| {
        run.variable("VAULT_ID", &pinned).without("HOME")
    });
    let bare = craft::identity(&sandbox).to_text();
    let bare = std::str::from_utf8(bare.expose()).unwrap();
    stopped(&sandbox, KEYED, Why::Refused, &said, |run| {
        run.variable("VAULT_ID", &pinned)
            .variable("VAULT_KEY", bare)
            .without("HOME")
    });
    found(
        &sandbox,
        &["--id", &pinned],
        1,
        &(held(1, 2) + &findings(&[BEFORE])),
    );
}

/// A branch that was abandoned has as many revocations as the vault, and a later revision.
#[test]
fn abandoned_branch_with_as_many_revocations_is_refused() {
    let sandbox = stocked();
    sandbox.git(&["switch", "--quiet", "--create", "abandoned"]);
    // Someone else made it: this HOME has never seen it.
    let state = sandbox.home().join(".local");
    let aside = sandbox.root().join("aside");
    let copy = |from, to| {
        let status = std::process::Command::new("cp")
            .arg("-a")
            .arg(from)
            .arg(to)
            .status();
        assert!(status.unwrap().success());
    };
    copy(&state, &aside);
    sandbox.quick(&["rotate", "-e", "production"]);
    sandbox.quick(&["environments", "add", "staging"]);
    sandbox.commit("a rotation that is abandoned");
    fs::remove_dir_all(&state).unwrap();
    copy(&aside, &state);
    sandbox.git(&["switch", "--quiet", "main"]);
    sandbox.quick(&["rotate", "-e", "production"]);
    sandbox.commit("the rotation that counts");
    let revocations = craft::vault(&sandbox).root().revocations.len();
    sandbox.git(&["switch", "--quiet", "abandoned"]);
    let root = craft::vault(&sandbox).root().clone();
    assert_eq!(root.revocations.len(), revocations);
    // Its environment staging is only the caller's own.
    let (id, tag) = (root.vault, root.latest());
    let way = format!("hint: if that branch was abandoned: `vault trust {id}@{tag}`\n");
    let said = without("you have seen", "production was rotated", &way);
    refused(&sandbox, KEYED, &said);
    refused(&sandbox, KEYLESS, &said);
}

#[test]
fn older_root_with_the_same_revocations_works() {
    let sandbox = stocked();
    sandbox.quick(&["environments", "add", "staging", "-q"]);
    sandbox.git(&["checkout", "--quiet", "HEAD", "--", ".vault"]);
    assert_eq!(sandbox.get("production", "OTHER"), b"other");
    sandbox
        .vault(&["set", "OTHER", "-e", "production", "-q"])
        .input("new")
        .changes(&["repo/.vault/production/OTHER.toml"])
        .check();
}

/// Two branches changed it, and no revocation: `sync` waits for the merge.
#[test]
fn forked_root_is_used_with_a_warning() {
    let sandbox = stocked();
    let authority = craft::authority(&sandbox);
    craft::resign_root(&sandbox, &authority, |root| root.revision = 2);
    assert_eq!(sandbox.get("production", "OTHER"), b"other");
    craft::resign_root(&sandbox, &authority, |root| {
        root.former
            .insert("bob".parse().unwrap(), Former::default());
    });
    let warning = "warning: the root is not the one seen before at this revision: two branches \
                   changed it, and one of them is not merged here\n";
    let get = sandbox.vault(&["get", "OTHER", "-e", "production"]);
    get.prints("other").says(warning).check();
    let print = [
        "exec",
        "-e",
        "production",
        "--no-mask",
        "--",
        "printenv",
        "OTHER",
    ];
    sandbox
        .vault(&print)
        .prints("other\n")
        .says(warning)
        .check();
    sandbox
        .vault(&["list", "-e", "production"])
        .prints("[..]\n[..]\n[..]\n")
        .says(warning)
        .check();
    sandbox
        .vault(&["set", "OTHER", "-e", "production"])
        .input("new")
        .says(format!(
            "{warning}changed OTHER in production (revision 2)\n"
        ))
        .changes(&["repo/.vault/production/OTHER.toml"])
        .check();
    sandbox
        .vault(&["verify"])
        .prints(str![[r#"
ENVIRONMENT  SECRETS  EPOCH  SIGNED BY  RESULT
development  1        1      alice      ok
production   2        1      alice      ok

needs attention:
  .vault/root.toml: differs from the root that was seen before with this revision
"#]])
        .check();
    craft::enroll(&sandbox, "carol", &[("production", Access::Read)]);
    craft::resign_member(&sandbox, "carol", &authority, |carol| {
        let keys = carol
            .sealed
            .get_mut(&"production".parse().unwrap())
            .unwrap();
        let (_, payload) = keys.pop_first().unwrap();
        keys.insert(Commitment([9; 32]), payload);
    });
    craft::resign_root(&sandbox, &authority, |root| {
        let production = root.environments.get_mut(&"production".parse().unwrap());
        let commitment = Commitment([9; 32]);
        let epochs = &mut production.unwrap().epochs;
        epochs[0].number = 2;
        epochs.push(Epoch {
            number: 1,
            commitment,
        });
    });
    sandbox
        .vault(&["members", "sync", "--yes"])
        .fails(4)
        .says(str![[r#"
warning: the root is not the one seen before at this revision: two branches changed it, and one of them is not merged here
carol cannot read production yet
error: .vault/root.toml: is not the one seen before at this revision
hint: two branches changed it: merge the other branch first
"#]])
        .check();
}

/// Its members' files have leftovers, and nothing else is wrong.
#[test]
fn environment_missing_from_the_root_is_unknown() {
    let sandbox = stocked();
    sandbox.quick(&["environments", "add", "staging"]);
    sandbox.git(&["checkout", "--quiet", "HEAD", "--", ".vault/root.toml"]);
    for command in [["get", "A", "-e", "staging"], ["set", "A", "-e", "staging"]] {
        sandbox
            .vault(&command)
            .fails(2)
            .says(str![[r#"
error: there is no environment staging; there are: development, production
hint: make it: `vault environments add staging`
"#]])
            .check();
    }
    sandbox.vault(&["verify"]).prints(str![[r#"
ENVIRONMENT  SECRETS  EPOCH  SIGNED BY  RESULT
development  1        1      alice      ok
production   2        1      alice      ok

notes:
  .vault/members/alice.toml: still has access that does not count, and 1 key of an unlisted epoch in staging, until it is next written
"#]]).check();
    fs::create_dir(sandbox.store("staging")).unwrap();
    fs::write(sandbox.store("staging/A.toml"), "").unwrap();
    sandbox
        .vault(&["verify"])
        .fails(1)
        .prints(str![[r#"
ENVIRONMENT  SECRETS  EPOCH  SIGNED BY  RESULT
development  1        1      alice      ok
production   2        1      alice      ok

findings:
  .vault/staging: belongs to nothing that the root lists

notes:
  .vault/members/alice.toml: still has access that does not count, and 1 key of an unlisted epoch in staging, until it is next written
"#]])
        .says(str!["error: verification failed: 1 finding"])
        .check();
}

/// Even what the authority signs must not contradict itself.
#[test]
fn contradictory_root_is_refused() {
    let sandbox = stocked();
    let authority = craft::authority(&sandbox);
    let genuine = fs::read(sandbox.store(ROOT)).unwrap();
    let changes: [fn(&mut Root); 8] = [
        // A revocation listed twice.
        |root| root.revocations = vec![tag(1), tag(2), tag(1)],
        // Zeros, which mean no revocation.
        |root| root.revocations = vec![Tag::NONE],
        // A member's revocation that is not listed.
        |root| {
            let revocation = Some(tag(1));
            let reduced = Reduced {
                revocation,
                ..Reduced::default()
            };
            root.members.insert("bob".parse().unwrap(), reduced);
        },
        // A member without a revocation and without a loss.
        |root| {
            let reduced = Reduced::default();
            root.members.insert("bob".parse().unwrap(), reduced);
        },
        // Two newest epochs.
        |root| add_epoch(root, 1, 9),
        // An older epoch with a higher number.
        |root| add_epoch(root, 2, 9),
        // One commitment twice.
        |root| {
            let epochs = &mut root.environments.values_mut().next().unwrap().epochs;
            let newest = epochs[0];
            epochs[0].number = 2;
            epochs.push(newest);
        },
        // Equal numbers, not in the order of their commitments.
        |root| {
            root.environments.values_mut().next().unwrap().epochs[0].number = 9;
            add_epoch(root, 2, 9);
            add_epoch(root, 2, 8);
        },
    ];
    for change in changes {
        craft::resign_root(&sandbox, &authority, change);
        refused(
            &sandbox,
            &[KEYED, KEYLESS].concat(),
            "error: .vault/root.toml: is not in the form vault writes
hint: put back the committed file: `git checkout -- .vault/root.toml`
",
        );
        fs::write(sandbox.store(ROOT), &genuine).unwrap();
    }
}

fn tag(byte: u8) -> Tag {
    Tag::from_bytes(&[byte; 16]).unwrap()
}

fn add_epoch(root: &mut Root, number: u64, byte: u8) {
    let commitment = Commitment([byte; 32]);
    let environment = root.environments.values_mut().next().unwrap();
    environment.epochs.push(Epoch { number, commitment });
}

/// Two branches started an epoch: both are listed after a merge, and the newest is on top.
#[test]
fn older_epochs_of_one_number_are_accepted() {
    let sandbox = stocked();
    sandbox.quick(&["rotate", "-e", "development"]);
    craft::resign_root(&sandbox, &craft::authority(&sandbox), |root| {
        let epochs = &mut root.environments.values_mut().next().unwrap().epochs;
        epochs[0].number = 5;
        add_epoch(root, 1, 0);
        let epochs = &mut root.environments.values_mut().next().unwrap().epochs;
        epochs[1..].sort_by_key(|epoch| repovault::crypto::base64_encode(&epoch.commitment.0));
    });
    assert_eq!(sandbox.get("production", "OTHER"), b"other");
}

/// A table can name anyone who lost something, in environments that are gone.
#[test]
fn losses_of_gone_environments_are_accepted() {
    let sandbox = stocked();
    craft::resign_root(&sandbox, &craft::authority(&sandbox), |root| {
        let lost = Lost {
            epoch: 3,
            names: Some(BTreeSet::new()),
        };
        let lost = [("gone".parse().unwrap(), lost)].into();
        let reduced = Reduced {
            lost,
            ..Reduced::default()
        };
        root.members.insert("bob".parse().unwrap(), reduced);
        root.revision += 1;
    });
    assert_eq!(sandbox.get("production", "OTHER"), b"other");
    sandbox.vault(&["verify"]).prints(held(1, 2)).check();
}

#[test]
fn missing_root_is_refused() {
    let sandbox = stocked();
    fs::remove_file(sandbox.store(ROOT)).unwrap();
    refused(
        &sandbox,
        &[KEYED, KEYLESS].concat(),
        "error: .vault/root.toml: is missing
hint: put back the committed file: `git checkout -- .vault/root.toml`
",
    );
}

#[test]
fn vault_of_an_unreleased_version_is_refused() {
    let sandbox = stocked();
    fs::rename(sandbox.store(ROOT), sandbox.store("members.toml")).unwrap();
    refused(
        &sandbox,
        &[KEYED, KEYLESS].concat(),
        str![[r#"
error: .vault: was made by an unreleased version of vault
hint: make a new vault in another folder, and copy the values with that version
"#]],
    );
    sandbox
        .vault(&["init", "--name", "alice"])
        .fails(4)
        .says(str![[r#"
error: .vault: was made by an unreleased version of vault
hint: make a new vault in another folder, and copy the values with that version
"#]])
        .check();
    // With a root, such a file is only one that does not belong there.
    sandbox.git(&["checkout", "--quiet", "HEAD", "--", ".vault/root.toml"]);
    assert_eq!(sandbox.get("production", "OTHER"), b"other");
    let line = ".vault/members.toml: belongs to nothing that the root lists";
    found(&sandbox, &[], 1, &(held(1, 2) + &findings(&[line])));
}
