//! `vault completions` and `vault man`: documents from the definition of the command line.

use anyhow::Context as _;
use clap::Command;
use clap_complete::Shell;

use crate::fault::Fault;
use crate::session::console::Console;

pub(crate) fn completions(
    console: Console,
    command: &mut Command,
    shell: Shell,
) -> Result<(), Fault> {
    let mut script = Vec::new();
    clap_complete::generate(shell, command, "vault", &mut script);
    console.reveal(&script)
}

/// Prints the page of `vault` or of one of its commands (`vault man ci add`).
pub(crate) fn man(console: Console, command: &Command, path: &[String]) -> anyhow::Result<()> {
    let mut command = command.clone();
    command.build();
    let mut name = "vault".to_owned();
    for part in path {
        let found = command.find_subcommand(part).cloned();
        command = found.ok_or_else(|| {
            let known = command.get_subcommands().map(Command::get_name);
            Fault::usage("unknown command")
                .did_you_mean(part, known)
                .hint("list all commands: `vault --help`")
        })?;
        name = format!("{name}-{part}");
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(command.name(name).disable_help_subcommand(true))
        .render(&mut page)
        .context("could not render the page")?;
    Ok(console.reveal(&page)?)
}
