"""Runs a program at a terminal of its own and ends as it did.

What the program shows goes to standard output; what comes from standard input is typed. A NUL byte
is not typed: it waits until the terminal hides what is typed.
"""

import os
import pty
import select
import signal
import sys
import termios


def is_hidden(terminal):
    return not termios.tcgetattr(terminal)[3] & termios.ECHO


def main():
    pid, terminal = pty.fork()
    if pid == 0:
        # As in a terminal window, even if the tests run in the background and ignore some.
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        os.execvp(sys.argv[1], sys.argv[1:])
    sources, typed = [terminal, 0], b""
    while True:
        waits = typed.startswith(b"\0") and not is_hidden(terminal)
        ready, _, _ = select.select(sources, [], [], 0.005 if waits else None)
        if 0 in ready:
            more = os.read(0, 65536)
            typed += more
            if not more:
                sources.remove(0)
        if typed and not (typed.startswith(b"\0") and not is_hidden(terminal)):
            os.write(terminal, typed.lstrip(b"\0"))
            typed = b""
        if terminal in ready:
            try:
                shown = os.read(terminal, 65536)
            except OSError:
                break
            if not shown:
                break
            os.write(1, shown)
    status = os.waitpid(pid, 0)[1]
    sys.exit(os.waitstatus_to_exitcode(status) & 0xFF)


main()
