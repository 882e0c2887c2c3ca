//! `verify --since` never reports "nothing changed" if a byte below `.vault` differs, and reports
//! every changed variable of `vault.toml` and every changed sealed key.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use repovault::crypto::{Identity, NativeKind};
use repovault::secret::Secret;

use crate::support::craft;
use crate::support::refusal::{compared, held, section, stocked};
use crate::support::review::{cast, change_member, reviewed};
use crate::support::sandbox::Sandbox;

#[test]
fn every_other_changed_path_is_reported() {
    let sandbox = stocked();
    fs::write(sandbox.store("production/.hidden"), "one").unwrap();
    sandbox.commit("a hidden file");
    let store = |path: &str| sandbox.store(path);
    let write = |path: &str, content: &str| {
        fs::create_dir_all(store(path).parent().unwrap()).unwrap();
        fs::write(store(path), content).unwrap();
    };
    write("tmp/before-x/x", "left over");
    write("production/.hidden", "two");
    write("production/.gitattributes", "* binary");
    write(".odd\nname", "");
    write("requests/.deep/er/x", "");
    symlink("/etc/passwd", store("requests/.link")).unwrap();
    let entry = store("production/OTHER.toml");
    fs::set_permissions(&entry, fs::Permissions::from_mode(0o755)).unwrap();
    reviewed(
        &sandbox,
        &held(1, 2),
        &[],
        &[
            "other change: .vault/.odd\\nname was added",
            "other change: .vault/production/.gitattributes was added",
            "other change: .vault/production/.hidden has different bytes",
            "other change: .vault/production/OTHER.toml has a different mode",
            "other change: .vault/requests/.deep/er/x was added",
            "other change: .vault/requests/.link is a symbolic link",
            "other change: .vault/tmp/before-x/x was added",
        ],
        &[],
    );
    sandbox.git(&["config", "core.fileMode", "false"]);
    let outcome = sandbox.vault(&["verify", "--since", "HEAD"]).outcome();
    assert!(!String::from_utf8(outcome.output).unwrap().contains("mode"));
}

#[test]
fn removed_hidden_file_is_reported() {
    let sandbox = stocked();
    fs::write(sandbox.store("production/.hidden"), "one").unwrap();
    sandbox.commit("a hidden file");
    fs::remove_file(sandbox.store("production/.hidden")).unwrap();
    let removed = "other change: .vault/production/.hidden was removed";
    reviewed(&sandbox, &held(1, 2), &[], &[removed], &[]);
}

#[test]
fn many_other_paths_are_counted() {
    let sandbox = stocked();
    for number in 0..120 {
        fs::write(sandbox.store(&format!("production/.{number}")), "").unwrap();
    }
    let outcome = sandbox.vault(&["verify", "--since", "HEAD"]).outcome();
    let printed = String::from_utf8(outcome.output).unwrap();
    assert_eq!(printed.matches("other change: ").count(), 100, "{printed}");
    assert!(
        printed.contains("other changes: and 20 more files in .vault\n"),
        "{printed}"
    );
}

/// The same content with a different signature by the same signer: only the bytes differ.
#[test]
fn different_signature_of_the_same_content_is_reported() {
    let sandbox = stocked();
    let path = sandbox.store("production/OTHER.toml");
    let text = fs::read_to_string(&path).unwrap();
    let bent = crate::support::order_two::signature_of_order_two(&sandbox, "production", "OTHER");
    assert_ne!(text, bent);
    fs::write(path, bent).unwrap();
    let other = "other change: .vault/production/OTHER.toml has different bytes";
    reviewed(&sandbox, &held(1, 2), &[], &[other], &[]);
}

#[test]
fn new_vault_is_reported_as_added() {
    let sandbox = Sandbox::empty();
    sandbox.commit("nothing");
    sandbox.quick(&["init", "--name", "alice"]);
    let id = sandbox.id();
    let config = "vault.toml: the default environment changed: none → development";
    let lines = ["vault added: there was none before", config];
    let output = compared("HEAD") + &held(0, 0) + &section("needs attention", &lines);
    sandbox
        .vault(&["verify", "--since", "HEAD", "--id", &id])
        .prints(output)
        .check();
}

#[test]
fn resealed_data_key_is_reported() {
    let (sandbox, _) = cast();
    let spy = Identity::generate(NativeKind::Hybrid);
    craft::change_sealed(&sandbox, "bob", "production", |sealed| {
        *sealed = spy
            .recipient()
            .seal(&Secret::new(b"the same key, for a spy".to_vec()));
    });
    change_member(&sandbox, "bob", |_| ());
    let told = "data key of production (epoch 1) was sealed again for bob, whose recipient \
                and access did not change";
    reviewed(&sandbox, &held(1, 2), &[], &[told], &[]);
}

#[test]
fn variables_are_reported_without_their_values() {
    let sandbox = stocked();
    let config = sandbox.repo().join("vault.toml");
    let before = "default = \"development\"\n[environments.base.variables]\nHOST = \"db\"\n
[environments.production]\ninherits = \"base\"\n
[environments.production.variables]\nPORT = \"1\"\nTLS = \"1\"\nBAD = \"$\"\n";
    fs::write(&config, before).unwrap();
    sandbox.commit("variables");
    let now = before
        .replace("\"db\"", "\"evil.example\"")
        .replace("TLS = \"1\"\n", "MAKEFLAGS = \"--eval=hunter2\"\n")
        .replace("\"$\"", "\"$HOME\"")
        + "[environments.later.variables]\nX = \"1\"\n";
    fs::write(&config, now).unwrap();
    let told = [
        "vault.toml: the variable BAD of production has a new value",
        "vault.toml: the variable HOST of production has a new value",
        "vault.toml: the variable MAKEFLAGS of production is new",
        "vault.toml: the variable TLS of production was removed",
        "vault.toml: the variable X of later is new",
        "vault.toml: MAKEFLAGS is refused by exec: a build takes it as options, or starts what it names",
    ];
    reviewed(&sandbox, &held(1, 2), &[], &told, &[]);
    for format in ["json", "markdown", "github"] {
        let arguments = ["verify", "--since", "HEAD", "--format", format];
        let printed = String::from_utf8(sandbox.vault(&arguments).outcome().output).unwrap();
        for name in ["BAD", "HOST", "MAKEFLAGS", "TLS", "X"] {
            assert!(printed.contains(name), "{printed}");
        }
        assert!(
            !printed.contains("hunter2") && !printed.contains("evil.example"),
            "{printed}"
        );
    }
}

#[test]
fn changed_comment_in_vault_toml_is_reported() {
    let sandbox = stocked();
    let config = sandbox.repo().join("vault.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, format!("{text}# a comment\n")).unwrap();
    let told = "vault.toml: changed; nothing in it protects less";
    reviewed(&sandbox, &held(1, 2), &[told], &[], &[]);
}
