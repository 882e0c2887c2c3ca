//! The messages of the program: commands in them are in backticks.

use crate::support::literals::literals;
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
