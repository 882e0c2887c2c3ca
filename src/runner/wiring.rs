//! How a command's streams are laid: a pure function of what is outside.
//!
//! What always holds: a stream inside is a terminal if and only if it is one outside, a closed one
//! stays closed, and what has one order outside goes through one channel.

use crate::platform::StreamKind;

/// What is outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CallerStreams {
    /// Behind standard input, output and error.
    pub(super) streams: [StreamKind; 3],
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
pub(super) enum KeyDelivery {
    /// From the start: its standard input is that terminal.
    Immediate,
    /// When it reads them, or sets modes. Until then they may be for another part of a pipeline.
    OnDemand,
}

/// What carries output from the command to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transport {
    Pipe,
    /// A pseudo-terminal that is nobody's controlling terminal.
    Pty,
    /// The terminal of the command's session.
    Session,
}

/// Which output a channel carries.
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
    /// The number of the caller's stream that it goes to.
    pub(super) fn descriptor(self) -> usize {
        match self {
            Self::Output | Self::Both => 1,
            Self::Error => 2,
        }
    }
}

/// One way from the command to the outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ChannelSpec {
    pub(super) transport: Transport,
    pub(super) streams: Streams,
}

/// The whole plan of streams; standard input is the session's terminal, or the caller's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wiring {
    pub(super) layout: Layout,
    pub(super) keys: KeyDelivery,
    pub(super) channels: Vec<ChannelSpec>,
}

impl Wiring {
    /// The command has the caller's own streams.
    pub(super) const NONE: Self =
        Self { layout: Layout::Direct, keys: KeyDelivery::OnDemand, channels: Vec::new() };

    pub(super) fn new(caller: CallerStreams) -> Self {
        let [_, output, error] = caller.streams;
        let layout = if output == StreamKind::Terminal { Layout::Session } else { Layout::Direct };
        let keys =
            if caller.input_shows_output { KeyDelivery::Immediate } else { KeyDelivery::OnDemand };
        let both = caller.outputs_are_one && output != StreamKind::Closed;
        let terminal = |of_session: bool| {
            if layout == Layout::Session && of_session {
                Transport::Session
            } else {
                Transport::Pty
            }
        };
        let spec_of = |kind, streams, of_session| {
            let transport = match kind {
                StreamKind::Closed => return None,
                StreamKind::Terminal => terminal(of_session),
                StreamKind::Other => Transport::Pipe,
            };
            Some(ChannelSpec { transport, streams })
        };
        let channels = if both {
            vec![spec_of(output, Streams::Both, true)]
        } else {
            vec![spec_of(output, Streams::Output, true), spec_of(error, Streams::Error, false)]
        };
        Self { layout, keys, channels: channels.into_iter().flatten().collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use StreamKind::{Closed, Other, Terminal};

    fn wiring(streams: [StreamKind; 3]) -> Wiring {
        let input_shows_output = streams[0] == Terminal && streams[1] == Terminal;
        let outputs_are_one = streams[1] == Terminal && streams[2] == Terminal;
        Wiring::new(CallerStreams { streams, input_shows_output, outputs_are_one })
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
            let outside = CallerStreams { streams, input_shows_output: false, outputs_are_one };
            let channels = Wiring::new(outside).channels.len();
            assert_eq!(channels, if outputs_are_one { 1 } else { 2 });
        }
    }
}
