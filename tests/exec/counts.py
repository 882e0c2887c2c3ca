"""Writes its pid, and then the name of each signal it gets, to a file. Ends on SIGTERM.

counts.py FILE
"""

import os
import signal
import sys

NAMES = (
    "HUP INT QUIT TERM USR1 USR2 TTIN TTOU WINCH CONT TSTP ABRT ALRM VTALRM PROF IO PWR XCPU"
).split()

log = os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY | os.O_APPEND)
reader, writer = os.pipe()
os.set_blocking(writer, False)
signal.set_wakeup_fd(writer)
for name in NAMES:
    number = getattr(signal, "SIG" + name)
    # A signal that the caller ignores stays ignored.
    if signal.getsignal(number) != signal.SIG_IGN:
        signal.signal(number, lambda number, frame: None)
os.write(log, b"%d\n" % os.getpid())
while True:
    for number in os.read(reader, 64):
        name = signal.Signals(number).name
        os.write(log, b"%s\n" % name.encode())
        if name == "SIGTERM":
            sys.exit(7)
