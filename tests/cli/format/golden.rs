//! The format: golden vaults stay readable, and the second reader agrees with the binary.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use repovault::crypto::base64_decode;

use crate::support::golden::{TESTS, copy_folder, json, names, read, run};
use crate::support::sandbox::Sandbox;

#[test]
fn golden_vaults_open_with_each_of_their_keys() {
    for vault in ["v1", "v1-kinds", "v1-rotated", "v1-ssh"] {
        let golden = Path::new(TESTS).join("golden").join(vault);
        let expected = json(&fs::read(golden.join("expected.json")).unwrap());
        let sandbox = Sandbox::empty();
        copy_folder(&golden, &sandbox.repo());
        for (key, opens) in expected["opens"].as_object().unwrap() {
            for (environment, values) in expected["values"].as_object().unwrap() {
                let opens = opens[environment].as_array().map_or(&[][..], |names| names);
                for (name, value) in values.as_object().unwrap() {
                    let outcome = sandbox
                        .vault(&["get", name, "-e", environment])
                        .variable(
                            "VAULT_KEY_FILE",
                            &format!("{}/identities/{key}", golden.display()),
                        )
                        .variable("VAULT_ID", expected["vault"].as_str().unwrap())
                        .outcome();
                    let wanted = if opens.contains(&name.as_str().into()) {
                        (0, base64_decode(value.as_str().unwrap()).unwrap())
                    } else {
                        (3, Vec::new())
                    };
                    let said = &outcome.said;
                    let got = (outcome.status, outcome.output);
                    assert!(got == wanted, "{vault} {key} {environment} {name}: {said}");
                }
            }
        }
    }
}

#[test]
fn format_page_golden_vaults_and_second_reader_agree() {
    let output = run("tests.py", &[]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn second_reader_opens_a_new_vault() {
    let sandbox = Sandbox::with_vault();
    let mut values: BTreeMap<(&str, &str), Vec<u8>> = BTreeMap::new();
    let awkward = [
        b"".to_vec(),
        (0..=255).collect(),
        b"'\"$`\\\n\n".to_vec(),
        vec![7; 1 << 20],
    ];
    for (name, value) in ["EMPTY", "BYTES", "QUOTES", "LONG"]
        .into_iter()
        .zip(awkward)
    {
        for environment in ["development", "production"] {
            sandbox.set(environment, name, &value);
            values.insert((environment, name), value.clone());
        }
    }
    sandbox.set("production", "GONE", b"gone");
    sandbox.quick(&["remove", "GONE", "-e", "production"]);
    let limited = ["-e", "production", "--only", "EMPTY,QUOTES,GONE"];
    let credential = sandbox.home().join("credential");
    fs::write(&credential, sandbox.credential("limited", &limited)).unwrap();

    let identity = sandbox.home().join(".config/vault/identity.txt");
    let own = fs::read_to_string(&identity).unwrap();
    assert!(own.contains("AGE-SECRET-KEY-PQ-1"), "not a hybrid vault");
    let all = read(&sandbox, &identity, &["--id", &sandbox.id()]);
    for ((environment, name), value) in &values {
        let read = base64_decode(all["values"][environment][name].as_str().unwrap()).unwrap();
        assert!(read == *value, "{environment} {name}");
    }
    assert_eq!(
        all["facts"]["production"]["removed"],
        serde_json::json!(["GONE"])
    );
    let some = read(&sandbox, &credential, &[]);
    assert_eq!(names(&some["values"]), ["production"]);
    assert_eq!(names(&some["values"]["production"]), ["EMPTY", "QUOTES"]);
    assert_eq!(names(&some["closed"]["production"]), ["BYTES", "LONG"]);
}
