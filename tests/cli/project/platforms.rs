//! The pipelines in README.md and docs/guides/ci.md, each run in the way of its platform: vault
//! prints no unexpected message, in particular not that the command can read the key.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::support::pages::blocks_of;
use crate::support::pipeline::notices;
use crate::support::pipeline::{Event, Pipeline};
use crate::support::shop::{Machine, Shop};

const VAULT: &str = env!("CARGO_BIN_EXE_vault");

/// The lines of a block that start `vault exec`, without the wrapped command.
fn lines(block: &str) -> Vec<String> {
    let wanted = |line: &&str| line.contains("vault exec ") || line.contains("vault-exec ");
    let ours = |line: &str| {
        let (ours, _) = line.split_once(" -- ").unwrap();
        let starts = ["- run: ", "- ", "sh '"];
        let found = starts.iter().find_map(|start| ours.split_once(start));
        let (_, line) = found.unwrap();
        format!("{line} -- true\n")
    };
    block.lines().filter(wanted).map(ours).collect()
}

/// The only block of docs/guides/ci.md with this beginning.
fn block(language: &str, start: &str) -> String {
    let blocks = blocks_of("docs/guides/ci.md", language);
    blocks
        .into_iter()
        .find(|block| block.starts_with(start))
        .unwrap()
}

/// A machine with the binary both in its `PATH` and in the project's own folder.
fn machine(shop: &Shop) -> Machine {
    let mut machine = shop.machine("runner", "main");
    machine.install_vault();
    fs::create_dir(machine.project().join(".bin")).unwrap();
    symlink(VAULT, machine.project().join(".bin/vault")).unwrap();
    machine
}

/// Runs the line as a script of `shell`, and returns its standard error.
#[track_caller]
fn said(machine: &Machine, shell: &[&str], line: &str, variables: &[(&str, &str)]) -> String {
    let script = machine.folder.join("script");
    fs::write(&script, line).unwrap();
    let words: Vec<String> = shell
        .iter()
        .map(|word| word.replace("{0}", script.to_str().unwrap()))
        .collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let output = machine
        .command(&words)
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.success() && output.stdout.is_empty(),
        "{line}: {said}"
    );
    said
}

/// The message without a key, which collecting static files does not need.
const PLACEHOLDER: &str =
    "vault: no key was found, so these are random placeholders: DJANGO_SECRET_KEY\n";

#[test]
fn circleci_steps_print_no_messages() {
    let shop = Shop::with("github-actions");
    let machine = machine(&shop);
    let lines = lines(&block("yaml", "# .circleci/"));
    assert_eq!(lines.len(), 4);
    for line in lines {
        let key = [("VAULT_KEY", shop.production.as_str())];
        assert_eq!(
            said(&machine, &["bash", "-eo", "pipefail", "{0}"], &line, &key),
            "",
            "{line}"
        );
    }
}

#[test]
fn buildkite_steps_print_only_withheld_variables() {
    let shop = Shop::with("github-actions");
    let machine = machine(&shop);
    let file = machine.folder.join("secret");
    fs::write(&file, &shop.production).unwrap();
    let command = format!("cat {}", file.display());
    let lines = lines(&block("yaml", "# .buildkite/"));
    assert_eq!(lines.len(), 4);
    for line in lines {
        let token = ("BUILDKITE_AGENT_ACCESS_TOKEN", "of the agent");
        let (variables, expected) = if line.contains("collectstatic") {
            (vec![token], PLACEHOLDER)
        } else {
            let withheld = "vault: withheld, because they can fetch the key again: BUILDKITE_AGENT_ACCESS_TOKEN (`--keep-identity`)\n";
            (
                vec![token, ("VAULT_KEY_COMMAND", command.as_str())],
                withheld,
            )
        };
        assert_eq!(
            said(&machine, &["bash", "-e", "{0}"], &line, &variables),
            expected,
            "{line}"
        );
    }
}

#[test]
fn jenkins_steps_print_no_messages() {
    let shop = Shop::with("github-actions");
    let machine = machine(&shop);
    let lines = lines(&block("groovy", "// Jenkinsfile"));
    assert_eq!(lines.len(), 4);
    for line in lines {
        // Jenkins keeps a parent shell above the shell of the step.
        let shell = ["sh", "-c", "sh -e {0}; exit $?"];
        if line.contains("collectstatic") {
            assert_eq!(said(&machine, &shell, &line, &[]), PLACEHOLDER);
            continue;
        }
        let file = machine.folder.join("secret");
        fs::write(&file, &shop.production).unwrap();
        let variables = [
            ("VAULT_KEY_FILE", file.to_str().unwrap()),
            ("JENKINS_URL", "x"),
        ];
        assert_eq!(said(&machine, &shell, &line, &variables), "", "{line}");
        assert!(!file.exists(), "{line}");
    }
}

/// A shop with production as its default environment, so that a step without an option has its
/// secrets.
fn shop() -> Shop {
    let shop = Shop::with("github-actions");
    symlink(VAULT, shop.sandbox.root().join("tools/vault")).unwrap();
    shop
}

#[track_caller]
fn runs(pipeline: &Pipeline, shop: &Shop) {
    let log = pipeline.run(shop, Event::Push, shop.keys());
    assert_eq!(log.len(), 1, "one job");
    let (name, status, said) = &log[0];
    assert_eq!(*status, 0, "{name}: {said}");
    assert!(
        said.contains("No migrations to apply") || said.contains("Applying "),
        "{said}"
    );
    assert_eq!(notices(said), [""; 0], "{name}");
}

#[test]
fn readme_pipelines_run_without_messages() {
    let shop = shop();
    let folder = shop.sandbox.root().to_owned();
    let mut ran = 0;
    for (number, block) in blocks_of("README.md", "yaml").into_iter().enumerate() {
        let file = folder.join(format!("{number}.yml"));
        fs::write(&file, &block).unwrap();
        if block.starts_with("jobs:") {
            runs(&Pipeline::of_workflow(&file), &shop);
            ran += 1;
        } else if block.contains("script:") {
            runs(&Pipeline::of_gitlab(&file), &shop);
            ran += 1;
        }
    }
    assert_eq!(ran, 2);
    assert!(Path::new(VAULT).exists());
}
