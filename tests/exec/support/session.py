"""Becomes a program in its own session, with the given terminal.

session.py TERMINAL PROGRAM ARGUMENT…
"""

import os
import signal
import sys

os.setsid()
# The first terminal that the leader of a session opens becomes the terminal of the session.
os.close(os.open(sys.argv[1], os.O_RDWR))
# Python ignores these signals.
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
os.execvp(sys.argv[2], sys.argv[2:])
