//! `vault import` of files other than plain dotenv files: refused with a command that works.

use std::fs;
use std::process::Command;

use snapbox::str;

use crate::support::machine::{has, left_out};
use crate::support::sandbox::Sandbox;

/// Real files, and the tool in the hint.
const ENCRYPTED: [(&str, &str); 5] = [
    ("dotenvx.env", "dotenvx decrypt --stdout -f"),
    ("sops.env", "sops -d --output-type json"),
    ("sops.json", "sops -d --output-type json"),
    ("sops.yaml", "sops -d --output-type json"),
    ("sops.ini", "sops -d --output-type json"),
];

fn sample(name: &str) -> Vec<u8> {
    fs::read(format!(
        "{}/tests/dotenv/foreign/{name}",
        env!("CARGO_MANIFEST_DIR")
    ))
    .unwrap()
}

/// The hints of a refused import, which changes nothing.
#[track_caller]
fn refusal(sandbox: &Sandbox, name: &str, content: &[u8]) -> String {
    fs::write(sandbox.repo().join(name), content).unwrap();
    let before = sandbox.files();
    let outcome = sandbox
        .vault(&["import", name, "-e", "production"])
        .outcome();
    assert_eq!(outcome.status, 2, "{name}: {}", outcome.said);
    assert!(before == sandbox.files(), "{name}");
    assert!(
        outcome.said.contains("; nothing was imported\nhint: "),
        "{}",
        outcome.said
    );
    for piece in ["hunter2", "BClgjk06", "data:"] {
        assert!(!outcome.said.contains(piece), "{}", outcome.said);
    }
    outcome.said
}

#[test]
fn ciphertext_is_refused_with_a_decryption_hint() {
    let sandbox = Sandbox::with_vault();
    for (name, command) in ENCRYPTED {
        let said = refusal(&sandbox, name, &sample(name));
        let hint = format!("\nhint: `{command} {name} |");
        assert!(said.contains(&hint), "{said}");
        assert!(
            said.ends_with("| vault import - -e production`\n"),
            "{said}"
        );
    }
    let cases: [(&[u8], &str); 9] = [
        (b"\0GITCRYPT\0\x01\x02\x03", "git-crypt unlock"),
        (
            b"$ANSIBLE_VAULT;1.1;AES256\n3132\n",
            "`ansible-vault view file | vault import - -e production`",
        ),
        (
            b"age-encryption.org/v1\n-> X25519 abc\n",
            "`age --decrypt -i KEY file | vault import - -e production`",
        ),
        (
            b"-----BEGIN PGP MESSAGE-----\n\nhQ\n",
            "`gpg --decrypt file | vault import - -e production`",
        ),
        (b"U2FsdGVkX1abc=\n", "decrypt it"),
        (b"A=1\nB='ENC[AES256_GCM,data:x,type:str]'\n", "sops -d"),
        (b"A=1\nsops_version=3.9.0\n", "sops -d"),
        (
            b"DOTENV_VAULT_CI=\"s7NYXa809k\"\n",
            "by dotenv-vault; nothing",
        ),
        (
            b"A=1\nB={cipher}682bc583f4641835\n",
            "by another tool; nothing",
        ),
    ];
    for (content, hint) in cases {
        let said = refusal(&sandbox, "file", content);
        assert!(said.contains(hint), "{said}");
    }
    let input = sandbox
        .vault(&["import", "-"])
        .input(sample("dotenvx.env"))
        .outcome();
    let said = "error: line 8: standard input is encrypted by dotenvx; nothing was imported
hint: `dotenvx decrypt --stdout -f FILE | vault import -`
";
    assert_eq!((input.status, input.said.as_str()), (2, said));
}

/// Whether `yq` is the program written in Go; the hints show both forms.
fn is_yq_of_go() -> bool {
    let version = Command::new("yq").arg("--version").output();
    version.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("mikefarah"))
}

/// Runs the hint of a refusal in a shell, as a person would.
#[track_caller]
fn follow(sandbox: &Sandbox, said: &str) -> (bool, String) {
    let hint = said
        .lines()
        .find_map(|line| line.strip_prefix("hint: `")?.strip_suffix('`'))
        .unwrap();
    let vault = env!("CARGO_BIN_EXE_vault");
    let mut hint = hint.replace("| vault ", "| \"$VAULT_BINARY\" ");
    if hint.starts_with("yq ") && is_yq_of_go() {
        assert!(
            said.contains("hint: if your yq is the one written in Go: `yq -o=json . "),
            "{said}"
        );
        hint = hint.replacen("yq . ", "yq -o=json . ", 1);
    }
    let output = Command::new("sh")
        .args(["-c", &hint])
        .current_dir(sandbox.repo())
        .env_clear()
        .env("HOME", sandbox.home())
        .env("PATH", std::env::var("PATH").unwrap())
        .env("VAULT_BINARY", vault)
        .output()
        .unwrap();
    (
        output.status.success(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

#[test]
fn hint_for_json_imports_every_value() {
    if !has("jq", "jq") {
        return;
    }
    let sandbox = Sandbox::with_vault();
    let json = r#"{"QUOTES": "it's \"so\" `so`", "DOLLAR": "$HOME ${PATH} $$ # %s",
        "BACKSLASH": "a\\nb\\\\ \\\"", "LINES": "one\ntwo\r\nthree\n", "UNICODE": "ünï€ \u0001\t",
        "EMPTY": "", "NUMBER": 8000, "BOOLEAN": false, "BLANKS": "  x  "}"#;
    let said = refusal(&sandbox, "it's here.json", json.as_bytes());
    assert!(said.contains(" is JSON, not a dotenv file;"), "{said}");
    let (done, told) = follow(&sandbox, &said);
    assert!(done, "{told}");
    let values = [
        ("QUOTES", "it's \"so\" `so`"),
        ("DOLLAR", "$HOME ${PATH} $$ # %s"),
        ("BACKSLASH", "a\\nb\\\\ \\\""),
        ("LINES", "one\ntwo\r\nthree\n"),
        ("UNICODE", "ünï€ \u{1}\t"),
        ("EMPTY", ""),
        ("NUMBER", "8000"),
        ("BOOLEAN", "false"),
        ("BLANKS", "  x  "),
    ];
    for (name, value) in values {
        assert_eq!(
            String::from_utf8(sandbox.get("production", name)).unwrap(),
            value,
            "{name}"
        );
    }
    // A value with several text forms stores nothing.
    for value in [r#"{"x": 1}"#, "[1]", "null", "12345678901234567890", "1.10"] {
        let said = refusal(
            &sandbox,
            "file",
            format!(r#"{{"A": "b", "B": {value}}}"#).as_bytes(),
        );
        let before = sandbox.files();
        let (done, told) = follow(&sandbox, &said);
        assert!(!done && told.contains("B is not text"), "{value}: {told}");
        assert!(
            told.contains("standard input sets nothing"),
            "{value}: {told}"
        );
        assert!(before == sandbox.files(), "{value}");
    }
}

/// Whether `yq` is the program written in Python, which the first hint uses.
fn has_yq() -> bool {
    if !has("yq", "yq") {
        return false;
    }
    let version = Command::new("yq").arg("--version").output().unwrap().stdout;
    let is_go = String::from_utf8_lossy(&version).contains("mikefarah");
    if is_go {
        left_out("yq is the one written in Go here");
    }
    !is_go
}

#[test]
fn hint_for_yaml_imports_every_value() {
    if !has("jq", "jq") || !has_yq() {
        return;
    }
    let sandbox = Sandbox::with_vault();
    let yaml = "# settings\nPLAIN: it's a value\nQUOTED: \"tab\\t\\\"x\\\" $HOME\"\nPORT: 8000\n\
                SURE: true\nLINES: |\n  -----BEGIN\n  two\nSINGLE: '# no comment'\n";
    let said = refusal(&sandbox, "settings.yaml", yaml.as_bytes());
    assert!(
        said.contains("settings.yaml is YAML, not a dotenv file;"),
        "{said}"
    );
    let (done, told) = follow(&sandbox, &said);
    assert!(done, "{told}");
    let values = [
        ("PLAIN", "it's a value"),
        ("QUOTED", "tab\t\"x\" $HOME"),
        ("PORT", "8000"),
        ("SURE", "true"),
        ("LINES", "-----BEGIN\ntwo\n"),
        ("SINGLE", "# no comment"),
    ];
    for (name, value) in values {
        assert_eq!(
            String::from_utf8(sandbox.get("production", name)).unwrap(),
            value,
            "{name}"
        );
    }
    let said = refusal(&sandbox, "file", b"A: b\nPIN: 0123\nC: 1.10\n");
    let hint = "hint: first quote the values that yq would spell in another way: line 2, 3\n";
    assert!(said.ends_with(hint), "{said}");
}

#[test]
fn hint_for_a_kubernetes_secret_imports_its_data() {
    if !has("jq", "jq") || !has_yq() {
        return;
    }
    let sandbox = Sandbox::with_vault();
    let yaml = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: shop\ndata:\n  TOKEN: aHVudGVyIDI=\n\
                stringData:\n  PLAIN: text\n";
    let said = refusal(&sandbox, "secret.yaml", yaml.as_bytes());
    let (done, told) = follow(&sandbox, &said);
    assert!(done, "{told}");
    assert_eq!(sandbox.get("production", "TOKEN"), b"hunter 2");
    assert_eq!(sandbox.get("production", "PLAIN"), b"text");
    sandbox
        .vault(&["get", "name", "-e", "production"])
        .fails(2)
        .says(str![[r#"
error: [..]
hint: [..]
"#]])
        .check();
}

#[test]
fn hint_for_utf_16_imports_the_text() {
    let sandbox = Sandbox::with_vault();
    let text = "\u{feff}A=ünï\r\nB=two\r\n";
    for bytes in [u16::to_le_bytes, u16::to_be_bytes] {
        let content: Vec<u8> = text.encode_utf16().flat_map(bytes).collect();
        let said = refusal(&sandbox, "windows.env", &content);
        let (done, told) = follow(&sandbox, &said);
        assert!(done, "{told}");
        assert_eq!(sandbox.get("production", "A"), "ünï".as_bytes());
        sandbox.quick(&["remove", "A", "B", "-e", "production", "-q"]);
    }
}

#[test]
fn file_without_assignments_is_an_error() {
    let sandbox = Sandbox::with_vault();
    let cases = [
        ("", "hint: write one `NAME=value` per line\n"),
        ("# A=1\n\n", "hint: write one `NAME=value` per line\n"),
        ("\u{feff}\r\n", "hint: write one `NAME=value` per line\n"),
        (
            "A\n# c\nB\n",
            "hint: names without `=` set nothing: line 1, 3\n",
        ),
    ];
    for (text, hint) in cases {
        let said = format!("error: standard input sets nothing; nothing was imported\n{hint}");
        sandbox
            .vault(&["import", "-"])
            .input(text)
            .fails(2)
            .says(&said)
            .check();
    }
    let run = sandbox.vault(&["import", "/dev/null"]);
    let said = str![[r#"
error: /dev/null sets nothing; nothing was imported
hint: [..]
"#]];
    run.fails(2).says(&said).check();
}
