//! The examples for GitHub Actions and GitLab CI: valid in their platform's schema, in the right
//! order, with no more keys than needed, and working: the tests run their lines.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::machine::all_is_wanted;
use crate::support::pages::blocks_of;
use crate::support::pipeline::notices;
use crate::support::pipeline::{Event, GITHUB_KEY, Job, Keys, Pipeline, Platform, REVISION, Step};
use crate::support::python::python;
use crate::support::shop::{ROOT, Shop, replace, text};

fn both() -> [(Pipeline, &'static str); 2] {
    [
        (Pipeline::github(), "github-actions"),
        (Pipeline::gitlab(), "gitlab-ci"),
    ]
}

/// The pipelines to run from end to end: one, or both with `VAULT_TESTS=all`.
fn run() -> Vec<(Pipeline, &'static str)> {
    let count = if all_is_wanted() { 2 } else { 1 };
    both().into_iter().take(count).collect()
}

const NO_KEYS: Keys<'static> = Keys {
    development: "",
    production: "",
};

fn names(log: &[(String, i32, String)]) -> Vec<&str> {
    log.iter().map(|(name, ..)| name.as_str()).collect()
}

#[track_caller]
fn all_went_well(log: &[(String, i32, String)]) {
    for (name, status, said) in log {
        assert_eq!(*status, 0, "{name}:\n{said}");
    }
}

/// The lines of a job, as one text.
fn script(job: &Job) -> String {
    let scripts = job.steps.iter().filter_map(|step| match step {
        Step::Run { shell, script, .. } => Some(format!("{shell}\n{script}\n")),
        Step::Upload(_) | Step::Download(_) => None,
    });
    scripts.collect()
}

#[test]
fn platforms_accept_their_pipeline_files() {
    let files = [
        (
            "vendor.github-workflows",
            "examples/github-actions/.github/workflows/pipeline.yml",
        ),
        ("vendor.github-workflows", ".github/workflows/ci.yml"),
        ("vendor.github-workflows", ".github/workflows/nightly.yml"),
        ("vendor.gitlab-ci", "examples/gitlab-ci/.gitlab-ci.yml"),
        ("vendor.compose-spec", "examples/docker/compose.yaml"),
    ];
    for (schema, file) in files {
        accepts(schema, &Path::new(ROOT).join(file));
    }
}

/// Whether the platform's own schema accepts the file.
#[track_caller]
fn accepts(schema: &str, file: &Path) {
    // Supports `!reference`, which is not part of YAML.
    let transform = ["--data-transform", "gitlab-ci"].into_iter();
    let output = Command::new(python())
        .args(["-m", "check_jsonschema", "--builtin-schema", schema])
        .args(transform.filter(|_| schema.contains("gitlab")))
        .arg(file)
        // The schemas are part of the package, so nothing is downloaded.
        .env("https_proxy", "http://127.0.0.1:9")
        .env_remove("no_proxy")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}: {}",
        file.display(),
        text(&output)
    );
}

#[test]
fn jobs_depend_only_on_required_jobs() {
    for (pipeline, example) in both() {
        for name in ["verify", "lint", "test", "collectstatic"] {
            assert!(
                pipeline.job(name).needs.is_empty(),
                "{example}: {name} could start at once"
            );
        }
        let last = pipeline.job("deploy");
        for name in ["lint", "test", "collectstatic"] {
            assert!(
                pipeline.waits("deploy", name),
                "{example}: deploy waits for {name}"
            );
        }
        let before = match pipeline.platform {
            // In one job, so that one approval is enough; its steps run in this order.
            Platform::GitHub => script(last),
            Platform::GitLab => {
                assert!(pipeline.waits("deploy", "migrate") && pipeline.waits("migrate", "test"));
                script(pipeline.job("migrate")) + &script(last)
            }
        };
        let (migrate, deploy) = (before.find("--step migrate"), before.find("--step deploy"));
        assert!(migrate.unwrap() < deploy.unwrap(), "{example}: {before}");
    }
}

#[test]
fn production_needs_approval_and_never_runs_for_a_request() {
    for (pipeline, example) in both() {
        let production = |job: &&Job| job.environment.as_deref() == Some("production");
        let jobs: Vec<&Job> = pipeline.jobs.iter().filter(production).collect();
        assert!(!jobs.is_empty(), "{example}");
        for job in &jobs {
            assert_eq!(job.only, Some(Event::Push), "{example}: {}", job.name);
            assert!(
                !script(job).contains("--if-locked"),
                "{example}: {}",
                job.name
            );
        }
        // On GitHub, the environment's reviewers approve; on GitLab, someone starts the first job.
        if pipeline.platform == Platform::GitLab {
            let (manual, others): (Vec<&Job>, Vec<&Job>) =
                jobs.into_iter().partition(|job| job.is_manual);
            assert_eq!(manual.len(), 1, "{example}");
            assert!(
                others
                    .iter()
                    .all(|job| pipeline.waits(&job.name, &manual[0].name))
            );
        }
    }
}

#[test]
fn key_is_given_only_to_steps_using_it() {
    for step in Pipeline::github().jobs.iter().flat_map(|job| &job.steps) {
        let Step::Run {
            shell,
            script,
            variables,
        } = step
        else {
            continue;
        };
        let uses = format!("{shell} {script}").contains("vault exec");
        let is_static = script.contains("collectstatic");
        assert_eq!(
            variables.contains_key("VAULT_KEY"),
            uses && !is_static,
            "{script}"
        );
        assert!(
            variables.values().all(|value| value == GITHUB_KEY),
            "{variables:?}"
        );
    }
    let pipeline = Pipeline::gitlab();
    for job in &pipeline.jobs {
        let has_key = job.environment.is_some();
        assert_eq!(
            has_key,
            ["test", "migrate", "deploy"].contains(&&*job.name),
            "{}",
            job.name
        );
        assert_eq!(
            has_key,
            script(job).contains("ci/vault-exec "),
            "{}",
            job.name
        );
    }
}

#[test]
fn push_is_tested_and_deployed_without_values_in_logs() {
    for (pipeline, example) in run() {
        let shop = Shop::with(example);
        let servers = shop.servers();
        let log = pipeline.run(&shop, Event::Push, shop.keys());
        all_went_well(&log);
        let jobs = names(&log);
        assert!(
            jobs.ends_with(&["deploy"]) && !jobs.contains(&"verify"),
            "{jobs:?}"
        );
        let said: String = log.iter().map(|(_, _, said)| said.as_str()).collect();
        shop.shows_no_value(&said);
        let placeholder =
            "vault: no key was found, so these are random placeholders: DJANGO_SECRET_KEY";
        assert_eq!(
            notices(&said),
            [placeholder],
            "{example}: of collectstatic, and no other"
        );
        assert!(
            said.contains("All checks passed!") && said.contains("\nOK\n"),
            "{said}"
        );
        assert!(
            said.contains(&format!("{REVISION}: the servers say 202")),
            "{said}"
        );
        // The tests had the key of development; only jobs without values had none.
        let unlocked = |name: &str| {
            log.iter()
                .any(|(job, _, said)| job == name && !said.contains("placeholders"))
        };
        assert!(unlocked("test") && !unlocked("collectstatic"), "{said}");
        let request = servers.join().unwrap();
        let token = String::from_utf8(shop.sandbox.get("production", "DEPLOY_TOKEN")).unwrap();
        assert!(request.contains(&format!("Authorization: Bearer {token}\r\n")));
        assert!(request.ends_with(&format!("{{\"revision\": \"{REVISION}\"}}")));
        let machines = shop.sandbox.root().join("machines");
        let migrated = if pipeline.platform == Platform::GitHub {
            "deploy"
        } else {
            "migrate"
        };
        let database = machines.join(migrated).join("project/data/db.sqlite3");
        assert!(
            fs::metadata(database).unwrap().len() > 0,
            "{example}: migrated"
        );
        let files = machines.join("deploy/project/static/admin/css/base.css");
        assert!(files.is_file(), "{example}: collected by another job");
    }
}

#[test]
fn request_from_a_fork_is_tested_without_a_key() {
    for (pipeline, example) in run() {
        let shop = Shop::with(example);
        shop.sandbox
            .git(&["switch", "--quiet", "--create", "feature"]);
        let readme = shop.sandbox.repo().join("README.md");
        fs::write(readme, "A better one.\n").unwrap();
        shop.sandbox.commit("A better README");
        let log = pipeline.run(&shop, Event::Request, NO_KEYS);
        all_went_well(&log);
        let mut jobs = names(&log);
        jobs.sort_unstable();
        assert_eq!(
            jobs,
            ["collectstatic", "lint", "test", "verify"],
            "{example}"
        );
        let tested = &log.iter().find(|(name, ..)| name == "test").unwrap().2;
        let notice =
            "vault: no key was found, so these are random placeholders: DJANGO_SECRET_KEY\n";
        assert!(
            tested.contains(notice) && tested.contains("\nOK\n"),
            "{tested}"
        );
    }
}

#[test]
fn request_with_a_rolled_back_value_fails_in_verify() {
    for (pipeline, example) in run() {
        let shop = Shop::with(example);
        shop.sandbox.set(
            "production",
            "DEPLOY_TOKEN",
            b"a new one, since the old one leaked",
        );
        shop.sandbox.commit("A new token");
        shop.sandbox
            .git(&["switch", "--quiet", "--create", "feature"]);
        let entry = ".vault/production/DEPLOY_TOKEN.toml";
        shop.sandbox
            .git(&["checkout", "--quiet", "main~1", "--", entry]);
        shop.sandbox.commit("Back");
        let log = pipeline.run(&shop, Event::Request, NO_KEYS);
        let (name, status, said) = log.last().unwrap();
        assert_eq!((name.as_str(), *status), ("verify", 1), "{example}: {said}");
        assert!(said.contains(&format!("rolled back: {entry}")), "{said}");
    }
}

#[test]
fn binary_with_a_different_hash_is_not_installed() {
    let shop = Shop::with("github-actions");
    replace(
        &shop.sandbox.root().join("tools/curl"),
        "cp \"$BINARY\"",
        "cp /bin/true",
    );
    let machine = shop.machine("runner", "main");
    let output = machine.command(&["ci/install-vault"]).output().unwrap();
    assert!(!output.status.success(), "{}", text(&output));
    assert!(text(&output).contains("FAILED"), "{}", text(&output));
    assert!(!machine.folder.join("home/.local/bin/vault").exists());
    // As shipped, before a hash is entered, no binary is accepted.
    let shipped = fs::read_to_string(format!("{ROOT}/examples/django/ci/install-vault")).unwrap();
    assert!(shipped.contains(&format!("\nsha256={}\n", "0".repeat(64))));
}

/// The fenced blocks of docs/guides/ci.md in this language.
fn blocks(language: &str) -> Vec<String> {
    blocks_of("docs/guides/ci.md", language)
}

#[test]
fn platforms_accept_every_documented_pipeline() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("ci-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let schemas = [
        ("# .github/workflows/", "vendor.github-workflows"),
        ("# .circleci/config.yml\n", "vendor.circle-ci"),
        ("# .buildkite/pipeline.yml\n", "vendor.buildkite"),
    ];
    let mut seen = Vec::new();
    for block in blocks("yaml") {
        let schema = schemas.iter().find(|(start, _)| block.starts_with(start));
        let (_, schema) = schema.unwrap_or_else(|| panic!("for which platform is this?\n{block}"));
        let file = folder.join("pipeline.yml");
        fs::write(&file, &block).unwrap();
        accepts(schema, &file);
        seen.push(*schema);
    }
    seen.dedup();
    assert_eq!(seen.len(), schemas.len(), "{seen:?}");
    for block in blocks("groovy") {
        let count = |character| block.matches(character).count();
        assert!(count('{') == count('}') && count('\'') % 2 == 0, "{block}");
    }
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn documented_verify_commands_are_valid() {
    let shop = Shop::with("github-actions");
    let mut machine = shop.machine("runner", "main");
    machine.install_vault();
    machine
        .variables
        .insert("VAULT_KEY".to_owned(), shop.production.clone());
    let mut lines = 0;
    for block in [blocks("yaml"), blocks("groovy")].concat() {
        for (at, _) in block.match_indices("vault verify ") {
            let words = block[at..].split_whitespace().take(3).collect::<Vec<_>>();
            assert_eq!(words[..3], ["vault", "verify", "--since"], "{block}");
            let output = machine
                .command(&["env", "vault", "verify", "--since", "HEAD"])
                .output();
            assert!(output.unwrap().status.success());
            lines += 1;
        }
    }
    assert!(lines >= 3, "{lines}");
}

#[test]
fn vault_exec_works_as_the_shell_of_a_job() {
    let shop = Shop::with("github-actions");
    let file = shop.sandbox.root().join("workflow.yml");
    let mut ran = Vec::new();
    for block in blocks("yaml")
        .iter()
        .filter(|block| block.starts_with("# .github/"))
    {
        fs::write(&file, block).unwrap();
        let log = Pipeline::of_workflow(&file).run(&shop, Event::Push, shop.keys());
        all_went_well(&log);
        shop.shows_no_value(&log[0].2);
        assert_eq!(notices(&log[0].2), [""; 0]);
        ran.push(log[0].0.clone());
    }
    assert_eq!(ran, ["migrate", "report"]);
    let listed = shop
        .sandbox
        .root()
        .join("machines/report/project/migrations.txt");
    assert!(fs::read_to_string(listed).unwrap().contains("0001_initial"));
}
