"""Runs a program as a shell runs a job, in its own process group, and reports when it stops.

job.py PROGRAM ARGUMENT…

Writes one line each to the file that JOB names: the job's pid, `stopped NAME` for each stop, and at
the end `code N` or `killed NAME`.
"""

import os
import signal
import sys


def main():
    log = os.open(os.environ["JOB"], os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    pid = os.fork()
    if pid == 0:
        os.close(log)
        os.setpgid(0, 0)
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        os.execvp(sys.argv[1], sys.argv[1:])
    os.write(log, b"%d\n" % pid)
    while True:
        status = os.waitpid(pid, os.WUNTRACED)[1]
        if os.WIFSTOPPED(status):
            line = "stopped " + signal.Signals(os.WSTOPSIG(status)).name
        elif os.WIFSIGNALED(status):
            line = "killed " + signal.Signals(os.WTERMSIG(status)).name
        else:
            line = "code %d" % os.WEXITSTATUS(status)
        os.write(log, line.encode() + b"\n")
        if not os.WIFSTOPPED(status):
            return


main()
