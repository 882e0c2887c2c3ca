//! Mistakes in `vault.toml` are reported with their position and a correction; values are not
//! shown.

use std::fs;

use crate::support::sandbox::Sandbox;
use crate::support::transcript::Transcript;

/// Every command refuses each of these `vault.toml`, with the messages in this snapshot, and changes
/// nothing.
#[track_caller]
fn refused(snapshot: &str, texts: &[&str]) {
    let sandbox = Sandbox::with_vault();
    let mut transcript = Transcript::of(&sandbox);
    for text in texts {
        fs::write(sandbox.repo().join("vault.toml"), text).unwrap();
        let before = sandbox.files();
        transcript.note(&text.trim_end().replace('\n', "\n# "));
        transcript.run("list");
        transcript.run_as("set A", |run| run.input("value"));
        transcript.run("exec -- touch ran");
        assert_eq!(sandbox.files(), before, "{text}");
    }
    transcript.check(&format!("config/{snapshot}"));
}

#[test]
fn unknown_key_gets_the_nearest_known_one() {
    refused(
        "unknown-keys",
        &[
            "# x\ndefalt = \"a\"\n",
            "[secret.A]\n",
            "[environment.a]\n",
            "[environments.a]\nconfrim = true\n",
            "[environments.a.variable]\nA = \"b\"\n",
            "[secrets.A]\nrequird = true\n",
            "[secrets.A]\nmin-length = 4\n",
            "secrets.A.Mask = \"auto\"\n",
            "[steps.a]\nnames = []\nname = []\n",
        ],
    );
}

#[test]
fn dissimilar_key_gets_all_known_ones() {
    // Text that may be a value is not shown, even in place of a key.
    refused(
        "dissimilar-keys",
        &[
            "default = \"development\"\n\n[secrets.A]\nkind_of_value = \"hunter2\"\n",
            "[secrets.A]\nhunter2 = true\n",
            "[secrets.A]\n\"hunter two\" = true\n",
            "[secrets.A]\nAKIAIOSFODNN7EXAMPLE = true\n",
        ],
    );
}

#[test]
fn key_of_another_table_gets_its_place() {
    refused(
        "misplaced-keys",
        &[
            "[steps.a]\nnames = []\nallowed_names = [\"PATH\"]\n",
            "confirm = true\n",
            "[environments.production]\nDEBUG = \"hunter2\"\n",
        ],
    );
}

#[test]
fn value_of_a_wrong_type_is_not_shown() {
    refused(
        "wrong-types",
        &[
            "default = 7\n",
            "default = { hunter2 = 1 }\n",
            "allowed_names = \"hunter2\"\n",
            "environments = [\"hunter2\"]\n",
            "[environments]\na = \"hunter2\"\n",
            "[environments.a]\nconfirm = \"true\"\n",
            "[environments.a]\nvariables = []\n",
            "[environments.a.variables]\nDEBUG = true\n",
            "[environments.a.variables]\nhunter2 = 1\n",
            "[[secrets]]\n",
            "[secrets.A]\nmin_length = \"hunter2\"\n",
            "[secrets.A]\nmin_length = -1\n",
            "[secrets.A]\nrequired = [1]\n",
            "[secrets.A]\nmask = \"hunter2\"\n",
            "[steps.a]\nnames = [\"A\", 7]\n",
            "steps.a.fail_on_leak = 1\nsteps.a.names = []\n",
            "[steps.a]\n",
            "[secrets]\nAPI_KEY = \"hunter2\"\n",
            "[secrets]\nhunter2 = \"hunter2\"\n",
        ],
    );
}

#[test]
fn first_of_several_mistakes_is_reported() {
    refused(
        "several-mistakes",
        &["default = 7\n[steps.a]\nnamez = []\n[secrets.A]\nmasq = 1\n"],
    );
}

#[test]
fn invalid_toml_is_refused_with_its_position() {
    refused(
        "invalid-toml",
        &[
            "default = hunter2\n",
            "[secrets.A]\nmask = \"auto\"\nmask = \"never\"\n",
            "[secrets.A]\n[secrets.A]\n",
            "hunter2 = 1\nhunter2 = 1\n",
            "[secrets.A\n",
            "hunter2\n",
        ],
    );
}

#[test]
fn mistyped_parent_environment_gets_the_nearest() {
    refused(
        "mistyped-parent",
        &["[environments.base]\n[environments.eu]\ninherits = \"bsae\"\n"],
    );
}
