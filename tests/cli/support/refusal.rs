//! How commands react to bad input: each refuses it with the same words, starts no child, and
//! changes no file.

use std::sync::OnceLock;

use crate::support::expected::Expected;
use crate::support::sandbox::{Run, Sandbox};

/// A command line of `vault`.
pub(crate) type Command = &'static [&'static str];

/// The commands that read the entry `DATABASE_URL` of production. A child would leave a file.
pub(crate) const ENTRY: &[Command] = &[
    &["get", "DATABASE_URL", "-e", "production"],
    &["set", "DATABASE_URL", "-e", "production"],
    &[
        "exec",
        "-e",
        "production",
        "--no-mask",
        "--",
        "touch",
        "started",
    ],
    &[
        "exec",
        "-e",
        "production",
        "--only",
        "DATABASE_URL",
        "--",
        "touch",
        "started",
    ],
    &["list", "-e", "production"],
    &[
        "copy",
        "DATABASE_URL",
        "--from",
        "production",
        "--to",
        "development",
    ],
    &[
        "copy",
        "DATABASE_URL",
        "--from",
        "development",
        "--to",
        "production",
    ],
    &["remove", "DATABASE_URL", "-e", "production"],
    &["environments", "list"],
];

/// The commands that read the root and need a key because they open or change something.
pub(crate) const KEYED: &[Command] = &[
    &["get", "DATABASE_URL", "-e", "production"],
    &[
        "exec",
        "-e",
        "production",
        "--no-mask",
        "--",
        "touch",
        "started",
    ],
    &["set", "DATABASE_URL", "-e", "production"],
    &[
        "copy",
        "DATABASE_URL",
        "--from",
        "development",
        "--to",
        "production",
    ],
    &["remove", "DATABASE_URL", "-e", "production"],
    &["ci", "add", "github", "-e", "production"],
    &["environments", "add", "staging"],
    &["environments", "remove", "production", "--yes"],
];

/// Those of [`KEYED`] that write.
pub(crate) fn writers() -> Vec<Command> {
    KEYED
        .iter()
        .filter(|command| !["get", "exec"].contains(&command[0]))
        .copied()
        .collect()
}

/// The commands that need no key.
pub(crate) const KEYLESS: &[Command] = &[&["list", "-e", "production"], &["environments", "list"]];

/// A vault with `DATABASE_URL` in both environments and `OTHER` in production, with everything
/// committed.
pub(crate) fn stocked() -> Sandbox {
    static PREPARED: OnceLock<Sandbox> = OnceLock::new();
    Sandbox::like(&PREPARED, || {
        let sandbox = Sandbox::with_vault();
        sandbox.set("production", "DATABASE_URL", b"postgres://production");
        sandbox.set("production", "OTHER", b"other");
        sandbox.set("development", "DATABASE_URL", b"postgres://development");
        sandbox.commit("a vault");
        sandbox
    })
}

/// Why a command does nothing.
#[derive(Clone, Copy)]
pub(crate) enum Why {
    /// No key, no member, or no pin.
    Locked,
    /// Something was tampered with, is untrusted, or is corrupt.
    Refused,
    /// The input of the user is not acceptable.
    Misused,
}

/// Checks that each of `commands` refuses with exactly the message `said`.
#[track_caller]
pub(crate) fn refused(sandbox: &Sandbox, commands: &[Command], said: impl Into<Expected>) {
    stopped(sandbox, commands, Why::Refused, said, |run| run);
}

/// Like [`refused`], for any reason, with the changes of `dress` to the runs.
#[track_caller]
pub(crate) fn stopped<'a>(
    sandbox: &'a Sandbox,
    commands: &[Command],
    why: Why,
    said: impl Into<Expected>,
    dress: impl Fn(Run<'a>) -> Run<'a>,
) {
    let said = said.into();
    for command in commands {
        let status = match (why, command[0]) {
            (Why::Locked, "exec") => 121,
            (Why::Refused, "exec") => 122,
            (Why::Locked, _) => 3,
            (Why::Refused, _) => 4,
            (Why::Misused, "exec") => 125,
            (Why::Misused, _) => 2,
        };
        dress(sandbox.vault(command).input("attack"))
            .fails(status)
            .says(said.clone())
            .check();
    }
}

/// Checks that `verify` with these options prints exactly `output` and this number of findings.
#[track_caller]
pub(crate) fn found(sandbox: &Sandbox, options: &[&str], findings: usize, output: &str) {
    let arguments: Vec<&str> = [&["verify"], options].concat();
    let noun = if findings == 1 { "finding" } else { "findings" };
    let said = format!("error: verification failed: {findings} {noun}\n");
    let since = options
        .iter()
        .skip_while(|option| **option != "--since")
        .nth(1);
    let output = since.map_or(String::new(), |since| compared(since)) + output;
    sandbox
        .vault(&arguments)
        .fails(1)
        .prints(output)
        .says(&said)
        .check();
}

/// The first line of `verify --since`, with the full name of a reference.
pub(crate) fn compared(name: &str) -> String {
    format!("compared with {name} = [..]\n\n")
}

/// The table of `verify`: environment, secrets, epoch, signers, result.
pub(crate) fn table(rows: &[[&str; 5]]) -> String {
    let header = ["ENVIRONMENT", "SECRETS", "EPOCH", "SIGNED BY", "RESULT"];
    let rows: Vec<&[&str; 5]> = std::iter::once(&header).chain(rows).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap();
    let mut table = String::new();
    for row in &rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            line.push_str(cell);
            line.push_str(&" ".repeat(width(column) + 2 - cell.len()));
        }
        table.push_str(line.trim_end());
        table.push('\n');
    }
    table
}

/// The table of a valid vault in epoch 1: this number of secrets in development and production, all
/// signed by alice.
pub(crate) fn held(development: usize, production: usize) -> String {
    let (first, second) = (development.to_string(), production.to_string());
    let signer = |secrets| if secrets == 0 { "-" } else { "alice" };
    table(&[
        ["development", &first, "1", signer(development), "ok"],
        ["production", &second, "1", signer(production), "ok"],
    ])
}

/// Like [`held`], with an invalid production that has this number of valid entries.
pub(crate) fn not_held(development: usize, production: usize) -> String {
    let text = held(development, production);
    let end = text.rfind("ok").unwrap();
    format!("{}FAILED\n", &text[..end])
}

/// A section of the output of `verify`.
pub(crate) fn section(heading: &str, lines: &[&str]) -> String {
    format!("\n{heading}:\n  {}\n", lines.join("\n  "))
}

/// The last section.
pub(crate) fn findings(lines: &[&str]) -> String {
    section("findings", lines)
}
