//! `vault exec --if-locked placeholder`: random values, but only without any key.

use std::fs;

use snapbox::str;

use crate::support::sandbox::{Run, Sandbox};

const VALUE: &str = "the value itself, which is long enough for what vault.toml asks for";

const CONFIG: &str = "default = \"development\"

[environments.development.variables]
REGION = \"eu\"
CACHE_URL = \"redis://:${CACHE_PASSWORD|url}@cache\"

[environments.production]
confirm = true

[secrets.KEY]
generate = \"django\"
min_length = 60

[secrets.HEX]
generate = \"hex\"

[steps.test]
names = [\"HEX\", \"REGION\"]
";

/// A runner of a fork's pull request: the committed vault, another HOME, no key.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with_vault();
    fs::write(sandbox.repo().join("vault.toml"), CONFIG).unwrap();
    for name in ["KEY", "HEX", "CACHE_PASSWORD"] {
        sandbox.set("development", name, VALUE.as_bytes());
    }
    sandbox.set("production", "KEY", VALUE.as_bytes());
    sandbox
}

fn runner<'a>(sandbox: &'a Sandbox, options: &[&str], command: &[&str]) -> Run<'a> {
    let exec = ["exec", "--no-mask", "--if-locked", "placeholder"];
    let words = [&exec[..], options, &["--"], command].concat();
    let home = sandbox.root().join("runner").display().to_string();
    sandbox.vault(&words).variable("HOME", &home)
}

fn value(sandbox: &Sandbox, name: &str) -> String {
    let run = runner(sandbox, &["--only", name, "-q"], &["printenv", name]);
    let outcome = run.outcome();
    assert_eq!((outcome.status, outcome.said.as_str()), (0, ""));
    String::from_utf8(outcome.output)
        .unwrap()
        .trim_end()
        .to_owned()
}

#[test]
fn placeholder_is_a_random_value_of_the_declared_kind() {
    let sandbox = sandbox();
    let key = value(&sandbox, "KEY");
    assert_eq!(key.len(), 60, "min_length counts: {key}");
    assert_ne!(key, value(&sandbox, "KEY"), "each placeholder differs");
    let hex = value(&sandbox, "HEX");
    assert!(
        hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "{hex}"
    );
    let plain = value(&sandbox, "CACHE_PASSWORD");
    assert!(
        plain.len() == 43 && plain.bytes().all(|byte| byte.is_ascii_alphanumeric()),
        "{plain}"
    );
    // A variable that refers to a secret is filled as usual.
    let url = value(&sandbox, "CACHE_URL");
    let inside = url
        .strip_prefix("redis://:")
        .and_then(|rest| rest.strip_suffix("@cache"));
    assert_eq!(inside.map(str::len), Some(43), "{url}");
}

#[test]
fn placeholders_are_listed_on_one_line() {
    let sandbox = sandbox();
    let all =
        str!["vault: no key was found, so these are random placeholders: CACHE_PASSWORD, HEX, KEY"];
    runner(&sandbox, &[], &["true"]).says(&all).check();
    let names = "env | cut -d= -f1 | grep -E '^(KEY|HEX|CACHE|REGION)' | LC_ALL=C sort";
    let step = runner(&sandbox, &["--step", "test"], &["sh", "-c", names]);
    let said = str!["vault: no key was found, so these are random placeholders: HEX"];
    step.says(&said).prints("HEX\nREGION\n").check();
    // A plain variable has no placeholder, so nothing is printed.
    runner(&sandbox, &["--only", "REGION"], &["printenv", "REGION"])
        .prints("eu\n")
        .check();
    for name in ["A1", "A2", "A3", "A4"] {
        sandbox.set("development", name, b"x");
    }
    let said = str![
        "vault: no key was found, so these are random placeholders: A1, A2, A3, A4, CACHE_PASSWORD and 2 more"
    ];
    runner(&sandbox, &[], &["true"]).says(&said).check();
    // The environment of a fork's pull request: the secret's name without a value.
    runner(&sandbox, &[], &["true"])
        .variable("VAULT_KEY", "")
        .says(&said)
        .check();
}

#[test]
fn placeholders_do_not_replace_an_existing_or_wrong_key() {
    let sandbox = sandbox();
    let production = sandbox.credential("production", &["-e", "production"]);
    let development = sandbox.credential("development", &["-e", "development"]);
    let other = Sandbox::with_vault();
    other.set("development", "HEX", b"another vault's");
    let strange = other.credential("strange", &["-e", "development"]);
    let identity = fs::read_to_string(other.home().join(".config/vault/identity.txt")).unwrap();
    let options = ["-e", "development", "--only", "HEX"];
    let run = || runner(&sandbox, &options, &["printenv", "HEX"]);
    run()
        .variable("VAULT_KEY", &development)
        .prints(format!("{VALUE}\n"))
        .check();
    let locked = |run: Run<'_>, status: i32, said: &str| {
        let outcome = run.outcome();
        assert_eq!(
            (outcome.status, &outcome.output[..]),
            (status, &b""[..]),
            "{}",
            outcome.said
        );
        assert!(outcome.said.contains(said), "{}", outcome.said);
    };
    locked(
        run().variable("VAULT_KEY", &production),
        121,
        "is locked: this credential is for",
    );
    locked(
        run().variable("VAULT_KEY", &strange),
        122,
        "a different vault",
    );
    locked(run().variable("VAULT_KEY", &identity), 121, "");
    locked(
        run().variable("VAULT_KEY", "nonsense"),
        121,
        "VAULT_KEY does not contain",
    );
    locked(
        run().variable("VAULT_KEY_FILE", "/missing"),
        121,
        "/missing",
    );
    locked(
        run().variable("VAULT_KEY_COMMAND", "false"),
        121,
        "VAULT_KEY_COMMAND",
    );
}

#[test]
fn confirmed_environment_has_no_placeholders() {
    let sandbox = sandbox();
    let said = str![[r#"
error: production is locked: no key was found
hint: `confirm = true` in vault.toml: placeholders never replace its secrets
"#]];
    for options in [&["-e", "production"][..], &["-e", "production", "--yes"]] {
        runner(&sandbox, options, &["touch", "ran"])
            .fails(121)
            .says(&said)
            .check();
    }
}

#[test]
fn missing_key_is_an_error_without_the_option() {
    let sandbox = sandbox();
    let home = sandbox.root().join("runner").display().to_string();
    let said = str![[r#"
error: locked: no key was found
hint: [..]
hint: [..]
"#]];
    for words in [
        &["exec", "--", "touch", "ran"][..],
        &["exec", "--if-locked=fail", "--", "true"],
    ] {
        sandbox
            .vault(words)
            .variable("HOME", &home)
            .fails(121)
            .says(&said)
            .check();
    }
    let run = sandbox.vault(&["exec", "--if-locked", "ignore", "--", "touch", "ran"]);
    let outcome = run.outcome();
    assert_eq!(outcome.status, 125, "{}", outcome.said);
}

#[test]
fn invalid_vault_is_refused_without_a_key_too() {
    let sandbox = sandbox();
    let run = |options: &[&str]| runner(&sandbox, options, &["touch", "ran"]);
    let near = str![[r#"
error: there is no HEXX in development
hint: did you mean HEX?
"#]];
    run(&["--only", "HEXX"]).fails(123).says(&near).check();
    let near = str![[r#"
error: vault.toml has no step tests
hint: did you mean test?
hint: add `[steps.tests]` to vault.toml, with `names = ["…"]`
"#]];
    run(&["--step", "tests"]).fails(125).says(&near).check();
    let config = sandbox.repo().join("vault.toml");
    fs::write(
        &config,
        format!("{CONFIG}\n[secrets.MISSING]\nrequired = true\n"),
    )
    .unwrap();
    let said = str![[r#"
error: there is no MISSING in development
hint: [..]
"#]];
    run(&[]).fails(123).says(&said).check();
    fs::write(&config, CONFIG.replace("\"hex\"", "\"octal\"")).unwrap();
    run(&[])
        .fails(125)
        .says(str![[r#"
error: unknown kind of value
hint: use one of django, alphanumeric, hex, base64url
"#]])
        .check();
    fs::write(&config, CONFIG).unwrap();
    // A vault other than the pinned one, an unsigned entry, and no vault at all.
    let pinned = run(&[])
        .variable("VAULT_ID", &Sandbox::with_vault().id())
        .outcome();
    assert_eq!(pinned.status, 122, "{}", pinned.said);
    let entry = sandbox.store("development/HEX.toml");
    let text = fs::read_to_string(&entry).unwrap();
    fs::write(&entry, text.replace("revision = 1", "revision = 2")).unwrap();
    let said = str![[r#"
error: .vault/development/HEX.toml: does not match the signature of alice
hint: [..]
"#]];
    run(&[]).fails(122).says(&said).check();
    fs::remove_dir_all(sandbox.store("")).unwrap();
    run(&[])
        .fails(122)
        .says(str![[r#"
error: there is no [..]
hint: [..]
"#]])
        .check();
}
