//! How much of the key a wrapped command can still reach: the environment of its parent shells,
//! copies under other names, and the identity used to fetch it. Each form in the docs is tried with
//! a command that searches everywhere.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::UNPRIVILEGED;
use crate::support::pipeline::evaluated;
use crate::support::sandbox::{Outcome, Sandbox};
use crate::support::shop::Machine;

/// Inspects every accessible process and its open files, and writes down what it finds.
const SPY: &str = "
import glob, os
found = [open('/proc/self/cmdline', 'rb').read(), open('/proc/self/environ', 'rb').read()]
for path in glob.glob('/proc/[0-9]*/environ') + glob.glob('/proc/[0-9]*/cmdline'):
    try: found.append(open(path, 'rb').read())
    except OSError: pass
pid = os.getpid()
while pid > 0:
    for path in glob.glob('/proc/%d/fd/*' % pid):
        try:
            if os.path.isfile(path): found.append(open(path, 'rb').read(9999))
        except OSError: pass
    pid = int(open('/proc/%d/stat' % pid).read().rsplit(')', 1)[1].split()[1])
open('seen', 'wb').write(b'\\n'.join(found))
";

struct Scene {
    sandbox: Sandbox,
    key: String,
}

impl Scene {
    fn new() -> Self {
        let sandbox = Sandbox::with_vault();
        sandbox.set("development", "TOKEN_A", b"value-of-A-123456");
        sandbox.set("development", "TOKEN_B", b"value-of-B-123456");
        let key = sandbox.credential("ci", &["-e", "development"]);
        fs::create_dir_all(sandbox.root().join("bin")).unwrap();
        let vault = sandbox.root().join("bin/vault");
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_vault"), vault).unwrap();
        fs::write(sandbox.repo().join("spy.py"), SPY).unwrap();
        fs::create_dir_all(sandbox.root().join("nobody")).unwrap();
        Self { sandbox, key }
    }

    /// Runs `words`, which start vault, with only `variables` in the environment.
    fn run(&self, words: &[&str], variables: &[(&str, &str)]) -> Outcome {
        let _ = fs::remove_file(self.sandbox.repo().join("seen"));
        let path = format!("{}/bin:{}", self.sandbox.root().display(), env!("PATH"));
        let home = self.sandbox.root().join("nobody").display().to_string();
        let output = Command::new("env")
            .args(words)
            .current_dir(self.sandbox.repo())
            .env_clear()
            .envs([("HOME", &home), ("PATH", &path)])
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        Outcome {
            status: output.status.code().unwrap(),
            output: output.stdout,
            said,
        }
    }

    /// Whether the spy obtained the key.
    fn is_found(&self) -> bool {
        let seen = fs::read(self.sandbox.repo().join("seen")).unwrap();
        let key = self.key.as_bytes();
        assert!(seen.len() > 100, "the spy looked around");
        seen.windows(key.len()).any(|window| window == key)
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.sandbox.root().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    fn has_proc() -> bool {
        Path::new("/proc/self/environ").exists()
    }
}

const NOTICE: &str = "vault: the command can read VAULT_KEY in the environment of";

#[test]
fn waiting_shell_with_the_key_is_reported() {
    if !Scene::has_proc() {
        return;
    }
    let scene = Scene::new();
    let exec = "vault exec --only TOKEN_A -- python3 spy.py; true";
    for masking in ["", "--no-mask"] {
        let script = exec.replace("--only", &format!("{masking} --only"));
        let outcome = scene.run(&["bash", "-c", &script], &[("VAULT_KEY", &scene.key)]);
        let form =
            "use `exec vault exec …`, which replaces the shell, or a credential for this step only";
        let (start, rest) = outcome.said.split_once(" bash (process ").unwrap();
        assert_eq!((outcome.status, start), (0, NOTICE), "{}", outcome.said);
        assert!(
            rest.ends_with(&format!("); {form}\n")) && rest.lines().count() == 1,
            "{rest}"
        );
        assert!(scene.is_found(), "the control: a reported key can be found");
    }
    // With -q, nothing is printed.
    let script = exec.replace("exec", "exec -q");
    let outcome = scene.run(&["bash", "-c", &script], &[("VAULT_KEY", &scene.key)]);
    assert_eq!((outcome.status, outcome.said.as_str()), (0, ""));
    // On GitHub, the hint shows the form for GitHub.
    let variables = [
        ("VAULT_KEY", scene.key.as_str()),
        ("GITHUB_ACTIONS", "true"),
    ];
    let said = scene.run(&["bash", "-c", exec], &variables).said;
    assert!(
        said.ends_with("in GitHub Actions use `shell: vault exec … -- bash -e {0}`\n"),
        "{said}"
    );
}

#[test]
fn every_parent_process_is_checked() {
    if !Scene::has_proc() {
        return;
    }
    let scene = Scene::new();
    let limited = "use a credential for this step only: `vault ci add NAME --step STEP`\n";
    let inner = "exec vault exec --only TOKEN_A -- python3 spy.py";
    // One shell waits for another one, which also has the key.
    let waiting = format!("sh -c '{}; true'; true", inner.trim_start_matches("exec "));
    let outcome = scene.run(&["bash", "-c", &waiting], &[("VAULT_KEY", &scene.key)]);
    assert_eq!(outcome.status, 0, "{}", outcome.said);
    assert!(
        outcome.said.starts_with(NOTICE) && outcome.said.ends_with(limited),
        "{}",
        outcome.said
    );
    // GitLab's runner and Jenkins keep a shell above the one that `exec` replaces.
    let form = "`exec 3<FILE; rm FILE; exec vault exec --key-fd 3 …`\n";
    let kept = format!(": | eval '{inner}'");
    for platform in ["GITLAB_CI", "JENKINS_URL"] {
        let variables = [("VAULT_KEY", scene.key.as_str()), (platform, "true")];
        let said = scene.run(&["bash", "-c", &kept], &variables).said;
        assert!(said.starts_with(NOTICE) && said.ends_with(form), "{said}");
        assert!(scene.is_found(), "{platform}");
    }
    // The key under another name, and a different key as VAULT_KEY.
    let other = scene.sandbox.credential("other", &["-e", "development"]);
    let script = "VAULT_KEY=$SHOP_KEY vault exec -- true; true";
    for variables in [
        [("SHOP_KEY", scene.key.as_str()), ("A", "")],
        [("SHOP_KEY", scene.key.as_str()), ("VAULT_KEY", &other)],
    ] {
        let said = scene.run(&["bash", "-c", script], &variables).said;
        assert!(said.starts_with(NOTICE), "{said}");
    }
    // The key comes from a file, but the parent shell has it in its environment too.
    let file = scene.file("key", &scene.key);
    let script = format!("vault exec --key-file {file} -- true; true");
    for name in ["VAULT_KEY", "SHOP_KEY"] {
        let said = scene
            .run(&["bash", "-c", &script], &[(name, &scene.key)])
            .said;
        assert!(said.starts_with(NOTICE), "{name}: {said}");
    }
    let said = scene.run(&["bash", "-c", &script], &[]).said;
    assert_eq!(said, "");
    let command = "VAULT_KEY_COMMAND='printenv SHOP_KEY' vault exec -- true; true";
    let said = scene
        .run(&["bash", "-c", command], &[("SHOP_KEY", &scene.key)])
        .said;
    assert!(said.starts_with(NOTICE), "{said}");
}

#[test]
fn forms_in_the_docs_leave_the_key_in_no_environment() {
    if !Scene::has_proc() {
        return;
    }
    let scene = Scene::new();
    let spy = "python3 spy.py\n:\n";
    let script = scene.file("script", spy);
    let last = "echo first >&2\nexec vault exec --only TOKEN_A -- python3 spy.py\n";
    let last = scene.file("last", last);
    let key = [("VAULT_KEY", scene.key.as_str())];
    let forms: [(&str, Vec<&str>, &str); 4] = [
        (
            "shell",
            vec![
                "vault", "exec", "--only", "TOKEN_A", "--", "bash", "-e", &script,
            ],
            "",
        ),
        (
            "shell of a job",
            vec!["vault", "exec", "--", "bash", "-eo", "pipefail", &script],
            "",
        ),
        ("last line", vec!["bash", "-e", &last], "first\n"),
        // In the way CircleCI and others pass a line to a shell.
        (
            "one line",
            vec!["bash", "-c", "exec vault exec -- python3 spy.py"],
            "",
        ),
    ];
    for (form, words, said) in &forms {
        for options in [&[][..], &["python3", UNPRIVILEGED]] {
            let outcome = scene.run(&[options, &words[..]].concat(), &key);
            assert_eq!(
                (outcome.status, outcome.said.as_str()),
                (0, *said),
                "{form}"
            );
            assert!(!scene.is_found(), "{form}");
        }
    }
    // An empty variable in the parent, as in a fork's pull request, does not contain a key.
    let placeholder = "vault exec -q --if-locked placeholder -e development -- true; true";
    let outcome = scene.run(&["bash", "-c", placeholder], &[("VAULT_KEY", "")]);
    assert_eq!((outcome.status, outcome.said.as_str()), (0, ""));
}

#[test]
fn file_forms_leave_the_key_in_no_file_and_no_environment() {
    if !Scene::has_proc() {
        return;
    }
    let scene = Scene::new();
    let root = scene.sandbox.root().to_owned();
    let helper = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/django/ci/vault-exec");
    let machine = Machine {
        folder: root.clone(),
        variables: std::collections::BTreeMap::new(),
    };
    let two_lines = "exec 3< \"$VAULT_KEY_FILE\" && rm \"$VAULT_KEY_FILE\"
exec vault exec --key-fd 3 --only TOKEN_A -- python3 spy.py";
    for lines in [
        two_lines,
        &format!("{helper} --only TOKEN_A -- python3 spy.py"),
    ] {
        let key = scene.file("VAULT_KEY_FILE", &scene.key);
        fs::set_permissions(&key, fs::Permissions::from_mode(0o666)).unwrap();
        let script = scene.file("evaluated", &evaluated(&machine, lines));
        let outcome = scene.run(&["bash", &script], &[("VAULT_KEY_FILE", &key)]);
        assert_eq!((outcome.status, outcome.said.as_str()), (0, ""), "{lines}");
        assert!(
            !scene.is_found() && !PathBuf::from(&key).exists(),
            "{lines}"
        );
    }
    // The helper: a fork has no file, and on a second use the file is gone.
    let line = format!("{helper} -q --if-locked placeholder -e development -- true");
    let outcome = scene.run(&["bash", "-c", &line], &[]);
    assert_eq!((outcome.status, outcome.said.as_str()), (0, ""));
    let outcome = scene.run(&["bash", "-c", &line], &[("VAULT_KEY_FILE", "/gone")]);
    assert!(
        outcome.status != 0 && outcome.said.contains("/gone"),
        "{}",
        outcome.said
    );
}

#[test]
fn first_process_of_a_container_has_no_parent() {
    let container = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"];
    let scene = Scene::new();
    let probe = Command::new("unshare")
        .args(&container[1..])
        .arg("true")
        .output();
    if !probe.is_ok_and(|output| output.status.success()) {
        return;
    }
    let words = [
        &container[..],
        &[
            "vault", "exec", "--only", "TOKEN_A", "--", "python3", "spy.py",
        ],
    ];
    let outcome = scene.run(&words.concat(), &[("VAULT_KEY", &scene.key)]);
    assert_eq!((outcome.status, outcome.said.as_str()), (0, ""));
    assert!(!scene.is_found());
    // A shell as the entrypoint is a parent.
    let shell = [
        "sh",
        "-c",
        "vault exec --only TOKEN_A -- python3 spy.py; true",
    ];
    let outcome = scene.run(
        &[&container[..], &shell].concat(),
        &[("VAULT_KEY", &scene.key)],
    );
    assert!(
        outcome
            .said
            .starts_with(&format!("{NOTICE} sh (process 1)")),
        "{}",
        outcome.said
    );
}

#[test]
fn copy_of_the_key_under_another_name_is_not_passed_on() {
    let scene = Scene::new();
    let other = scene.sandbox.credential("other", &["-e", "development"]);
    let copy = format!("{{\"key\": \"{}\"}}", scene.key);
    let variables = [
        ("VAULT_KEY", scene.key.as_str()),
        ("SHOP_KEY", &scene.key),
        ("SETTINGS", &copy),
        ("OTHER_KEY", &other),
    ];
    for options in [
        &[][..],
        &["--keep-identity"],
        &["--keep", "SHOP_KEY,SETTINGS"],
        &["--clean-env"],
    ] {
        let words = [&["vault", "exec", "--no-mask"], options, &["--", "env"]].concat();
        let outcome = scene.run(&words, &variables);
        let seen = String::from_utf8(outcome.output).unwrap();
        assert_eq!(
            (outcome.status, outcome.said.as_str()),
            (0, ""),
            "{options:?}"
        );
        assert!(
            !seen.contains(&scene.key) && seen.contains("TOKEN_A="),
            "{options:?}: {seen}"
        );
        // The key of another vault is the caller's business.
        assert_eq!(
            seen.contains("OTHER_KEY="),
            options != ["--clean-env"],
            "{options:?}"
        );
    }
}

/// A caller with the identity of three platforms, and other variables.
const CALLER: [(&str, &str); 12] = [
    ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "1"),
    ("ACTIONS_ID_TOKEN_REQUEST_URL", "2"),
    ("ACTIONS_RUNTIME_TOKEN", "3"),
    ("AWS_REGION", "kept"),
    ("BAO_TOKEN", "4"),
    ("BUILDKITE_AGENT_ACCESS_TOKEN", "5"),
    ("JOB_JWT", "6"),
    ("KEY_PATH", "kept"),
    ("OP_SERVICE_ACCOUNT_TOKEN", "7"),
    ("OTHER_TOKEN", "kept"),
    ("VAULT_TOKEN", "8"),
    ("shop_password", "9"),
];

#[test]
fn identity_variables_are_withheld_after_a_key_command() {
    let scene = Scene::new();
    let file = scene.file("key", &scene.key);
    let command =
        format!("sh -c 'KEY_PATH={file}; : \"${{JOB_JWT:-}}\" $shop_password; cat \"$KEY_PATH\"'");
    let all = |source: (&str, &str), options: &[&str]| {
        let words = [&["vault", "exec", "--no-mask"], options, &["--", "env"]].concat();
        let variables = [&CALLER[..], &[source]].concat();
        let outcome = scene.run(&words, &variables);
        assert_eq!(outcome.status, 0, "{}", outcome.said);
        let text = String::from_utf8(outcome.output).unwrap();
        let is_one = |line: &&str| {
            CALLER
                .iter()
                .any(|(name, _)| line.starts_with(&format!("{name}=")))
        };
        let mut lines: Vec<String> = text.lines().filter(is_one).map(str::to_owned).collect();
        lines.sort();
        (lines, outcome.said)
    };
    let every: Vec<String> = CALLER
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let kept = ["AWS_REGION=kept", "KEY_PATH=kept", "OTHER_TOKEN=kept"];
    let source = ("VAULT_KEY_COMMAND", command.as_str());
    let (seen, said) = all(source, &[]);
    assert_eq!(seen, kept);
    let (start, names) = said
        .split_once(": ")
        .and_then(|(_, rest)| rest.split_once(": "))
        .unwrap();
    assert_eq!(start, "withheld, because they can fetch the key again");
    let mut names: Vec<&str> = names
        .trim_end_matches(" (`--keep-identity`)\n")
        .split(", ")
        .collect();
    names.sort_unstable();
    let of_caller = CALLER
        .iter()
        .filter(|(_, value)| *value != "kept")
        .map(|(name, _)| *name);
    assert_eq!(names, of_caller.collect::<Vec<_>>());
    assert_eq!(
        all(source, &["-q"]),
        (kept.map(str::to_owned).to_vec(), String::new())
    );
    assert_eq!(
        all(source, &["--keep-identity"]),
        (every.clone(), String::new())
    );
    let (seen, _) = all(source, &["--keep", "BAO_TOKEN"]);
    assert_eq!(
        seen,
        [
            "AWS_REGION=kept",
            "BAO_TOKEN=4",
            "KEY_PATH=kept",
            "OTHER_TOKEN=kept"
        ]
    );
    // With any other source, nothing is withheld.
    for source in [("VAULT_KEY", &scene.key), ("VAULT_KEY_FILE", &file)] {
        let source = (source.0, source.1.as_str());
        assert_eq!(
            all(source, &[]),
            (every.clone(), String::new()),
            "{}",
            source.0
        );
    }
}

#[test]
fn secret_named_like_an_identity_variable_is_injected() {
    let scene = Scene::new();
    scene
        .sandbox
        .set("development", "BAO_TOKEN", b"the vault's own");
    let file = scene.file("key", &scene.key);
    let command = format!("cat {file}");
    let variables = [
        ("VAULT_KEY_COMMAND", command.as_str()),
        ("BAO_TOKEN", "the caller's"),
    ];
    for (options, value) in [
        (&["-q"][..], "the vault's own\n"),
        (&["-q", "--keep-identity"], "the vault's own\n"),
        (&["-q", "--keep", "BAO_TOKEN"], "the caller's\n"),
    ] {
        let words = [
            &["vault", "exec", "--no-mask"],
            options,
            &["--", "printenv", "BAO_TOKEN"],
        ];
        let outcome = scene.run(&words.concat(), &variables);
        assert_eq!(
            String::from_utf8(outcome.output).unwrap(),
            value,
            "{options:?}"
        );
    }
}

#[test]
fn doctor_lists_key_holders_and_withheld_variables() {
    let scene = Scene::new();
    let text = |words: &[&str], variables: &[(&str, &str)]| {
        String::from_utf8(scene.run(words, variables).output).unwrap()
    };
    if Scene::has_proc() {
        let key = [("VAULT_KEY", scene.key.as_str())];
        let seen = text(&["bash", "-c", "vault doctor; true"], &key);
        assert!(
            seen.contains("the command can read VAULT_KEY in the environment of bash"),
            "{seen}"
        );
        let seen = text(&["vault", "doctor"], &key);
        assert!(
            seen.contains("no process above this one has it in its environment"),
            "{seen}"
        );
    }
    let command = format!("cat {}", scene.file("key", &scene.key));
    let variables = [("VAULT_KEY_COMMAND", command.as_str()), ("BAO_TOKEN", "x")];
    let seen = text(&["vault", "doctor"], &variables);
    assert!(
        seen.contains("exec withholds BAO_TOKEN, which can fetch the key again"),
        "{seen}"
    );
}

#[test]
fn docs_list_every_identity_variable() {
    let page =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/guides/ci.md")).unwrap();
    let source = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/keys/means.rs"));
    let source = source.unwrap();
    let list = source
        .split("IDENTITIES: [&str; 6] = [")
        .nth(1)
        .unwrap()
        .split("];")
        .next()
        .unwrap();
    let names: Vec<&str> = list.split('"').skip(1).step_by(2).collect();
    assert_eq!(names.len(), 6);
    for name in names {
        assert!(page.contains(&format!("`{name}`")), "{name}");
    }
}
