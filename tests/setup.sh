#!/bin/sh
# Makes tests/.venv with the Python packages of tests/requirements.txt. The tests that need Python
# run this themselves; it can also be run by hand, at any time and by several processes at once.
set -eu

python=${PYTHON:-python3}
if ! command -v "$python" > /dev/null; then
    echo "tests/setup.sh: $python is not installed" >&2
    echo "hint: on Debian: apt-get install python3 python3-venv; or name one with PYTHON=…" >&2
    exit 1
fi
exec "$python" -I "$(dirname "$0")/setup.py" < /dev/null
