//! A new value that already exists in another environment causes a note with the name, without the
//! value.

use std::fs;

use snapbox::str;

use crate::support::sandbox::{Run, Sandbox};

const VALUE: &str = "vQ7xZp2mK9rTwLb8";

/// A vault whose development has `API_KEY`.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with_vault();
    sandbox.set("development", "API_KEY", VALUE.as_bytes());
    sandbox
}

fn set<'a>(sandbox: &'a Sandbox, options: &[&str], value: &str) -> Run<'a> {
    let words = [&["set", "API_KEY", "-e", "production"], options].concat();
    sandbox.vault(&words).input(value).any_change()
}

const SET: &str = "set API_KEY in production (revision 1)\n";
const SAME: &str = "API_KEY has the same value in development\n";

#[test]
fn setting_a_value_of_another_environment_prints_a_note() {
    let sandbox = sandbox();
    set(&sandbox, &[], VALUE)
        .says(format!("{SET}{SAME}"))
        .check();
    // It already exists, so no note is printed.
    let unchanged = str!["unchanged: API_KEY in production already has this value"];
    set(&sandbox, &[], VALUE).says(&unchanged).check();
    let changed = str!["changed API_KEY in production (revision 2)"];
    set(&sandbox, &[], "another long value")
        .says(&changed)
        .check();
    // Whitespace around it makes no difference.
    let said = set(&sandbox, &[], &format!(" {VALUE} ")).outcome().said;
    assert!(said.ends_with(SAME), "{said}");
    set(&sandbox, &["-q"], "another long value").check();
    set(&sandbox, &["-q"], VALUE).check();
}

#[test]
fn importing_values_of_another_environment_prints_a_note() {
    let sandbox = sandbox();
    let lines = |count| (0..count).map(|n| format!("KEY_{n}=vQ7xZp2mK9rTwLb{n}\n"));
    let file: String = lines(7).collect();
    let import = |environment, file: &str| {
        sandbox
            .vault(&["import", "-", "-e", environment])
            .input(file)
            .any_change()
    };
    import("development", &file)
        .says(str!["imported into development: 7 set, [..]"])
        .check();
    let said = str![[r#"
imported into production: 8 set, 0 changed, 0 unchanged
these have the same values in development: KEY_0, KEY_1, KEY_2, KEY_3, KEY_4, and 2 more
"#]];
    import("production", &format!("{file}OTHER=vQ7xZp2mK9rTwLb8\n"))
        .says(&said)
        .check();
}

#[test]
fn short_or_common_value_gets_no_note() {
    let sandbox = sandbox();
    for value in ["true", "localhost", "h7Kq2", "postgres"] {
        sandbox.set("development", "API_KEY", value.as_bytes());
        set(&sandbox, &[], value)
            .says(str!["[..] API_KEY in production (revision [..])"])
            .check();
    }
    sandbox.set("development", "API_KEY", VALUE.as_bytes());
    let config = sandbox.repo().join("vault.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(
        &config,
        format!("{text}\n[secrets.API_KEY]\nmask = \"never\"\n"),
    )
    .unwrap();
    set(&sandbox, &[], VALUE)
        .says(str!["changed API_KEY in production (revision [..])"])
        .check();
}

#[test]
fn value_set_in_both_environments_at_once_gets_no_note() {
    let sandbox = Sandbox::with_vault();
    let said = str![[r#"
set API_KEY in development (revision 1)
set API_KEY in production (revision 1)
"#]];
    let words = ["set", "API_KEY", "-e", "development", "-e", "production"];
    sandbox
        .vault(&words)
        .input(VALUE)
        .any_change()
        .says(&said)
        .check();
}

#[test]
fn equal_value_of_another_name_gets_no_note() {
    let sandbox = sandbox();
    let run = sandbox
        .vault(&["set", "OTHER", "-e", "production"])
        .input(VALUE)
        .any_change();
    run.says(str!["set OTHER in production (revision 1)"])
        .check();
    sandbox.quick(&["remove", "API_KEY"]);
    set(&sandbox, &[], VALUE).says(SET).check();
}

#[test]
fn confirmed_environment_is_not_opened_for_comparison() {
    let sandbox = sandbox();
    let config = sandbox.repo().join("vault.toml");
    let confirmed = "default = \"development\"\n[environments.development]\nconfirm = true\n";
    fs::write(&config, confirmed).unwrap();
    set(&sandbox, &[], VALUE).says(SET).check();
    // A value set in a confirmed environment is compared with the others.
    let confirmed = "default = \"development\"\n[environments.production]\nconfirm = true\n";
    fs::write(&config, confirmed).unwrap();
    set(&sandbox, &["-q"], "another long value").check();
    let said = format!("changed API_KEY in production (revision 3)\n{SAME}");
    set(&sandbox, &[], VALUE).says(&said).check();
}

#[test]
fn damaged_environment_is_not_compared() {
    let sandbox = sandbox();
    let entry = sandbox.store("development/API_KEY.toml");
    let text = fs::read_to_string(&entry).unwrap();
    fs::write(&entry, text.replace("revision = 1", "revision = 2")).unwrap();
    set(&sandbox, &[], VALUE).says(SET).check();
}
