"""Becomes a program in a session of its own whose terminal is the one given.

session.py TERMINAL PROGRAM ARGUMENT…
"""

import os
import signal
import sys

os.setsid()
# The first terminal that the leader of a session opens becomes that session's own.
os.close(os.open(sys.argv[1], os.O_RDWR))
# Python ignores these.
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
os.execvp(sys.argv[2], sys.argv[2:])
