//! A whole vault created by an attacker who knows every recipient: consistent, signed, sealed to
//! its victims, and in place of the genuine one. None of it is opened, and nothing is sealed into
//! it.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;

use repovault::crypto::SigningKey;
use repovault::keys::Credential;
use repovault::vault::model::Access;
use snapbox::str;

use crate::support::craft::{self, Person};
use crate::support::refusal::{
    Command, KEYED, KEYLESS, Why, findings, found, held, refused, stocked, stopped,
};
use crate::support::sandbox::Sandbox;

/// The commands of a CI job.
const CI: &[Command] = &[
    &["get", "DATABASE_URL"],
    &["exec", "--no-mask", "--", "touch", "started"],
    &["exec", "--only", "DATABASE_URL", "--", "touch", "started"],
    &["list"],
    &["set", "DATABASE_URL"],
];

/// The victim's repository with the attacker's vault in it.
struct Attack {
    sandbox: Sandbox,
    genuine: String,
    planted: String,
    /// The credential of the victim's CI.
    credential: String,
}

fn attack() -> Attack {
    let (sandbox, attacker) = (stocked(), stocked());
    let (genuine, planted) = (sandbox.id(), attacker.id());
    let credential = sandbox.credential("github", &["-e", "production"]);
    let machine = Credential::parse(&credential).unwrap().identity;
    // The attacker knows and uses the public halves of both keys.
    for (name, identity, access) in [
        ("victim", craft::identity(&sandbox), Access::Write),
        ("github", machine, Access::Read),
    ] {
        let person = Person {
            identity,
            key: SigningKey::generate(),
        };
        let access = [("development", access.clone()), ("production", access)];
        craft::enroll_person(&attacker, name, &access, &person);
    }
    fs::remove_dir_all(sandbox.store("")).unwrap();
    fs::rename(attacker.store(""), sandbox.store("")).unwrap();
    Attack {
        sandbox,
        genuine,
        planted,
        credential,
    }
}

impl Attack {
    fn other_vault(&self) -> String {
        format!(
            "error: .vault/root.toml: belongs to a different vault: expected {}, found {}
hint: put back the committed files: `git checkout -- .vault`
",
            self.genuine, self.planted
        )
    }

    fn nobody_has_said(&self) -> String {
        format!(
            "error: the id of this vault has not been confirmed yet
hint: in CI, after comparing it with a colleague, set `VAULT_ID={0}`
hint: on your own machine: ask a colleague for the output of `vault id`, then: `vault trust ID`
",
            self.planted
        )
    }

    fn bare_identity(&self) -> String {
        let text = craft::identity(&self.sandbox).to_text();
        String::from_utf8(text.expose().to_vec()).unwrap()
    }

    /// A HOME with only the victim's key.
    fn new_laptop(&self) -> PathBuf {
        let home = self.sandbox.home().join("laptop");
        let folder = home.join(".config/vault");
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .unwrap();
        let mut options = fs::OpenOptions::new();
        let options = options.write(true).create_new(true).mode(0o600);
        let mut file = options.open(folder.join("identity.txt")).unwrap();
        file.write_all(self.bare_identity().as_bytes()).unwrap();
        home
    }
}

#[test]
fn replaced_vault_is_refused_with_a_credential() {
    let attack = attack();
    let said = format!(
        "{}hint: the trusted id is that of the credential, VAULT_ID, `--id`, or `--since`\n",
        attack.other_vault()
    );
    let newer = format!("{said}hint: if the credential is newer than this checkout, [..]\n");
    for command in CI {
        let said = if command[0] == "list" { &said } else { &newer };
        stopped(&attack.sandbox, &[command], Why::Refused, said, |run| {
            run.without("HOME")
                .variable("CI", "true")
                .variable("VAULT_KEY", &attack.credential)
        });
    }
    attack
        .sandbox
        .vault(&["verify"])
        .without("HOME")
        .variable("VAULT_KEY", &attack.credential)
        .fails(1)
        .prints(
            findings(&[
                ".vault/root.toml: belongs to a different vault: expected [..], found [..]",
            ])
            .trim_start(),
        )
        .says(str!["error: verification failed: 1 finding"])
        .check();
}

#[test]
fn replaced_vault_is_locked_for_a_bare_identity() {
    let attack = attack();
    let identity = attack.bare_identity();
    stopped(
        &attack.sandbox,
        KEYED,
        Why::Locked,
        attack.nobody_has_said(),
        |run| {
            run.without("HOME")
                .variable("CI", "true")
                .variable("VAULT_KEY", &identity)
        },
    );
    // It is refused with the line of the genuine vault.
    let said = format!(
        "{}hint: the trusted id is that of the credential, VAULT_ID, `--id`, or `--since`\n",
        attack.other_vault()
    );
    stopped(&attack.sandbox, KEYED, Why::Refused, &said, |run| {
        let run = run.without("HOME").variable("VAULT_KEY", &identity);
        run.variable("VAULT_ID", &attack.genuine)
    });
}

#[test]
fn replaced_vault_is_locked_on_a_new_laptop() {
    let attack = attack();
    let home = attack.new_laptop().display().to_string();
    stopped(
        &attack.sandbox,
        KEYED,
        Why::Locked,
        attack.nobody_has_said(),
        |run| run.variable("HOME", &home),
    );
    // Names are not secret, but a warning is printed.
    let doubt = str!["warning: consistent, but not trusted: its id has not been confirmed"];
    for (command, lines) in KEYLESS
        .iter()
        .zip(["[..]\n[..]\n[..]\n", "[..]\n[..]\n[..]\n"])
    {
        let run = attack.sandbox.vault(command).variable("HOME", &home);
        run.prints(lines).says(&doubt).check();
    }
    let run = attack
        .sandbox
        .vault(&["verify"])
        .variable("HOME", &home)
        .fails(1);
    let doubt = format!(
        "consistent, not trusted: no one has confirmed that {} is the right vault",
        attack.planted
    );
    run.prints(held(1, 2) + &findings(&[&doubt]))
        .says(str![[r#"
error: verification failed: 1 finding
hint: name the vault that you expect: `vault verify --id ID`
"#]])
        .check();
}

#[test]
fn replaced_vault_is_refused_with_both_ids_in_a_known_folder() {
    let attack = attack();
    let said = format!(
        "{}hint: only if a colleague sent you the new id: `vault trust ID`\n",
        attack.other_vault()
    );
    refused(&attack.sandbox, KEYED, &said);
    refused(&attack.sandbox, KEYLESS, &said);
    let other = format!(
        ".vault/root.toml: belongs to a different vault: expected {}, found {}",
        attack.genuine, attack.planted
    );
    // Nothing else of it is read.
    found(&attack.sandbox, &[], 1, findings(&[&other]).trim_start());
}

/// It would open if it were trusted, which shows that only the missing trust stopped it.
#[test]
fn replaced_vault_opens_only_after_it_is_trusted() {
    let attack = attack();
    let run = attack
        .sandbox
        .vault(&["get", "OTHER", "-e", "production"])
        .without("HOME");
    run.variable("VAULT_KEY", &attack.bare_identity())
        .variable("VAULT_ID", &attack.planted)
        .prints("other")
        .check();
    attack.sandbox.quick(&["trust", &attack.planted]);
    assert_eq!(attack.sandbox.get("production", "OTHER"), b"other");
}
