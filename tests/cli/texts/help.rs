//! The help of every command.

use std::collections::BTreeSet;
use std::fs;

use crate::support::sandbox::Sandbox;
use crate::support::transcript::{Transcript, compare, snapshots};

/// The names below `Commands:` in a help text, without `help` itself.
fn subcommands(help: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let lines = lines.take_while(|line| !line.is_empty());
    let names = lines
        .filter(|line| !line.starts_with("   "))
        .filter_map(|line| {
            let name = line.split_whitespace().next();
            name.map(str::to_owned)
        });
    names.filter(|name| name != "help").collect()
}

#[test]
fn help_of_every_command_is_in_its_file() {
    let sandbox = Sandbox::empty();
    let mut files = BTreeSet::new();
    let mut commands = vec![String::new()];
    while let Some(command) = commands.pop() {
        let words = |option: &str| format!("{command} {option}").trim_start().to_owned();
        let help = sandbox.quick(&words("--help").split(' ').collect::<Vec<_>>());
        let below = subcommands(&help).into_iter();
        commands.extend(below.map(|name| format!("{command} {name}").trim_start().to_owned()));
        let mut transcript = Transcript::of(&sandbox);
        transcript.run(&words("-h"));
        transcript.run(&words("--help"));
        let name = if command.is_empty() {
            "vault".to_owned()
        } else {
            command.replace(' ', "-")
        };
        transcript.check(&format!("help/{name}"));
        files.insert(format!("{name}.txt"));
    }
    let entries = fs::read_dir(snapshots().join("help")).unwrap();
    let found = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(files, found, "a file for each command and no other");
}

#[test]
fn manual_page_of_vault_is_in_its_file() {
    let sandbox = Sandbox::empty();
    let page = sandbox.quick(&["man"]);
    compare(&sandbox, "manual", page.trim_end());
}
