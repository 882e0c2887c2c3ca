"""Makes tests/.venv with the packages of tests/requirements.txt, unless it exists.

Start it through tests/setup.sh. Any number of processes can run this at the same time: one makes
the environment, and the others wait for it. The stamp is written last, so an environment without a
stamp is incomplete (because of a kill, or a full disk) and is made again.
"""

import fcntl
import hashlib
import os
import pathlib
import subprocess
import sys

TESTS = pathlib.Path(__file__).resolve().parent
REQUIREMENTS = TESTS / "requirements.txt"
VENV = TESTS / ".venv"
STAMP = VENV / "stamp"
OLDEST = (3, 11)


def main():
    if sys.version_info < OLDEST:
        fail(
            f"Python {sys.version.split()[0]} is too old: 3.11 or newer is needed",
            "name a newer one with PYTHON=…",
        )
    if not is_ready():
        lock = locked()
        if not is_ready():
            make()
        os.close(lock)


def wanted():
    """Returns the content of the stamp. An environment survives neither a move nor a new Python."""
    requirements = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    return f"{requirements} {sys.version.split()[0]} {VENV}\n"


def is_ready():
    # If the stamp is not a readable file, there is no environment.
    try:
        return STAMP.read_text() == wanted() and os.access(VENV / "bin/python", os.X_OK)
    except (OSError, ValueError):
        return False


def locked():
    """Locks the folder. pip inherits the lock: if only this process is killed, no other process
    starts before pip has ended."""
    lock = os.open(TESTS, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say("waiting for another process, which makes tests/.venv")
        fcntl.flock(lock, fcntl.LOCK_EX)
    os.set_inheritable(lock, True)
    return lock


def make():
    say(f"making tests/.venv with Python {sys.version.split()[0]} (once; takes up to a minute)")
    if VENV.is_dir():
        STAMP.unlink(missing_ok=True)
    if not runs([sys.executable, "-I", "-m", "venv", "--clear", str(VENV)]):
        fail(
            "could not make a virtual environment",
            "on Debian: apt-get install python3-venv",
        )
    python = str(VENV / "bin/python")
    pip = [python, "-I", "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input"]
    if not runs([*pip, "install", "--requirement", str(REQUIREMENTS)]):
        fail(
            "could not install tests/requirements.txt",
            "the first run needs PyPI, or a mirror in PIP_INDEX_URL; then run tests/setup.sh again",
        )
    new = VENV / "stamp.new"
    new.write_text(wanted())
    new.rename(STAMP)


def runs(command):
    return subprocess.run(command, stdout=sys.stderr, close_fds=False).returncode == 0


def say(line):
    print(line, file=sys.stderr, flush=True)


def fail(message, hint):
    say(f"tests/setup.sh: {message}\nhint: {hint}")
    sys.exit(1)


main()
