//! `verify --since` across rotations: complete ones by `vault`, and the result of two parallel
//! ones.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::refusal::{compared, section, stocked, table};
use crate::support::review::{cast, reviewed};
use crate::support::sandbox::Sandbox;

/// The table with production in this epoch and everything valid.
fn rotated(epoch: &str) -> String {
    table(&[
        ["development", "1", "1", "alice", "ok"],
        ["production", "2", epoch, "alice", "ok"],
    ])
}

const FLOOR: &str = "floor raised: 1 → [..]: older rosters no longer count";

#[test]
fn regular_removal_is_reported_without_a_finding() {
    let (sandbox, _) = cast();
    sandbox.quick(&["members", "remove", "bob", "--yes"]);
    let both = table(&[
        ["development", "1", "2", "alice", "ok"],
        ["production", "2", "2", "alice", "ok"],
    ]);
    reviewed(
        &sandbox,
        &both,
        &[
            FLOOR,
            "rotated: development (epoch 1 → 2)",
            "rotated: production (epoch 1 → 2)",
            "member removed: bob",
            "access taken: bob in development: write → none (member removed)",
            "access taken: bob in production: read → none (member removed)",
            "re-encrypted: 1 entry of development (epoch 1 → 2) by alice",
            "re-encrypted: 2 entries of production (epoch 1 → 2) by alice",
        ],
        &[
            "below the floor: the credential of carol accepts rosters of floor 1, and it is [..] now; replace it, or set VAULT_ID with the floor",
        ],
        &[],
    );
}

#[test]
fn regular_loss_of_access_is_reported_without_a_finding() {
    let (sandbox, _) = cast();
    sandbox.quick(&["members", "set", "bob", "-e", "development=read", "--yes"]);
    let output = sandbox
        .vault(&["verify", "--since", "HEAD"])
        .without("HOME")
        .outcome();
    let text = String::from_utf8(output.output).unwrap();
    assert_eq!(output.status, 0, "{text}");
    let taken = "access taken: bob in development: write → read (access changed)";
    assert!(text.contains(taken), "{text}");
}

#[test]
fn forgotten_epochs_are_reported() {
    let sandbox = stocked();
    sandbox.quick(&["rotate", "-e", "production"]);
    sandbox.commit("rotated");
    sandbox.quick(&["rotate", "--finish", "--forget", "--yes"]);
    let forgotten = "forgotten: production no longer contains the data keys of epoch 1";
    reviewed(&sandbox, &rotated("2"), &[forgotten], &[], &[]);
}

/// Someone merges two rotations by taking the files of one side.
#[test]
fn parallel_rotation_is_found() {
    let sandbox = stocked();
    sandbox.git(&["checkout", "--quiet", "-b", "other"]);
    sandbox.quick(&["rotate", "-e", "production"]);
    sandbox.commit("rotated there");
    sandbox.git(&["checkout", "--quiet", "main"]);
    // A person's machine detects it at once; a reviewer's machine has seen neither.
    fs::remove_dir_all(sandbox.home().join(".local")).unwrap();
    sandbox.quick(&["trust", &sandbox.id()]);
    sandbox.quick(&["rotate", "-e", "production"]);
    sandbox.commit("rotated here");
    sandbox.git(&["checkout", "--quiet", "other", "--", ".vault"]);
    reviewed(
        &sandbox,
        &rotated("2"),
        &[],
        &[],
        &[
            "replaced: .vault/members.toml has different content with the same revision 2",
            "replaced: .vault/production.toml has a different data key for epoch 2, as after two simultaneous rotations",
            "replaced: .vault/production/DATABASE_URL.toml has different content with the same revision 1",
            "replaced: .vault/production/OTHER.toml has different content with the same revision 1",
        ],
    );
}

#[test]
fn new_authority_is_reviewed_with_its_id() {
    let sandbox = stocked();
    let old = sandbox.id();
    sandbox.quick(&["rotate", "--authority", "--yes"]);
    let new = sandbox.id();
    let other =
        format!(".vault/members.toml: belongs to a different vault: expected {old}, found {new}");
    let both = table(&[
        ["development", "1", "2", "alice", "ok"],
        ["production", "2", "2", "alice", "ok"],
    ]);
    reviewed(&sandbox, "", &[], &[], &[&other]);
    let changed = [
        "rotated: development (epoch 1 → 2)",
        "rotated: production (epoch 1 → 2)",
        "re-encrypted: 1 entry of development (epoch 1 → 2) by alice",
        "re-encrypted: 2 entries of production (epoch 1 → 2) by alice",
    ];
    let attention = [&*format!(
        "authority changed: {old} → {new}; everyone must trust the new id, and every credential must be replaced"
    )];
    let output = compared("HEAD")
        + &both
        + &section("changed since HEAD", &changed)
        + &section("needs attention", &attention);
    let verify = sandbox
        .vault(&["verify", "--since", "HEAD", "--id", &new])
        .without("HOME");
    verify.prints(output).check();
}

/// The vault of tests/golden, before and after its rotation.
#[test]
fn rotation_is_one_line_and_leftover_entries_are_found() {
    let sandbox = Sandbox::empty();
    golden(&sandbox, "v1");
    sandbox.commit("before");
    fs::remove_dir_all(sandbox.store("")).unwrap();
    golden(&sandbox, "v1-rotated");
    let below = |name: &str| {
        format!(
            "below the floor: the credential of {name} accepts rosters of floor 1, and it is 12 now; replace it, or set VAULT_ID with the floor"
        )
    };
    reviewed(
        &sandbox,
        &table(&[
            ["development", "3", "1", "alice", "ok"],
            ["production", "14", "4", "alice", "FAILED"],
        ]),
        &[
            "floor raised: 1 → 12: older rosters no longer count",
            "rotated: production (epoch 1 → 4)",
            "access taken: ci-both in production: read → none (access changed)",
            "member removed: ci-production",
            "access taken: ci-production in production: read → none (member removed)",
            "re-encrypted: 13 entries of production (epoch 1 → 4) by alice",
            "new: .vault/production/NEW.toml (revision 1) by alice",
        ],
        &[&below("ci-both"), &below("ci-limited")],
        &[
            ".vault/production/SPACES.toml: is sealed in epoch 1, but the newest is 4: vault rotate --finish -e production",
        ],
    );
}

fn golden(sandbox: &Sandbox, name: &str) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name);
    let copied = Command::new("cp")
        .arg("-R")
        .arg(from.join("."))
        .arg(sandbox.repo())
        .status();
    assert!(copied.unwrap().success());
}
