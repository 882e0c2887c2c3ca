//! The jobs of docs/guides/pull-requests.md, run like on GitHub and GitLab: in real clones, with
//! one harmless pull request and one attack.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::pages::blocks;
use crate::support::refusal::stocked;
use crate::support::sandbox::Sandbox;

const GONE: &str =
    "deleted: `.vault/production/OTHER.toml` (revision 1) was deleted without a tombstone";

/// The lines of the job that contains `marker`: those of `run: |`, or the items of `script:`.
fn job(marker: &str) -> String {
    let jobs = blocks("docs/guides/pull-requests.md")
        .into_iter()
        .filter(|block| block.language == "yaml");
    let job = jobs
        .map(|block| block.text)
        .find(|text| text.contains(marker))
        .unwrap();
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut lines = job
        .lines()
        .skip_while(|line| !["- run: |", "script:"].contains(&line.trim()));
    let head = indent(lines.next().unwrap());
    let body = lines.take_while(|line| indent(line) > head);
    let lines: Vec<&str> = body
        .map(|line| line.trim_start().trim_start_matches("- "))
        .collect();
    assert!(lines.len() > 2, "{job}");
    lines.join("\n")
}

/// A harmless pull request, and one that deletes this file below `.vault`.
const DELETED: [Option<&str>; 2] = [None, Some("production/OTHER.toml")];

/// The target branch with newer commits, and `branch`.
fn repository(deleted: Option<&str>) -> Sandbox {
    let sandbox = stocked();
    sandbox.git(&["checkout", "--quiet", "-b", "branch"]);
    sandbox.set("production", "DATABASE_URL", b"new");
    if let Some(path) = deleted {
        fs::remove_file(sandbox.store(path)).unwrap();
    }
    sandbox.commit("a branch");
    sandbox.git(&["checkout", "--quiet", "main"]);
    sandbox.set("production", "MEANWHILE", b"on main");
    sandbox.commit("meanwhile");
    sandbox
}

fn clone(sandbox: &Sandbox) -> PathBuf {
    let runner = sandbox.home().join("runner");
    let source = format!("file://{}", sandbox.repo().display());
    sandbox.git(&["clone", "--quiet", &source, runner.to_str().unwrap()]);
    runner
}

/// Runs the lines of a job without HOME and key, and returns the status and the output.
fn run(script: &str, folder: &Path, variables: &[(&str, &str)]) -> (i32, String) {
    let vault = Path::new(env!("CARGO_BIN_EXE_vault")).parent().unwrap();
    let path = format!("{}:{}", vault.display(), std::env::var("PATH").unwrap());
    let output = Command::new("bash")
        .args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script])
        .current_dir(folder)
        .env_clear()
        .env("PATH", path)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.code().unwrap(),
        String::from_utf8_lossy(&text).into_owned(),
    )
}

#[test]
fn github_job_writes_the_summary_and_annotates_findings() {
    let script = job("GITHUB_STEP_SUMMARY");
    for deleted in DELETED {
        let (sandbox, is_attack) = (repository(deleted), deleted.is_some());
        let runner = clone(&sandbox);
        let git = |arguments: &[&str]| {
            sandbox.git(&[&["-C", runner.to_str().unwrap()], arguments].concat());
        };
        // What actions/checkout checks out for a pull request.
        git(&["checkout", "--quiet", "--detach", "origin/main"]);
        git(&["merge", "--quiet", "--no-ff", "--no-edit", "origin/branch"]);
        let summary = sandbox.home().join("summary.md");
        let variables = [("GITHUB_STEP_SUMMARY", summary.to_str().unwrap())];
        let (status, printed) = run(&script, &runner, &variables);
        let summary = fs::read_to_string(&summary).unwrap();
        assert!(
            summary.contains("- set: `.vault/production/DATABASE_URL.toml`"),
            "{summary}"
        );
        assert!(!summary.contains("MEANWHILE"), "{summary}");
        assert_eq!(
            (status, summary.contains(GONE)),
            (i32::from(is_attack), is_attack),
            "{summary}"
        );
        let error = "::error file=.vault/production/OTHER.toml,title=vault verify::deleted: ";
        assert_eq!(printed.contains(error), is_attack, "{printed}");
        let commit = sandbox.git(&["-C", runner.to_str().unwrap(), "rev-parse", "origin/main"]);
        let compared = format!(
            "::notice title=vault verify::compared with HEAD^1 = {}\n",
            commit.trim()
        );
        assert!(printed.starts_with(&compared), "{printed}");
        assert_eq!(printed == compared, !is_attack, "{printed}");
    }
}

/// The attacker has pushed a tag with the name of the target branch.
#[test]
fn gitlab_job_merges_the_real_target_branch_first() {
    let script = job("merge_request_event");
    for deleted in DELETED {
        let (sandbox, is_attack) = (repository(deleted), deleted.is_some());
        for tag in ["main", "origin/main"] {
            sandbox.git(&["tag", tag, "branch"]);
        }
        let runner = clone(&sandbox);
        sandbox.git(&[
            "-C",
            runner.to_str().unwrap(),
            "checkout",
            "--quiet",
            "--detach",
            "origin/branch",
        ]);
        let variables = [("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main")];
        let (status, printed) = run(&script, &runner, &variables);
        assert_eq!(
            (status, printed.contains(GONE)),
            (i32::from(is_attack), is_attack),
            "{printed}"
        );
        let report = fs::read_to_string(runner.join("vault.md")).unwrap();
        assert!(printed.contains(&report), "{printed}");
        assert!(
            report.contains("- set: `.vault/production/DATABASE_URL.toml`"),
            "{report}"
        );
        assert!(!report.contains("MEANWHILE"), "{report}");
    }
}

/// The reason why the page requires the full name.
#[test]
fn git_fetches_a_tag_instead_of_a_branch() {
    let sandbox = repository(DELETED[1]);
    sandbox.git(&["tag", "main", "branch"]);
    let runner = clone(&sandbox);
    let runner = runner.to_str().unwrap();
    let fetched = |name| {
        sandbox.git(&["-C", runner, "fetch", "--quiet", "origin", name]);
        sandbox.git(&["-C", runner, "rev-parse", "FETCH_HEAD"])
    };
    assert_eq!(
        fetched("main"),
        sandbox.git(&["rev-parse", "refs/heads/branch"])
    );
    assert_eq!(
        fetched("refs/heads/main"),
        sandbox.git(&["rev-parse", "refs/heads/main"])
    );
}
