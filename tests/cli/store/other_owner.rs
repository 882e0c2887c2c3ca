//! A checkout that belongs to another user, as in the container of a CI job: with a pin, the owner
//! does not matter; without one, it does.

use std::fs;
use std::os::unix::fs::{chown, lchown};
use std::path::Path;

use snapbox::str;

use crate::support::sandbox::{Run, Sandbox};
use crate::support::terminal::Terminal;

const STRANGER: u32 = 12345;

/// A committed vault with the secret `A`, in a checkout of another user, and a credential for it.
/// Returns `None` if the tests run as someone who cannot give files away.
fn checkout() -> Option<(Sandbox, String)> {
    let sandbox = Sandbox::with_vault();
    sandbox.set("development", "A", b"value-of-A");
    let credential = sandbox.credential("github", &["-e", "development"]);
    sandbox.commit("the vault");
    give_away(&sandbox.repo()).then_some((sandbox, credential))
}

fn give_away(path: &Path) -> bool {
    let is_folder = path.symlink_metadata().unwrap().is_dir();
    let below = is_folder
        .then(|| fs::read_dir(path).unwrap())
        .into_iter()
        .flatten();
    below
        .map(|entry| entry.unwrap().path())
        .all(|path| give_away(&path))
        && lchown(path, Some(STRANGER), None).is_ok()
}

/// Runs as someone who has never used the vault.
fn elsewhere<'a>(sandbox: &'a Sandbox, arguments: &[&str]) -> Run<'a> {
    let home = sandbox.root().join("nobody");
    fs::create_dir_all(&home).unwrap();
    sandbox
        .vault(arguments)
        .variable("HOME", home.to_str().unwrap())
}

const PRINT: [&str; 5] = ["exec", "--no-mask", "--", "printenv", "A"];

#[test]
fn credential_from_every_source_finds_a_foreign_checkout() {
    let Some((sandbox, credential)) = checkout() else {
        return;
    };
    let file = sandbox.root().join("key");
    fs::write(&file, &credential).unwrap();
    let file = file.display().to_string();
    let command = format!("cat {file}");
    for (name, value) in [
        ("VAULT_KEY", &credential),
        ("VAULT_KEY_FILE", &file),
        ("VAULT_KEY_COMMAND", &command),
    ] {
        let run = elsewhere(&sandbox, &PRINT).variable(name, value);
        run.prints("value-of-A\n").check();
        let run = elsewhere(&sandbox, &["get", "A"]).variable(name, value);
        run.prints("value-of-A").check();
    }
    let given = [
        "exec",
        "--no-mask",
        "--key-file",
        &file,
        "--",
        "printenv",
        "A",
    ];
    elsewhere(&sandbox, &given).prints("value-of-A\n").check();
    let given = [
        "exec",
        "--no-mask",
        "--key-file",
        "-",
        "--",
        "printenv",
        "A",
    ];
    elsewhere(&sandbox, &given)
        .input(&credential)
        .prints("value-of-A\n")
        .check();
    let opened = format!("exec \"$@\" 5<{file}");
    let given = ["exec", "--no-mask", "--key-fd", "5", "--", "printenv", "A"];
    let run = elsewhere(&sandbox, &given).under(&["sh", "-c", &opened, "sh"]);
    run.prints("value-of-A\n").check();
    // Also with a parent process that stays, and from a subfolder.
    let below = sandbox.repo().join("a/b");
    fs::create_dir_all(&below).unwrap();
    let run = elsewhere(&sandbox, &["exec", "--", "sh", "-c", "echo ${#A}"]);
    run.variable("VAULT_KEY", &credential)
        .folder(&below)
        .prints("10\n")
        .check();
}

#[test]
fn pin_finds_a_foreign_checkout_without_a_key() {
    let Some((sandbox, credential)) = checkout() else {
        return;
    };
    let id = sandbox.id();
    for (name, value) in [("VAULT_ID", &id), ("VAULT_KEY", &credential)] {
        for words in [
            &["list", "-e", "development"][..],
            &["members", "list"],
            &["verify"],
        ] {
            let outcome = elsewhere(&sandbox, words).variable(name, value).outcome();
            assert_eq!(
                (outcome.status, outcome.said.as_str()),
                (0, ""),
                "{name} {words:?}"
            );
        }
    }
    let outcome = elsewhere(&sandbox, &["verify", "--id", &id]).outcome();
    assert_eq!((outcome.status, outcome.said.as_str()), (0, ""));
    let placeholder = [
        "exec",
        "--no-mask",
        "-q",
        "--if-locked",
        "placeholder",
        "-e",
        "development",
    ];
    let words = [&placeholder[..], &["--", "printenv", "A"]].concat();
    let outcome = elsewhere(&sandbox, &words)
        .variable("VAULT_ID", &id)
        .outcome();
    assert_eq!(
        (outcome.status, outcome.output.len()),
        (0, 44),
        "{}",
        outcome.said
    );
}

#[test]
fn member_with_vault_id_finds_a_foreign_checkout() {
    let Some((sandbox, _)) = checkout() else {
        return;
    };
    let id = sandbox.id();
    sandbox
        .vault(&PRINT)
        .variable("VAULT_ID", &id)
        .prints("value-of-A\n")
        .check();
    let refused = str![[r#"
error: [..]/repo/vault.toml belongs to another user (uid 12345)
hint: if you trust that user: `vault --vault [ROOT]/repo …`
hint: in CI, a credential or VAULT_ID names the vault, no matter who owns the files
"#]];
    // Earlier trust does not apply to a new folder.
    sandbox.vault(&PRINT).fails(122).says(&refused).check();
    sandbox.vault(&["verify"]).fails(4).says(&refused).check();
    sandbox
        .vault(&PRINT)
        .variable("VAULT_ID", "")
        .fails(122)
        .says(&refused)
        .check();
    let said = str![[r#"
error: VAULT_ID: not the id of a vault (vault1… with 64 characters)
[..]
"#]];
    sandbox
        .vault(&PRINT)
        .variable("VAULT_ID", "vault1abc")
        .fails(125)
        .says(&said)
        .check();
    let run = sandbox.vault(&PRINT);
    assert!(
        Terminal::start(run)
            .ends(122)
            .contains("belongs to another user")
    );
}

#[test]
fn another_vault_in_a_foreign_checkout_is_refused() {
    let Some((sandbox, _)) = checkout() else {
        return;
    };
    let other = Sandbox::with_vault();
    let credential = other.credential("github", &["-e", "development"]);
    let said = str![[r#"
error: .vault/root.toml: belongs to a different vault: [..]
[..]
[..]
[..]
"#]];
    let run = elsewhere(&sandbox, &["exec", "--", "touch", "ran"]);
    run.variable("VAULT_KEY", &credential)
        .fails(122)
        .says(&said)
        .check();
    let run = elsewhere(&sandbox, &["verify"]).variable("VAULT_ID", &other.id());
    let outcome = run.outcome();
    assert_eq!(outcome.status, 1, "{}", outcome.said);
    // A damaged key is not a pin.
    let run = elsewhere(&sandbox, &["exec", "--", "touch", "ran"]);
    let said = str![[r#"
error: the key from VAULT_KEY is a damaged credential: [..]
hint: [..]
"#]];
    run.variable("VAULT_KEY", "vaultci1_x")
        .fails(121)
        .says(&said)
        .check();
}

#[test]
fn own_vault_is_found_before_a_foreign_checkout() {
    let Some((sandbox, credential)) = checkout() else {
        return;
    };
    // The nearest vault belongs to the caller: no pin skips it.
    let inner = sandbox.repo().join("inner");
    fs::create_dir(&inner).unwrap();
    let init = sandbox
        .vault(&["init", "--name", "bob", "-q"])
        .folder(&inner);
    init.any_change().check();
    let said = str![[r#"
error: .vault/root.toml: belongs to a different vault: [..]
[..]
[..]
[..]
"#]];
    let run = elsewhere(&sandbox, &PRINT)
        .folder(&inner)
        .variable("VAULT_KEY", &credential);
    run.fails(122).says(&said).check();
}

#[test]
fn refusal_by_git_of_a_foreign_repository_is_explained() {
    let Some((sandbox, _)) = checkout() else {
        return;
    };
    let since = ["verify", "--id", &sandbox.id(), "--since", "HEAD"];
    let outcome = elsewhere(&sandbox, &since).outcome();
    let repo = sandbox.repo().display().to_string();
    if outcome.status == 0 {
        // Versions before git 2.35.2 do not check the owner.
        return;
    }
    let said = format!(
        "error: git refuses to read the repository of {repo}: it belongs to another user
hint: if you trust that user, as in the container of a CI job:
hint: `git config --global --add safe.directory {repo}`
"
    );
    assert_eq!((outcome.status, outcome.said.as_str()), (2, said.as_str()));
    let home = sandbox.root().join("nobody");
    let config = format!("[safe]\n\tdirectory = {repo}\n");
    fs::write(home.join(".gitconfig"), config).unwrap();
    let outcome = elsewhere(&sandbox, &since).outcome();
    assert_eq!((outcome.status, outcome.said.as_str()), (0, ""));
    chown(&repo, None, None).unwrap();
}

#[test]
fn doctor_reads_the_credential_before_the_vault_search() {
    let Some((sandbox, credential)) = checkout() else {
        return;
    };
    let outcome = elsewhere(&sandbox, &["doctor"])
        .variable("VAULT_KEY", &credential)
        .outcome();
    let text = String::from_utf8(outcome.output).unwrap();
    assert_eq!(outcome.status, 0, "{text}");
    for line in [
        "/repo/vault.toml, the nearest upward from",
        "VAULT_KEY: used",
        "would give",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
}
