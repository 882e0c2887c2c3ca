//! The examples, as far as they can be looked at without a network; `.ci/run` runs them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use repovault::vault::config::Config;

fn example(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/django").join(path)
}

fn text(path: &str) -> String {
    fs::read_to_string(example(path)).unwrap()
}

#[test]
fn the_django_example_is_a_script_that_bash_understands() {
    let output = Command::new("bash").arg("-n").arg(example("run.sh")).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    let metadata = fs::metadata(example("run.sh")).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions());
    assert_eq!(mode & 0o111, 0o111, "it can be executed");
}

#[test]
fn the_django_example_takes_its_secrets_from_the_environment_alone() {
    let settings = text("shop/settings.py");
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
}

#[test]
fn the_django_example_ships_no_vault_and_a_config_that_requires_its_secrets() {
    assert!(!example(".vault").exists() && !example(".env").exists());
    let config = Config::parse(&text("vault.toml")).unwrap();
    let production = "production".parse().unwrap();
    assert!(config.secrets.values().all(|secret| secret.required.holds_in(&production)));
    assert_eq!(config.secrets.len(), 2);
}

#[test]
fn the_django_example_pins_what_it_installs() {
    let lines = text("requirements.txt");
    let mut lines = lines.lines().filter(|line| !line.starts_with('#'));
    assert!(lines.all(|line| line.split_once("==").is_some_and(|(_, version)| version.len() > 2)));
}
