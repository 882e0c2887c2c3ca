//! A new value that another environment already has is mentioned, by name and without the value.

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
fn value_of_another_environment_is_mentioned_when_set() {
    let sandbox = sandbox();
    set(&sandbox, &[], VALUE).says(format!("{SET}{SAME}")).check();
    // It is there already, so nothing new is to be said.
    let unchanged = str!["unchanged: API_KEY in production has this value already"];
    set(&sandbox, &[], VALUE).says(&unchanged).check();
    let changed = str!["changed API_KEY in production (revision 2)"];
    set(&sandbox, &[], "another long value").says(&changed).check();
    // Blanks around it make no difference.
    let said = set(&sandbox, &[], &format!(" {VALUE} ")).outcome().said;
    assert!(said.ends_with(SAME), "{said}");
    set(&sandbox, &["-q"], "another long value").check();
    set(&sandbox, &["-q"], VALUE).check();
}

#[test]
fn values_of_another_environment_are_mentioned_when_imported() {
    let sandbox = sandbox();
    let lines = |count| (0..count).map(|n| format!("KEY_{n}=vQ7xZp2mK9rTwLb{n}\n"));
    let file: String = lines(7).collect();
    let import = |environment, file: &str| {
        sandbox.vault(&["import", "-", "-e", environment]).input(file).any_change()
    };
    import("development", &file).says(str!["imported into development: 7 set, [..]"]).check();
    let said = str![[r#"
imported into production: 8 set, 0 changed, 0 unchanged
these have the same values in development: KEY_0, KEY_1, KEY_2, KEY_3, KEY_4, and 2 more
"#]];
    import("production", &format!("{file}OTHER=vQ7xZp2mK9rTwLb8\n")).says(&said).check();
}

#[test]
fn value_that_is_not_secret_enough_is_not_mentioned() {
    let sandbox = sandbox();
    for value in ["true", "localhost", "h7Kq2", "postgres"] {
        sandbox.set("development", "API_KEY", value.as_bytes());
        set(&sandbox, &[], value).says(str!["[..] API_KEY in production (revision [..])"]).check();
    }
    sandbox.set("development", "API_KEY", VALUE.as_bytes());
    let config = sandbox.repo().join("vault.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, format!("{text}\n[secrets.API_KEY]\nmask = \"never\"\n")).unwrap();
    set(&sandbox, &[], VALUE).says(str!["changed API_KEY in production (revision [..])"]).check();
}

#[test]
fn value_set_in_both_at_once_is_meant_and_not_mentioned() {
    let sandbox = Sandbox::with_vault();
    let said = str![[r#"
set API_KEY in development (revision 1)
set API_KEY in production (revision 1)
"#]];
    let words = ["set", "API_KEY", "-e", "development", "-e", "production"];
    sandbox.vault(&words).input(VALUE).any_change().says(&said).check();
}

#[test]
fn other_name_with_the_same_value_is_not_mentioned() {
    let sandbox = sandbox();
    let run = sandbox.vault(&["set", "OTHER", "-e", "production"]).input(VALUE).any_change();
    run.says(str!["set OTHER in production (revision 1)"]).check();
    sandbox.quick(&["remove", "API_KEY"]);
    set(&sandbox, &[], VALUE).says(SET).check();
}

#[test]
fn confirmed_environment_is_not_opened_to_compare() {
    let sandbox = sandbox();
    let config = sandbox.repo().join("vault.toml");
    let confirmed = "default = \"development\"\n[environments.development]\nconfirm = true\n";
    fs::write(&config, confirmed).unwrap();
    set(&sandbox, &[], VALUE).says(SET).check();
    // A value that goes into one is compared with the others.
    let confirmed = "default = \"development\"\n[environments.production]\nconfirm = true\n";
    fs::write(&config, confirmed).unwrap();
    set(&sandbox, &["-q"], "another long value").check();
    let said = format!("changed API_KEY in production (revision 3)\n{SAME}");
    set(&sandbox, &[], VALUE).says(&said).check();
}

#[test]
fn environment_that_is_damaged_is_not_compared_and_stops_nothing() {
    let sandbox = sandbox();
    let entry = sandbox.store("development/API_KEY.toml");
    let text = fs::read_to_string(&entry).unwrap();
    fs::write(&entry, text.replace("revision = 1", "revision = 2")).unwrap();
    set(&sandbox, &[], VALUE).says(SET).check();
}
