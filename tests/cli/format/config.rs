//! Mistakes in `vault.toml` are reported with their position and a correction; values are not
//! shown.

use std::fs;

use crate::support::sandbox::Sandbox;

/// Every command refuses this `vault.toml` with this message, and changes nothing.
#[track_caller]
fn refused(sandbox: &Sandbox, text: &str, said: &str) {
    fs::write(sandbox.repo().join("vault.toml"), text).unwrap();
    let said = format!("error: vault.toml: {said}\n");
    sandbox.vault(&["list"]).fails(2).says(&said).check();
    sandbox.vault(&["set", "A"]).input("value").fails(2).says(&said).check();
    sandbox.vault(&["exec", "--", "touch", "ran"]).fails(125).says(&said).check();
}

const TOP: &str = "hint: known here: default, allowed_names, environments, secrets, steps";
const ENVIRONMENT: &str = "hint: known here: confirm, inherits, variables";
const SECRET: &str = "hint: known here: description, required, generate, min_length, file, mask";
const STEP: &str = "hint: known here: names, fail_on_leak";

#[test]
fn unknown_key_gets_the_nearest_known_one() {
    let sandbox = Sandbox::with_vault();
    let cases = [
        ("# x\ndefalt = \"a\"\n", "", "defalt at line 2, column 1", "default", TOP),
        ("[secret.A]\n", "", "secret at line 1, column 2", "secrets", TOP),
        ("[environment.a]\n", "", "environment at line 1, column 2", "environments", TOP),
        (
            "[environments.a]\nconfrim = true\n",
            "environments.a: ",
            "confrim at line 2, column 1",
            "confirm",
            ENVIRONMENT,
        ),
        (
            "[environments.a.variable]\nA = \"b\"\n",
            "environments.a: ",
            "variable at line 1, column 17",
            "variables",
            ENVIRONMENT,
        ),
        (
            "[secrets.A]\nrequird = true\n",
            "secrets.A: ",
            "requird at line 2, column 1",
            "required",
            SECRET,
        ),
        (
            "[secrets.A]\nmin-length = 4\n",
            "secrets.A: ",
            "min-length at line 2, column 1",
            "min_length",
            SECRET,
        ),
        ("secrets.A.Mask = \"auto\"\n", "secrets.A: ", "Mask at line 1, column 11", "mask", SECRET),
        (
            "[steps.a]\nnames = []\nname = []\n",
            "steps.a: ",
            "name at line 3, column 1",
            "names",
            STEP,
        ),
    ];
    for (text, table, key, near, known) in cases {
        let said = format!("{table}unknown key {key}\nhint: did you mean {near}?\n{known}");
        refused(&sandbox, text, &said);
    }
}

#[test]
fn dissimilar_key_gets_all_known_ones() {
    let sandbox = Sandbox::with_vault();
    let text = "default = \"development\"\n\n[secrets.A]\nkind_of_value = \"hunter2\"\n";
    let said = format!("secrets.A: unknown key kind_of_value at line 4, column 1\n{SECRET}");
    refused(&sandbox, text, &said);
    // Text that may be a value is not shown, even in place of a key.
    for key in ["hunter2", "\"hunter two\"", "AKIAIOSFODNN7EXAMPLE"] {
        let text = format!("[secrets.A]\n{key} = true\n");
        refused(&sandbox, &text, &format!("secrets.A: unknown key at line 2, column 1\n{SECRET}"));
    }
}

#[test]
fn key_of_another_table_gets_its_place() {
    let sandbox = Sandbox::with_vault();
    let cases = [
        (
            "[steps.a]\nnames = []\nallowed_names = [\"PATH\"]\n",
            "steps.a: unknown key allowed_names at line 3, column 1",
            "allowed_names belongs at the top, before the first [table]",
            STEP,
        ),
        (
            "confirm = true\n",
            "unknown key confirm at line 1, column 1",
            "confirm belongs in [environments.NAME]",
            TOP,
        ),
        (
            "[environments.production]\nDEBUG = \"hunter2\"\n",
            "environments.production: unknown key DEBUG at line 2, column 1",
            "a variable belongs in [environments.production.variables]",
            ENVIRONMENT,
        ),
    ];
    for (text, said, hint, known) in cases {
        refused(&sandbox, text, &format!("{said}\nhint: {hint}\n{known}"));
    }
}

#[test]
fn value_of_a_wrong_type_is_not_shown() {
    let sandbox = Sandbox::with_vault();
    let cases = [
        ("default = 7\n", "default must be text in quotes at line 1, column 11"),
        ("default = { hunter2 = 1 }\n", "default must be text in quotes at line 1, column 11"),
        (
            "allowed_names = \"hunter2\"\n",
            "allowed_names must be a list of names: [..] at line 1, column 17",
        ),
        ("environments = [\"hunter2\"]\n", "environments must be a table at line 1, column 16"),
        ("[environments]\na = \"hunter2\"\n", "environments.a must be a table at line 2, column 5"),
        (
            "[environments.a]\nconfirm = \"true\"\n",
            "environments.a.confirm must be true or false, without quotes at line 2, column 11",
        ),
        (
            "[environments.a]\nvariables = []\n",
            "environments.a.variables must be a table at line 2, column 13",
        ),
        (
            "[environments.a.variables]\nDEBUG = true\n",
            "environments.a.variables.DEBUG must be text in quotes at line 2, column 9",
        ),
        (
            "[environments.a.variables]\nhunter2 = 1\n",
            "environments.a.variables.… must be text in quotes at line 2, column 11",
        ),
        ("[[secrets]]\n", "secrets must be a table at line 1, column 1"),
        (
            "[secrets.A]\nmin_length = \"hunter2\"\n",
            "secrets.A.min_length must be a whole number, without quotes at line 2, column 14",
        ),
        (
            "[secrets.A]\nmin_length = -1\n",
            "secrets.A.min_length must be a whole number, without quotes at line 2, column 14",
        ),
        (
            "[secrets.A]\nrequired = [1]\n",
            "secrets.A.required must be true, false, or a list of environments at line 2, column 12",
        ),
        (
            "[secrets.A]\nmask = \"hunter2\"\n",
            "secrets.A.mask must be one of \"auto\", \"always\", \"never\" at line 2, column 8",
        ),
        (
            "[steps.a]\nnames = [\"A\", 7]\n",
            "steps.a.names must be a list of names: [..] at line 2, column 9",
        ),
        (
            "steps.a.fail_on_leak = 1\nsteps.a.names = []\n",
            "steps.a.fail_on_leak must be true or false, without quotes at line 1, column 24",
        ),
        ("[steps.a]\n", "steps.a lacks the key names at line 1, column 1\nhint: names = [..]"),
        (
            "[secrets]\nAPI_KEY = \"hunter2\"\n",
            "secrets.API_KEY must be a table at line 2, column 11\nhint: a value does not belong in vault.toml: `vault set API_KEY`",
        ),
        (
            "[secrets]\nhunter2 = \"hunter2\"\n",
            "secrets.… must be a table at line 2, column 11\nhint: a value does not belong in vault.toml: `vault set NAME`",
        ),
    ];
    for (text, said) in cases {
        refused(&sandbox, text, said);
    }
}

#[test]
fn first_of_several_mistakes_is_reported() {
    let text = "default = 7\n[steps.a]\nnamez = []\n[secrets.A]\nmasq = 1\n";
    refused(&Sandbox::with_vault(), text, "default must be text in quotes at line 1, column 11");
}

#[test]
fn invalid_toml_is_refused_with_its_position() {
    let sandbox = Sandbox::with_vault();
    let cases = [
        (
            "default = hunter2\n",
            "not understood at line 1, column 11\nhint: put text in quotes: [..]",
        ),
        (
            "[secrets.A]\nmask = \"auto\"\nmask = \"never\"\n",
            "not understood at line 3, column 1\nhint: mask is there twice; keep one",
        ),
        (
            "[secrets.A]\n[secrets.A]\n",
            "not understood at line 2, column 10\nhint: A is there twice; keep one",
        ),
        (
            "hunter2 = 1\nhunter2 = 1\n",
            "not understood at line 2, column 1\nhint: the key is there twice; keep one",
        ),
        ("[secrets.A\n", "not understood at line 1, column 11\nhint: it is not TOML there; [..]"),
        ("hunter2\n", "not understood at line 1, column 8\nhint: it is not TOML there; [..]"),
    ];
    for (text, said) in cases {
        refused(&sandbox, text, said);
    }
}

#[test]
fn mistyped_parent_environment_gets_the_nearest() {
    let text = "[environments.base]\n[environments.eu]\ninherits = \"bsae\"\n";
    let said = "environments.eu: inherits from bsae, which is not in vault.toml
hint: did you mean base?
hint: add it: [environments.bsae.variables]";
    refused(&Sandbox::with_vault(), text, said);
}
