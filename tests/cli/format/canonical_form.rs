//! Files that are not in canonical form: each is refused although its signature is valid.

use std::fs;

use repovault::crypto::SigningKey;

use crate::support::craft;
use crate::support::refusal::{Command, ENTRY, KEYED, KEYLESS, refused, stocked};
use crate::support::sandbox::Sandbox;

const ROOT: &str = "root.toml";
const MEMBER: &str = "members/alice.toml";
const URL: &str = "production/DATABASE_URL.toml";

/// Changes the text before the signature.
type Edit = fn(&str) -> String;
/// Changes a whole file.
type Damage = fn(&[u8]) -> Vec<u8>;

/// One command of each kind; other tests show that all commands use the same words.
const SOME: &[Command] = &[
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
    &["list", "-e", "production"],
];

/// Those that need the own file of a member.
const OWN: &[Command] = SOME.split_at(3).0;

/// The commands that read the file at `path`.
fn readers(path: &str) -> &'static [Command] {
    if path == MEMBER { OWN } else { SOME }
}

/// The signer of the file at `path`.
fn key(sandbox: &Sandbox, path: &str) -> SigningKey {
    match path.split_once('/') {
        Some((environment, _)) if environment != "members" => {
            craft::signing_key(sandbox, environment)
        }
        _ => craft::authority(sandbox),
    }
}

/// Checks that each of `edits` to the file at `path`, properly signed, is refused for this reason.
/// The edit that changes nothing must be accepted; otherwise the test would prove nothing.
#[track_caller]
fn edits_are_refused(path: &str, edits: &[Edit], reason: &str) {
    let sandbox = stocked();
    let (key, body) = (key(&sandbox, path), craft::body(&sandbox, path));
    let genuine = fs::read(sandbox.store(path)).unwrap();
    assert_eq!(craft::sign(&sandbox, path, body.as_bytes(), &key), genuine);
    let said = format!("error: .vault/{path}: {reason}\nhint: [..]\n");
    for (number, edit) in edits.iter().enumerate() {
        let edited = edit(&body);
        assert_ne!(edited, body, "edit {number} of {path} changes something");
        let file = craft::sign(&sandbox, path, edited.as_bytes(), &key);
        fs::write(sandbox.store(path), file).unwrap();
        let some = readers(path);
        refused(&sandbox, &some[number % some.len()..][..1], &said);
        fs::write(sandbox.store(path), &genuine).unwrap();
    }
}

const NOT_OURS: &str = "is not in the form vault writes";

/// Edits that apply to each of the three kinds of file.
const ANYWHERE: &[Edit] = &[
    // An unknown field, table, comment, or blank line.
    |body| body.replacen("format = 1\n", "format = 1\nsurprise = 1\n", 1),
    |body| format!("{body}surprise = 1\n"),
    |body| format!("{body}[surprise]\n"),
    |body| body.replacen("format", "# more\nformat", 1),
    |body| body.replacen("format", "\nformat", 1),
    |body| format!("{body}# the end\n"),
    |body| format!("{body}\n"),
    |body| body.trim_start_matches('#').replacen(|_| true, "#", 1),
    |body| body.split_once('\n').unwrap().1.to_owned(),
    |body| body.replacen(". ", ". Really. ", 1),
    // The same number in another spelling.
    |body| body.replacen("format = 1", "format = 0x1", 1),
    |body| body.replacen("format = 1", "format = 0o1", 1),
    |body| body.replacen("format = 1", "format = 0b1", 1),
    |body| body.replacen("format = 1", "format = +1", 1),
    |body| body.replacen("format = 1", "format = 1.0", 1),
    |body| body.replacen("format = 1", "format = \"1\"", 1),
    |body| body.replacen("format = 1", "format = true", 1),
    |body| body.replacen("revision = 1", "revision = 0x1", 1),
    |body| body.replacen("revision = 1", "revision = 1_0", 1),
    |body| body.replacen("revision = 1", "revision = +1", 1),
    |body| body.replacen("revision = 1", "revision = 01", 1),
    // Numbers that a reader in another language could not represent exactly, or that count nothing.
    |body| body.replacen("revision = 1", "revision = 0", 1),
    |body| body.replacen("revision = 1", "revision = -1", 1),
    |body| body.replacen("revision = 1", "revision = 9007199254740992", 1),
    |body| body.replacen("revision = 1", "revision = 9223372036854775807", 1),
    |body| body.replacen("revision = 1", "revision = 9223372036854775808", 1),
    |body| body.replacen("revision = 1", "revision = 18446744073709551617", 1),
    |body| body.replacen("revision = 1", "revision = 1e400", 1),
    // White space and quotes.
    |body| body.replacen(" = ", "=", 1),
    |body| body.replacen(" = ", "  = ", 1),
    |body| body.replacen(" = ", " =\t", 1),
    |body| body.replacen("format = 1", "format = 1 ", 1),
    |body| body.replacen("format", " format", 1),
    |body| body.replacen("format", "\"format\"", 1),
    |body| body.replacen('"', "'", 2),
    |body| body.replacen('"', "\"\"\"", 2),
    |body| body.replacen("alice", "\\u0061lice", 1),
    // Duplicate and missing.
    |body| body.replacen("format = 1\n", "format = 1\nformat = 1\n", 1),
    |body| body.replacen("revision = 1\n", "revision = 1\nrevision = 1\n", 1),
    |body| body.replacen("format = 1\n", "", 1),
    |body| body.replacen("revision = 1\n", "", 1),
    // Deeply nested and very wide.
    |body| {
        format!(
            "{body}deep = {}{}\n",
            "[".repeat(100_000),
            "]".repeat(100_000)
        )
    },
    |body| {
        format!(
            "{body}deep = {}{}\n",
            "{a=".repeat(10_000),
            "}".repeat(10_000)
        )
    },
    |body| format!("{body}{} = 1\n", ["a"; 50_000].join(".")),
];

#[test]
fn other_spelling_of_any_file_is_refused() {
    for path in [ROOT, MEMBER, URL] {
        edits_are_refused(path, ANYWHERE, NOT_OURS);
    }
}

#[test]
fn other_spelling_of_an_entry_is_refused() {
    fn within(body: &str, start: &str, end: &str, change: fn(&str) -> String) -> String {
        let (before, rest) = body.split_once(start).unwrap();
        let (text, after) = rest.split_once(end).unwrap();
        format!("{before}{start}{}{end}{after}", change(text))
    }
    fn base64(body: &str, change: fn(&str) -> String) -> String {
        within(body, "sealed = \"b64:", "\"", change)
    }
    fn moment(body: &str, change: fn(&str) -> String) -> String {
        within(body, "changed = ", "\n", change)
    }
    let edits: &[Edit] = &[
        |body| body.replacen("epoch = 1\norigin = 1\n", "origin = 1\nepoch = 1\n", 1),
        |body| body.replacen("origin = 1", "origin = 2", 1),
        |body| moment(body, |text| text.replace('Z', "z")),
        |body| moment(body, |text| text.replace('Z', "+00:00")),
        |body| moment(body, |text| text.replace('Z', "-00:00")),
        |body| moment(body, |text| text.replace('Z', "+01:00")),
        |body| moment(body, |text| text.replace('Z', "")),
        |body| moment(body, |text| text.replace('Z', ".0Z")),
        |body| moment(body, |text| text.replace('Z', ".123456789Z")),
        |body| moment(body, |text| text.replace('T', " ")),
        |body| moment(body, |text| text.replace('T', "t")),
        |body| moment(body, |text| format!("\"{text}\"")),
        |body| moment(body, |_| "2026-02-30T00:00:00Z".to_owned()),
        |body| moment(body, |_| "2026-11-23T10:11:60Z".to_owned()),
        |body| moment(body, |_| "2026-11-23".to_owned()),
        |body| moment(body, |_| "10:11:12".to_owned()),
        |body| moment(body, |_| "1".to_owned()),
        |body| body.replacen("\"alice\"", "\"Alice\"", 1),
        |body| body.replacen("\"alice\"", "\"\"", 1),
        |body| body.replacen("\"alice\"", "\"../alice\"", 1),
        |body| body.replacen("\"alice\"", "\"members\"", 1),
        |body| body.replacen("\"alice\"", "[\"alice\"]", 1),
        |body| format!("{body}removed = true\n"),
        |body| format!("{body}removed = false\n"),
        |body| base64(body, |text| format!("{text}=")),
        |body| base64(body, |text| format!("{text}A")),
        |body| base64(body, |text| format!("{} {}", &text[..4], &text[4..])),
        |body| base64(body, |text| format!("{}\\n{}", &text[..4], &text[4..])),
        |body| base64(body, |text| format!("-_{}", &text[2..])),
        |body| base64(body, |text| format!("*{}", &text[1..])),
        // One byte less: the last character then has unused bits.
        |body| base64(body, |text| format!("{}{}", &text[..text.len() - 4], "QR")),
        |body| body.replacen("encrypted", "removed", 1),
        |body| body.replacen("DATABASE_URL", "database_url", 1),
    ];
    edits_are_refused(URL, edits, NOT_OURS);
}

/// Base64 and bech32 have a prefix in files, and nothing else has.
#[test]
fn value_without_its_prefix_is_refused() {
    let edits: &[Edit] = &[
        |body| body.replacen("b64:", "", 1),
        |body| body.replacen("b64:", "B64:", 1),
        |body| body.replacen("b64:", "b64: ", 1),
        |body| body.replacen("b64:", "b64:b64:", 1),
        |body| body.replacen("b64:", "base64:", 1),
        |body| body.replacen("alice", "b64:alice", 1),
    ];
    for path in [ROOT, MEMBER, URL] {
        edits_are_refused(path, edits, NOT_OURS);
    }
    let edits: &[Edit] = &[
        |body| body.replacen("bech32:", "", 1),
        |body| body.replacen("bech32:", "BECH32:", 1),
        |body| body.replacen("bech32:", "b64:", 1),
        |body| body.replacen("bech32:", "bech32:bech32:", 1),
    ];
    for path in [ROOT, MEMBER] {
        edits_are_refused(path, edits, NOT_OURS);
    }
}

#[test]
fn other_spelling_of_a_root_is_refused() {
    const TAG: &str = "b64:AQEBAQEBAQEBAQEBAQEBAQ";
    let edits: &[Edit] = &[
        |body| body.replacen("vault1", "VAULT1", 1),
        |body| body.replacen("revocations = []", "revocations = [ ]", 1),
        |body| body.replacen("revocations = []", "revocations = [\"b64:\"]", 1),
        |body| {
            body.replacen(
                "revocations = []",
                "revocations = [\"b64:AQEBAQEBAQEBAQEBAQEB\"]",
                1,
            )
        },
        |body| {
            body.replacen(
                "revocations = []",
                "revocations = [\"b64:AAAAAAAAAAAAAAAAAAAAAA\"]",
                1,
            )
        },
        |body| {
            body.replacen(
                "revocations = []",
                &format!("revocations = [\"{TAG}\", \"{TAG}\"]"),
                1,
            )
        },
        |body| {
            body.replacen(
                "revocations = []",
                &format!("revocations = [\"{TAG}==\"]"),
                1,
            )
        },
        |body| body.replacen("revocations = []", &format!("revocations = \"{TAG}\""), 1),
        |body| body.replacen("revocations = []\n", "", 1),
        |body| {
            body.replacen(
                "revision = 1\nrevocations = []\n",
                "revocations = []\nrevision = 1\n",
                1,
            )
        },
        |body| {
            body.replacen(
                "[[environments.production]]",
                "[environments.production]",
                1,
            )
        },
        |body| {
            body.replacen(
                "[[environments.production]]",
                "[[ environments.production ]]",
                1,
            )
        },
        |body| {
            body.replacen(
                "[[environments.production]]",
                "[[environments.\"production\"]]",
                1,
            )
        },
        |body| {
            body.replacen(
                "[[environments.production]]",
                "[[environments.requests]]",
                1,
            )
        },
        |body| body.replacen("[[environments.production]]", "[[environments.root]]", 1),
        |body| body.replacen("[[environments.production]]", "[[environments.vault]]", 1),
        |body| {
            body.replacen(
                "[[environments.production]]",
                "[[environments.Production]]",
                1,
            )
        },
        |body| body.replacen("number = 1", "number = 0", 1),
        |body| body.replacen("commitment = \"b64:", "commitment = \"b64:AA", 1),
        |body| body.replacen("given = [\"alice\"]", "given = [\"bob\", \"alice\"]", 1),
        |body| body.replacen("given = [\"alice\"]", "given = [\"alice\", \"alice\"]", 1),
        |body| body.replacen("given = [\"alice\"]", "given = [\"alice\",\"bob\"]", 1),
        |body| body.replacen("given = [\"alice\"]", "given = [\"../alice\"]", 1),
        |body| body.replacen("given = [\"alice\"]\n", "", 1),
        // An older epoch with `given`, and one before the newest.
        |body| {
            let (_, epoch) = body.split_once("\n[[environments.production]]").unwrap();
            format!("{body}[[environments.production]]{epoch}")
        },
        |body| {
            let (start, epoch) = body.split_once("\n[[environments.production]]").unwrap();
            let (number, _) = epoch.split_once("given").unwrap();
            format!(
                "{start}\n[[environments.production]]{number}\n[[environments.production]]{epoch}"
            )
        },
        // Environments in another order.
        |body| {
            let (start, tables) = body.split_once("\n[[environments.development]]").unwrap();
            let (first, second) = tables.split_once("\n[[environments.production]]").unwrap();
            format!(
                "{start}\n[[environments.production]]{second}[[environments.development]]{first}\n"
            )
        },
        |body| format!("{body}[members.bob]\n\n"),
        |body| format!("{body}[members.bob]\nlost = {{}}\n\n"),
        |body| format!("{body}[members.bob]\nrevocation = \"{TAG}\"\n\n"),
        |body| format!("{body}[members.bob]\nlost = {{ production = {{ epoch = 0 }} }}\n\n"),
        |body| format!("{body}[members.bob]\nlost = {{production = {{ epoch = 1 }}}}\n\n"),
        |body| {
            format!(
                "{body}[members.bob]\nlost = {{ production = {{ epoch = 1, names = [\"B\", \"A\"] }} }}\n\n"
            )
        },
        |body| format!("{body}[members.bob.lost.production]\nepoch = 1\n\n"),
        |body| format!("{body}[former.vault]\n\n"),
        |body| format!("{body}[former.bob]\nsigner = \"{TAG}\"\n\n"),
        |body| format!("{body}[former.carol]\n\n[former.bob]\n\n"),
        |body| format!("{body}[former.bob]\n\n[former.bob]\n\n"),
    ];
    edits_are_refused(ROOT, edits, NOT_OURS);
}

#[test]
fn other_spelling_of_a_members_file_is_refused() {
    let edits: &[Edit] = &[
        |body| body.replacen("name = \"alice\"", "name = \"bob\"", 1),
        |body| body.replacen("recipient = \"bech32:age1", "recipient = \"bech32:AGE1", 1),
        |body| body.replacen("signer = \"b64:", "signer = \"b64:A", 1),
        // Types that other kinds of recipient need, and an X25519 recipient does not have.
        |body| body.replacen("\nsigner = ", "\nstanza = \"X25519\"\nsigner = ", 1),
        |body| body.replacen("\nsigner = ", "\nstanza = \"piv-p256\"\nsigner = ", 1),
        |body| body.replacen("admin = true", "admin = false", 1),
        |body| body.replacen("admin = true\n", "", 1),
        |body| {
            let (start, rest) = body.split_once("authority = ").unwrap();
            format!("{start}{}", rest.split_once('\n').unwrap().1)
        },
        |body| {
            let (start, rest) = body.split_once("\nsigning_key = ").unwrap();
            format!("{start}\n{}", rest.split_once('\n').unwrap().1)
        },
        |body| body.replacen("\n[access]", "credential = \"b64:AA\"\n\n[access]", 1),
        |body| body.replacen("[access]", "[ access ]", 1),
        |body| body.replacen("\"write\"", "\"admin\"", 1),
        |body| body.replacen("production = \"write\"", "production = [ ]", 1),
        |body| body.replacen("production = \"write\"", "production = [\"B\", \"A\"]", 1),
        |body| body.replacen("production = \"write\"", "production = [\"A\", \"A\"]", 1),
        |body| body.replacen("production = \"write\"", "production = [\"../A\"]", 1),
        |body| body.replacen("production = \"write\"", "tmp = \"write\"", 1),
        |body| body.replacen("production = \"write\"", "\"production\" = \"write\"", 1),
        |body| {
            body.replacen("development = \"write\"\n", "", 1).replacen(
                "production = \"write\"",
                "production = \"write\"\ndevelopment = \"write\"",
                1,
            )
        },
        |body| body.replacen("[sealed.production]", "[sealed.\"production\"]", 1),
        |body| body.replacen("[sealed.production]", "[sealed.Production]", 1),
        |body| {
            body.replacen(
                "[sealed.production]",
                "[sealed.aside]\n\n[sealed.production]",
                1,
            )
        },
        |body| {
            body.replacen(
                "[sealed.production]\n",
                "[sealed.production]\n\"b64:AA\" = \"b64:AA\"\n",
                1,
            )
        },
        |body| {
            let (start, line) = body.split_once("[sealed.production]\n").unwrap();
            format!(
                "{start}[sealed.production]\n{}{line}",
                line.trim_start_matches('\n')
                    .trim_end_matches('\n')
                    .to_owned()
                    + "\n"
            )
        },
        |body| {
            let (start, line) = body.split_once("[sealed.production]\n\"").unwrap();
            format!("{start}[sealed.production]\n{}", line.replacen('"', "", 1))
        },
    ];
    edits_are_refused(MEMBER, edits, NOT_OURS);
}

#[test]
fn newer_format_asks_for_a_newer_vault() {
    for number in ["2", "4294967296"] {
        for path in [ROOT, MEMBER, URL] {
            let sandbox = stocked();
            let body = craft::body(&sandbox, path).replacen("= 1", &format!("= {number}"), 1);
            let file = craft::sign(&sandbox, path, body.as_bytes(), &key(&sandbox, path));
            fs::write(sandbox.store(path), file).unwrap();
            let said = format!(
                "error: .vault/{path}: was made by a newer vault: it has format {number}, and this one reads 1
hint: update vault
"
            );
            refused(&sandbox, readers(path), said);
        }
    }
}

/// A number that no version has written asks for no newer one.
#[test]
fn format_zero_is_refused() {
    for path in [ROOT, MEMBER, URL] {
        edits_are_refused(path, &[|body| body.replacen("= 1", "= 0", 1)], NOT_OURS);
    }
}

/// Changes made by editors, mail, and git, with the original signature.
#[test]
fn damaged_file_is_refused_with_a_reason() {
    let restore = "put back the committed file: `git checkout -- .vault/";
    let attributes =
        "commit .vault/.gitattributes, then put the file back: `git checkout -- .vault`";
    let damages: [(Damage, &str, &str); 12] = [
        (
            |file| replaced(file, b"\n", b"\r\n"),
            "has CRLF line endings",
            attributes,
        ),
        (
            |file| replaced(file, b"\n", b"\r"),
            "has CRLF line endings",
            attributes,
        ),
        (
            |file| [b"\xef\xbb\xbf", file].concat(),
            "starts with a byte order mark",
            restore,
        ),
        (
            |file| replaced(file, b"alice", b"ali\0ce"),
            "holds a NUL byte",
            restore,
        ),
        (
            |file| replaced(file, b"alice", b"ali\xffce"),
            "is not UTF-8 text",
            restore,
        ),
        (
            |file| replaced(file, b"alice", b"ali\xed\xa0\x80ce"),
            "is not UTF-8 text",
            restore,
        ),
        (|file| file[..file.len() - 1].to_vec(), NOT_OURS, restore),
        (|file| [file, b"\n"].concat(), NOT_OURS, restore),
        (|file| [file, b"garbage"].concat(), NOT_OURS, restore),
        (|file| file.repeat(2), NOT_OURS, restore),
        (
            |file| replaced(file, b"signature", b"Signature"),
            NOT_OURS,
            restore,
        ),
        (|_| Vec::new(), NOT_OURS, restore),
    ];
    let kinds = [
        (ROOT, [KEYED, KEYLESS].concat()),
        (MEMBER, KEYED.to_vec()),
        (URL, ENTRY.to_vec()),
    ];
    for (path, commands) in kinds {
        let sandbox = stocked();
        let genuine = fs::read(sandbox.store(path)).unwrap();
        for (number, (damage, reason, hint)) in damages.iter().enumerate() {
            fs::write(sandbox.store(path), damage(&genuine)).unwrap();
            let said = format!("error: .vault/{path}: {reason}\nhint: {hint}[..]\n");
            // The first is tried with every command, each of the others with one command.
            let at = number % commands.len();
            let some = if number == 0 {
                &commands[..]
            } else {
                &commands[at..=at]
            };
            refused(&sandbox, some, &said);
        }
    }
}

fn replaced(file: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut result = Vec::new();
    let mut rest = file;
    while let Some(at) = rest.windows(from.len()).position(|window| window == from) {
        result.extend_from_slice(&rest[..at]);
        result.extend_from_slice(to);
        rest = &rest[at + from.len()..];
    }
    result.extend_from_slice(rest);
    result
}

#[test]
fn merge_conflict_is_named_by_every_command() {
    let sandbox = stocked();
    for (branch, value) in [("one", b"1"), ("two", b"2")] {
        sandbox.git(&["checkout", "--quiet", "-b", branch, "main"]);
        sandbox.set("production", "DATABASE_URL", value);
        sandbox.set("production", &branch.to_uppercase(), value);
        sandbox.commit(branch);
    }
    let merge = std::process::Command::new("git")
        .args([
            "-c",
            "user.name=Test",
            "-c",
            "user.email=t@example.com",
            "merge",
            "one",
        ])
        .current_dir(sandbox.repo())
        .env("HOME", sandbox.home())
        .output()
        .unwrap();
    assert!(!merge.status.success(), "the merge conflicts: {merge:?}");
    refused(
        &sandbox,
        ENTRY,
        "error: .vault/production/DATABASE_URL.toml: has conflict markers of a merge
hint: end the conflict: `vault resolve`
",
    );
    // The secrets that were set on only one branch are merged and can be read.
    assert_eq!(sandbox.get("production", "ONE"), b"1");
    assert_eq!(sandbox.get("production", "TWO"), b"2");
    sandbox.git(&[
        "checkout",
        "--theirs",
        "--",
        ".vault/production/DATABASE_URL.toml",
    ]);
    assert_eq!(sandbox.get("production", "DATABASE_URL"), b"1");
}
