//! Settings and variables that make git start programs, use the network, or write files. They may
//! come from an unpacked archive, a shared workspace, or a hook; no command of `vault` applies
//! them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use crate::support::refusal::stocked;
use crate::support::sandbox::{Run, Sandbox};

/// Every command that calls git.
const COMMANDS: [&[&str]; 7] = [
    &["verify", "--since", "HEAD"],
    &["verify", "--since", "HEAD~1", "--format", "github"],
    &["verify", "--since", "origin/main"],
    &["status"],
    &["doctor"],
    &["import", "plain.env", "-e", "development"],
    &[
        "set",
        "DATABASE_URL",
        "-e",
        "production",
        "--from",
        "HEAD~1",
    ],
];

struct Trap {
    sandbox: Sandbox,
    program: PathBuf,
    mark: PathBuf,
}

impl Trap {
    /// A vault with some history and former members, and a program that leaves a mark when it runs.
    fn new() -> Self {
        let sandbox = stocked();
        sandbox.quick(&["ci", "add", "gone", "-e", "production", "-q"]);
        sandbox.commit("a machine");
        sandbox.quick(&["members", "remove", "gone", "--yes"]);
        fs::write(sandbox.repo().join("plain.env"), "PLAIN=a value\n").unwrap();
        sandbox.commit("no machine");
        sandbox.git(&["update-ref", "refs/remotes/origin/main", "HEAD~1"]);
        let (program, mark) = (sandbox.root().join("trap"), sandbox.root().join("sprung"));
        fs::write(
            &program,
            format!("#!/bin/sh\ntouch '{}'\nexit 1\n", mark.display()),
        )
        .unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        Self {
            sandbox,
            program,
            mark,
        }
    }

    fn set(&self, key: &str, value: &str) {
        let value = value.replace("TRAP", self.program.to_str().unwrap());
        self.sandbox.git(&["config", key, &value]);
    }

    /// No command starts the program, whatever the result of the command is.
    #[track_caller]
    fn is_not_sprung<'a>(&'a self, dress: impl Fn(Run<'a>) -> Run<'a>) {
        for command in COMMANDS {
            let outcome = dress(self.sandbox.vault(command)).outcome();
            assert!(outcome.status < 5, "{command:?}: {}", outcome.said);
            assert!(!self.mark.exists(), "{command:?} started a program");
        }
    }
}

#[test]
fn repository_settings_start_no_program() {
    let trap = Trap::new();
    let hooks = trap.sandbox.root().join("hooks");
    fs::create_dir(&hooks).unwrap();
    for hook in [
        "post-index-change",
        "reference-transaction",
        "post-checkout",
        "pre-auto-gc",
        "fsmonitor-watchman",
    ] {
        fs::copy(&trap.program, hooks.join(hook)).unwrap();
        fs::copy(
            &trap.program,
            trap.sandbox.repo().join(".git/hooks").join(hook),
        )
        .unwrap();
    }
    for (key, value) in [
        ("core.fsmonitor", "TRAP"),
        ("core.hooksPath", hooks.to_str().unwrap()),
        ("core.pager", "TRAP"),
        ("pager.log", "TRAP"),
        ("pager.config", "TRAP"),
        ("core.editor", "TRAP"),
        ("core.sshCommand", "TRAP"),
        ("core.askPass", "TRAP"),
        ("core.gitProxy", "TRAP"),
        ("core.alternateRefsCommand", "TRAP"),
        ("credential.helper", "!TRAP"),
        ("diff.external", "TRAP"),
        ("diff.vault.command", "TRAP"),
        ("diff.vault.textconv", "TRAP"),
        ("diff.orderFile", "/does/not/exist"),
        ("filter.evil.clean", "TRAP"),
        ("filter.evil.smudge", "TRAP"),
        ("filter.evil.process", "TRAP"),
        ("filter.evil.required", "true"),
        ("log.showSignature", "true"),
        ("log.follow", "true"),
        ("gpg.program", "TRAP"),
        ("gpg.ssh.program", "TRAP"),
        ("gpg.x509.program", "TRAP"),
        ("uploadpack.packObjectsHook", "TRAP"),
        ("alias.rev-parse", "!TRAP"),
        ("alias.log", "!TRAP"),
        ("sequence.editor", "TRAP"),
        ("interactive.diffFilter", "TRAP"),
        ("gc.auto", "1"),
        ("maintenance.auto", "true"),
        ("submodule.recurse", "true"),
        ("fetch.recurseSubmodules", "true"),
        ("trace2.eventTarget", trap.mark.to_str().unwrap()),
        ("trace2.normalTarget", trap.mark.to_str().unwrap()),
    ] {
        trap.set(key, value);
    }
    let attributes = "* diff=vault filter=evil\n";
    fs::write(trap.sandbox.repo().join(".git/info/attributes"), attributes).unwrap();
    fs::write(trap.sandbox.repo().join(".gitattributes"), attributes).unwrap();
    trap.is_not_sprung(|run| run);
}

/// As in a partial clone, which fetches missing objects from its remote.
#[test]
fn missing_objects_are_not_fetched() {
    for remote in ["x", "ext::TRAP", "ssh://host/x", "file:///x"] {
        let trap = Trap::new();
        for revision in ["HEAD", "HEAD~1", "HEAD~2"] {
            let object = trap
                .sandbox
                .git(&["rev-parse", &format!("{revision}:.vault/root.toml")]);
            let (folder, file) = object.trim().split_at(2);
            let _ = fs::remove_file(
                trap.sandbox
                    .repo()
                    .join(".git/objects")
                    .join(folder)
                    .join(file),
            );
        }
        for (key, value) in [
            ("core.repositoryFormatVersion", "1"),
            ("extensions.partialClone", "evil"),
            ("remote.evil.url", remote),
            ("remote.evil.promisor", "true"),
            ("remote.evil.uploadpack", "TRAP"),
            ("remote.evil.fetch", "+refs/heads/*:refs/remotes/evil/*"),
            ("core.sshCommand", "TRAP"),
            ("protocol.allow", "always"),
            ("protocol.ext.allow", "always"),
            ("protocol.file.allow", "always"),
            ("protocol.ssh.allow", "always"),
        ] {
            trap.set(key, value);
        }
        trap.is_not_sprung(|run| run);
    }
}

/// The variables that a hook inherits from git, and those that a user exports: with them, another
/// repository would answer.
#[test]
fn callers_variables_start_no_program_and_select_no_repository() {
    let trap = Trap::new();
    let other = stocked();
    let (program, mark) = (trap.program.to_str().unwrap(), trap.mark.to_str().unwrap());
    let elsewhere = other.repo().join(".git").display().to_string();
    trap.is_not_sprung(|run| {
        let programs = [
            "GIT_EXTERNAL_DIFF",
            "GIT_PAGER",
            "PAGER",
            "GIT_EDITOR",
            "EDITOR",
            "GIT_SSH",
            "GIT_SSH_COMMAND",
            "GIT_ASKPASS",
            "SSH_ASKPASS",
            "GIT_PROXY_COMMAND",
        ];
        let run = programs
            .iter()
            .fold(run, |run, name| run.variable(name, program));
        let files = [
            "GIT_TRACE",
            "GIT_TRACE2",
            "GIT_TRACE2_EVENT",
            "GIT_TRACE_SETUP",
        ];
        let run = files.iter().fold(run, |run, name| run.variable(name, mark));
        run.variable("GIT_DIR", &elsewhere)
            .variable("GIT_WORK_TREE", "/")
            .variable("GIT_INDEX_FILE", "/nowhere")
            .variable("GIT_OBJECT_DIRECTORY", "/nowhere")
            .variable("GIT_NAMESPACE", "x")
            .variable("GIT_CONFIG_COUNT", "1")
            .variable("GIT_CONFIG_KEY_0", "core.fsmonitor")
            .variable("GIT_CONFIG_VALUE_0", program)
            .variable("GIT_CONFIG_PARAMETERS", "'core.fsmonitor=false'")
    });
    // The commit comes from the vault's own repository.
    let run = trap
        .sandbox
        .vault(&["verify", "--since", "HEAD"])
        .variable("GIT_DIR", &elsewhere);
    let printed = String::from_utf8(run.outcome().output).unwrap();
    let commit = trap.sandbox.git(&["rev-parse", "HEAD"]);
    assert!(
        printed.starts_with(&format!("compared with HEAD = {commit}")),
        "{printed}"
    );
}
