//! Names that make programs run code: refused by every command, unless `vault.toml` allows them.

use std::fs;

use snapbox::str;

use crate::support::refusal::{Command, Why, stocked, stopped};
use crate::support::sandbox::Sandbox;

/// One or two names of each program, and every name that an older version refused.
const DANGEROUS: [&str; 44] = [
    "LD_PRELOAD",
    "ld_preload",
    "DYLD_INSERT_LIBRARIES",
    "PATH",
    "HOME",
    "XDG_CONFIG_HOME",
    "IFS",
    "ENV",
    "BASH_ENV",
    "ZDOTDIR",
    "PYTHONPATH",
    "PYTHONUSERBASE",
    "PYTEST_ADDOPTS",
    "GUNICORN_CMD_ARGS",
    "NODE_OPTIONS",
    "NODE_PATH",
    "npm_config_script_shell",
    "NPM_CONFIG_SCRIPT_SHELL",
    "GIT_SSH_COMMAND",
    "GIT_CONFIG_COUNT",
    "MAKEFLAGS",
    "CFLAGS",
    "RUSTC_WRAPPER",
    "CARGO_BUILD_RUSTC_WRAPPER",
    "GOFLAGS",
    "MAVEN_OPTS",
    "_JAVA_OPTIONS",
    "CLASSPATH",
    "DOTNET_STARTUP_HOOKS",
    "CORECLR_PROFILER_PATH",
    "PERL5DB",
    "RUBYOPT",
    "GEM_HOME",
    "PHPRC",
    "LUA_INIT",
    "EDITOR",
    "PAGER",
    "LESSOPEN",
    "TAR_OPTIONS",
    "RSYNC_RSH",
    "SSH_ASKPASS",
    "OPENSSL_CONF",
    "GLIBC_TUNABLES",
    "VAULT_KEY",
];

fn refusal(name: &str) -> String {
    format!(
        "error: {name} is refused as a name: [..]
hint: if it is meant, allow it in vault.toml: `allowed_names = [\"{name}\"]`
"
    )
}

/// Writes `text` and the original configuration to `vault.toml`.
fn config(sandbox: &Sandbox, text: &str) {
    let text = format!("{text}default = \"development\"\n");
    fs::write(sandbox.repo().join("vault.toml"), text).unwrap();
}

#[test]
fn set_and_import_refuse_names_running_code() {
    let sandbox = stocked();
    for name in DANGEROUS {
        let said = refusal(name);
        for command in [
            &["set", name][..],
            &["set", name, "--generate"],
            &["set", name, "A", "--generate"],
        ] {
            sandbox
                .vault(command)
                .input("value")
                .fails(2)
                .says(&said)
                .check();
        }
        let import = sandbox
            .vault(&["import", "-"])
            .input(format!("A=1\n{name}=x\n"));
        import.fails(2).says(&said).check();
    }
}

#[test]
fn variables_running_code_stop_exec() {
    let sandbox = stocked();
    let default = "default = \"development\"\n";
    let exec: Command = &["exec", "-e", "production", "--", "touch", "started"];
    let only: Command = &[
        "exec",
        "-e",
        "production",
        "--only",
        "OTHER",
        "--",
        "touch",
        "started",
    ];
    for name in DANGEROUS {
        let own = format!("{default}[environments.production.variables]\n{name} = \"x\"\n");
        let inherited = format!(
            "{default}[environments.production]\ninherits = \"base\"\n\
             [environments.base.variables]\n{name} = \"x\"\n"
        );
        for text in [own, inherited] {
            fs::write(sandbox.repo().join("vault.toml"), text).unwrap();
            stopped(
                &sandbox,
                &[exec, only],
                Why::Misused,
                refusal(name),
                |run| run,
            );
        }
    }
}

/// A writer of one environment can add any entry there, but no other member's command may run its
/// value.
#[test]
fn planted_entry_with_a_refused_name_stops_exec() {
    let sandbox = stocked();
    let credential = sandbox.credential("github", &["-e", "production"]);
    for name in ["MAKEFLAGS", "EDITOR", "npm_config_script_shell"] {
        config(&sandbox, &format!("allowed_names = [\"{name}\"]\n"));
        sandbox.set("production", name, b"touch started");
        config(&sandbox, "");
        let commands: &[Command] = &[
            &["exec", "-e", "production", "--", "touch", "started"],
            &[
                "exec",
                "-e",
                "production",
                "--no-mask",
                "--",
                "touch",
                "started",
            ],
        ];
        let said = refusal(name);
        stopped(&sandbox, commands, Why::Misused, &said, |run| run);
        stopped(&sandbox, commands, Why::Misused, &said, |run| {
            run.variable("VAULT_KEY", &credential)
        });
        // A command with other names is not stopped.
        let only = [
            "exec",
            "-e",
            "production",
            "--only",
            "OTHER",
            "--no-mask",
            "--",
            "true",
        ];
        sandbox.vault(&only).check();
        let copy = ["copy", name, "--from", "production", "--to", "development"];
        sandbox.vault(&copy).fails(2).says(&said).check();
        let placeholder = sandbox
            .vault(&[
                "exec",
                "-e",
                "production",
                "--if-locked",
                "placeholder",
                "--",
                "touch",
                "started",
            ])
            .without("HOME");
        placeholder.fails(125).says(&said).check();
        // It can be printed and removed.
        assert_eq!(sandbox.get("production", name), b"touch started");
        sandbox.quick(&["remove", name, "-e", "production"]);
    }
    sandbox
        .vault(&["exec", "-e", "production", "--no-mask", "--", "true"])
        .check();
}

#[test]
fn allowed_name_works_until_vault_toml_drops_it() {
    let sandbox = stocked();
    config(&sandbox, "allowed_names = [\"PYTHONPATH\"]\n");
    sandbox.set("production", "PYTHONPATH", b"/srv/lib");
    sandbox
        .vault(&[
            "exec",
            "-e",
            "production",
            "--no-mask",
            "--",
            "printenv",
            "PYTHONPATH",
        ])
        .prints("/srv/lib\n")
        .check();
    let said = str![[r#"
error: PERL5OPT is refused as a name: [..]
hint: if it is meant, allow it in vault.toml: `allowed_names = ["PYTHONPATH", "PERL5OPT"]`
"#]];
    sandbox
        .vault(&["set", "PERL5OPT"])
        .input("-w")
        .fails(2)
        .says(&said)
        .check();
    config(&sandbox, "");
    let commands: &[Command] = &[
        &[
            "exec",
            "-e",
            "production",
            "--no-mask",
            "--",
            "touch",
            "started",
        ],
        &["set", "PYTHONPATH", "-e", "production"],
        &[
            "copy",
            "PYTHONPATH",
            "--from",
            "production",
            "--to",
            "development",
        ],
    ];
    stopped(
        &sandbox,
        commands,
        Why::Misused,
        refusal("PYTHONPATH"),
        |run| run,
    );
}

#[test]
fn ordinary_names_reach_the_command() {
    let sandbox = Sandbox::with_vault();
    let names = [
        "FEATURE_FLAGS",
        "DATABASE_OPTIONS",
        "UV_INDEX_X_PASSWORD",
        "GIT_TOKEN",
        "NPM_TOKEN",
        "SENTRY_DSN",
        "PYTHONUNBUFFERED",
        "DJANGO_SETTINGS_MODULE",
        "LD_SDK_KEY",
        "CARGO_REGISTRIES_SHOP_TOKEN",
    ];
    let lines: Vec<String> = names
        .iter()
        .map(|name| format!("{name}=value-of-{name}"))
        .collect();
    let import = sandbox
        .vault(&["import", "-"])
        .input(lines.join("\n"))
        .any_change();
    import
        .says(str![
            "imported into development: 10 set, 0 changed, 0 unchanged"
        ])
        .check();
    let arguments = [&["exec", "--no-mask", "--", "printenv"], &names[..]].concat();
    let values: Vec<&str> = lines
        .iter()
        .map(|line| line.split_once('=').unwrap().1)
        .collect();
    let printed = values.join("\n") + "\n";
    sandbox.vault(&arguments).prints(printed).check();
}

#[test]
fn variable_and_secret_differing_in_case_are_one_name() {
    let sandbox = stocked();
    let with = |text: &str| {
        let text = format!("default = \"development\"\n{text}");
        fs::write(sandbox.repo().join("vault.toml"), text).unwrap();
    };
    with("[environments.production.variables]\nother = \"x\"\n");
    let said = str![[r#"
error: OTHER is both a secret and a variable of production
hint: [..]
"#]];
    let exec: Command = &["exec", "-e", "production", "--", "touch", "started"];
    stopped(&sandbox, &[exec], Why::Refused, &said, |run| run);
    let verify = sandbox.vault(&["verify"]).outcome();
    let printed = String::from_utf8(verify.output).unwrap();
    assert!(
        printed.contains("OTHER is both a secret and a variable of production"),
        "{printed}"
    );
    let said = str![[r#"
error: other is a variable of production in vault.toml
hint: [..]
"#]];
    let set = sandbox
        .vault(&["set", "Other", "-e", "production"])
        .input("value");
    set.fails(2).says(&said).check();
    for text in [
        "[environments.production.variables]\nPLAIN = \"x\"\nplain = \"y\"\n",
        "[environments.production]\ninherits = \"base\"\n[environments.production.variables]\n\
         plain = \"y\"\n[environments.base.variables]\nPLAIN = \"x\"\n",
    ] {
        with(text);
        let said = str![[r#"
error: vault.toml: environments.production: PLAIN and plain differ only in case
hint: keep one of the two spellings
"#]];
        stopped(&sandbox, &[exec], Why::Misused, &said, |run| run);
    }
}
