//! An answer that is shown while it is typed: one line, in the terminal's usual modes.

use super::rules::{CHUNK, LONGEST_DRAIN, QUIET, several_lines, unreadable};
use crate::fault::Fault;
use crate::platform::{LineReader, Terminal, TerminalEvent};
use crate::session::console::Console;

/// Asks and reads one line, without its newline. It is empty if the input ends.
///
/// # Errors
/// If more than one line arrives at once, or the terminal cannot be read.
pub(crate) fn visible(console: Console, question: &str) -> Result<String, Fault> {
    let terminal = Terminal::of_stream(crate::platform::input()).map_err(unreadable)?;
    let reader = LineReader::new(terminal).map_err(unreadable)?;
    console.ask(question);
    let mut buffer = vec![0; CHUNK];
    let event = reader.next_event(&mut buffer, None).map_err(unreadable)?;
    let TerminalEvent::Bytes(count) = event else {
        console.ask("\n");
        return Ok(String::new());
    };
    let line = String::from_utf8_lossy(&buffer[..count]).into_owned();
    if matches!(
        reader.next_event(&mut buffer, Some(QUIET)),
        Ok(TerminalEvent::TimedOut)
    ) {
        return Ok(line.trim_end_matches('\n').to_owned());
    }
    reader.drain(&mut buffer, QUIET, LONGEST_DRAIN);
    Err(several_lines())
}
