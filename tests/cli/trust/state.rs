//! The ids and tags that a person trusts and has seen, and the folder that stores them.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use repovault::crypto::Tag;
use snapbox::str;

use crate::support::UNPRIVILEGED;
use crate::support::python::python;
use crate::support::sandbox::Sandbox;

const FOLDER: &str = ".local/state/vault";

/// A vault with `KEY` that no one on this machine remembers.
fn forgotten() -> Sandbox {
    let sandbox = Sandbox::with_vault();
    sandbox.set("development", "KEY", b"value");
    fs::remove_dir_all(sandbox.home().join(".local")).unwrap();
    sandbox
}

/// The one file in the state folder.
fn file(sandbox: &Sandbox) -> PathBuf {
    let mut files = fs::read_dir(sandbox.home().join(FOLDER)).unwrap();
    files.next().unwrap().unwrap().path()
}

fn relative(sandbox: &Sandbox) -> String {
    file(sandbox)
        .strip_prefix(sandbox.root())
        .unwrap()
        .display()
        .to_string()
}

#[test]
fn entered_id_stays_trusted() {
    let sandbox = forgotten();
    let id = sandbox.id();
    sandbox
        .vault(&["trust", &id])
        .says(format!("trusted: {id}\n"))
        .any_change()
        .check();
    // The first command remembers the name of the member.
    sandbox
        .vault(&["get", "KEY"])
        .prints("value")
        .any_change()
        .check();
    sandbox.vault(&["get", "KEY"]).prints("value").check();
    sandbox
        .vault(&["verify"])
        .prints("[..]RESULT\n[..]ok\n[..]ok\n")
        .check();
    sandbox
        .vault(&["list", "-q"])
        .prints(str![[r#"
NAME[..]
KEY [..]
"#]])
        .check();
    // Entering it again changes nothing.
    sandbox
        .vault(&["trust", &id])
        .says(format!("unchanged: {id} is trusted already\n"))
        .check();
}

#[test]
fn keyless_commands_warn_and_verify_fails_without_trust() {
    let sandbox = forgotten();
    let warning = str!["warning: consistent, but not trusted: its id has not been confirmed"];
    sandbox
        .vault(&["list"])
        .says(&warning)
        .prints(str![[r#"
NAME[..]
KEY [..]
"#]])
        .check();
    let printed = str![[r#"
[..]RESULT
[..]ok
[..]ok

findings:
  consistent, not trusted: no one has confirmed that [ID] is the right vault
"#]];
    let said = str![[r#"
error: verification failed: 1 finding
hint: name the vault that you expect: `vault verify --id ID`
"#]];
    sandbox
        .vault(&["verify"])
        .fails(1)
        .prints(&printed)
        .says(&said)
        .check();
    let id = sandbox.id();
    sandbox
        .vault(&["verify", "--id", &id])
        .prints("[..]RESULT\n[..]ok\n[..]ok\n")
        .check();
    let run = sandbox.vault(&["verify"]).variable("VAULT_ID", &id);
    run.prints("[..]RESULT\n[..]ok\n[..]ok\n").check();
}

#[test]
fn malformed_id_is_refused() {
    let sandbox = forgotten();
    let id = sandbox.id();
    let mut mistyped = id.clone().into_bytes();
    mistyped[20] = if mistyped[20] == b'q' { b'p' } else { b'q' };
    let mistyped = String::from_utf8(mistyped).unwrap();
    let cases = ["", "vault1", &mistyped, &id[..60]];
    let hint = "hint: ask a colleague for the output of `vault id`\n";
    let said = format!("error: not the id of a vault (vault1… with 64 characters)\n{hint}");
    for text in cases {
        sandbox.vault(&["trust", text]).fails(2).says(&said).check();
        if text.is_empty() {
            continue;
        }
        let run = sandbox
            .vault(&["get", "KEY"])
            .variable("VAULT_ID", text)
            .fails(2);
        let said = str![[r#"
error: VAULT_ID: not the id of a vault[..]
hint: write it as `VAULT_ID=vault1…`, or `VAULT_ID=vault1…@TAG`
"#]];
        run.says(&said).check();
    }
}

#[test]
fn different_id_is_refused_by_every_command() {
    let sandbox = Sandbox::with_vault();
    sandbox.set("development", "KEY", b"value");
    let other = Sandbox::with_vault().id();
    let said = format!(
        "error: .vault/root.toml: belongs to a different vault: expected {other}, found {0}
hint: put back the committed files: `git checkout -- .vault`
hint: the trusted id is that of the credential, VAULT_ID, `--id`, or `--since`
",
        sandbox.id()
    );
    for arguments in [&["get", "KEY"][..], &["set", "KEY"], &["list"]] {
        let run = sandbox
            .vault(arguments)
            .variable("VAULT_ID", &other)
            .input("other");
        run.fails(4).says(&said).check();
    }
    let run = sandbox
        .vault(&["exec", "--", "touch", "ran"])
        .variable("VAULT_ID", &other);
    run.fails(122).says(&said).check();
}

#[test]
fn entered_tag_is_never_lowered() {
    let sandbox = forgotten();
    let (id, tag) = (sandbox.id(), Tag::random());
    let pinned = str![[r#"
error: .vault/root.toml: is from before a revocation that VAULT_ID, `--id`, or `--since` names, which no commit of this clone has
hint: take the newer files: `git pull`, or merge the branch with that revocation
hint: if that branch was abandoned: name a revocation of this one instead
"#]];
    let run = sandbox
        .vault(&["get", "KEY"])
        .variable("VAULT_ID", &format!("{id}@{tag}"));
    run.fails(4).says(&pinned).check();
    sandbox
        .vault(&["trust", &format!("{id}@{tag}")])
        .says(str![[r#"
warning: the vault here is not the trusted one: .vault/root.toml: is from before a revocation that is known here, or from a branch without it
trusted: [ID]
"#]])
        .any_change()
        .check();
    // The id alone lowers nothing.
    sandbox
        .vault(&["trust", &id])
        .fails(4)
        .says(str![[r#"
error: cannot ask for confirmation without a terminal: trust [ID]@none. No commit of this clone has the revocation that you have seen, so no one can say who would have access again.
hint: to confirm, pass `--yes`
"#]])
        .check();
    let refused = str![[r#"
error: .vault/root.toml: is from before a revocation that you have seen, which no commit of this clone has
hint: take the newer files: `git pull`, or merge the branch with that revocation
hint: if that branch was abandoned: `vault trust [ID]@none`; it cannot say who would have access again
"#]];
    assert!(
        fs::read_to_string(file(&sandbox))
            .unwrap()
            .contains(&tag.to_string())
    );
    sandbox
        .vault(&["get", "KEY"])
        .fails(4)
        .says(&refused)
        .check();
}

#[test]
fn older_root_with_the_same_tag_works() {
    let sandbox = Sandbox::with_vault();
    sandbox.set("development", "KEY", b"value");
    let old = fs::read(sandbox.store("root.toml")).unwrap();
    sandbox.quick(&["environments", "add", "staging"]);
    let state = fs::read(file(&sandbox)).unwrap();
    fs::write(sandbox.store("root.toml"), old).unwrap();
    sandbox.vault(&["get", "KEY"]).prints("value").check();
    assert_eq!(fs::read(file(&sandbox)).unwrap(), state);
}

#[test]
fn damaged_state_is_refused() {
    let sandbox = Sandbox::with_vault();
    sandbox.set("development", "KEY", b"value");
    for text in ["", "format = 2\n", "format = 1\nother = 1\n", "<<<<<<<"] {
        fs::write(file(&sandbox), text).unwrap();
        let said = format!(
            "error: {}: is damaged\nhint: remove it, then enter the ids you trust again: `vault trust ID`\n",
            file(&sandbox).display()
        );
        sandbox.vault(&["get", "KEY"]).fails(4).says(&said).check();
        sandbox
            .vault(&["exec", "--", "touch", "ran"])
            .fails(122)
            .says(&said)
            .check();
    }
}

#[test]
fn unwritable_state_is_a_warning_for_a_trusted_vault() {
    let sandbox = Sandbox::with_vault();
    sandbox.set("development", "KEY", b"value");
    sandbox.commit("all");
    sandbox.git(&["clone", "--quiet", ".", "clone"]);
    let folder = sandbox.home().join(FOLDER);
    fs::set_permissions(&folder, Permissions::from_mode(0o500)).unwrap();
    let unprivileged = [python(), UNPRIVILEGED];
    sandbox
        .vault(&["get", "KEY"])
        .under(&unprivileged)
        .prints("value")
        .check();
    let warning = str!["warning: could not write [..]/.local/state/vault: Permission denied[..]"];
    let clone = sandbox.repo().join("clone");
    let run = sandbox
        .vault(&["get", "KEY"])
        .folder(&clone)
        .under(&unprivileged);
    run.says(&warning).prints("value").check();
    fs::set_permissions(&folder, Permissions::from_mode(0o700)).unwrap();
    let run = sandbox
        .vault(&["get", "KEY"])
        .folder(&clone)
        .under(&unprivileged);
    run.prints("value").changes(&[&relative(&sandbox)]).check();
}

#[test]
fn credential_keeps_no_state_and_cannot_trust_ids() {
    let sandbox = forgotten();
    let id = sandbox.id();
    sandbox.quick(&["trust", &id]);
    let credential = sandbox.credential("github", &["-e", "development"]);
    fs::remove_dir_all(sandbox.home().join(".local")).unwrap();
    let run = |arguments: &[&str]| sandbox.vault(arguments).variable("VAULT_KEY", &credential);
    run(&["get", "KEY"]).prints("value").check();
    run(&["verify"])
        .prints("[..]RESULT\n[..]ok\n[..]ok\n")
        .check();
    let said = str![[r#"
error: a credential carries its own pin
hint: for another vault, make a credential there: `vault ci add`
"#]];
    run(&["trust", &id]).fails(2).says(&said).check();
}

#[test]
fn trust_without_a_home_is_refused_with_a_hint() {
    let sandbox = Sandbox::with_vault();
    let key = fs::read_to_string(sandbox.home().join(".config/vault/identity.txt")).unwrap();
    let id = sandbox.id();
    let run = sandbox
        .vault(&["trust", &id])
        .without("HOME")
        .variable("VAULT_KEY", &key);
    let said = format!(
        "error: HOME is not set, so nothing can be remembered\nhint: set it for every command: `VAULT_ID={id}`\n"
    );
    run.fails(2).says(&said).check();
}

#[test]
fn unwritable_state_does_not_hide_the_recovery_key() {
    let sandbox = Sandbox::empty();
    let folder = sandbox.home().join(".local");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, Permissions::from_mode(0o500)).unwrap();
    sandbox
        .vault(&["init", "--name", "alice", "--recovery"])
        .under(&[python(), UNPRIVILEGED])
        .says(
            str![[r#"
made your key: [..]
warning: could not write [ROOT]/home/.local/state/vault: Permission denied (os error 13); to trust its id later: `vault trust [ID]`
created a vault in [..]
its id, [..]
next: [..]
the recovery key, shown only once; print it and lock it away:
"#]],
        )
        .prints("AGE-SECRET-KEY-PQ-1[..]\n")
        .any_change()
        .check();
    fs::set_permissions(&folder, Permissions::from_mode(0o700)).unwrap();
    sandbox.quick(&["trust", &sandbox.id()]);
    sandbox.set("development", "KEY", b"value");
}

#[test]
fn config_and_state_folders_may_be_links() {
    let sandbox = Sandbox::empty();
    let real = sandbox.root().join("elsewhere");
    std::fs::create_dir(&real).unwrap();
    for link in [".config", ".local"] {
        std::os::unix::fs::symlink(&real, sandbox.home().join(link)).unwrap();
    }
    sandbox.quick(&["init", "--name", "alice"]);
    sandbox.set("development", "KEY", b"value");
    assert_eq!(sandbox.get("development", "KEY"), b"value");
    assert!(real.join("vault/identity.txt").exists() && real.join("state/vault").is_dir());
}

/// No one needs a recovery key for it, and `init` can be repeated.
#[test]
fn unwritable_config_makes_no_vault() {
    let sandbox = Sandbox::empty();
    fs::create_dir(sandbox.store("")).unwrap();
    fs::set_permissions(sandbox.repo(), Permissions::from_mode(0o500)).unwrap();
    sandbox
        .vault(&["init", "--name", "alice", "--recovery"])
        .under(&[python(), UNPRIVILEGED])
        .fails(1)
        .says(str![[r#"
made your key: [..]
error: could not write [..]/repo/vault.toml: Permission denied[..]
"#]])
        .any_change()
        .check();
    fs::set_permissions(sandbox.repo(), Permissions::from_mode(0o700)).unwrap();
    assert_eq!(fs::read_dir(sandbox.store("")).unwrap().count(), 0);
    sandbox.quick(&["init", "--name", "alice"]);
    sandbox.set("development", "KEY", b"value");
}
