//! `verify --since` across rotations: complete ones by `vault`, and the result of two parallel
//! ones.

use std::fs;
use std::path::Path;
use std::process::Command;

use snapbox::str;

use crate::support::refusal::{compared, section, stocked, table};
use crate::support::review::{REVOKED, cast, reviewed};
use crate::support::sandbox::Sandbox;

/// The table with production in this epoch and everything valid.
fn rotated(epoch: &str) -> String {
    table(&[
        ["development", "1", "1", "alice", "ok"],
        ["production", "2", epoch, "alice", "ok"],
    ])
}

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
            REVOKED,
            "rotated: development (epoch 1 → 2)",
            "rotated: production (epoch 1 → 2)",
            "member removed: bob",
            "access taken: bob in development: write → none (member removed)",
            "access taken: bob in production: read → none (member removed)",
            "re-encrypted: 1 entry of development (epoch 1 → 2) by alice",
            "re-encrypted: 2 entries of production (epoch 1 → 2) by alice",
        ],
        &[
            "older than the latest revocation: the credential of carol accepts the files from before it; replace it, or set VAULT_ID with the latest tag",
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
        &[REVOKED],
        &[],
        &[
            ".vault/root.toml: is from before a revocation that is known here, or from a branch without it",
            "replaced: .vault/root.toml has different content with the same revision 2",
            "missing: .vault/root.toml no longer lists 1 revocation, and they are never removed",
            "replaced: .vault/root.toml no longer has the data key of epoch 2 of production",
            "replaced: the file of alice has different content with the same revision 2",
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
        format!(".vault/root.toml: belongs to a different vault: expected {old}, found {new}");
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
        + &section("needs attention", &attention)
        + &section("changed since HEAD", &changed);
    let verify = sandbox
        .vault(&["verify", "--since", "HEAD", "--id", &new])
        .without("HOME");
    verify.prints(output).check();
}

/// The vault of tests/golden, before and after its rotation, with everything that happened there.
#[test]
fn golden_rotation_is_reported_by_person() {
    let sandbox = Sandbox::empty();
    golden(&sandbox, "v1");
    sandbox.commit("before");
    fs::remove_dir_all(sandbox.store("")).unwrap();
    golden(&sandbox, "v1-rotated");
    sandbox
        .vault(&["verify", "--since", "HEAD"])
        .without("HOME")
        .fails(1)
        .prints(str![[r#"
compared with HEAD = [COMMIT]

ENVIRONMENT  SECRETS  EPOCH  SIGNED BY  RESULT
development  4        4      alice      ok
production   14       4      alice      FAILED

findings:
  newcomer cannot read production until an admin runs `vault members sync`
  .vault/production/SPACES.toml: is sealed in epoch 1, but the newest is 4: `vault rotate --finish -e production`
  .vault/production/UNICODE.toml: is sealed in epoch 3, but the newest is 4: `vault rotate --finish -e production`

needs attention:
  member added: bob with recipient [RECIPIENT]
  access granted: bob in development: none → read (member added)
  access granted: bob in production: none → read LINES (member added)
  older than the latest revocation: the credential of ci-both accepts the files from before it; replace it, or set VAULT_ID with the latest tag
  member added: ci-late with recipient [RECIPIENT]
  access granted: ci-late in development: none → read (member added)
  access granted: ci-late in production: none → read (member added)
  older than the latest revocation: the credential of ci-late accepts the files from before it; replace it, or set VAULT_ID with the latest tag
  older than the latest revocation: the credential of ci-limited accepts the files from before it; replace it, or set VAULT_ID with the latest tag
  dora wants to join with recipient [RECIPIENT]
  member added: newcomer with recipient [RECIPIENT]
  access granted: newcomer in production: none → read (member added)

changed since HEAD:
  5 revocations are listed: older files no longer count
  rotated: development (epoch 1 → 4)
  forgotten: development no longer contains the data keys of epoch 1
  rotated: production (epoch 1 → 4)
  access taken: ci-both in production: read → none (access changed)
  member removed: ci-production
  access taken: ci-production in production: read → none (member removed)
  re-encrypted: 3 entries of development (epoch 1 → 4) by alice
  re-encrypted: 1 entry of production (epoch 1 → 3) by alice
  re-encrypted: 12 entries of production (epoch 1 → 4) by alice
  new: .vault/development/FROM_BOB.toml (revision 1) by bob, signed by alice
  new: .vault/production/NEW.toml (revision 1) by alice

notes:
  .vault/members/ci-limited.toml: still has 1 key of an unlisted epoch in production, until it is next written
"#]])
        .says("error: verification failed: 3 findings\n")
        .check();
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
