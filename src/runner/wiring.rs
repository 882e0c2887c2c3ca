//! How the command's streams are connected: a pure function of the caller's streams.
//!
//! Invariants: an inner stream is a terminal if and only if the outer one is; a closed stream stays
//! closed; streams that have one order outside share one channel.

use crate::platform::StreamKind;

/// The caller's streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CallerStreams {
    /// The kinds of standard input, output, and error.
    pub(super) streams: [StreamKind; 3],
    /// Whether standard input and output are the same terminal.
    pub(super) input_shows_output: bool,
    /// Whether standard output and error are one open file.
    pub(super) outputs_are_one: bool,
}

/// The command's parent and session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// The command is a child of vault in the caller's session and process group. Keys, Ctrl-Z, and
    /// the shell's `fg` reach it directly.
    Direct,
    /// Output goes to a terminal. A monitor leads a session of its own with a pseudo-terminal, and
    /// is the command's parent.
    Session,
}

/// When the command gets the keys of the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyDelivery {
    /// From the start: its standard input is that terminal.
    Immediate,
    /// When it reads keys or sets modes. Until then they may be meant for another part of a
    /// pipeline.
    OnDemand,
}

/// What carries output from the command to vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transport {
    Pipe,
    /// A pseudo-terminal that is not a controlling terminal.
    Pty,
    /// The terminal of the command's session.
    Session,
}

/// The output streams that a channel carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Streams {
    /// Standard output.
    Output,
    /// Standard error.
    Error,
    /// Both, in one order.
    Both,
}

impl Streams {
    /// Returns the number of the caller's stream to write to.
    pub(super) fn descriptor(self) -> usize {
        match self {
            Self::Output | Self::Both => 1,
            Self::Error => 2,
        }
    }
}

/// The description of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ChannelSpec {
    pub(super) transport: Transport,
    pub(super) streams: Streams,
}

/// The plan for all streams. Standard input is the session's terminal or the caller's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wiring {
    pub(super) layout: Layout,
    pub(super) keys: KeyDelivery,
    pub(super) channels: Vec<ChannelSpec>,
}

impl Wiring {
    /// The command gets the caller's own streams.
    pub(super) const NONE: Self = Self {
        layout: Layout::Direct,
        keys: KeyDelivery::OnDemand,
        channels: Vec::new(),
    };

    pub(super) fn new(caller: CallerStreams) -> Self {
        let [_, output, error] = caller.streams;
        let layout = if output == StreamKind::Terminal {
            Layout::Session
        } else {
            Layout::Direct
        };
        let keys = if caller.input_shows_output {
            KeyDelivery::Immediate
        } else {
            KeyDelivery::OnDemand
        };
        let spec = |kind, streams, terminal| match kind {
            StreamKind::Closed => None,
            StreamKind::Terminal => Some(ChannelSpec {
                transport: terminal,
                streams,
            }),
            StreamKind::Other => Some(ChannelSpec {
                transport: Transport::Pipe,
                streams,
            }),
        };
        let channels = if caller.outputs_are_one && output != StreamKind::Closed {
            vec![spec(output, Streams::Both, Transport::Session)]
        } else {
            // If both are terminals, they are different ones, and a session has only one.
            vec![
                spec(output, Streams::Output, Transport::Session),
                spec(error, Streams::Error, Transport::Pty),
            ]
        };
        Self {
            layout,
            keys,
            channels: channels.into_iter().flatten().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use StreamKind::{Closed, Other, Terminal};

    fn wiring(streams: [StreamKind; 3]) -> Wiring {
        let input_shows_output = streams[0] == Terminal && streams[1] == Terminal;
        let outputs_are_one = streams[1] == Terminal && streams[2] == Terminal;
        Wiring::new(CallerStreams {
            streams,
            input_shows_output,
            outputs_are_one,
        })
    }

    fn inside(wiring: &Wiring, wanted: Streams) -> StreamKind {
        let channel = wiring
            .channels
            .iter()
            .find(|spec| spec.streams == wanted || spec.streams == Streams::Both);
        match channel.map(|spec| spec.transport) {
            None => Closed,
            Some(Transport::Pipe) => Other,
            Some(Transport::Pty | Transport::Session) => Terminal,
        }
    }

    #[test]
    fn streams_at_a_terminal_get_a_terminal() {
        let kinds = [Closed, Terminal, Other];
        for input in kinds {
            for output in kinds {
                for error in kinds {
                    let wiring = wiring([input, output, error]);
                    assert_eq!(inside(&wiring, Streams::Output), output, "{wiring:?}");
                    assert_eq!(inside(&wiring, Streams::Error), error, "{wiring:?}");
                    assert_eq!(wiring.layout == Layout::Session, output == Terminal);
                    let sits = input == Terminal && output == Terminal;
                    assert_eq!(wiring.keys == KeyDelivery::Immediate, sits);
                }
            }
        }
    }

    #[test]
    fn streams_sharing_an_open_file_share_a_channel() {
        let streams = [Closed, Other, Other];
        for outputs_are_one in [true, false] {
            let outside = CallerStreams {
                streams,
                input_shows_output: false,
                outputs_are_one,
            };
            let channels = Wiring::new(outside).channels.len();
            assert_eq!(channels, if outputs_are_one { 1 } else { 2 });
        }
    }
}
