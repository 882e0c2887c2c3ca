//! Rosters and environments that are old, forked, replaced, or do not fit each other.

use std::collections::BTreeMap;
use std::fs;

use repovault::vault::model::{Access, Former, Roster};
use snapbox::str;

use crate::support::craft::{self, Person};
use crate::support::refusal::{
    Command, ENVIRONMENT, KEYED, KEYLESS, Why, findings, found, held, not_held, refused, stocked,
    stopped, table, writers,
};
use crate::support::sandbox::Sandbox;

const ROSTER: &str = "members.toml";
const PRODUCTION: &str = "production.toml";
const RESTORE: &str = "hint: put back the committed file: git checkout -- .vault/production.toml\n";

/// The table where the file of production does not hold.
fn production_lost() -> String {
    table(&[
        ["development", "1", "1", "alice", "ok"],
        ["production", "-", "-", "-", "FAILED"],
    ])
}

fn raise_floor(sandbox: &Sandbox) {
    craft::resign_roster(sandbox, &craft::authority(sandbox), |roster| {
        roster.revision += 1;
        roster.floor = roster.revision;
    });
}

#[test]
fn roster_of_another_vault_is_refused_in_a_known_folder() {
    let (sandbox, other) = (stocked(), stocked());
    let id = sandbox.id();
    fs::copy(other.store(ROSTER), sandbox.store(ROSTER)).unwrap();
    let reason = format!(
        ".vault/members.toml: belongs to a different vault: expected {id}, found {}",
        other.id()
    );
    let said = format!(
        "error: {reason}
hint: put back the committed files: git checkout -- .vault
hint: only if a colleague sent you the new id: vault trust ID
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
error: .vault/members.toml: belongs to a different vault: expected [..], found [..]
hint: put back the committed files: git checkout -- .vault
hint: only if a colleague sent you the new id: vault trust ID
"#]];
    refused(&sandbox, KEYED, &said);
    refused(&sandbox, KEYLESS, &said);
    // Who says so by name gets what he says.
    sandbox
        .vault(&["set", "NEW", "-q"])
        .variable("VAULT_ID", &sandbox.id())
        .input("value")
        .any_change()
        .check();
}

#[test]
fn floor_below_any_pin_is_refused() {
    let sandbox = stocked();
    let id = sandbox.id();
    sandbox.git(&["branch", "before"]);
    raise_floor(&sandbox);
    let credential = sandbox.credential("github", &["-e", "production"]);
    assert_eq!(sandbox.get("production", "OTHER"), b"other");
    sandbox.commit("somebody lost access");
    sandbox.git(&["checkout", "--quiet", "before", "--", ".vault"]);
    let reason =
        ".vault/members.toml: is older than the last loss of access: its floor is 1, known is 2";
    let said = format!(
        "error: {reason}\nhint: take the current one: git pull, or merge the main branch\n"
    );
    refused(&sandbox, KEYED, &said);
    refused(&sandbox, KEYLESS, &said);
    let keyed: &[Command] = &[
        &["get", "OTHER"],
        &["exec", "--no-mask", "--", "touch", "started"],
    ];
    let newer = format!("{said}hint: if the credential is newer than this checkout: [..]\n");
    for (reading, said) in [(keyed, &newer), (&[&["list"]], &said)] {
        stopped(&sandbox, reading, Why::Refused, said, |run| {
            run.variable("VAULT_KEY", &credential).without("HOME")
        });
    }
    let pinned = format!("{id}@2");
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
        &(held(1, 2) + &findings(&[reason])),
    );
}

#[test]
fn older_roster_with_the_same_floor_works() {
    let sandbox = stocked();
    sandbox.quick(&["ci", "add", "github", "-e", "production", "-q"]);
    sandbox.git(&["checkout", "--quiet", "HEAD", "--", ".vault"]);
    assert_eq!(sandbox.get("production", "OTHER"), b"other");
    sandbox
        .vault(&["set", "OTHER", "-e", "production", "-q"])
        .input("new")
        .changes(&["repo/.vault/production/OTHER.toml"])
        .check();
}

#[test]
fn forked_roster_can_be_read_and_not_written() {
    let sandbox = stocked();
    let authority = craft::authority(&sandbox);
    craft::resign_roster(&sandbox, &authority, |roster| roster.revision = 2);
    assert_eq!(sandbox.get("production", "OTHER"), b"other");
    craft::resign_roster(&sandbox, &authority, |roster| {
        roster
            .members
            .insert("bob".parse().unwrap(), Person::new().member());
    });
    let warning = "warning: the roster is not the one seen before at this revision: two admins \
                   changed it at once\n";
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
    let said = format!(
        "{warning}error: the roster differs from the one seen before at this revision
hint: two admins changed it at once: merge the other branch before writing
"
    );
    refused(&sandbox, &writers(), &said);
    found(
        &sandbox,
        &[],
        1,
        &(held(1, 2)
            + &findings(&[
                ".vault/members.toml: differs from the roster that was seen before with this revision",
            ])),
    );
}

#[test]
fn old_environment_under_a_new_roster_is_refused() {
    let sandbox = stocked();
    sandbox.quick(&["ci", "add", "github", "-e", "production", "-q"]);
    sandbox.git(&[
        "checkout",
        "--quiet",
        "HEAD",
        "--",
        ".vault/production.toml",
    ]);
    let reason = ".vault/production.toml: is older than the roster says";
    refused(&sandbox, ENVIRONMENT, format!("error: {reason}\n{RESTORE}"));
    found(
        &sandbox,
        &[],
        1,
        &(production_lost() + &findings(&[reason])),
    );
}

#[test]
fn environment_other_than_the_listed_one_is_refused() {
    let sandbox = stocked();
    let authority = craft::authority(&sandbox);
    craft::resign_environment(&sandbox, "production", &authority, |file| {
        file.epochs[0].number = 2;
    });
    let reason = ".vault/production.toml: is not the file that the roster lists";
    refused(&sandbox, ENVIRONMENT, format!("error: {reason}\n{RESTORE}"));
}

#[test]
fn environment_with_a_missing_file_is_refused() {
    let sandbox = stocked();
    fs::remove_file(sandbox.store(PRODUCTION)).unwrap();
    let reason = ".vault/production.toml: is missing, though the roster lists it";
    refused(&sandbox, ENVIRONMENT, format!("error: {reason}\n{RESTORE}"));
    found(
        &sandbox,
        &[],
        1,
        &(production_lost() + &findings(&[reason])),
    );
}

#[test]
fn unlisted_environment_is_refused() {
    let sandbox = stocked();
    sandbox.quick(&["environments", "add", "staging"]);
    sandbox.git(&["checkout", "--quiet", "HEAD", "--", ".vault/members.toml"]);
    for command in [["get", "A", "-e", "staging"], ["set", "A", "-e", "staging"]] {
        sandbox
            .vault(&command)
            .fails(2)
            .says(str![[r#"
error: there is no environment staging; there are: development, production
hint: make it: vault environments add staging
"#]])
            .check();
    }
    found(
        &sandbox,
        &[],
        1,
        &(held(1, 2)
            + &findings(&[".vault/staging.toml: belongs to nothing that the roster lists"])),
    );
}

#[test]
fn environment_sealed_to_an_outsider_is_refused() {
    let sandbox = stocked();
    let authority = craft::authority(&sandbox);
    craft::enroll(&sandbox, "bob", &[("development", Access::Read)]);
    for name in ["bob", "mallory"] {
        craft::resign_environment(&sandbox, "production", &authority, |environment| {
            environment.revision += 1;
            let sealed = environment.epochs[0]
                .sealed
                .values()
                .next()
                .unwrap()
                .clone();
            environment.epochs[0]
                .sealed
                .insert(name.parse().unwrap(), sealed);
        });
        let reason = format!(".vault/production.toml: is sealed to {name}, who has no access");
        refused(&sandbox, ENVIRONMENT, format!("error: {reason}\n{RESTORE}"));
        sandbox.git(&[
            "checkout",
            "--quiet",
            "HEAD",
            "--",
            ".vault/production.toml",
        ]);
    }
}

/// An interrupted change leaves the environment ahead of the roster.
#[test]
fn environment_newer_than_the_roster_works_with_a_warning() {
    let sandbox = stocked();
    let authority = craft::authority(&sandbox);
    craft::resign_environment(&sandbox, "production", &authority, |file| file.revision = 2);
    sandbox
        .vault(&["get", "OTHER", "-e", "production"])
        .prints("other")
        .says(str!["warning: a change to production was interrupted; an admin finishes it: vault rotate --finish"])
        .check();
    found(
        &sandbox,
        &[],
        1,
        &(not_held(1, 2)
            + &findings(&[
                ".vault/production.toml: is newer than in the roster, because a change was interrupted: vault rotate --finish",
            ])),
    );
    // The file may be one of another branch, whose data key somebody knows who has no access here.
    let said = str![[r#"
error: .vault/production.toml: is newer than the roster says: a change was interrupted
hint: an admin finishes it: vault rotate --finish
"#]];
    let writing: &[Command] = &[
        &["set", "OTHER", "-e", "production"],
        &["remove", "OTHER", "-e", "production"],
        &[
            "copy",
            "DATABASE_URL",
            "--from",
            "development",
            "--to",
            "production",
        ],
        &["ci", "add", "github", "-e", "production"],
        &["environments", "add", "staging"],
    ];
    refused(&sandbox, writing, &said);
    sandbox.quick(&["rotate", "--finish"]);
    sandbox
        .vault(&["get", "OTHER", "-e", "production"])
        .prints("other")
        .check();
    sandbox
        .vault(&["verify"])
        .prints(table(&[
            ["development", "1", "1", "alice", "ok"],
            ["production", "2", "2", "alice", "ok"],
        ]))
        .check();
}

/// Even what the authority signs must not contradict itself.
#[test]
fn contradictory_roster_is_refused() {
    let sandbox = stocked();
    let authority = craft::authority(&sandbox);
    let genuine = fs::read(sandbox.store(ROSTER)).unwrap();
    let changes: [fn(&mut Roster); 6] = [
        // Access to an environment that is not listed.
        |roster| {
            roster.environments.remove(&"production".parse().unwrap());
        },
        // A writer without a signing key.
        |roster| {
            roster
                .members
                .values_mut()
                .for_each(|member| member.signing = None);
        },
        // Two members with one recipient.
        |roster| {
            let twin = roster.members.values().next().unwrap().clone();
            roster.members.insert("bob".parse().unwrap(), twin);
        },
        // A member who is a former one, too.
        |roster| {
            let recipient = roster.members.values().next().unwrap().recipient.clone();
            let former = Former {
                recipient,
                signer: None,
                lost: BTreeMap::new(),
            };
            roster.former.insert("alice".parse().unwrap(), former);
        },
        // A floor above the revision.
        |roster| roster.floor = roster.revision + 1,
        // No members.
        |roster| roster.members.clear(),
    ];
    for change in changes {
        craft::resign_roster(&sandbox, &authority, change);
        refused(
            &sandbox,
            &[KEYED, KEYLESS].concat(),
            "error: .vault/members.toml: is not in the form vault writes
hint: put back the committed file: git checkout -- .vault/members.toml
",
        );
        fs::write(sandbox.store(ROSTER), &genuine).unwrap();
    }
}

#[test]
fn missing_roster_is_refused() {
    let sandbox = stocked();
    fs::remove_file(sandbox.store(ROSTER)).unwrap();
    refused(
        &sandbox,
        &[KEYED, KEYLESS].concat(),
        "error: .vault/members.toml: is missing
hint: put it back: git checkout -- .vault/members.toml
",
    );
}
