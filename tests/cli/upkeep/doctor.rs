//! `vault doctor`: why something does not work, with one line for each check.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use serde_json::Value;

use crate::support::UNPRIVILEGED;
use crate::support::python::python;
use crate::support::sandbox::{Run, Sandbox};
use crate::support::terminal::Terminal;
use repovault::crypto::Tag;

const VAULT: &str = env!("CARGO_BIN_EXE_vault");

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with_vault();
    sandbox.set("development", "KEY", b"value of the key");
    sandbox.set("production", "KEY", b"value of the key");
    sandbox
}

/// A run with git and these folders first in its PATH.
fn doctor<'a>(sandbox: &'a Sandbox, folders: &[&Path]) -> Run<'a> {
    let mut path: Vec<String> = folders
        .iter()
        .map(|folder| folder.display().to_string())
        .collect();
    path.push("/usr/bin:/bin".to_owned());
    sandbox
        .vault(&["doctor", "--json"])
        .variable("PATH", &path.join(":"))
}

/// Whether exec would work, and each line as `subject state: text`.
#[track_caller]
fn found(run: &Run<'_>) -> (bool, Vec<String>) {
    let outcome = run.outcome();
    let found: Value = serde_json::from_slice(&outcome.output).unwrap();
    let works = found["works"].as_bool().unwrap();
    assert_eq!(outcome.status, i32::from(!works), "{}", outcome.said);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let line = |check: &Value| {
        format!(
            "{} {}: {}",
            text(&check["subject"]),
            text(&check["state"]),
            text(&check["text"])
        )
    };
    (
        works,
        found["checks"]
            .as_array()
            .unwrap()
            .iter()
            .map(line)
            .collect(),
    )
}

#[track_caller]
fn says(run: &Run<'_>, works: bool, expected: &[&str]) {
    let (found_works, lines) = found(run);
    assert_eq!(found_works, works, "{lines:#?}");
    for expected in expected {
        let like = |line: &&String| crate::support::sandbox::is_like(expected, line);
        assert!(
            lines.iter().any(|line| like(&line)),
            "{expected} is not in {lines:#?}"
        );
    }
}

#[test]
fn doctor_without_problems_changes_nothing() {
    let sandbox = sandbox();
    let id = sandbox.id();
    sandbox
        .vault(&["doctor"])
        .variable("PATH", "/usr/bin:/bin")
        .prints(format!(
            "      SUBJECT      FOUND
ok    binary       this is {VAULT}, version [..]
note  binary       the shell finds no vault in PATH
ok    vault.toml   [..]/repo/vault.toml, the nearest upward from [..]/repo
note  vault.toml   its default environment is development
ok    git          git version [..]
ok    git          [..]/repo is in a repository
note  terminal     standard input: not a terminal, standard output: not a terminal, standard error: not a terminal
note  terminal     CI is not set
note  key          --key-file: not set
note  key          --key-fd: not set
note  key          VAULT_KEY_FILE: not set
note  key          VAULT_KEY: not set
note  key          VAULT_KEY_COMMAND: not set
note  key          keyring: no D-Bus session was found
ok    key          identity.txt [..]/home/.config/vault/identity.txt: used, only you can access it (mode 600)
note  key          identity.age [..]/home/.config/vault/identity.age: does not exist
note  key          SSH key [..]/home/.ssh/id_ed25519: does not exist
ok    key          your recipient is age1[..]
note  trust        VAULT_ID is not set
note  trust        [..]/home/.local/state/vault/[..].toml: {id}, newest root seen has revision 1, seen in this folder
ok    vault        {id}, revision 1 of the root, 0 revocations
ok    trust        the vault here is trusted
ok    member       you are alice: development (write), production (write), admin
ok    member       development: every member's key is post-quantum
ok    member       production: every member's key is post-quantum
ok    environment  development, if none is named
ok    exec         would give a command 1 variables
"
        ))
        .check();
}

#[test]
fn doctor_shows_no_value_and_no_key() {
    let sandbox = sandbox();
    let credential = sandbox.credential("github", &["-e", "production"]);
    let identity = fs::read_to_string(sandbox.home().join(".config/vault/identity.txt")).unwrap();
    let identity = identity.lines().last().unwrap();
    for run in [
        doctor(&sandbox, &[]),
        doctor(&sandbox, &[]).variable("VAULT_KEY", &credential),
        doctor(&sandbox, &[]).variable("VAULT_KEY", &credential[..90]),
        doctor(&sandbox, &[]).variable("VAULT_KEY_FILE", identity),
        doctor(&sandbox, &[]).variable("VAULT_KEY_COMMAND", &format!("echo {credential} #")),
        doctor(&sandbox, &[]).variable("VAULT_KEY_COMMAND", &format!("echo {credential}; exit 1")),
        sandbox.vault(&["doctor", "--json", "--key-file", identity]),
    ] {
        let outcome = run.outcome();
        let text = format!(
            "{}{}",
            String::from_utf8_lossy(&outcome.output),
            outcome.said
        );
        for hidden in ["value of the key", &identity[..30], &credential[..30]] {
            assert!(!text.contains(hidden), "{text}");
        }
    }
}

#[test]
fn doctor_lists_every_vault_program_in_the_path() {
    let sandbox = sandbox();
    let (ours, other, broken) = (
        sandbox.root().join("ours"),
        sandbox.root().join("other"),
        sandbox.root().join("broken"),
    );
    for folder in [&ours, &other, &broken] {
        fs::create_dir(folder).unwrap();
    }
    symlink(VAULT, ours.join("vault")).unwrap();
    // It would leave a trace if it ran.
    fs::write(other.join("vault"), "#!/bin/sh\ntouch \"$HOME/was-run\"\n").unwrap();
    fs::set_permissions(other.join("vault"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(broken.join("vault"), "cannot be executed").unwrap();
    says(
        &doctor(&sandbox, &[&broken, &other, &ours]),
        true,
        &[
            "binary problem: the shell finds [..]/other/vault first: another program",
            "binary note: then [..]/ours/vault: this one",
        ],
    );
    says(
        &doctor(&sandbox, &[&ours, &other]),
        true,
        &[
            "binary ok: the shell finds [..]/ours/vault: this one",
            "binary note: then [..]/other/vault: another program",
        ],
    );
    assert!(!sandbox.home().join("was-run").exists());
    let hint = "hint: HashiCorp's vault has the same name: [..]\n";
    let path = format!("{}:/usr/bin:/bin", other.display());
    let outcome = sandbox.vault(&["doctor"]).variable("PATH", &path).outcome();
    assert!(
        crate::support::sandbox::is_like(hint, &outcome.said),
        "{}",
        outcome.said
    );
}

#[test]
fn doctor_explains_each_key_source() {
    let sandbox = sandbox();
    let credential = sandbox.credential("github", &["-e", "production"]);
    let file = sandbox.root().join("key.txt");
    fs::write(&file, &credential).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let file = file.display().to_string();
    let id = sandbox.id();
    says(
        &doctor(&sandbox, &[])
            .variable("VAULT_KEY", " ")
            .variable("VAULT_KEY_COMMAND", "sh -c 'cat $F'")
            .variable("F", &file),
        true,
        &[
            "key note: VAULT_KEY: empty, which counts as not set",
            "key ok: VAULT_KEY_COMMAND: used",
            "key note: identity.txt [..]: skipped, because an earlier source is set",
            "key note: it is a credential for production",
            &format!("trust note: the credential trusts {id}"),
            "member ok: you are github: production (read)",
            "environment ok: production, if none is named",
        ],
    );
    says(
        &doctor(&sandbox, &[])
            .variable("VAULT_KEY_FILE", &file)
            .variable("VAULT_KEY", "damaged"),
        true,
        &[
            &format!("key ok: VAULT_KEY_FILE {file}: used, others can access it (mode 644)"),
            "key note: VAULT_KEY: skipped, because an earlier source is set",
        ],
    );
    says(
        &doctor(&sandbox, &[]).variable("VAULT_KEY", "damaged"),
        false,
        &[
            "key problem: VAULT_KEY does not contain a valid key",
            "key note: identity.txt [..]: skipped, because an earlier source is set",
            "vault ok: vault1[..], revision [..] of the root, 0 revocations",
        ],
    );
    let identity = sandbox.home().join(".config/vault/identity.txt");
    fs::set_permissions(&identity, fs::Permissions::from_mode(0o640)).unwrap();
    says(
        &doctor(&sandbox, &[]),
        false,
        &["key problem: your key file [..]/identity.txt is refused: other users can access it"],
    );
    fs::remove_file(&identity).unwrap();
    says(
        &doctor(&sandbox, &[]),
        false,
        &[
            "key note: identity.txt [..]: does not exist",
            "key problem: locked: no key was found",
        ],
    );
    says(
        &doctor(&sandbox, &[]).without("HOME"),
        false,
        &[
            "key note: identity.txt: not set",
            "trust note: HOME is not set, so nothing is remembered",
        ],
    );
}

#[test]
fn doctor_runs_the_key_command_once_with_a_notice() {
    let sandbox = sandbox();
    let command = "sh -c 'echo run >> \"$HOME/runs\"; exit 1'";
    let run = sandbox
        .vault(&["doctor"])
        .variable("VAULT_KEY_COMMAND", command);
    let outcome = run.outcome();
    assert_eq!(outcome.status, 1);
    let said = "running VAULT_KEY_COMMAND, like every command that needs the key\n";
    assert!(outcome.said.starts_with(said), "{}", outcome.said);
    assert_eq!(
        fs::read_to_string(sandbox.home().join("runs")).unwrap(),
        "run\n"
    );
    // It does not run either if another source has priority.
    let credential = sandbox.credential("github", &["-e", "production"]);
    let run = run.variable("VAULT_KEY", &credential);
    assert_eq!(run.outcome().said, "");
    assert_eq!(
        fs::read_to_string(sandbox.home().join("runs")).unwrap(),
        "run\n"
    );
}

#[test]
fn doctor_shows_the_vault_toml_or_the_end_of_the_search() {
    let sandbox = sandbox();
    let deep = sandbox.repo().join("a/b");
    fs::create_dir_all(&deep).unwrap();
    let repo = sandbox.repo().display().to_string();
    says(
        &doctor(&sandbox, &[]).folder(&deep),
        true,
        &["vault.toml ok: [..]/repo/vault.toml, the nearest upward from [..]/repo/a/b"],
    );
    says(
        &doctor(&sandbox, &[])
            .folder(&sandbox.home())
            .variable("VAULT_DIR", &repo),
        true,
        &["vault.toml ok: [..]/repo/vault.toml, named by VAULT_DIR"],
    );
    let named = sandbox.vault(&["doctor", "--json", "--vault", &repo]);
    says(
        &named,
        true,
        &["vault.toml ok: [..]/repo/vault.toml, named by --vault"],
    );
    says(
        &doctor(&sandbox, &[]).folder(&sandbox.home()),
        false,
        &[
            "vault.toml problem: no vault.toml in [..]/home",
            "vault.toml note: the search ended at [..]/home: your HOME",
            "key ok: identity.txt [..]: used[..]",
            "exec note: would not start a command here",
        ],
    );
    fs::create_dir_all(deep.join(".git")).unwrap();
    says(
        &doctor(&sandbox, &[]).folder(&deep),
        false,
        &["vault.toml note: the search ended at [..]/repo/a/b: the top of a git repository"],
    );
    says(
        &doctor(&sandbox, &[]).folder(Path::new("/proc")),
        false,
        &["vault.toml note: the search ended at /proc: where another file system begins"],
    );
    let outside = &doctor(&sandbox, &[]).folder(Path::new("/"));
    says(
        outside,
        false,
        &["vault.toml note: the search ended at /: the root"],
    );
    // A vault of another user.
    std::os::unix::fs::chown(sandbox.repo().join("vault.toml"), Some(12345), None).unwrap();
    says(
        &doctor(&sandbox, &[]),
        false,
        &["vault.toml problem: [..]/repo/vault.toml belongs to another user (uid 12345)"],
    );
}

#[test]
fn doctor_reports_problems_independently() {
    let sandbox = sandbox();
    fs::write(sandbox.repo().join("vault.toml"), "default = 7\n").unwrap();
    fs::write(sandbox.store("root.toml"), "format = 1\n").unwrap();
    let state = sandbox.home().join(".local/state/vault");
    let file = fs::read_dir(&state)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    fs::write(&file, "damaged").unwrap();
    says(
        &doctor(&sandbox, &[])
            .variable("VAULT_ID", "vault1")
            .variable("CI", "true"),
        false,
        &[
            "vault.toml problem: [..]vault.toml[..]",
            "terminal note: CI is set",
            "key ok: identity.txt [..]",
            "trust problem: VAULT_ID: not the id of a vault [..]",
            "trust problem: [..].toml: is damaged",
            "vault problem: .vault/root.toml: is not in the form vault writes",
            "exec note: would not start a command here",
        ],
    );
    fs::remove_dir_all(sandbox.repo().join(".git")).unwrap();
    says(
        &sandbox
            .vault(&["doctor", "--json"])
            .variable("PATH", "/nowhere"),
        false,
        &["git note: git was not found in PATH; only commands that read older revisions need it"],
    );
}

#[test]
fn doctor_distinguishes_trust_and_membership_problems() {
    let sandbox = sandbox();
    let id = sandbox.id();
    let laptop = sandbox.home().join("laptop");
    fs::create_dir_all(laptop.join(".config/vault")).unwrap();
    let file = ".config/vault/identity.txt";
    fs::copy(sandbox.home().join(file), laptop.join(file)).unwrap();
    let at = |home: &Path| doctor(&sandbox, &[]).variable("HOME", home.to_str().unwrap());
    says(
        &at(&laptop),
        false,
        &[
            "trust problem: the id of this vault has not been confirmed yet",
            "member ok: you are alice: development (write), production (write), admin",
        ],
    );
    let tag = Tag::random();
    says(
        &at(&laptop).variable("VAULT_ID", &format!("{id}@{tag}")),
        false,
        &[
            &format!("trust note: VAULT_ID trusts {id}@{tag}"),
            "trust problem: .vault/root.toml: is from before a revocation [..]",
        ],
    );
    let other = Sandbox::with_vault();
    says(
        &at(&laptop).variable("VAULT_ID", &other.id()),
        false,
        &[&format!(
            "trust problem: .vault/root.toml: belongs to a different vault: expected {}, found {id}",
            other.id()
        )],
    );
    says(
        &at(&other.home()).variable("VAULT_ID", &id),
        false,
        &[
            "trust ok: the vault here is trusted",
            "member problem: your key (age1[..]) belongs to no member of this vault",
        ],
    );
    let config = "default = \"development\"\n[secrets.MISSING]\nrequired = true\n";
    fs::write(sandbox.repo().join("vault.toml"), config).unwrap();
    says(
        &doctor(&sandbox, &[]),
        false,
        &["exec problem: there is no MISSING in development"],
    );
    fs::write(
        sandbox.repo().join("vault.toml"),
        "default = \"development\"\n",
    )
    .unwrap();
    sandbox.set("development", "LONG", &vec![b'x'; 200_000]);
    says(
        &doctor(&sandbox, &[]),
        false,
        &["exec problem: [..]LONG[..]"],
    );
    let file = "default = \"development\"\n[secrets.LONG]\nfile = true\n";
    fs::write(sandbox.repo().join("vault.toml"), file).unwrap();
    says(
        &doctor(&sandbox, &[]),
        true,
        &["exec ok: would give a command 2 variables"],
    );
    let confirm = "default = \"production\"\n[environments.production]\nconfirm = true\n";
    fs::write(sandbox.repo().join("vault.toml"), confirm).unwrap();
    let asks = "exec note: asks a person at the terminal first, and is refused without one";
    says(&doctor(&sandbox, &[]), true, &[asks]);
}

#[test]
fn doctor_at_a_terminal_asks_nothing_and_trusts_nothing() {
    let sandbox = sandbox();
    let laptop = sandbox.home().join("laptop");
    fs::create_dir_all(laptop.join(".config/vault")).unwrap();
    let file = ".config/vault/identity.txt";
    fs::copy(sandbox.home().join(file), laptop.join(file)).unwrap();
    let run = sandbox
        .vault(&["doctor"])
        .variable("HOME", laptop.to_str().unwrap());
    let before = sandbox.files();
    let screen = Terminal::start(run).ends(1);
    assert!(
        screen.contains("standard input: a terminal, standard output: a terminal"),
        "{screen}"
    );
    assert!(
        screen.contains("the id of this vault has not been confirmed yet"),
        "{screen}"
    );
    assert_eq!(
        crate::support::sandbox::changed(&before, &sandbox.files()),
        Vec::<String>::new()
    );
}

#[test]
fn doctor_shows_the_binary_to_an_unprivileged_user() {
    let sandbox = sandbox();
    let outcome = sandbox
        .vault(&["doctor"])
        .under(&[python(), UNPRIVILEGED])
        .outcome();
    let output = String::from_utf8(outcome.output).unwrap();
    assert!(
        output.contains(&format!("this is {VAULT}, version")),
        "{output}"
    );
}
