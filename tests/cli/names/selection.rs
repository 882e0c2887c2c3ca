//! Which environment is used, and the form of the output: help, versions, colors, documents.

use std::fs;

use snapbox::str;

use crate::support::sandbox::Sandbox;

/// A vault whose `KEY` contains the name of its environment.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with_vault();
    sandbox.quick(&["environments", "add", "staging"]);
    for environment in ["development", "production", "staging"] {
        sandbox.set(environment, "KEY", environment.as_bytes());
    }
    sandbox
}

#[test]
fn environment_is_chosen_in_the_documented_order() {
    let sandbox = sandbox();
    let own = sandbox.credential("own", &["-e", "production"]);
    let both = sandbox.credential("both", &["-e", "production", "-e", "staging"]);
    let cases = [
        ("", "", "", "development"),
        ("", "staging", "", "staging"),
        ("production", "staging", "", "production"),
        ("", "", &own, "production"),
        ("", "production", &own, "production"),
        ("staging", "", &both, "staging"),
        ("", "production", &both, "production"),
    ];
    for (option, variable, credential, environment) in cases {
        let mut arguments = vec!["get", "KEY"];
        if !option.is_empty() {
            arguments.extend(["-e", option]);
        }
        let run = sandbox
            .vault(&arguments)
            .variable("VAULT_ENVIRONMENT", variable);
        run.variable("VAULT_KEY", credential)
            .prints(environment)
            .check();
    }
}

#[test]
fn unknown_locked_and_missing_environments_differ() {
    let sandbox = sandbox();
    let own = sandbox.credential("own", &["-e", "production"]);
    let both = sandbox.credential("both", &["-e", "production", "-e", "staging"]);
    let unknown = str![[r#"
error: there is no environment test; there are: development, production, staging
hint: make it: `vault environments add test`
"#]];
    sandbox
        .vault(&["get", "KEY", "-e", "test"])
        .fails(2)
        .says(&unknown)
        .check();
    let run = sandbox
        .vault(&["get", "KEY"])
        .variable("VAULT_ENVIRONMENT", "test");
    run.fails(2).says(&unknown).check();
    let run = sandbox
        .vault(&["get", "KEY"])
        .variable("VAULT_ENVIRONMENT", "No Name");
    let said = str![[r#"
error: VAULT_ENVIRONMENT: not the name of an environment
hint: [..]
"#]];
    run.fails(2).says(&said).check();
    let run = sandbox
        .vault(&["list"])
        .variable("VAULT_ENVIRONMENT", "test");
    run.fails(2).says(&unknown).check();
    for (credential, covers) in [(&own, "production"), (&both, "production, staging")] {
        let locked = format!(
            "error: development is locked: this credential is for {covers}
hint: make one: `vault ci add NAME -e development`
"
        );
        let run = sandbox.vault(&["get", "KEY", "-e", "development"]);
        run.variable("VAULT_KEY", credential)
            .fails(3)
            .says(&locked)
            .check();
        let run = sandbox.vault(&["exec", "-e", "development", "--", "touch", "ran"]);
        run.variable("VAULT_KEY", credential)
            .fails(121)
            .says(&locked)
            .check();
    }
    fs::write(sandbox.repo().join("vault.toml"), "").unwrap();
    let said = str![[r#"
error: which environment? there are: development, production, staging
hint: name it with `-e`, or write `default = …` into vault.toml
"#]];
    sandbox.vault(&["get", "KEY"]).fails(2).says(&said).check();
    sandbox
        .vault(&["get", "KEY"])
        .variable("VAULT_KEY", &both)
        .fails(2)
        .says(&said)
        .check();
}

#[test]
fn nearest_or_named_vault_is_used() {
    let sandbox = sandbox();
    let deep = sandbox.repo().join("a/b");
    fs::create_dir_all(&deep).unwrap();
    sandbox
        .vault(&["get", "KEY"])
        .folder(&deep)
        .prints("development")
        .check();
    let repo = sandbox.repo().display().to_string();
    let outside = sandbox.root();
    sandbox
        .vault(&["get", "KEY", "--vault", &repo])
        .folder(outside)
        .prints("development")
        .check();
    let run = sandbox
        .vault(&["get", "KEY"])
        .folder(outside)
        .variable("VAULT_DIR", "repo");
    run.prints("development").check();
    let run = sandbox.vault(&["get", "KEY", "--vault", "a"]);
    let said = str![[r#"
error: no vault.toml in [..]/repo/a
hint: name the folder that holds vault.toml
"#]];
    run.fails(2).says(&said).check();
    let home = sandbox.home();
    let said = str![[r#"
error: no vault.toml in [..]/home
hint: make a vault here: `vault init`
"#]];
    sandbox
        .vault(&["get", "KEY"])
        .folder(&home)
        .fails(2)
        .says(&said)
        .check();
}

#[test]
fn quiet_keeps_results_and_errors() {
    let sandbox = sandbox();
    let changes = ["repo/.vault/development/KEY.toml"];
    let run = sandbox
        .vault(&["set", "KEY", "-q"])
        .input("other")
        .changes(&changes);
    run.check();
    sandbox
        .vault(&["remove", "KEY", "--quiet"])
        .changes(&changes)
        .check();
    let said = str![[r#"
error: there is no KEY in development
hint: [..]
"#]];
    sandbox
        .vault(&["get", "KEY", "-q"])
        .fails(2)
        .says(&said)
        .check();
    sandbox
        .vault(&["exec", "-q", "--", "echo", "out"])
        .prints("out\n")
        .check();
}

#[test]
fn colors_need_a_terminal_or_the_option() {
    let sandbox = sandbox();
    let plain =
        "error: there is no NAME in development\nhint: set it: `vault set NAME -e development`\n";
    let colored = "\u{1b}[1m\u{1b}[31merror:\u{1b}[0m there is no NAME in development
\u{1b}[1m\u{1b}[36mhint:\u{1b}[0m set it: `vault set NAME -e development`
";
    let cases = [
        ("auto", "", plain),
        ("auto", "1", plain),
        ("always", "", colored),
        ("always", "1", colored),
        ("never", "", plain),
    ];
    for (when, no_color, said) in cases {
        let run = sandbox
            .vault(&["get", "NAME", "--color", when])
            .variable("NO_COLOR", no_color);
        run.fails(2).says(said).check();
    }
}

#[test]
fn help_and_completions_work_without_a_vault() {
    let sandbox = Sandbox::empty();
    let version = format!("vault {}\n", env!("CARGO_PKG_VERSION"));
    let run = |arguments: &[&str]| sandbox.vault(arguments).without("HOME");
    run(&["-V"]).prints(&version).check();
    let text = |arguments: &[&str]| {
        let outcome = run(arguments).outcome();
        assert_eq!(
            (outcome.status, outcome.said.as_str()),
            (0, ""),
            "{arguments:?}"
        );
        String::from_utf8(outcome.output).unwrap()
    };
    let commands = [
        "init",
        "environments",
        "set",
        "get",
        "list",
        "remove",
        "copy",
        "import",
        "exec",
        "ci",
        "trust",
        "verify",
        "key",
        "completions",
        "man",
    ];
    let help = text(&["--help"]);
    let manual = text(&["man"]);
    for command in commands {
        assert!(
            help.contains(&format!("\n  {command} ")),
            "{command}: {help}"
        );
        assert!(
            text(&[command, "--help"]).contains("Usage: vault"),
            "{command}"
        );
        assert!(
            manual.contains(&format!("vault\\-{command}(1)")),
            "{command}: {manual}"
        );
        assert!(text(&["man", command]).starts_with(".ie"), "{command}");
    }
    assert!(help.contains("Exit status: 0 done;"));
    assert!(text(&["man", "ci", "add"]).contains("vault\\-ci\\-add"));
    let said = str![[r#"
error: unknown command
hint: list all commands: `vault --help`
"#]];
    run(&["man", "nothing"]).fails(2).says(&said).check();
    for (shell, mark) in [
        ("bash", "complete -F _vault"),
        ("zsh", "#compdef vault"),
        ("fish", "complete -c vault"),
        ("elvish", "edit:completion"),
        ("powershell", "Register-ArgumentCompleter"),
    ] {
        let script = text(&["completions", shell]);
        assert!(
            script.contains(mark) && script.contains("environments"),
            "{shell}"
        );
    }
}

#[test]
fn usage_errors_name_the_mistake() {
    let sandbox = sandbox();
    let cases: [(&[&str], i32, &str); 6] = [
        (&["frobnicate"], 2, "error: unknown command"),
        (&["get"], 2, "error: missing argument: <NAME>"),
        (&["get", "KEY", "--colour", "never"], 2, "[..]--colour[..]"), // typos: ignore
        (&["list", "--color", "sometimes"], 2, "[..]--color[..]"),
        (&["get", "not-a-name"], 2, "error: not the name of a secret"),
        (
            &["exec", "--frobnicate", "--", "true"],
            125,
            "error: exec has no option --frobnicate",
        ),
    ];
    for (arguments, status, first) in cases {
        let outcome = sandbox.vault(arguments).outcome();
        let line = outcome.said.lines().next().unwrap_or_default().to_owned();
        assert_eq!(
            (outcome.status, outcome.output.len()),
            (status, 0),
            "{}",
            outcome.said
        );
        assert!(
            crate::support::sandbox::is_like(first, &line),
            "{}",
            outcome.said
        );
    }
}
