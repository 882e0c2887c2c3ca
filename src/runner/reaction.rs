//! What vault does with a signal that it received: a pure function.

use super::wiring::Layout;
use crate::platform::{ReceivedSignal, Sender, Signal};

/// Returns the signals that vault catches: those that a command must get, and SIGCHLD.
pub(super) fn caught_signals() -> Vec<Signal> {
    let others = [
        Signal::TTIN,
        Signal::TTOU,
        Signal::TSTP,
        Signal::CONT,
        Signal::WINCH,
        Signal::CHLD,
    ];
    Signal::ENDING.iter().copied().chain(others).collect()
}

/// Returns whether a terminal sends this signal. It then sends it to its whole foreground group.
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

/// What to do with a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reaction {
    /// Do nothing: the command already has the signal, or the signal does not concern it.
    Ignore,
    /// Check what became of children.
    CheckChildren,
    /// Send it to the command.
    Forward,
    /// Send it to the command's process group, as the terminal would have.
    ForwardToGroup,
    /// Give the new size to the inner terminals. They signal the processes that use them.
    Resize,
    /// Do the same and signal the command, because no inner terminal does.
    ResizeAndForward,
    /// Take the terminal again and let the command continue.
    Resume,
    /// Stop vault alone: the terminal's signal was meant for vault, not for the command.
    Stop,
}

/// Where vault and the command are: the facts that decide about a signal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placement {
    pub(super) layout: Layout,
    /// This process, and the command if it is a child of this process.
    pub(super) own: i32,
    pub(super) command: Option<i32>,
    /// Whether this process leads the caller's session.
    pub(super) leads_session: bool,
    /// Whether an inner terminal must be kept at the size of the outer one.
    pub(super) has_pty: bool,
}

pub(super) fn react(received: ReceivedSignal, placement: &Placement) -> Reaction {
    if received.signal == Signal::CHLD {
        return Reaction::CheckChildren;
    }
    match (placement.layout, received.sender) {
        // Vault or the command signaled the whole group, so the command already has it. Forwarding
        // it would deliver it twice, or echo the command's own signal.
        (_, Sender::Process(sender))
            if sender == placement.own || Some(sender) == placement.command =>
        {
            Reaction::Ignore
        }
        (Layout::Direct, sender) => react_direct(received.signal, sender, placement),
        (Layout::Session, sender) => react_in_session(received.signal, sender),
    }
}

/// Reacts in the caller's session: the command shares the terminal, so a signal from the terminal
/// has already reached it.
fn react_direct(signal: Signal, sender: Sender, placement: &Placement) -> Reaction {
    match (signal, sender) {
        // When the command asks for the size, the inner terminal must already have it.
        (Signal::WINCH, _) if placement.has_pty => Reaction::ResizeAndForward,
        // When the terminal is gone, the kernel signals only the leader of the session.
        (Signal::HUP, Sender::Kernel) if placement.leads_session => Reaction::Forward,
        (_, Sender::Kernel) if comes_from_terminal(signal) => Reaction::Ignore,
        // A process sent it, or a timer or limit that the caller set before starting vault.
        _ => Reaction::Forward,
    }
}

/// Reacts if the command is in another session, where every signal from outside must be forwarded.
fn react_in_session(signal: Signal, sender: Sender) -> Reaction {
    match (signal, sender) {
        (Signal::CONT, _) => Reaction::Resume,
        (Signal::WINCH, Sender::Kernel) => Reaction::Resize,
        (Signal::WINCH, Sender::Process(_)) => Reaction::ResizeAndForward,
        // The terminal does not let vault write or set modes from the background.
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
        Placement {
            layout,
            own: 10,
            command: Some(20),
            leads_session: false,
            has_pty: false,
        }
    }

    fn reaction(layout: Layout, signal: Signal, sender: Sender) -> Reaction {
        react(ReceivedSignal { signal, sender }, &placement(layout))
    }

    #[test]
    fn signal_from_the_terminal_is_not_sent_twice() {
        for signal in [
            Signal::INT,
            Signal::QUIT,
            Signal::TSTP,
            Signal::HUP,
            Signal::WINCH,
        ] {
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
        let all = caught_signals()
            .into_iter()
            .filter(|signal| *signal != Signal::CHLD);
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
            assert_eq!(
                reaction(layout, Signal::ALRM, Sender::Kernel),
                Reaction::Forward
            );
        }
    }

    #[test]
    fn session_leader_forwards_the_hangup() {
        let placement = Placement {
            leads_session: true,
            ..placement(Layout::Direct)
        };
        let gone = ReceivedSignal {
            signal: Signal::HUP,
            sender: Sender::Kernel,
        };
        assert_eq!(react(gone, &placement), Reaction::Forward);
    }
}
