//! Which vault a command uses: the nearest one, never one of another user, or the one that is
//! named.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown, symlink};
use std::path::Path;

use snapbox::str;

use crate::support::refusal::{Why, compared, findings, held, stocked, stopped};
use crate::support::sandbox::Sandbox;

const GET: [&str; 4] = ["get", "OTHER", "-e", "production"];

/// Checks that a command finds no vault in `folder` and reports how far up it searched.
#[track_caller]
fn finds_none(sandbox: &Sandbox, folder: &Path, looked: &str) {
    for (command, status) in [
        (&["get", "A"][..], 2),
        (&["list"], 2),
        (&["exec", "--", "true"], 125),
    ] {
        sandbox
            .vault(command)
            .folder(folder)
            .fails(status)
            .says(format!(
                "error: no vault.toml in {looked}\nhint: make a vault here: `vault init`\n"
            ))
            .check();
    }
}

#[test]
fn nearest_vault_upward_is_found() {
    let sandbox = stocked();
    let deep = sandbox.repo().join("a/b/c");
    fs::create_dir_all(&deep).unwrap();
    sandbox.vault(&GET).folder(&deep).prints("other").check();
}

#[test]
fn search_ends_at_the_git_repository_root() {
    let sandbox = stocked();
    let nested = sandbox.repo().join("nested");
    fs::create_dir_all(nested.join("deep")).unwrap();
    let looked = "[..]/repo/nested/deep or above it, up to [..]/repo/nested";
    // A folder in a repository, a file in a worktree or submodule.
    fs::create_dir(nested.join(".git")).unwrap();
    finds_none(&sandbox, &nested, "[..]/repo/nested");
    finds_none(&sandbox, &nested.join("deep"), looked);
    fs::remove_dir(nested.join(".git")).unwrap();
    fs::write(nested.join(".git"), "gitdir: elsewhere").unwrap();
    finds_none(&sandbox, &nested.join("deep"), looked);
}

#[test]
fn search_ends_at_a_linked_home() {
    let sandbox = stocked();
    fs::copy(
        sandbox.repo().join("vault.toml"),
        sandbox.root().join("vault.toml"),
    )
    .unwrap();
    let project = sandbox.home().join("project");
    fs::create_dir(&project).unwrap();
    finds_none(
        &sandbox,
        &project,
        "[..]/home/project or above it, up to [..]/home",
    );
    let link = sandbox.root().join("link");
    symlink(sandbox.home(), &link).unwrap();
    sandbox
        .vault(&["list"])
        .folder(&project)
        .variable("HOME", &link.display().to_string())
        .fails(2)
        .says(str![[r#"
error: no vault.toml in [..]/home/project or above it, up to [..]/home
hint: make a vault here: `vault init`
"#]])
        .check();
}

#[test]
fn search_ends_at_a_file_system_boundary() {
    let mount = Path::new(if Path::new("/proc").exists() {
        "/proc"
    } else {
        "/dev"
    });
    let device = |path: &Path| fs::metadata(path).unwrap().dev();
    assert_ne!(device(mount), device(Path::new("/")));
    finds_none(&Sandbox::empty(), mount, &mount.display().to_string());
}

/// Only root can create a file of another user; other users test the rule only from the other side:
/// the caller's own files are found.
#[test]
fn vault_of_another_user_is_not_found() {
    let sandbox = stocked();
    let inner = sandbox.repo().join("outer/inner");
    fs::create_dir_all(&inner).unwrap();
    let own = sandbox.repo().join("vault.toml");
    let planted = sandbox.repo().join("outer/vault.toml");
    fs::copy(&own, &planted).unwrap();
    if chown(&planted, Some(12345), None).is_err() {
        sandbox
            .vault(&["environments", "list"])
            .folder(&inner)
            .fails(4)
            .says(str![[r#"
[..]
[..]
"#]])
            .check();
        return;
    }
    // It does not hide the caller's own vault further up.
    sandbox.vault(&GET).folder(&inner).prints("other").check();
    fs::rename(own, sandbox.root().join("away")).unwrap();
    fs::rename(sandbox.store(""), sandbox.repo().join("outer/.vault")).unwrap();
    let said = str![[r#"
error: [..]/outer/vault.toml belongs to another user (uid 12345)
hint: if you trust that user: `vault --vault [ROOT]/repo/outer …`
hint: in CI, a credential or VAULT_ID names the vault, no matter who owns the files
"#]];
    let commands: &[&[&str]] = &[
        &GET,
        &["list"],
        &["exec", "--", "touch", "started"],
        &["set", "A"],
        &["verify"],
    ];
    stopped(&sandbox, commands, Why::Refused, &said, |run| {
        run.folder(&inner)
    });
    // Naming a vault is a decision; its root is checked like any other.
    let named = sandbox
        .vault(&["list", "-e", "production", "--vault", ".."])
        .folder(&inner);
    named.prints("[..]\n[..]\n[..]\n").check();
}

#[test]
fn named_vault_is_used_and_the_option_has_priority() {
    let sandbox = stocked();
    let here = sandbox.home();
    let repo = sandbox.repo().display().to_string();
    let named: [&[&str]; 3] = [
        &["--vault", &repo],
        &["--vault", "../repo"],
        &["--vault=../repo/"],
    ];
    for option in named {
        let arguments = [option, &GET].concat();
        sandbox
            .vault(&arguments)
            .folder(&here)
            .prints("other")
            .check();
        let run = sandbox
            .vault(&arguments)
            .folder(&here)
            .variable("VAULT_DIR", "/nonexistent");
        run.prints("other").check();
    }
    sandbox
        .vault(&GET)
        .folder(&here)
        .variable("VAULT_DIR", "../repo")
        .prints("other")
        .check();
    // An empty variable counts as absent.
    sandbox
        .vault(&GET)
        .variable("VAULT_DIR", "")
        .prints("other")
        .check();
    for wrong in ["/nonexistent", "../home", "../repo/vault.toml"] {
        sandbox
            .vault(&GET)
            .folder(&here)
            .variable("VAULT_DIR", wrong)
            .fails(2)
            .says(str![[r#"
error: no vault.toml in [..]
hint: name the folder that holds vault.toml
"#]])
            .check();
    }
}

#[test]
fn vaults_in_one_repository_are_independent() {
    let sandbox = stocked();
    let api = sandbox.repo().join("services/api");
    fs::create_dir_all(api.join("src")).unwrap();
    let init = sandbox.vault(&["init", "--name", "bob", "-q"]).folder(&api);
    init.any_change().check();
    sandbox
        .vault(&["set", "OTHER", "-e", "production", "-q"])
        .folder(&api.join("src"))
        .input("of the api")
        .changes(&["repo/services/api/.vault/production/OTHER.toml"])
        .check();
    sandbox
        .vault(&GET)
        .folder(&api)
        .prints("of the api")
        .check();
    sandbox.vault(&GET).prints("other").check();
    // An entry of one vault does not belong to the other, although the same person wrote both.
    sandbox.commit("two vaults");
    let path = ".vault/production/OTHER.toml";
    fs::copy(sandbox.repo().join(path), api.join(path)).unwrap();
    let get = sandbox.vault(&GET).folder(&api).fails(4);
    get.says(format!(
        "error: {path}: is signed by alice, who is not a member
hint: put back one that a writer signed: `git log -p -- {path}`
"
    ))
    .check();
    sandbox.git(&["checkout", "--quiet", "--", "services"]);
    // Git is asked about paths below the vault's own folder.
    fs::remove_file(api.join(path)).unwrap();
    sandbox
        .vault(&["verify", "--since", "HEAD"])
        .folder(&api.join("src"))
        .fails(1)
        .prints(
            compared("HEAD")
                + &held(0, 0)
                + &findings(&[&format!(
                    "deleted: {path} (revision 1) was deleted without a tombstone"
                )]),
        )
        .says(str!["error: verification failed: 1 finding"])
        .check();
}
