//! After the command: what was masked in its output, and what that means for the end.

use std::collections::BTreeSet;
use std::io;

use super::Leaks;
use crate::fault::{Fault, Kind};
use crate::mask::Masker;
use crate::runner::{ChannelOutcome, Ending, OutputHolder, RunOutcome, Streams};
use crate::session::console::Console;

const LEFT_BEHIND: &str =
    "vault: a process that the command left behind is still running and loses its output";

/// The end of the run: as the command ended, unless its output could not be written, or shows
/// secrets though that is fatal.
pub(super) fn judge(
    console: Console,
    done: RunOutcome<Masker>,
    leaks: Leaks,
) -> Result<Ending, Fault> {
    let RunOutcome { ending, channels } = done;
    if channels.iter().any(|channel| channel.holder == OutputHolder::StillRunning) {
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
            .hint("its output shows *** where; keep the value out of what is printed there"));
    }
    Ok(ending)
}

fn times(count: u64) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}

fn stream(streams: Streams) -> &'static str {
    match streams {
        Streams::Output => "standard output",
        Streams::Error => "standard error",
        Streams::Both => "its output",
    }
}

/// A reader that has gone away is the command's business, which got SIGPIPE.
fn written(channel: &ChannelOutcome<Masker>) -> Result<(), Fault> {
    match &channel.result {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            let stream = stream(channel.streams);
            Err(Fault::failed(format!("could not write {stream}: {error}")))
        }
        _ => Ok(()),
    }
}
