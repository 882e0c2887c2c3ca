//! The process itself: it cannot be inspected, and the command that replaces it finds everything as
//! the caller had set it.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use snapbox::str;

use crate::support::UNPRIVILEGED;
use crate::support::python::python;
use crate::support::sandbox::{Run, Sandbox};

fn key(sandbox: &Sandbox) -> String {
    let path = sandbox.home().join(".config/vault/identity.txt");
    fs::read_to_string(path)
        .unwrap()
        .lines()
        .last()
        .unwrap()
        .to_owned()
}

/// A `vault` process that holds its key and its value, and waits for a lock that the test holds.
struct Waiting {
    child: Child,
    lock: Option<File>,
}

impl Waiting {
    fn start(sandbox: &Sandbox, run: &Run<'_>, value: &[u8]) -> Self {
        let lock = File::open(sandbox.store("")).unwrap();
        lock.lock().unwrap();
        let mut child = run.command().spawn().unwrap();
        child.stdin.take().unwrap().write_all(value).unwrap();
        let mut line = String::new();
        BufReader::new(child.stderr.as_mut().unwrap())
            .read_line(&mut line)
            .unwrap();
        assert_eq!(line, "waiting for another vault to finish writing…\n");
        Self {
            child,
            lock: Some(lock),
        }
    }

    fn file(&self, name: &str) -> String {
        format!("/proc/{}/{name}", self.child.id())
    }

    fn finish(mut self) {
        self.lock.take();
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What `cat` prints about `path` when run by the same user without root's privileges.
fn look(path: &str) -> Result<Vec<u8>, String> {
    let output = Command::new(python())
        .args([UNPRIVILEGED, "cat", path])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(said)
    }
}

fn look_into_a_plain_program() -> Result<Vec<u8>, String> {
    let mut child = Command::new(python())
        .args([UNPRIVILEGED, "cat"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // After the line is echoed, `cat` is running.
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"line\n").unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap())
        .read_line(&mut line)
        .unwrap();
    let seen = look(&format!("/proc/{}/environ", child.id()));
    drop(input);
    assert!(child.wait().unwrap().success());
    seen
}

fn has_proc() -> bool {
    Path::new("/proc/self/environ").exists()
}

#[test]
fn running_vault_cannot_be_inspected_by_the_same_user() {
    if !has_proc() {
        return;
    }
    let sandbox = Sandbox::with_vault();
    let key = key(&sandbox);
    let run = sandbox.vault(&["set", "KEY"]).variable("VAULT_KEY", &key);
    let run = run.under(&[python(), UNPRIVILEGED]);
    let vault = Waiting::start(&sandbox, &run, b"canary-value");
    let control = look_into_a_plain_program();
    assert!(
        control.is_ok(),
        "a plain program can be inspected: {control:?}"
    );
    for name in ["environ", "mem", "maps"] {
        let said = look(&vault.file(name)).unwrap_err();
        assert!(said.contains("Permission denied"), "{name}: {said}");
    }
    // Root can inspect the process, but the key is no longer in its environment block.
    if let Ok(block) = fs::read(vault.file("environ")) {
        let block = String::from_utf8_lossy(&block);
        assert!(
            block.contains("VAULT_KEY=\0") && !block.contains(&key[..20]),
            "{block}"
        );
    }
    let limits = fs::read_to_string(vault.file("limits")).unwrap();
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"))
        .unwrap();
    assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
    let words = fs::read_to_string(vault.file("cmdline")).unwrap();
    assert!(words.ends_with("\0set\0KEY\0"), "{words}");
    for process in fs::read_dir("/proc").unwrap() {
        let Ok(words) = fs::read(process.unwrap().path().join("cmdline")) else {
            continue;
        };
        assert!(!String::from_utf8_lossy(&words).contains("canary-value"));
    }
    vault.finish();
    sandbox
        .vault(&["get", "KEY"])
        .prints("canary-value")
        .check();
}

#[test]
fn command_never_sees_a_key_variable() {
    let sandbox = Sandbox::with_vault();
    let path = sandbox
        .home()
        .join(".config/vault/identity.txt")
        .display()
        .to_string();
    let (key, list) = (key(&sandbox), ["exec", "--no-mask", "--", "env"]);
    let command = format!("cat '{path}'");
    let sources = [
        ("VAULT_KEY", &key),
        ("VAULT_KEY_FILE", &path),
        ("VAULT_KEY_COMMAND", &command),
    ];
    for count in 1..=sources.len() {
        let mut run = sandbox.vault(&list).variable("VAULT_KEYRING_OF_LATER", "x");
        for (name, value) in &sources[sources.len() - count..] {
            run = run.variable(name, value);
        }
        let outcome = run.outcome();
        let seen = String::from_utf8(outcome.output).unwrap();
        assert_eq!((outcome.status, outcome.said.as_str()), (0, ""));
        assert!(
            seen.contains("HOME=") && !seen.contains("VAULT_KEY"),
            "{seen}"
        );
    }
    // The key command does not see the other sources either.
    let run = sandbox.vault(&["get", "KEY"]).variable("VAULT_KEY", "");
    let spy = format!("sh -c \"env | grep ^VAULT_ >spied; {command}\"");
    let run = run
        .variable("VAULT_KEY_COMMAND", &spy)
        .fails(2)
        .any_change();
    run.says(str![[r#"
error: there is no KEY in development
hint: [..]
"#]])
        .check();
    assert_eq!(
        fs::read_to_string(sandbox.repo().join("spied")).unwrap(),
        ""
    );
}

#[test]
fn key_descriptor_is_closed_and_others_stay_open() {
    let sandbox = Sandbox::with_vault();
    fs::write(sandbox.root().join("other"), "for the command").unwrap();
    let home = sandbox.home().display().to_string();
    let open = format!("exec \"$@\" 5<'{home}/.config/vault/identity.txt' 6<'{home}/../other'");
    let script = "(: <&5) 2>/dev/null && echo open || echo closed; cat <&6";
    // The second is the form a shell uses for `<(COMMAND)`.
    let named: [[&str; 2]; 3] = [
        ["--key-fd", "5"],
        ["--key-file", "/dev/fd/5"],
        ["--key-file", "/proc/self/fd/5"],
    ];
    for [option, value] in named {
        for masking in ["--no-mask", "--report-leaks"] {
            sandbox
                .vault(&["exec", masking, option, value, "--", "sh", "-c", script])
                .under(&["sh", "-c", &open, "sh"])
                .prints("closed\nfor the command")
                .check();
        }
    }
    // A file on standard input could be reopened through /dev/stdin.
    let input = format!("exec \"$@\" <'{home}/.config/vault/identity.txt'");
    for path in ["-", "/dev/stdin", "/dev/fd/0"] {
        sandbox
            .vault(&[
                "exec",
                "--no-mask",
                "--key-file",
                path,
                "--",
                "cat",
                "/dev/stdin",
            ])
            .under(&["sh", "-c", &input, "sh"])
            .check();
    }
}

#[test]
fn command_gets_the_core_limit_of_the_caller() {
    let sandbox = Sandbox::with_vault();
    let wrapper = "ulimit -S -c \"$(ulimit -H -c)\"; ulimit -S -c; ulimit -H -c; exec \"$@\"";
    let arguments = [
        "exec",
        "--no-mask",
        "--",
        "sh",
        "-c",
        "ulimit -S -c; ulimit -H -c",
    ];
    let outcome = sandbox
        .vault(&arguments)
        .under(&["sh", "-c", wrapper, "sh"])
        .outcome();
    let seen = String::from_utf8(outcome.output).unwrap();
    let lines: Vec<&str> = seen.lines().collect();
    assert_eq!(
        (outcome.status, lines.len()),
        (0, 4),
        "{seen}{}",
        outcome.said
    );
    assert_eq!(lines[..2], lines[2..]);
}

#[test]
fn broken_pipe_ends_the_command_unless_ignored() {
    if !has_proc() {
        return;
    }
    let sandbox = Sandbox::with_vault();
    let ignored = |trap: &str| {
        let arguments = [
            "exec",
            "--no-mask",
            "--",
            "grep",
            "^SigIgn:",
            "/proc/self/status",
        ];
        let wrapper = format!("{trap} exec \"$@\"");
        let outcome = sandbox
            .vault(&arguments)
            .under(&["sh", "-c", &wrapper, "sh"])
            .outcome();
        let text = String::from_utf8(outcome.output).unwrap();
        let mask = u64::from_str_radix(text.split_whitespace().nth(1).unwrap(), 16).unwrap();
        mask >> (13 - 1) & 1 == 1
    };
    assert!(!ignored(""));
    assert!(ignored("trap '' PIPE;"));
    // For vault itself, a closed reader is not a failure.
    sandbox.set("development", "KEY", &vec![b'x'; 1 << 20]);
    let mut child = sandbox.vault(&["get", "KEY"]).command().spawn().unwrap();
    drop(child.stdout.take());
    let mut said = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    assert_eq!((child.wait().unwrap().code(), said.as_str()), (Some(0), ""));
}
