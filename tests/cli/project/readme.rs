//! The documents are correct: their commands work, and their links lead to existing targets.
//!
//! A fenced block ```` ```sh ```` is a script that must succeed. In a ```` ```console ```` block,
//! each line that starts with `$ ` is a command, and the lines below it are its output: standard
//! output and standard error together, in which `…` matches any text within a line. A failing
//! command is followed by `$ echo $?`. The blocks of a page run one after another in one sandbox
//! with a mock Django project (`manage.py`), a value in `dsn.txt`, and one line on standard input.
//! A ```` ```toml ```` block must be a valid `vault.toml`. A block below the line
//! `<!-- not run: REASON -->` is not run.
//!
//! With `SNAPSHOTS=overwrite`, printed lines that do not match are rewritten in the page.
//!
//! A block ```` ```console bob ```` is run by a colleague, in a HOME and a clone of their own, which
//! are created on first use. The fingerprint printed there by `vault join` is in `$TOLD` from then
//! on, and the id of alice's vault in `$SENT`.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use repovault::crypto::Fingerprint;
use repovault::vault::config::Config;
use repovault::vault::name::EnvironmentName;
use repovault::vault::template::Template;

use crate::support::expected::{Redacted, accepted, is_accepted};
use crate::support::pages::{Block, blocks, page, rewrite};
use crate::support::python::python;
use crate::support::sandbox::{Sandbox, is_like};

/// Every page: the Markdown files at the top of the project, and those below `docs` and `examples`.
fn pages() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages = Vec::new();
    let mut folders = vec![root.to_owned(), root.join("docs"), root.join("examples")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && folder != root {
                folders.push(path);
            } else if is_page(&path) {
                pages.push(
                    path.strip_prefix(root)
                        .unwrap()
                        .to_str()
                        .unwrap()
                        .to_owned(),
                );
            }
        }
    }
    pages.sort();
    assert!(pages.len() > 20, "the pages were found");
    pages
}

fn is_page(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "md")
}

/// Appended to each command: prints its status between two marks, and keeps it for the next
/// command, which may read it.
const STATUS: &str = "\ns=$?; printf '\\036%s\\036' $s; (exit $s)\n";
const MARK: char = '\u{1e}';

/// A repository with everything that the pages assume: a Django project and `python`.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::empty();
    let bin = sandbox.root().join("bin");
    fs::create_dir(&bin).unwrap();
    let program = bin.join("python");
    fs::write(&program, format!("#!/bin/sh\nexec '{}' \"$@\"\n", python())).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let project = "import os\nos.environ[\"DJANGO_SECRET_KEY\"]\n";
    fs::write(sandbox.repo().join("manage.py"), project).unwrap();
    fs::write(
        sandbox.repo().join("dsn.txt"),
        "https://key@sentry.example/1\n",
    )
    .unwrap();
    sandbox
}

/// HOME and repository of the person who runs a block.
fn whereabouts(sandbox: &Sandbox, person: Option<&str>) -> (PathBuf, PathBuf) {
    let Some(person) = person else {
        return (sandbox.home(), sandbox.repo());
    };
    let home = sandbox.root().join(person);
    let clone = home.join("repo");
    if !clone.exists() {
        let (from, to) = (sandbox.repo(), clone.display().to_string());
        sandbox.git(&["clone", "--quiet", from.to_str().unwrap(), &to]);
    }
    (home, clone)
}

/// Runs a script, and returns whether it succeeded and its output on both streams.
fn bash(sandbox: &Sandbox, person: Option<&str>, script: &str) -> (bool, String) {
    let (home, folder) = whereabouts(sandbox, person);
    let name = person.unwrap_or("alice");
    let told = fs::read_to_string(sandbox.root().join("told")).unwrap_or_default();
    let is_there = sandbox.store("root.toml").exists();
    let sent = if is_there {
        sandbox.id()
    } else {
        String::new()
    };
    let vault = Path::new(env!("CARGO_BIN_EXE_vault")).parent().unwrap();
    let own = sandbox.root().join("bin");
    let path = format!(
        "{}:{}:{}",
        vault.display(),
        own.display(),
        std::env::var("PATH").unwrap()
    );
    let mut child = Command::new("bash")
        .args(["-c", script])
        .current_dir(folder)
        .env_clear()
        .env("HOME", home)
        .env("USER", name)
        .env("TOLD", told)
        .env("SENT", sent)
        .env("PATH", path)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        // Otherwise the keyring of the person who runs the tests would be used.
        .envs(cfg!(target_os = "macos").then_some(("CI", "true")))
        .envs(["GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"].map(|key| (key, name)))
        .envs(["GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"].map(|key| (key, "someone@example.com")))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A script that does not read its input may have ended before it is written.
    let _ = child
        .stdin
        .take()
        .unwrap()
        .write_all(b"typed at the prompt\n");
    let output = child.wait_with_output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&text).into_owned(),
    )
}

fn run_script(sandbox: &Sandbox, block: &Block) {
    let person = block.person.as_deref();
    let (succeeded, output) = bash(
        sandbox,
        person,
        &format!("set -euo pipefail\n{}", block.text),
    );
    assert!(succeeded, "{}: {output}", block.place);
}

/// The placeholders of the documents for texts that differ from run to run.
const SHOWN: [(&str, &str); 10] = [
    ("[ROOT]", "…"),
    ("[..]", "…"),
    ("[ID]", "vault1…"),
    ("[RECIPIENT]", "age1…"),
    ("[KEY]", "AGE-SECRET-KEY-PQ-1…"),
    ("[SIGNER]", "…"),
    ("[CREDENTIAL]", "vaultci1_…"),
    ("[FINGERPRINT]", "…"),
    ("[COMMIT]", "…"),
    ("[TIME]", "…"),
];

/// Runs a session and gives the block as it should be.
fn run_console(sandbox: &Sandbox, block: &Block) -> String {
    let mut commands: Vec<(String, String)> = Vec::new();
    for line in block.text.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            commands.push((command.to_owned(), String::new()));
        } else {
            let (_, expected) = commands.last_mut().expect("a console block starts with $");
            expected.push_str(line);
            expected.push('\n');
        }
    }
    let script: String = commands
        .iter()
        .flat_map(|(command, _)| [command, STATUS])
        .collect();
    let (_, output) = bash(
        sandbox,
        block.person.as_deref(),
        &format!("exec 2>&1\n{script}"),
    );
    if let Some(told) = output
        .lines()
        .find(|line| line.parse::<Fingerprint>().is_ok())
    {
        fs::write(sandbox.root().join("told"), told).unwrap();
    }
    let mut seen = output.split(MARK);
    let mut text = String::new();
    for (number, (command, expected)) in commands.iter().enumerate() {
        let (printed, status) = (seen.next().unwrap_or(""), seen.next().unwrap_or("none"));
        let asked = commands
            .get(number + 1)
            .is_some_and(|(next, _)| next == "echo $?");
        let place = &block.place;
        assert!(
            status == "0" || asked,
            "{place}: {command}: status {status}\n{printed}"
        );
        let (printed, pattern) = (printed.trim_end(), expected.trim_end().replace('…', "[..]"));
        text.extend(["$ ", command, "\n"]);
        if is_like(&pattern, printed) {
            text.push_str(expected);
            continue;
        }
        let unlike = format!("{place}: {command}\nprinted:\n{printed}\nexpected:\n{expected}");
        assert!(is_accepted(), "{unlike}");
        let root = Redacted::below(&sandbox.root().display().to_string());
        let printed = accepted(&pattern, printed, &root);
        let shown = SHOWN
            .iter()
            .fold(printed, |text, (from, to)| text.replace(from, to));
        text.push_str(&shown);
        text.push_str(if shown.is_empty() { "" } else { "\n" });
        text.push_str(&expected[expected.trim_end().len()..].replacen('\n', "", 1));
    }
    text
}

#[test]
fn documented_commands_print_the_documented_output() {
    for path in &pages() {
        let sandbox = sandbox();
        let mut changed = Vec::new();
        for block in blocks(path) {
            match block.language.as_str() {
                "sh" => run_script(&sandbox, &block),
                "console" => {
                    let text = run_console(&sandbox, &block);
                    if text != block.text {
                        changed.push((block, text));
                    }
                }
                _ => {}
            }
        }
        if !changed.is_empty() {
            rewrite(path, &changed);
        }
    }
}

#[test]
fn documented_vault_toml_files_are_valid() {
    for path in &pages() {
        for block in blocks(path)
            .into_iter()
            .filter(|block| block.language == "toml")
        {
            let config = Config::parse(&block.text);
            let config = config.unwrap_or_else(|fault| panic!("{}: {fault}", block.place));
            for environment in config.environments.keys() {
                let environment: &EnvironmentName = environment;
                for (name, value) in config.variables(environment) {
                    Template::parse(name, value).unwrap();
                }
            }
        }
    }
}

/// Where the links of a page within the project lead: a path from the root of the project, and an
/// anchor, which may be empty.
fn links(path: &str) -> Vec<(String, String)> {
    let text = without_fences(&page(path));
    let targets = text
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next());
    let within = targets.filter(|target| !target.contains("://") && !target.contains(' '));
    within
        .map(|target| {
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let folder = Path::new(path).parent().unwrap();
            let file = if file.is_empty() {
                PathBuf::from(path)
            } else {
                folder.join(file)
            };
            (normal(&file), anchor.to_owned())
        })
        .collect()
}

/// A path without `..`.
fn normal(path: &Path) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.iter().map(|part| part.to_str().unwrap()) {
        if part == ".." {
            parts.pop().expect("the link stays in the project");
        } else {
            parts.push(part);
        }
    }
    parts.join("/")
}

/// The lines of a page outside fenced blocks.
fn without_fences(text: &str) -> String {
    let mut inside = false;
    let outside = text.lines().filter(|line| {
        let is_fence = line.starts_with("```");
        inside ^= is_fence;
        !inside && !is_fence
    });
    outside.collect::<Vec<_>>().join("\n")
}

/// The anchors of a page: its headings, as GitHub and GitLab spell them.
fn anchors(path: &str) -> Vec<String> {
    let text = without_fences(&page(path));
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let mut plain: Vec<String> = Vec::new();
    let mut anchors = Vec::new();
    for heading in headings.map(|line| line.trim_start_matches('#').trim()) {
        let kept = heading
            .chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        let anchor = kept.collect::<String>().to_lowercase().replace(' ', "-");
        let repeats = plain.iter().filter(|known| **known == anchor).count();
        anchors.push(if repeats == 0 {
            anchor.clone()
        } else {
            format!("{anchor}-{repeats}")
        });
        plain.push(anchor);
    }
    anchors
}

#[test]
fn links_lead_to_files_and_headings() {
    for path in pages() {
        for (file, anchor) in links(&path) {
            let target = Path::new(env!("CARGO_MANIFEST_DIR")).join(&file);
            assert!(target.exists(), "{path}: {file}");
            let is_known = anchor.is_empty() || anchors(&file).contains(&anchor);
            assert!(is_known, "{path}: {file} has no heading for #{anchor}");
        }
    }
}

#[test]
fn every_page_is_reachable_from_the_map() {
    let mut reached = BTreeSet::from(["README.md".to_owned()]);
    let mut next = vec!["docs/README.md".to_owned()];
    while let Some(path) = next.pop() {
        if reached.insert(path.clone()) {
            let linked = links(&path).into_iter().map(|(file, _)| file);
            next.extend(linked.filter(|file| is_page(Path::new(file))));
        }
    }
    let lost: Vec<String> = pages()
        .into_iter()
        .filter(|path| !reached.contains(path))
        .collect();
    assert!(
        lost.is_empty(),
        "no link from docs/README.md leads to {lost:?}"
    );
}

#[test]
fn paths_in_the_pages_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = ["src/", "tests/", "docs/", "benches/", ".ci/"];
    let mut seen = 0;
    for path in pages() {
        let text = without_fences(&page(&path));
        let codes = text.split('`').skip(1).step_by(2);
        let is_path = |code: &&str| {
            let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
            folders.iter().any(|folder| code.starts_with(folder)) && code.chars().all(is_plain)
        };
        // Made when the tests first need it.
        for code in codes
            .filter(is_path)
            .filter(|code| !code.ends_with("/.venv"))
        {
            assert!(root.join(code).exists(), "{path}: {code}");
            seen += 1;
        }
    }
    assert!(seen > 20, "{seen}");
}
