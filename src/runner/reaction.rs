//! What a signal that reached us means for the command: a pure function.

use super::wiring::Layout;
use crate::platform::{ReceivedSignal, Sender, Signal};

/// The signals that are caught: those that a command must see, and the end of children.
pub(super) fn caught_signals() -> Vec<Signal> {
    let others =
        [Signal::TTIN, Signal::TTOU, Signal::TSTP, Signal::CONT, Signal::WINCH, Signal::CHLD];
    Signal::ENDING.iter().copied().chain(others).collect()
}

/// Whether a terminal sends this signal, and then to everyone in its foreground.
fn comes_from_terminal(signal: Signal) -> bool {
    [
        Signal::HUP,
        Signal::INT,
        Signal::QUIT,
        Signal::TSTP,
        Signal::TTIN,
        Signal::TTOU,
        Signal::CONT,
        Signal::WINCH,
    ]
    .contains(&signal)
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reaction {
    /// The command has it already, or it is no business of the command's.
    Ignore,
    /// See what became of children.
    CheckChildren,
    /// Send it to the command.
    Forward,
    /// Send it to the command's process group, as the terminal would have.
    ForwardToGroup,
    /// Give the new size to the terminals inside; each tells its own readers.
    Resize,
    /// The same, and tell the command, which no terminal inside can.
    ResizeAndForward,
    /// Take the terminal again and let the command go on.
    Resume,
    /// The terminal wants us to stop, not the command.
    Stop,
}

/// Where we are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placement {
    pub(super) layout: Layout,
    /// This process and, where it is our child, the command.
    pub(super) own: i32,
    pub(super) command: Option<i32>,
    /// Whether this process leads the caller's session.
    pub(super) leads_session: bool,
    /// Whether a terminal inside must be kept at the size of the outer one.
    pub(super) has_pty: bool,
}

pub(super) fn react(received: ReceivedSignal, placement: &Placement) -> Reaction {
    if received.signal == Signal::CHLD {
        return Reaction::CheckChildren;
    }
    match (placement.layout, received.sender) {
        // What we or the command sent to the whole group has reached the command.
        (_, Sender::Process(sender))
            if sender == placement.own || Some(sender) == placement.command =>
        {
            Reaction::Ignore
        }
        (Layout::Direct, sender) => react_direct(received.signal, sender, placement),
        (Layout::Session, sender) => react_in_session(received.signal, sender),
    }
}

/// The terminal is the command's too, so what comes from there has reached it.
fn react_direct(signal: Signal, sender: Sender, placement: &Placement) -> Reaction {
    match (signal, sender) {
        // By the time it asks for the size, the terminal inside must have it.
        (Signal::WINCH, _) if placement.has_pty => Reaction::ResizeAndForward,
        // The kernel tells only the leader of a session that the terminal is gone.
        (Signal::HUP, Sender::Kernel) if placement.leads_session => Reaction::Forward,
        (_, Sender::Kernel) if comes_from_terminal(signal) => Reaction::Ignore,
        // From a process, or a timer or a limit that the caller set before it started us.
        _ => Reaction::Forward,
    }
}

/// The command is in another session, so nothing from outside reaches it but through us.
fn react_in_session(signal: Signal, sender: Sender) -> Reaction {
    match (signal, sender) {
        (Signal::CONT, _) => Reaction::Resume,
        (Signal::WINCH, Sender::Kernel) => Reaction::Resize,
        (Signal::WINCH, Sender::Process(_)) => Reaction::ResizeAndForward,
        // The terminal does not let us write or set modes from the background.
        (Signal::TTIN | Signal::TTOU, Sender::Kernel) => Reaction::Stop,
        (_, Sender::Kernel) if comes_from_terminal(signal) => Reaction::ForwardToGroup,
        _ => Reaction::Forward,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OTHER: Sender = Sender::Process(30);

    fn placement(layout: Layout) -> Placement {
        Placement { layout, own: 10, command: Some(20), leads_session: false, has_pty: false }
    }

    fn reaction(layout: Layout, signal: Signal, sender: Sender) -> Reaction {
        react(ReceivedSignal { signal, sender }, &placement(layout))
    }

    #[test]
    fn signal_from_the_terminal_is_not_sent_twice() {
        for signal in [Signal::INT, Signal::QUIT, Signal::TSTP, Signal::HUP, Signal::WINCH] {
            let nothing = reaction(Layout::Direct, signal, Sender::Kernel);
            assert_eq!(nothing, Reaction::Ignore, "{signal:?}");
        }
        for signal in [Signal::INT, Signal::QUIT, Signal::TSTP, Signal::HUP] {
            let group = reaction(Layout::Session, signal, Sender::Kernel);
            assert_eq!(group, Reaction::ForwardToGroup, "{signal:?}");
        }
    }

    #[test]
    fn signal_is_forwarded_except_from_the_command() {
        let all = caught_signals().into_iter().filter(|signal| *signal != Signal::CHLD);
        for signal in all {
            assert_eq!(reaction(Layout::Direct, signal, OTHER), Reaction::Forward);
            for sender in [10, 20] {
                let nothing = reaction(Layout::Direct, signal, Sender::Process(sender));
                assert_eq!(nothing, Reaction::Ignore);
            }
        }
    }

    #[test]
    fn signal_from_a_timer_or_limit_is_forwarded() {
        for layout in [Layout::Direct, Layout::Session] {
            assert_eq!(reaction(layout, Signal::ALRM, Sender::Kernel), Reaction::Forward);
        }
    }

    #[test]
    fn session_leader_forwards_the_hangup() {
        let placement = Placement { leads_session: true, ..placement(Layout::Direct) };
        let gone = ReceivedSignal { signal: Signal::HUP, sender: Sender::Kernel };
        assert_eq!(react(gone, &placement), Reaction::Forward);
    }
}
