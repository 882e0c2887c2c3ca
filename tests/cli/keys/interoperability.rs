//! Keys and age files of `age-encryption`, the implementation of age in TypeScript, from npm.

use std::fs;
use std::path::Path;
use std::process::Command;

use repovault::crypto::{Identity, NativeKind};
use repovault::secret::Secret;

use crate::support::machine::{all_is_wanted, has};
use crate::support::sandbox::Sandbox;

const PACKAGE: &str =
    r#"{ "private": true, "type": "module", "dependencies": { "age-encryption": "0.3.1" } }"#;

/// Makes an identity, or opens `ours.age` and seals the same content to a recipient.
const SCRIPT: &str = r#"
import * as age from "age-encryption";
import { readFileSync, writeFileSync } from "node:fs";

const [what, key, recipient] = process.argv.slice(2);
if (what === "make") {
  const make = key === "hybrid" ? age.generateHybridIdentity : age.generateX25519Identity;
  const identity = await make();
  console.log(identity + " " + (await age.identityToRecipient(identity)));
} else {
  const reader = new age.Decrypter();
  reader.addIdentity(key);
  const content = await reader.decrypt(readFileSync("ours.age"));
  const writer = new age.Encrypter(); // typos: ignore
  writer.addRecipient(recipient);
  writeFileSync("theirs.age", await writer.encrypt(content));
}
"#;

fn run(folder: &Path, program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn age_in_typescript_and_vault_open_each_others_files() {
    if !all_is_wanted() || !has("npm", "npm") {
        return;
    }
    let sandbox = Sandbox::empty();
    let folder = sandbox.root().join("npm");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("package.json"), PACKAGE).unwrap();
    fs::write(folder.join("age.js"), SCRIPT).unwrap();
    run(
        &folder,
        "npm",
        &["install", "--silent", "--no-audit", "--no-fund"],
    );
    for (kind, name) in [
        (NativeKind::Hybrid, "hybrid"),
        (NativeKind::Classic, "classic"),
    ] {
        let made = run(&folder, "node", &["age.js", "make", name]);
        let (text, recipient) = made.trim().split_once(' ').unwrap();
        let theirs = Identity::parse(text).unwrap();
        assert_eq!(theirs.recipient().to_string(), recipient);
        let sealed = theirs.recipient().seal(&Secret::new(b"payload".to_vec()));
        fs::write(folder.join("ours.age"), sealed).unwrap();
        let ours = Identity::generate(kind);
        let own = ours.recipient().to_string();
        run(&folder, "node", &["age.js", "open", text, &own]);
        let answer = fs::read(folder.join("theirs.age")).unwrap();
        assert_eq!(ours.unseal(&answer).unwrap().expose(), b"payload");

        let (sandbox, key) = (Sandbox::empty(), folder.join("identity.txt"));
        fs::write(&key, text).unwrap();
        run(&folder, "chmod", &["600", "identity.txt"]);
        let with_key = |arguments: &[&str]| {
            sandbox
                .vault(arguments)
                .variable("VAULT_KEY_FILE", key.to_str().unwrap())
        };
        let set = ["set", "KEY", "-q"];
        with_key(&["init", "--name", "alice", "-q"])
            .any_change()
            .outcome();
        with_key(&set).input("value").any_change().check();
        with_key(&["get", "KEY"])
            .prints("value")
            .any_change()
            .check();
    }
}
