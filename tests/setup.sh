#!/usr/bin/env bash
# Makes tests/.venv with the Python packages of tests/requirements.txt: what the second reader needs, and
# the commands that the tests of `exec` wrap. Does nothing when it is there already.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

python=${PYTHON:-python3}
# The stamp also names the interpreter: a virtual environment does not survive an upgrade of it.
stamp=$("$python" - requirements.txt <<'PY'
import hashlib, sys
print(hashlib.sha256(open(sys.argv[1], "rb").read()).hexdigest(), *sys.version_info[:3])
PY
)
if [[ -x .venv/bin/python && "$(cat .venv/stamp 2>/dev/null)" == "$stamp" ]]; then
    echo "tests/.venv is up to date"
    exit 0
fi

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "tests/setup.sh: needs Python 3.11 or newer; name one with PYTHON=…" >&2
    exit 1
fi
echo "making tests/.venv with $("$python" --version)"
rm -rf .venv
"$python" -m venv .venv || {
    echo "tests/setup.sh: could not make a virtual environment; on Debian: apt-get install python3-venv" >&2
    exit 1
}
echo "installing tests/requirements.txt"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement requirements.txt
echo "$stamp" > .venv/stamp
echo "tests/.venv is ready"
