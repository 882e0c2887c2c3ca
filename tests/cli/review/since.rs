//! `verify` and its condition for trust; `verify --since`: changes on a branch by someone without a
//! key, and changes by members.

use std::fs;
use std::path::Path;
use std::process::Command;

use snapbox::str;

use repovault::vault::model::Access;

use crate::support::craft;
use crate::support::refusal::{compared, findings, found, held, not_held, section, stocked};
use crate::support::sandbox::Sandbox;

const URL: &str = "repo/.vault/production/DATABASE_URL.toml";
fn old_and_new(sandbox: &Sandbox) -> (Vec<u8>, Vec<u8>) {
    let path = sandbox.root().join(URL);
    let old = fs::read(&path).unwrap();
    sandbox.set("production", "DATABASE_URL", b"postgres://new");
    (old, fs::read(&path).unwrap())
}

#[test]
fn deleted_and_rolled_back_entries_are_found() {
    let sandbox = stocked();
    let (old, _) = old_and_new(&sandbox);
    sandbox.commit("a new password");
    fs::write(sandbox.root().join(URL), old).unwrap();
    fs::remove_file(sandbox.store("production/OTHER.toml")).unwrap();
    // Without a revision to compare with, nothing is wrong: both are genuine.
    sandbox.vault(&["verify"]).prints(held(1, 1)).check();
    assert_eq!(
        sandbox.get("production", "DATABASE_URL"),
        b"postgres://production"
    );
    found(
        &sandbox,
        &["--since", "HEAD"],
        2,
        &(held(1, 1)
            + &findings(&[
                "rolled back: .vault/production/DATABASE_URL.toml has revision 1, and had 2 before",
                "deleted: .vault/production/OTHER.toml (revision 1) was deleted without a tombstone",
            ])),
    );
}

#[test]
fn tombstone_replaced_by_an_older_value_is_found() {
    let sandbox = stocked();
    let old = fs::read(sandbox.root().join(URL)).unwrap();
    sandbox.quick(&["remove", "DATABASE_URL", "-e", "production"]);
    sandbox.commit("removed");
    fs::write(sandbox.root().join(URL), &old).unwrap();
    found(
        &sandbox,
        &["--since", "HEAD"],
        1,
        &(held(1, 2)
            + &findings(&[
                "rolled back: .vault/production/DATABASE_URL.toml has revision 1, and had 2 before",
            ])),
    );
    // Also if the tombstone itself was deleted in between.
    fs::remove_file(sandbox.root().join(URL)).unwrap();
    sandbox.commit("deleted by hand");
    fs::write(sandbox.root().join(URL), old).unwrap();
    let back = "rolled back: .vault/production/DATABASE_URL.toml (revision 1) is back after it was deleted";
    found(
        &sandbox,
        &["--since", "HEAD"],
        1,
        &(held(1, 2) + &findings(&[back])),
    );
}

/// Git's simplified history would omit the branch.
#[test]
fn entry_from_a_merged_branch_is_found_if_rolled_back() {
    let sandbox = stocked();
    sandbox.git(&["checkout", "--quiet", "-b", "branch"]);
    sandbox.set("production", "SHORT_LIVED", b"value");
    sandbox.commit("born");
    let path = sandbox.store("production/SHORT_LIVED.toml");
    let old = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    sandbox.commit("dead");
    sandbox.git(&["checkout", "--quiet", "main"]);
    sandbox.git(&["merge", "--quiet", "--no-ff", "--no-edit", "branch"]);
    fs::write(path, old).unwrap();
    found(
        &sandbox,
        &["--since", "HEAD"],
        1,
        &(held(1, 3)
            + &findings(&[
                "rolled back: .vault/production/SHORT_LIVED.toml (revision 1) is back after it was deleted",
            ])),
    );
}

#[test]
fn regular_changes_are_reported_without_findings() {
    let sandbox = stocked();
    sandbox.set("production", "DATABASE_URL", b"new");
    sandbox.set("production", "NEW", b"new");
    sandbox.quick(&["remove", "OTHER", "-e", "production"]);
    sandbox
        .vault(&["verify", "--since", "HEAD"])
        .prints(
            compared("HEAD")
                + &held(1, 2)
                + &section(
                    "changed since HEAD",
                    &[
                        "set: .vault/production/DATABASE_URL.toml (revision 1 → 2) by alice",
                        "new: .vault/production/NEW.toml (revision 1) by alice",
                        "removed: .vault/production/OTHER.toml (revision 1 → 2) by alice",
                    ],
                ),
        )
        .check();
}

#[test]
fn older_checkout_is_found() {
    let sandbox = stocked();
    craft::enroll(&sandbox, "bob", &[("production", Access::Read)]);
    sandbox.commit("bob is a member");
    sandbox.quick(&["members", "set", "bob", "-e", "production=none", "--yes"]);
    sandbox.commit("bob may read nothing");
    sandbox.git(&["checkout", "--quiet", "HEAD~", "--", ".vault"]);
    let granted = "access granted: bob in production: none → read (access changed)";
    let lines = [
        ".vault/root.toml: is from before a revocation that is known here, or from a branch without it",
        "rolled back: .vault/root.toml has revision 1, and had 2 before",
        "missing: .vault/root.toml no longer lists 1 revocation, and they are never removed",
        "replaced: .vault/root.toml no longer has the data key of epoch 2 of production",
        "rolled back: the file of alice has revision 1, and had 2 before",
        "changed: .vault/root.toml no longer says everything that bob could read",
        "rolled back: .vault/root.toml no longer has the latest revocation of bob, so files from before it can count again",
        "rolled back: the file of bob has revision 1, and had 2 before",
        "replaced: .vault/production/DATABASE_URL.toml has different content with the same revision 1",
        "replaced: .vault/production/OTHER.toml has different content with the same revision 1",
    ];
    let output = held(1, 2) + &findings(&lines) + &section("needs attention", &[granted]);
    found(&sandbox, &["--since", "HEAD"], lines.len(), &output);
}

/// The revision provides the pin, so a replaced vault is found without a key.
#[test]
fn replaced_vault_is_found() {
    let (sandbox, other) = (stocked(), stocked());
    let other_vault = format!(
        ".vault/root.toml: belongs to a different vault: expected {}, found {}",
        sandbox.id(),
        other.id()
    );
    fs::remove_dir_all(sandbox.store("")).unwrap();
    fs::rename(other.store(""), sandbox.store("")).unwrap();
    let verify = ["verify", "--since", "HEAD"];
    sandbox
        .vault(&verify)
        .without("HOME")
        .fails(1)
        .prints(compared("HEAD") + findings(&[&other_vault]).trim_start())
        .says(str!["error: verification failed: 1 finding"])
        .check();
}

/// Git accepts a folder with HEAD, objects, and refs as a repository with its own settings, and all
/// of that can be committed below the root. It must not be used in place of the real repository.
#[test]
fn planted_repository_around_the_vault_provides_no_pin() {
    let sandbox = Sandbox::empty();
    let api = sandbox.repo().join("services/api");
    fs::create_dir_all(&api).unwrap();
    sandbox
        .vault(&["init", "--name", "alice", "-q"])
        .folder(&api)
        .any_change()
        .check();
    sandbox.commit("genuine");
    let attacker = stocked();
    let planted = format!("{}/.git", attacker.repo().display());
    for bare in ["services/api", "services"] {
        let _ = fs::remove_dir_all(api.join(".vault"));
        copy(&attacker.store(""), &api.join(".vault"));
        copy(Path::new(&planted), &sandbox.repo().join(bare));
        for verify in [["verify", "--since", "main"], ["verify", "--since", "HEAD"]] {
            sandbox
                .vault(&verify)
                .folder(&api)
                .without("HOME")
                .fails(4)
                .says(str![[r#"
error: git would treat [..] as the repository, but it is part of the checked-out files
hint: remove HEAD, objects, refs and config there
"#]])
                .check();
        }
        for name in ["HEAD", "config"] {
            fs::remove_file(sandbox.repo().join(bare).join(name)).unwrap();
        }
    }
    let verify = sandbox
        .vault(&["verify", "--since", "main"])
        .folder(&api)
        .without("HOME");
    let found = verify.outcome();
    assert_eq!(found.status, 1, "{}", found.said);
}

fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp")
        .arg("-R")
        .arg(from.join("."))
        .arg(to)
        .status()
        .unwrap();
    assert!(copied.success());
}

#[test]
fn revision_unknown_to_git_is_refused_with_a_hint() {
    let sandbox = stocked();
    for revision in ["no-such-branch", "--output=/dev/null", "a\x1b[2J\n"] {
        sandbox
            .vault(&["verify", &format!("--since={revision}")])
            .fails(4)
            .says(format!(
                "error: git does not know the revision {} here
hint: see what there is: `git fetch`, then `git branch --all`
",
                revision.escape_debug()
            ))
            .check();
    }
}

#[test]
fn hint_in_a_shallow_clone_fetches_the_revision() {
    let sandbox = stocked();
    sandbox.set("development", "DATABASE_URL", b"new");
    sandbox.commit("more");
    sandbox.git(&["branch", "target", "HEAD~"]);
    let source = format!("file://{}", sandbox.repo().display());
    sandbox.git(&[
        "clone",
        "--quiet",
        "--depth",
        "1",
        &source,
        "../home/shallow",
    ]);
    let shallow = sandbox.home().join("shallow");
    let tip = sandbox.git(&["rev-parse", "HEAD~"]);
    let cases = [
        ("origin/target", "refs/heads/target"),
        (tip.trim(), tip.trim()),
        ("HEAD~", "REV"),
    ];
    for (revision, fetched) in cases {
        let fetch = format!("git fetch --depth=1 origin {fetched}");
        let verify = |revision| {
            sandbox
                .vault(&["verify", "--since", revision])
                .folder(&shallow)
                .without("HOME")
        };
        verify(revision)
            .fails(4)
            .says(format!(
                "error: git does not know the revision {revision} here
hint: this clone is shallow: `{fetch}`, then say FETCH_HEAD
hint: in CI, use fetch-depth: 0, so that new entries can be told apart from restored ones
"
            ))
            .check();
        if fetched == "REV" {
            continue;
        }
        let shallow = shallow.to_str().unwrap();
        sandbox.git(&[
            "-C",
            shallow,
            "fetch",
            "--quiet",
            "--depth=1",
            "origin",
            fetched,
        ]);
        let set = "set: .vault/development/DATABASE_URL.toml (revision 1 → 2) by alice";
        let output =
            compared("FETCH_HEAD") + &held(1, 2) + &section("changed since FETCH_HEAD", &[set]);
        verify("FETCH_HEAD").prints(output).check();
        fs::remove_dir_all(shallow).unwrap();
        sandbox.git(&[
            "clone",
            "--quiet",
            "--depth",
            "1",
            &source,
            "../home/shallow",
        ]);
    }
}

/// Anyone with push access can create a tag, which git prefers to a branch of the remote: the
/// attacker's own commit would provide the pin.
#[test]
fn ambiguous_revision_is_refused() {
    let sandbox = stocked();
    sandbox.git(&["update-ref", "refs/remotes/origin/main", "HEAD"]);
    let verify = |revision| {
        sandbox
            .vault(&["verify", "--since", revision])
            .without("HOME")
    };
    fs::remove_file(sandbox.store("production/OTHER.toml")).unwrap();
    sandbox.commit("the attack");
    for tag in [
        &["tag", "origin/main"][..],
        &["tag", "-f", "-m", "x", "origin/main"],
    ] {
        sandbox.git(tag);
        for revision in [
            "origin/main",
            "origin/main~0",
            "origin/main^{commit}",
            "origin/main@{0}",
        ] {
            let said = str![[r#"
error: origin/main could mean refs/remotes/origin/main or refs/tags/origin/main
hint: say which of them, by its full name
"#]];
            verify(revision).fails(4).says(&said).check();
        }
    }
    let gone = findings(&[
        "deleted: .vault/production/OTHER.toml (revision 1) was deleted without a tombstone",
    ]);
    let full = "refs/remotes/origin/main";
    let verify = verify(full)
        .fails(1)
        .prints(compared(full) + &held(1, 1) + &gone);
    verify
        .says(str!["error: verification failed: 1 finding"])
        .check();
    // If all of them are the same commit, the name is not ambiguous.
    sandbox.git(&["tag", "-f", "same"]);
    sandbox.git(&["branch", "same"]);
    let nothing = compared("refs/heads/same") + &held(1, 1) + "\nnothing changed since same\n";
    sandbox
        .vault(&["verify", "--since", "same"])
        .prints(nothing)
        .check();
}

/// Both revisions are available, but not whether the entry existed before.
#[test]
fn shallow_clone_cannot_distinguish_new_and_restored_entries() {
    let sandbox = stocked();
    sandbox.set("production", "NEW", b"new");
    sandbox.commit("more");
    let source = format!("file://{}", sandbox.repo().display());
    sandbox.git(&[
        "clone",
        "--quiet",
        "--depth",
        "2",
        &source,
        "../home/shallow",
    ]);
    let whether = "unknown origin: cannot tell whether .vault/production/NEW.toml (revision 1) existed before, because \
                   the history is incomplete here (run `git fetch --unshallow`, or use fetch-depth: 0 in CI)";
    sandbox
        .vault(&["verify", "--since", "HEAD~"])
        .folder(&sandbox.home().join("shallow"))
        .fails(1)
        .prints(compared("HEAD~") + &held(1, 3) + &findings(&[whether]))
        .says(str!["error: verification failed: 1 finding"])
        .check();
    sandbox
        .vault(&["verify", "--since", "HEAD~"])
        .prints(
            compared("HEAD~")
                + &held(1, 3)
                + &section(
                    "changed since HEAD~",
                    &["new: .vault/production/NEW.toml (revision 1) by alice"],
                ),
        )
        .check();
}

#[test]
fn comparison_without_a_git_repository_is_refused() {
    let sandbox = stocked();
    fs::rename(sandbox.repo().join(".git"), sandbox.root().join("git")).unwrap();
    sandbox
        .vault(&["verify", "--since", "HEAD"])
        .variable(
            "GIT_CEILING_DIRECTORIES",
            &sandbox.root().display().to_string(),
        )
        .fails(2)
        .says(str![[r#"
error: git finds no repository of yours in [..]/repo
hint: git is needed to read older revisions
"#]])
        .check();
    sandbox.vault(&["verify"]).prints(held(1, 2)).check();
}

#[test]
fn vault_without_a_pin_is_consistent_and_not_trusted() {
    let sandbox = stocked();
    let id = sandbox.id();
    let doubt =
        format!("consistent, not trusted: no one has confirmed that {id} is the right vault");
    let untrusted = || sandbox.vault(&["verify"]).without("HOME");
    untrusted()
        .fails(1)
        .prints(held(1, 2) + &findings(&[&doubt]))
        .says(str![[r#"
error: verification failed: 1 finding
hint: name the vault that you expect: `vault verify --id ID`
"#]])
        .check();
    let credential = sandbox.credential("github", &["-e", "production"]);
    untrusted()
        .variable("VAULT_ID", &id)
        .prints(held(1, 2))
        .check();
    untrusted()
        .variable("VAULT_KEY", &credential)
        .prints(held(1, 2))
        .check();
    sandbox
        .vault(&["verify", "--id", &id])
        .without("HOME")
        .prints(held(1, 2))
        .check();
    let added = [
        "member added: github with recipient age1[..]",
        "access granted: github in production: none → read (member added)",
    ];
    let output = compared("HEAD") + &held(1, 2) + &section("needs attention", &added);
    sandbox
        .vault(&["verify", "--since", "HEAD"])
        .without("HOME")
        .prints(output)
        .check();
    sandbox.vault(&["verify"]).prints(held(1, 2)).check();
}

#[test]
fn malformed_id_is_not_a_pin() {
    let sandbox = stocked();
    let id = sandbox.id();
    let last = if id.ends_with('q') { "p" } else { "q" };
    for wrong in [
        "",
        "vault1",
        &id.to_uppercase(),
        &format!("{}{last}", &id[..63]),
    ] {
        sandbox
            .vault(&["verify", &format!("--id={wrong}")])
            .fails(2)
            .says(str![[r#"
error: not the id of a vault (vault1… with 64 characters)
hint: ask a colleague for the output of `vault id`
"#]])
            .check();
    }
    for wrong in [format!("{id}@"), format!("{id}@x"), format!("{id}@1")] {
        let run = sandbox.vault(&["verify", &format!("--id={wrong}")]);
        run.fails(2)
            .says(str![[r#"
error: not the tag of a revocation (22 characters after the @)
hint: without the @ and the tag, the id alone is enough
"#]])
            .check();
    }
}

/// The call in a reviewer's CI: no key, no HOME, and the tip of the target branch.
#[test]
fn entry_with_an_invalid_signature_is_found() {
    let sandbox = stocked();
    craft::resign_entry(
        &sandbox,
        "production",
        "OTHER",
        &craft::Person::new().key,
        |entry| {
            entry.revision += 1;
        },
    );
    let run = sandbox
        .vault(&["verify", "--since", "main"])
        .without("HOME");
    run.fails(1)
        .prints(
            compared("refs/heads/main")
                + &not_held(1, 1)
                + &findings(&[
                    ".vault/production/OTHER.toml: does not match the signature of alice",
                ]),
        )
        .says(str!["error: verification failed: 1 finding"])
        .check();
}
