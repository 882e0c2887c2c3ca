//! Errors and hints, in the order in which a person sees them.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::refusal::stocked;
use crate::support::sandbox::Sandbox;
use crate::support::transcript::Transcript;

#[test]
fn unknown_commands_are_in_their_file() {
    let sandbox = Sandbox::empty();
    let mut transcript = Transcript::of(&sandbox);
    for word in [
        "login",
        "put",
        "decrypt",
        "rm",
        "secrets",
        "run",
        "export",
        "encrypt",
        "cp",
        "mv",
        "envs",
        "invite",
        "machine",
        "whoami",
        "audit",
        "diff",
        "rekey",
        "push",
        "kv",
        "kv get",
        "kv put",
        "ci list",
        "members ls",
        "members invite",
        "environments rm",
        "frobnicate",
        "members frob",
        "help frobnicate",
        "man frobnicate",
        "verfy",
    ] {
        transcript.run(word);
    }
    transcript.check("errors/commands");
}

#[test]
fn usage_errors_are_in_their_file() {
    let sandbox = Sandbox::empty();
    let mut transcript = Transcript::of(&sandbox);
    for words in [
        "get",
        "get A B",
        "get A --frobnicate",
        "get A --frobnicate=b",
        "get A -!",
        "get A --key-fd x",
        "get A --key-fd",
        "get A --quiet=yes",
        "get A --color sometimes",
        "get A --color=",
        "get not-a-name",
        "get age-secret-key-1",
        "get A -e Not",
        "set",
        "set A --generate hex",
        "set A --generate=uuid",
        "set A --valu x",
        "set A --generat",
        "set A --value x",
        "set A=b",
        "set A hunter2",
        "import",
        "import A=b",
        "import a b",
        "copy A --from a",
        "init --name Not",
        "members add",
        "members add bob -e production",
        "members add bob -e production=",
        "members set bob -e production=Not",
        "environments add staging --access alice",
        "environments add staging --access alice=all",
        "environments add Not",
        "verify --format yaml",
        "verify --json --format text",
        "verify --id x",
        "rotate --forget",
        "rotate --adopt",
        "trust x",
        "completions tcsh",
        "exec",
        "exec touch",
        "exec --frob -- true",
        "exec --frob=b -- true",
        "exec --Frob! -- true",
        "exec --step Not! -- true",
        "exec --only not-a-name -- true",
    ] {
        transcript.run(words);
    }
    transcript.check("errors/usage");
}

#[test]
fn errors_without_a_vault_are_in_their_file() {
    let sandbox = Sandbox::empty();
    let mut transcript = Transcript::of(&sandbox);
    for words in [
        "get A",
        "list",
        "exec -- true",
        "verify --since HEAD",
        "doctor",
    ] {
        transcript.run(words);
    }
    transcript.run("");
    transcript.check("errors/no-vault");
}

#[test]
fn refused_names_are_in_their_file() {
    let sandbox = Sandbox::with_vault();
    let mut transcript = Transcript::of(&sandbox);
    for name in [
        "PERL5LIB",
        "RUBYOPT",
        "JAVA_TOOL_OPTIONS",
        "GOFLAGS",
        "RUSTC_WRAPPER",
        "PHPRC",
        "DOTNET_ROOT",
        "ERL_FLAGS",
        "LUA_INIT",
        "TCLLIBPATH",
        "NODE_OPTIONS",
        "npm_config_x",
        "ESLINT_USE_FLAT_CONFIG",
        "HOMEBREW_PREFIX",
        "APT_CONFIG",
        "PYTHONPATH",
        "PYTEST_ADDOPTS",
        "PIP_INDEX",
        "GUNICORN_CMD_ARGS",
        "VAULT_KEY",
        "PATH",
        "LD_PRELOAD",
        "GTK_MODULES",
        "BASH_ENV",
        "TERMINFO",
        "ASDF_DIR",
        "MAKEFLAGS",
        "GIT_SSH",
        "HGRCPATH",
        "EDITOR",
        "PAGER",
        "PSQLRC",
        "TAR_OPTIONS",
        "SSH_ASKPASS",
        "DOCKER_CONFIG",
        "TF_CLI_ARGS",
        "RUNNER_TEMP",
        "HTTPS_PROXY",
        "PIP_INDEX_URL",
        "KUBECONFIG",
        "AWS_SHARED_CREDENTIALS_FILE",
        "SSL_CERT_FILE",
    ] {
        transcript.run_as(&format!("set {name}"), |run| run.input("x"));
    }
    transcript.check("errors/names");
}

#[test]
fn errors_of_vault_toml_are_in_their_file() {
    let sandbox = Sandbox::with_vault();
    let mut transcript = Transcript::of(&sandbox);
    let large = "#".repeat((1 << 20) + 1);
    for text in [
        "default = development",
        "default = \"a\"\ndefault = \"b\"",
        "default ==",
        "default = \"Not\"",
        "default = true",
        "defalt = \"a\"",
        "whatever = 1",
        "min_length = 1",
        "confirm = true",
        "names = []",
        "allowed_names = \"A\"",
        "allowed_names = [\"not-a-name\"]",
        "environments = 1",
        "[environments.Not]",
        "[environments.a]\nconfirm = \"yes\"",
        "[environments.a]\nDEBUG = \"1\"",
        "[environments.a]\ninherits = \"b\"",
        "[environments.a]\ninherits = \"b\"\n[environments.b]\ninherits = \"c\"\n[environments.c]",
        "[environments.a.variables]\nB = 1",
        "[environments.a.variables]\nB = \"1\"\nb = \"2\"",
        "[environments.a.variables]\nLD_PRELOAD = \"x\"",
        "[secrets]\nKEY = \"hunter2\"",
        "[secrets.not-a-name]",
        "[secrets.A]\nmin_length = \"5\"",
        "[secrets.A]\nmin_length = 9999999999",
        "[secrets.A]\nrequired = 1",
        "[secrets.A]\nmask = \"sometimes\"",
        "[secrets.A]\nfail_on_leak = true",
        "[steps.migrate]",
        "[steps.Not]\nnames = []",
        "[steps.a]\nnames = [\"not-a-name\"]",
        &large,
    ] {
        fs::write(sandbox.repo().join("vault.toml"), text).unwrap();
        transcript.note(if text.len() > 1000 {
            "a large file"
        } else {
            text
        });
        transcript.run("list");
    }
    transcript.note("Values");
    let text = "[secrets.A]\ngenerate = \"uuid\"\n[secrets.B]\nmin_length = 8";
    fs::write(sandbox.repo().join("vault.toml"), text).unwrap();
    transcript.run("set A --generate");
    transcript.run_as("set B", |run| run.input("short"));
    transcript.run("exec -- true");
    transcript.check("errors/vault-toml");
}

#[test]
fn errors_of_variables_are_in_their_file() {
    let sandbox = Sandbox::with_vault();
    sandbox.set("development", "PASSWORD", b"p\0q");
    sandbox.set("development", "PLAIN", b"plain");
    sandbox.quick(&["remove", "PLAIN"]);
    let mut transcript = Transcript::of(&sandbox);
    for text in [
        "URL = \"a$\"",
        "URL = \"${}\"",
        "URL = \"${A\"",
        "URL = \"${not-a-name}\"",
        "URL = \"${MISSING}\"",
        "URL = \"${URL}\"",
        "A = \"1\"\nURL = \"${A}\"",
        "URL = \"${PASSWORD}\"",
        "URL = \"${PLAIN}\"",
        "PASSWORD = \"1\"",
    ] {
        let toml =
            format!("default = \"development\"\n[environments.development.variables]\n{text}\n");
        fs::write(sandbox.repo().join("vault.toml"), toml).unwrap();
        transcript.note(text);
        transcript.run("exec -- true");
    }
    transcript.check("errors/variables");
}

#[test]
fn errors_of_import_are_in_their_file() {
    let sandbox = Sandbox::with_vault();
    let mut transcript = Transcript::of(&sandbox);
    let many = "x\n".repeat(25);
    for text in [
        "",
        "A",
        "A=b\nA=c\nB\n",
        "A='b",
        "A='b' c",
        "'A=b",
        "=b",
        "a b",
        "not-a-name=1",
        "LD_PRELOAD=1",
        "A=${B}",
        "A=\"b\\n\"",
        "a=1\nA=2",
        "{\"A\": \"b\"}",
        "A: b\n",
        "apiVersion: v1\nkind: Secret\ndata:\n  A: Yg==\n",
        "a: ENC[AES256_GCM,data:x]\nsops:\n  mac: x\n",
        "[section]\nA=b",
        "-----BEGIN PGP MESSAGE-----\n",
        "age-encryption.org/v1\n",
        "$ANSIBLE_VAULT;1.1;AES256\n",
        "\0GITCRYPT\0x",
        "A=ENC[AES256_GCM,data:x]",
        "A=encrypted:abc",
        &many,
    ] {
        transcript.note(if text.len() > 40 && text.starts_with('x') {
            "many"
        } else {
            text.trim_end()
        });
        transcript.run_as("import -", |run| run.input(text));
    }
    for (name, bytes) in [("utf16", &b"\xff\xfeA\0=\0b\0"[..]), ("latin", b"A=\xe4\n")] {
        fs::write(sandbox.repo().join(name), bytes).unwrap();
        transcript.run(&format!("import {name}"));
    }
    fs::write(sandbox.repo().join(".env"), "A=1\nB\nA=2\n").unwrap();
    transcript.run("import .env");
    transcript.run("import missing");
    transcript.check("errors/import");
}

#[test]
fn errors_about_keys_are_in_their_file() {
    let sandbox = stocked();
    let mut transcript = Transcript::of(&sandbox);
    for (name, value) in [
        ("VAULT_KEY", "nonsense"),
        ("VAULT_KEY", "age1nonsense"),
        ("VAULT_KEY_FILE", "missing"),
        ("VAULT_KEY_FILE", ".vault"),
        ("VAULT_KEY_FILE", ""),
        ("VAULT_KEY_COMMAND", "false"),
        ("VAULT_KEY_COMMAND", "true"),
        ("VAULT_KEY_COMMAND", "no-such-command-here"),
        ("VAULT_KEY_COMMAND", "echo nonsense"),
        ("VAULT_KEY_COMMAND", "echo nonsense | false"),
        ("VAULT_KEY_COMMAND", "sh -c 'kill -9 $$'"),
        ("VAULT_ID", "nonsense"),
        ("VAULT_ENVIRONMENT", "Not"),
        ("VAULT_ENVIRONMENT", "staging"),
        ("VAULT_DIR", "missing"),
        ("VAULT_DIR", ""),
        ("HOME", "/nonexistent"),
        ("HOME", ""),
    ] {
        transcript.note(&format!("{name}='{value}'"));
        transcript.run_as("get DATABASE_URL", |run| run.variable(name, value));
    }
    transcript.note("Options");
    transcript.run("get DATABASE_URL --key-file missing");
    transcript.run("get DATABASE_URL --key-file .vault");
    transcript.run("get DATABASE_URL --key-fd 9");
    transcript.run("get DATABASE_URL --key-fd 1");
    transcript.run_as("get DATABASE_URL --key-file -", |run| run.input("nonsense"));
    transcript.run_as("get DATABASE_URL --key-file -", |run| {
        run.input("-----BEGIN AGE ENCRYPTED FILE-----\n")
    });
    transcript.run_as("set DATABASE_URL --key-file -", |run| run.input("nonsense"));
    transcript.run("get DATABASE_URL --vault missing");
    let identity = sandbox.home().join(".config/vault/identity.txt");
    fs::set_permissions(&identity, fs::Permissions::from_mode(0o644)).unwrap();
    transcript.run("get DATABASE_URL");
    transcript.run("key show");
    transcript.run("doctor");
    transcript.check("errors/keys");
}

#[test]
fn errors_about_secrets_are_in_their_file() {
    let sandbox = stocked();
    let mut transcript = Transcript::of(&sandbox);
    for words in [
        "get MISSING",
        "get DATABASE_UR",
        "get DATABASE_URL -e staging",
        "get DATABASE_URL -e prod",
        "get OTHER -e development",
        "remove MISSING",
        "copy OTHER --from production --to production",
        "copy OTHER --from production --to staging",
        "copy MISSING --from production --to development",
        "set A B --file x",
        "set A --file missing",
        "set A --file .vault",
        "set A --from HEAD",
        "set DATABASE_URL --from missing",
        "set DATABASE_URL --from HEAD",
        "exec --only MISSING -- true",
        "exec --step migrate -- true",
        "exec -- no-such-command",
        "exec -- ./vault.toml",
        "exec -- .vault",
        "exec -- A=b true",
        "exec -- cd .vault",
        "exec -- ls|cat",
        "environments remove staging",
        "environments remove production",
        "environments remove development --yes",
        "environments add production",
        "init",
        "list -e staging",
        "verify --since missing",
        "verify --since HEAD^{tree}",
    ] {
        transcript.run(words);
    }
    transcript.run_as("set A", |run| run.input(""));
    transcript.run_as("set A", |run| run.input("a\n"));
    transcript.run_as("set a", |run| run.input("a\n"));
    transcript.run_as("set A B", |run| run.input("a\n"));
    transcript.check("errors/secrets");
}

#[test]
fn errors_about_members_are_in_their_file() {
    let sandbox = stocked();
    let mut transcript = Transcript::of(&sandbox);
    transcript.run("ci add github -e production");
    for words in [
        "ci add github -e production",
        "ci add alice -e production",
        "ci add gitlab -e staging",
        "ci add gitlab",
        "ci add gitlab -e production --only MISSING",
        "members add carol -e production=read",
        "members add carol -e production=read --fingerprint x",
        "members add carol -e production=read --recipient x",
        "members add alice -e production=read",
        "members set carol -e production=read",
        "members set alice -e production=read",
        "members set github -e production=write",
        "members set github --admin",
        "members set github",
        "members remove alice",
        "members remove carol",
        "members sync",
        "rotate --finish",
        "rotate --finish --adopt OTHER",
        "rotate --finish --forget",
        "rotate --authority",
        "trust",
        "join --name bob",
        "join --name alice",
        "members remove github",
        "ci add github -e production",
    ] {
        transcript.run(words);
    }
    transcript.check("errors/members");
}
