//! The parts of the examples that can be checked without running them; `.ci/run` runs the first
//! one, and `pipelines` and `hosting` run the others.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use repovault::vault::config::Config;
use repovault::vault::name::SecretName;
use serde_json::Value;

use crate::support::machine::all_is_wanted;
use crate::support::pipeline::{GITHUB_KEY, yaml};
use crate::support::shop::{ROOT, Shop, text as said};

fn example(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("examples/django")
        .join(path)
}

fn text(path: &str) -> String {
    fs::read_to_string(example(path)).unwrap()
}

#[test]
fn django_example_is_a_valid_bash_script() {
    let output = Command::new("bash")
        .arg("-n")
        .arg(example("run.sh"))
        .output()
        .unwrap();
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{output:?}"
    );
    let metadata = fs::metadata(example("run.sh")).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions());
    assert_eq!(mode & 0o111, 0o111, "it can be executed");
}

#[test]
fn django_example_reads_secrets_only_from_the_environment() {
    let settings = text("shop/settings.py") + &text("shop/serving.py");
    for line in [
        "SECRET_KEY = os.environ[\"DJANGO_SECRET_KEY\"]\n",
        "EMAIL_HOST_PASSWORD = os.environ[\"EMAIL_HOST_PASSWORD\"]\n",
    ] {
        assert_eq!(settings.matches(line).count(), 1, "{line}");
    }
    // No fallback that would hide a missing secret.
    for way in ["environ.get", "getenv", "setdefault", "django-insecure"] {
        assert!(!settings.contains(way), "{way}");
    }
    assert_eq!(settings.matches("SECRET_KEY").count(), 2);
    assert_eq!(
        text("ci/deploy")
            .matches("os.environ['DEPLOY_TOKEN']")
            .count(),
        1
    );
}

#[test]
fn django_example_has_no_vault_and_requires_its_secrets() {
    assert!(!example(".vault").exists() && !example(".env").exists());
    let config = Config::parse(&text("vault.toml")).unwrap();
    let production = "production".parse().unwrap();
    assert!(
        config
            .secrets
            .values()
            .all(|secret| secret.required.holds_in(&production))
    );
    assert_eq!(config.secrets.len(), 3);
}

#[test]
fn django_example_pins_its_packages() {
    let lines = text("requirements.txt") + &text("requirements-dev.txt");
    let mut lines = lines.lines().filter(|line| !line.starts_with('#'));
    assert!(lines.all(|line| {
        line.split_once("==")
            .is_some_and(|(_, version)| version.len() > 2)
    }));
}

/// Every file of the examples except those that runs create.
fn files() -> Vec<PathBuf> {
    let output = Command::new("git")
        .current_dir(ROOT)
        .args(["ls-files", "examples"])
        .output();
    let listed = String::from_utf8(output.unwrap().stdout).unwrap();
    let files: Vec<PathBuf> = listed
        .lines()
        .map(|path| Path::new(ROOT).join(path))
        .collect();
    assert!(files.len() > 20, "{files:?}");
    files
}

#[test]
fn examples_are_described_and_listed() {
    let list = fs::read_to_string(Path::new(ROOT).join("examples/README.md")).unwrap();
    for entry in fs::read_dir(Path::new(ROOT).join("examples")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            assert!(path.join("README.md").is_file(), "{name}");
            assert!(list.contains(&format!("]({name}/README.md)")), "{name}");
        }
    }
}

/// Calls `look` with each key and text of a YAML file at any depth.
fn walk(value: &Value, look: &mut dyn FnMut(&str, &str)) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                if let Value::String(text) = value {
                    look(key, text);
                }
                walk(value, look);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| walk(value, look)),
        _ => {}
    }
}

#[test]
fn examples_contain_no_keys_or_values() {
    let config = Config::parse(&text("vault.toml")).unwrap();
    let secrets: Vec<&str> = config.secrets.keys().map(SecretName::as_str).collect();
    for file in files() {
        let text = fs::read_to_string(&file).unwrap();
        let place = file.display();
        for start in ["vaultci1_", "AGE-SECRET-KEY-", "BEGIN PRIVATE KEY"] {
            assert!(!text.contains(start), "{place}: {start}");
        }
        for line in text.lines() {
            // Only expressions are assigned to the name of a secret or of the key.
            let assigned = |name: &str| {
                let mut at = line
                    .match_indices(name)
                    .map(|(at, _)| &line[at + name.len()..]);
                at.any(|rest| {
                    let value = rest.strip_prefix('=');
                    value.is_some_and(|value| !value.starts_with("\"$") && !value.starts_with("'{"))
                })
            };
            assert!(
                !secrets.iter().any(|name| assigned(name)),
                "{place}: {line}"
            );
            assert!(!assigned("VAULT_KEY"), "{place}: {line}");
        }
        if file
            .extension()
            .is_some_and(|extension| extension == "yml" || extension == "yaml")
        {
            walk(&yaml(&file), &mut |key, text| {
                assert!(!secrets.contains(&key), "{place}: {key}");
                assert!(key != "VAULT_KEY" || text == GITHUB_KEY, "{place}: {key}");
            });
        }
    }
}

/// The words after `--step` in a text.
fn steps(text: &str) -> BTreeSet<String> {
    let found = text.split("--step").skip(1);
    let words = found.map(|rest| {
        let word = rest
            .trim_start_matches([' ', ',', '"'])
            .split([' ', ',', '"'])
            .next()
            .unwrap();
        word.trim_matches(['"', ']', '`']).to_owned()
    });
    words.collect()
}

#[test]
fn examples_use_exactly_the_steps_in_vault_toml() {
    let config = Config::parse(&text("vault.toml")).unwrap();
    let known: BTreeSet<String> = config.steps.keys().map(ToString::to_string).collect();
    let mut used = BTreeSet::new();
    for file in files() {
        let text = fs::read_to_string(&file).unwrap();
        for step in steps(&text) {
            assert!(known.contains(&step), "{}: {step}", file.display());
            used.insert(step);
        }
    }
    assert_eq!(used, known);
    let tables = files()
        .into_iter()
        .filter(|file| file.ends_with("vault.toml"))
        .count();
    assert_eq!(tables, 1);
}

#[test]
fn steps_have_only_required_names() {
    let shop = Shop::with("github-actions");
    let mut machine = shop.machine("runner", "main");
    machine.install_vault();
    machine
        .variables
        .insert("VAULT_KEY".to_owned(), shop.production.clone());
    let config = Config::parse(&text("vault.toml")).unwrap();
    let serve = ["-c", "import shop.wsgi"];
    let commands: [(&str, &[&str]); 5] = [
        ("test", &["manage.py", "test"]),
        (
            "collectstatic",
            &["manage.py", "collectstatic", "--noinput"],
        ),
        ("migrate", &["manage.py", "migrate", "--noinput"]),
        ("deploy", &["ci/deploy", "revision"]),
        ("serve", &serve),
    ];
    assert_eq!(commands.len(), config.steps.len());
    for (step, command) in commands {
        let names: Vec<&str> = config.steps[&step.parse().unwrap()]
            .names
            .iter()
            .map(SecretName::as_str)
            .collect();
        // Each name takes a start of Django, so the ordinary run tries only one of each step.
        let tried = if all_is_wanted() { names.len() } else { 1 };
        for missing in names.iter().take(tried) {
            let rest: Vec<&str> = names
                .iter()
                .copied()
                .filter(|name| name != missing)
                .collect();
            let words = [
                "vault",
                "exec",
                "-q",
                "--only",
                &rest.join(","),
                "--",
                "python",
            ];
            let output = machine
                .command(&[&["env"], &words[..], command].concat())
                .output();
            let output = output.unwrap();
            let said = said(&output);
            assert!(!output.status.success(), "{step} does without {missing}");
            assert!(
                said.contains(&format!("KeyError: '{missing}'")),
                "{step}: {missing}: {said}"
            );
        }
    }
}
