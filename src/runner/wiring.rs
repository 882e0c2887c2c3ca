//! How a command's streams are laid: a pure function of what is outside.
//!
//! What always holds: a stream inside is a terminal if and only if it is one outside, a closed one
//! stays closed, and what has one order outside goes through one channel.

use crate::platform::Behind;

/// What is outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Outside {
    /// Behind standard input, output and error.
    pub(super) streams: [Behind; 3],
    /// Whether standard input and output are the same terminal.
    pub(super) input_shows_output: bool,
    /// Whether standard output and error are one open file.
    pub(super) outputs_are_one: bool,
}

/// Who is the command's parent, and in which session it lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// It is our child and lives in the caller's session and process group: keys, Ctrl-Z and the
    /// shell's `fg` reach it as if we were not there.
    Direct,
    /// Someone sees the output at a terminal. A monitor leads a session of its own with a
    /// pseudo-terminal, and is the command's parent.
    Session,
}

/// When the keys of a terminal are the command's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keys {
    /// From the start: its standard input is that terminal.
    AtOnce,
    /// When it reads them, or sets modes. Until then they may be for another part of a pipeline.
    WhenAsked,
}

/// What carries output from the command to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Conduit {
    Pipe,
    /// A pseudo-terminal that is nobody's controlling terminal.
    Pty,
    /// The terminal of the command's session.
    Session,
}

/// Which output a channel carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carries {
    /// Standard output.
    Output,
    /// Standard error.
    Error,
    /// Both, in one order.
    Both,
}

impl Carries {
    /// The number of the caller's stream that it goes to.
    pub(super) fn stream(self) -> usize {
        match self {
            Self::Output | Self::Both => 1,
            Self::Error => 2,
        }
    }
}

/// One way from the command to the outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Laid {
    pub(super) conduit: Conduit,
    pub(super) carries: Carries,
}

/// The whole plan of streams; standard input is the session's terminal, or the caller's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wiring {
    pub(super) layout: Layout,
    pub(super) keys: Keys,
    pub(super) channels: Vec<Laid>,
}

impl Wiring {
    /// The command has the caller's own streams.
    pub(super) const NONE: Self =
        Self { layout: Layout::Direct, keys: Keys::WhenAsked, channels: Vec::new() };

    pub(super) fn of(outside: Outside) -> Self {
        let [_, output, error] = outside.streams;
        let layout = if output == Behind::Terminal { Layout::Session } else { Layout::Direct };
        let keys = if outside.input_shows_output { Keys::AtOnce } else { Keys::WhenAsked };
        let both = outside.outputs_are_one && output != Behind::Nothing;
        let terminal = |of_session: bool| {
            if layout == Layout::Session && of_session { Conduit::Session } else { Conduit::Pty }
        };
        let lay = |behind, carries, of_session| {
            let conduit = match behind {
                Behind::Nothing => return None,
                Behind::Terminal => terminal(of_session),
                Behind::Other => Conduit::Pipe,
            };
            Some(Laid { conduit, carries })
        };
        let channels = if both {
            vec![lay(output, Carries::Both, true)]
        } else {
            vec![lay(output, Carries::Output, true), lay(error, Carries::Error, false)]
        };
        Self { layout, keys, channels: channels.into_iter().flatten().collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Behind::{Nothing, Other, Terminal};

    fn wiring(streams: [Behind; 3]) -> Wiring {
        let input_shows_output = streams[0] == Terminal && streams[1] == Terminal;
        let outputs_are_one = streams[1] == Terminal && streams[2] == Terminal;
        Wiring::of(Outside { streams, input_shows_output, outputs_are_one })
    }

    fn inside(wiring: &Wiring, wanted: Carries) -> Behind {
        let channel = wiring
            .channels
            .iter()
            .find(|laid| laid.carries == wanted || laid.carries == Carries::Both);
        match channel.map(|laid| laid.conduit) {
            None => Nothing,
            Some(Conduit::Pipe) => Other,
            Some(Conduit::Pty | Conduit::Session) => Terminal,
        }
    }

    #[test]
    fn inside_is_a_terminal_what_is_one_outside() {
        let kinds = [Nothing, Terminal, Other];
        for input in kinds {
            for output in kinds {
                for error in kinds {
                    let wiring = wiring([input, output, error]);
                    assert_eq!(inside(&wiring, Carries::Output), output, "{wiring:?}");
                    assert_eq!(inside(&wiring, Carries::Error), error, "{wiring:?}");
                    assert_eq!(wiring.layout == Layout::Session, output == Terminal);
                    let sits = input == Terminal && output == Terminal;
                    assert_eq!(wiring.keys == Keys::AtOnce, sits);
                }
            }
        }
    }

    #[test]
    fn one_open_file_is_one_channel() {
        let streams = [Nothing, Other, Other];
        for outputs_are_one in [true, false] {
            let outside = Outside { streams, input_shows_output: false, outputs_are_one };
            let channels = Wiring::of(outside).channels.len();
            assert_eq!(channels, if outputs_are_one { 1 } else { 2 });
        }
    }
}
