//! The messages of the program: commands in them are in backticks, and a snapshot shows each.

use std::collections::BTreeSet;

use crate::support::literals::{Literal, literals, snapshot_lines, test_lines};
use crate::support::transcript::snapshots;

/// Programs whose commands appear in messages, with the words that begin one of theirs. The words of
/// `vault` are its commands.
const PROGRAMS: [(&str, &str); 6] = [
    ("chmod", "600"),
    ("cp", "-r"),
    ("fuser", ".vault"),
    (
        "git",
        "add branch check-ignore checkout commit config fetch log merge pull push reset restore rm \
         status",
    ),
    ("rm", "-r .vault/{path}"),
    ("sudo", "-u"),
];

/// The starts of literals that are a command as a whole, or a part of one.
const ALONE: [&str; 10] = [
    "| jq ", "age ", "dotenvx ", "git {", "gpg ", "iconv ", "jq ", "merge --", "sops ", "yq ",
];

/// The parts of a line that are not between backticks.
fn outside(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join(" ` ")
}

/// The first command or option in `line` that is not in backticks.
fn bare_command(line: &str, commands: &[String]) -> Option<String> {
    let text = outside(line);
    let trim = |word: &str| word.trim_matches(|c: char| "(),;:?".contains(c)).to_owned();
    let words: Vec<String> = text.split_whitespace().map(trim).collect();
    let is_option = |word: &&String| {
        let name = word.strip_prefix("--").or_else(|| {
            let short = word.strip_prefix('-')?;
            (short.len() == 1).then_some(short)
        });
        name.is_some_and(|name| name.starts_with(|c: char| c.is_ascii_lowercase()))
    };
    let begins = |pair: &&[String]| {
        let own = pair[0] == "vault" && (commands.contains(&pair[1]) || pair[1].starts_with("--"));
        let others = |(program, next): &(&str, &str)| {
            pair[0] == *program && next.split(' ').any(|word| word == pair[1])
        };
        own || PROGRAMS.iter().any(others)
    };
    let command = words.windows(2).find(begins).map(|pair| pair.join(" "));
    command.or_else(|| words.iter().find(is_option).cloned())
}

/// The commands of `vault`, by the files with their help.
fn commands() -> Vec<String> {
    let files = std::fs::read_dir(snapshots().join("help")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let commands: Vec<String> = names
        .map(|name| name.trim_end_matches(".txt").to_owned())
        .filter(|name| name != "vault" && !name.contains('-'))
        .collect();
    assert!(commands.len() > 15, "the commands were found");
    commands
}

#[test]
fn commands_in_messages_are_in_backticks() {
    let commands = commands();
    let mut bare = Vec::new();
    for literal in literals() {
        // Of these, the families of names are words of a table, and the arguments are clap's own.
        if literal.place.starts_with("src/vault/families") {
            continue;
        }
        let is_hint =
            literal.before.ends_with(".hint(") || literal.before.ends_with(".hint(format!(");
        for line in literal.text.lines() {
            let Some(command) = bare_command(line, &commands) else {
                continue;
            };
            // A literal that is a command alone gets its backticks from its caller.
            let text = outside(line);
            let start = text.trim_start();
            let is_command = start.starts_with(&command)
                || ALONE.iter().any(|program| start.starts_with(program));
            if is_hint || !is_command {
                bare.push(format!("{}: {line}", literal.place));
            }
        }
    }
    assert!(bare.is_empty(), "put in backticks:\n{}", bare.join("\n"));
}

/// How many lines of messages may be in no snapshot but in the text of a test, which has no accept
/// mode. Lower it with the number.
const ONLY_IN_TESTS: usize = 122;

/// How many may be in no test at all. Lower it with the number.
const NOWHERE: usize = 96;

/// Parts of literals that no test can provoke, with the reason. Some are not messages.
const UNPROVOKED: [(&str, &str); 27] = [
    (
        "where another file system begins",
        "a sandbox is in memory or on the disk",
    ),
    (
        "does not read back as it was written",
        "the disk returns other bytes than it was given",
    ),
    (
        "could not use your key file",
        "the file vanishes between two system calls",
    ),
    ("The name of a", "the documentation of a type"),
    ("an argument contains a NUL byte", "the kernel passes none"),
    ("another vault has been writing", "it takes a minute"),
    (
        " to commit.",
        "a comment in a file, which tests/golden holds",
    ),
    ("could not be built", "the needles of values have limits"),
    ("could not list", "it takes a failing disk"),
    ("could not make", "it takes a failing disk"),
    ("could not open", "it takes a failing disk"),
    ("could not remove", "it takes a failing disk"),
    ("could not render the page", "it is rendered in memory"),
    ("could not run the command", "the event loop cannot be made"),
    ("did not end within two minutes", "it takes two minutes"),
    ("fork returned no process", "the kernel always returns one"),
    ("fuser .vault", "the hint after a minute of waiting"),
    (
        "hash-object gave too little",
        "git would have to be damaged",
    ),
    ("needles of more than 2 GiB", "values have at most 1 MiB"),
    ("no command is given", "the arguments require one"),
    ("no name was given", "the arguments require one"),
    (
        "string values must be quoted",
        "the wording of a crate, to compare with",
    ),
    (
        "the monitor has ended",
        "the monitor would have to be killed while it starts",
    ),
    (
        "while this command ran",
        "it takes another process at the right moment",
    ),
    (
        "this program was built without the keyring",
        "the tests are built with it",
    ),
    (
        "it ended without an answer",
        "it takes a kill at the right moment",
    ),
    (
        "the other copy is made; run the same command again",
        "it takes a keyring that fails at the right moment",
    ),
];

/// Code before a literal that reaches people, however short it is.
const SPOKEN: [&str; 11] = [
    ".hint(",
    ".note(",
    ".warn(",
    "Fault::failed(",
    "Fault::incomplete(",
    "Fault::locked(",
    "Fault::refused(",
    "Fault::usage(",
    "damaged_file(path,",
    "refused_file(path,",
    "refused_file(ROOT_PATH,",
];

/// Code before a literal that reaches no one unless there is a bug.
const UNSPOKEN: [&str; 4] = [".expect(", "panic!(", "reason =", "unreachable!("];

/// The parts of a line between its placeholders.
fn fixed_parts(line: &str) -> Vec<String> {
    let marked = line.replace("{{", "\u{1}").replace("}}", "\u{2}");
    let parts = marked
        .split('{')
        .enumerate()
        .map(|(at, part)| match part.split_once('}') {
            Some((_, rest)) if at > 0 => rest,
            _ => part,
        });
    let whole = |part: &str| part.replace('\u{1}', "{").replace('\u{2}', "}");
    parts.map(whole).collect()
}

/// Whether the line is for people: a sentence, or a short text where one belongs.
fn is_spoken(literal: &Literal, parts: &[String]) -> bool {
    let before = literal.before.trim_end_matches("format!(").trim_end();
    if UNSPOKEN.iter().any(|code| before.ends_with(code)) {
        return false;
    }
    let is_word = |word: &&str| {
        let word = word.trim_matches(|c: char| !c.is_alphanumeric());
        word.len() > 1 && word.chars().all(|c| c.is_alphabetic() || c == '-')
    };
    let words = parts
        .iter()
        .flat_map(|part| part.split(' '))
        .filter(is_word);
    let least = if SPOKEN.iter().any(|code| before.ends_with(code)) {
        1
    } else {
        3
    };
    words.count() >= least
}

/// Whether `line` has these parts in this order.
fn shows(line: &str, parts: &[String]) -> bool {
    let mut rest = line;
    parts.iter().all(|part| {
        let found = rest.split_once(part.trim());
        rest = found.map_or(rest, |(_, after)| after);
        found.is_some()
    })
}

/// What covers a line, from the best to nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cover {
    Snapshot,
    Test,
    Nothing,
}

#[test]
fn snapshots_show_every_message() {
    let (snapshots, tests) = (snapshot_lines(), test_lines());
    let covers = |parts: &[String]| {
        let longest = parts.iter().max_by_key(|part| part.len()).unwrap().trim();
        if snapshots.iter().any(|line| shows(line, parts)) {
            Cover::Snapshot
        } else if tests.iter().any(|line| line.contains(longest)) {
            Cover::Test
        } else {
            Cover::Nothing
        }
    };
    let mut found: Vec<(Cover, String)> = Vec::new();
    let mut unprovoked = BTreeSet::new();
    for literal in literals() {
        if literal.place.starts_with("src/vault/families") {
            continue;
        }
        for line in literal.text.lines() {
            let parts = fixed_parts(line);
            if !is_spoken(&literal, &parts) {
                continue;
            }
            let cover = covers(&parts);
            let known = UNPROVOKED.iter().find(|(text, _)| line.contains(text));
            match known.filter(|_| cover != Cover::Snapshot) {
                Some(known) => drop(unprovoked.insert(known)),
                None => found.push((cover, format!("{}: {line}", literal.place))),
            }
        }
    }
    assert!(found.len() > 800, "the messages were found");
    for (cover, allowed) in [(Cover::Test, ONLY_IN_TESTS), (Cover::Nothing, NOWHERE)] {
        let lines = found.iter().filter(|(own, _)| *own == cover);
        let lines: Vec<&str> = lines.map(|(_, line)| line.as_str()).collect();
        let count = lines.len();
        assert!(
            count <= allowed,
            "{count} lines are in no snapshot, {allowed} allowed; add a run to tests/cli/texts:\n{}",
            lines.join("\n")
        );
    }
    let gone = UNPROVOKED
        .iter()
        .filter(|known| !unprovoked.contains(known));
    assert_eq!(
        gone.count(),
        0,
        "all are needed of: {UNPROVOKED:?}, but found: {unprovoked:?}"
    );
}
