//! The report after the command: the secrets that were masked in its output, and the exit status.

use std::collections::BTreeSet;
use std::io;

use super::Leaks;
use crate::fault::{Fault, Kind};
use crate::mask::Masker;
use crate::runner::{ChannelOutcome, Ending, OutputHolder, RunOutcome, Streams};
use crate::session::console::Console;

const LEFT_BEHIND: &str =
    "vault: a process that the command started is still running; its further output is lost";

/// Returns the end of the command, unless its output could not be written, or contained secrets and
/// that is fatal.
pub(super) fn judge(
    console: Console,
    done: RunOutcome<Masker>,
    leaks: Leaks,
) -> Result<Ending, Fault> {
    let RunOutcome { ending, channels } = done;
    if channels
        .iter()
        .any(|channel| channel.holder == OutputHolder::StillRunning)
    {
        console.note(LEFT_BEHIND);
    }
    let mut names = BTreeSet::new();
    for channel in &channels {
        for (label, count) in channel.filter.iter().flat_map(Masker::counts) {
            names.insert(label.name);
            if leaks != Leaks::Ignored {
                console.report(format!(
                    "vault: masked {} ({}) {} in {}",
                    label.name,
                    label.form,
                    times(count),
                    stream(channel.streams)
                ));
            }
        }
    }
    channels.iter().try_for_each(written)?;
    if leaks == Leaks::Fatal && ending == Ending::Exited(0) && !names.is_empty() {
        let names: Vec<&str> = names.into_iter().collect();
        let message = format!("the command succeeded, but printed {}", names.join(", "));
        return Err(Fault::new(Kind::Leaked, message)
            .hint("its output shows `***` in their place: keep the values out of that output"));
    }
    Ok(ending)
}

fn times(count: u64) -> String {
    if count == 1 {
        "once".to_owned()
    } else {
        format!("{count} times")
    }
}

fn stream(streams: Streams) -> &'static str {
    match streams {
        Streams::Output => "standard output",
        Streams::Error => "standard error",
        Streams::Both => "its output",
    }
}

/// Checks that the output was written. If its reader is gone, the command itself got SIGPIPE.
fn written(channel: &ChannelOutcome<Masker>) -> Result<(), Fault> {
    match &channel.result {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            let stream = stream(channel.streams);
            Err(Fault::failed(format!("could not write {stream}: {error}")))
        }
        _ => Ok(()),
    }
}
