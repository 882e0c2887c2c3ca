//! Generated values: every program that reads settings sees the same text.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use crate::support::python::python;
use crate::support::sandbox::{Run, Sandbox};

const READERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/values/generated.py");
const KINDS: [&str; 4] = ["django", "alphanumeric", "hex", "base64url"];
/// One key in fifty began with a dollar.
const EACH: usize = 300;

/// The readers that see a different value, each with the name of the secret.
fn misread(sandbox: &Sandbox, values: &BTreeMap<String, String>) -> String {
    let pairs: Vec<String> = values
        .iter()
        .map(|(name, value)| format!("{name:?}: {value:?}"))
        .collect();
    let mut child = Command::new(python())
        .args([READERS, sandbox.home().to_str().unwrap()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let json = format!("{{{}}}", pairs.join(", "));
    child
        .stdin
        .take()
        .unwrap()
        .write_all(json.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// The variables in the output of `run`, which is `env`.
fn shown(run: &Run<'_>) -> BTreeMap<String, String> {
    let outcome = run.outcome();
    assert_eq!(outcome.status, 0, "{}", outcome.said);
    let text = String::from_utf8(outcome.output).unwrap();
    let lines = text.lines().filter_map(|line| line.split_once('='));
    let is_ours = |name: &str| {
        KINDS
            .iter()
            .any(|kind| name.starts_with(&kind.to_uppercase()))
    };
    let pairs = lines.filter(|(name, _)| is_ours(name));
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

#[track_caller]
fn check(sandbox: &Sandbox, values: &BTreeMap<String, String>) {
    assert_eq!(values.len(), KINDS.len() * EACH);
    assert_eq!(misread(sandbox, values), "");
    for (name, value) in values {
        assert!(
            value.starts_with(|c: char| c.is_ascii_alphanumeric()),
            "{name}: {value}"
        );
        if name.starts_with("DJANGO") {
            // The requirements of `manage.py check --deploy`.
            let different: BTreeSet<char> = value.chars().collect();
            assert!(value.len() >= 50 && different.len() >= 5, "{value}");
            assert!(!value.starts_with("django-insecure-"), "{value}");
        }
    }
}

#[test]
fn generated_values_and_placeholders_survive_every_reader() {
    let sandbox = Sandbox::with_vault();
    let mut config = String::from("default = \"development\"\n");
    for kind in KINDS {
        let names: Vec<String> = (0..EACH)
            .map(|number| format!("{}_{number}", kind.to_uppercase()))
            .collect();
        let generate = format!("--generate={kind}");
        let mut arguments = vec!["set", "-q", &generate];
        arguments.extend(names.iter().map(String::as_str));
        sandbox.quick(&arguments);
        for name in names {
            config.extend(["[secrets.", &name, "]\ngenerate = \"", kind, "\"\n"]);
        }
    }
    let exec = [
        "exec",
        "-q",
        "--no-mask",
        "--if-locked",
        "placeholder",
        "--",
        "env",
    ];
    let real = shown(&sandbox.vault(&exec));
    check(&sandbox, &real);
    fs::write(sandbox.repo().join("vault.toml"), config).unwrap();
    let nobody = sandbox.root().join("nobody").display().to_string();
    let placeholders = shown(&sandbox.vault(&exec).variable("HOME", &nobody));
    assert!(
        real.iter()
            .all(|(name, value)| placeholders[name] != *value)
    );
    check(&sandbox, &placeholders);
}

#[test]
fn readers_detect_an_unsafe_old_key() {
    let sandbox = Sandbox::with_vault();
    let values = [("A", "$abc"), ("B", "a%bc"), ("C", "a#b&c"), ("D", "abc")];
    let values = values
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    let found = misread(&sandbox, &values);
    for line in ["django-environ: A", "configparser: B", "sh: C"] {
        assert!(
            found.lines().any(|found| found == line),
            "{line} in {found}"
        );
    }
    assert!(!found.contains(": D"), "{found}");
}

#[test]
fn encoded_values_of_any_length_decode() {
    let sandbox = Sandbox::with_vault();
    for (shortest, hex, base64url) in [
        (0, 64, 43),
        (43, 64, 43),
        (44, 64, 44),
        (65, 66, 66),
        (101, 102, 102),
    ] {
        let config = format!(
            "default = \"development\"\n[secrets.HEX]\ngenerate = \"hex\"\nmin_length = {shortest}\n\
             [secrets.URL]\ngenerate = \"base64url\"\nmin_length = {shortest}\n"
        );
        fs::write(sandbox.repo().join("vault.toml"), config).unwrap();
        sandbox.quick(&["set", "HEX", "URL", "--generate", "-q"]);
        let script = "
import base64, sys
bytes.fromhex(sys.argv[1])
text = sys.argv[2]
data = base64.urlsafe_b64decode(text + '=' * (-len(text) % 4))
assert base64.urlsafe_b64encode(data).decode().rstrip('=') == text
";
        let [one, other] =
            ["HEX", "URL"].map(|name| String::from_utf8(sandbox.get("development", name)).unwrap());
        assert_eq!((one.len(), other.len()), (hex, base64url), "{shortest}");
        let status = Command::new(python())
            .args(["-c", script, &one, &other])
            .status()
            .unwrap();
        assert!(status.success(), "{one} {other}");
    }
}
