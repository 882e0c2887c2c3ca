//! Reports of `verify --since` about changes of `vault.toml` and of files that anyone can make.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use crate::support::colleague::Colleague;
use crate::support::refusal::stocked;
use crate::support::sandbox::Sandbox;
use crate::support::transcript::Transcript;

const STRICT: &str = r#"default = "development"

[environments.production]
confirm = true

[environments.development.variables]
OLD = "1"
PORT = "1"

[secrets.DATABASE_URL]
generate = "hex"
min_length = 20
required = true
mask = "always"

[secrets.OTHER]
file = true

[steps.deploy]
names = ["OTHER"]
fail_on_leak = true
"#;

const LOOSE: &str = r#"default = "production"
allowed_names = ["BASH_ENV"]

[environments.development.variables]
PORT = "2"
NEW = "${DATABASE_URL}"

[secrets.DATABASE_URL]
generate = "django"
min_length = 8

[secrets.OTHER]
mask = "never"

[steps.deploy]
names = ["OTHER", "DATABASE_URL"]
"#;

#[test]
fn reports_about_vault_toml_are_in_their_file() {
    let sandbox = stocked();
    let config = sandbox.repo().join("vault.toml");
    fs::write(&config, STRICT).unwrap();
    sandbox.commit("strict");
    let mut transcript = Transcript::of(&sandbox);
    for format in ["text", "markdown", "github"] {
        transcript.run(&format!("verify --since HEAD --format {format}"));
    }
    fs::write(&config, LOOSE).unwrap();
    for format in ["text", "markdown", "github"] {
        transcript.run(&format!("verify --since HEAD --format {format}"));
    }
    transcript.check("reviews/config");
}

#[test]
fn reports_about_files_are_in_their_file() {
    let sandbox = stocked();
    sandbox.set("production", "THIRD", b"value-of-third");
    sandbox.commit("three");
    let [other, third] =
        ["OTHER", "THIRD"].map(|name| sandbox.store(&format!("production/{name}.toml")));
    let genuine = fs::read(&other).unwrap();
    let mut transcript = Transcript::of(&sandbox);
    fs::set_permissions(&other, fs::Permissions::from_mode(0o755)).unwrap();
    fs::remove_file(&third).unwrap();
    symlink("OTHER.toml", &third).unwrap();
    transcript.run("verify --since HEAD");
    fs::remove_file(&third).unwrap();
    fs::create_dir(&third).unwrap();
    transcript.run("verify --since HEAD");
    fs::remove_dir(&third).unwrap();
    fs::remove_file(&other).unwrap();
    sandbox.commit("deleted");
    fs::write(&other, &genuine).unwrap();
    transcript.note("An entry that is back");
    transcript.run("verify --since HEAD");
    sandbox.commit("back");
    fs::write(&other, "damaged").unwrap();
    sandbox.commit("damaged");
    fs::write(&other, &genuine).unwrap();
    transcript.note("A damaged entry that is repaired");
    transcript.run("verify --since HEAD");
    sandbox.commit("repaired");
    let bob = Colleague::clone_of(&sandbox, "bob");
    let _ = bob.join();
    bob.send();
    transcript.note("A request, and the request under another name");
    transcript.run("verify --since HEAD~2");
    let request = fs::read_to_string(sandbox.store("requests/bob.toml")).unwrap();
    fs::write(sandbox.store("requests/carol.toml"), &request).unwrap();
    fs::write(sandbox.store("requests/alice.toml"), &request).unwrap();
    transcript.run("verify --since HEAD");
    for name in ["carol", "alice", "bob"] {
        fs::remove_file(sandbox.store(&format!("requests/{name}.toml"))).unwrap();
    }
    transcript.run("verify --since HEAD");
    transcript.note("A commit from before the vault");
    let empty = Sandbox::empty();
    empty.commit("nothing");
    empty.quick(&["init", "--name", "alice"]);
    transcript.run_as("verify --since HEAD", |run| {
        run.folder(&empty.repo())
            .variable("HOME", empty.home().to_str().unwrap())
    });
    transcript.check("reviews/files");
}
