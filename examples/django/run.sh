#!/usr/bin/env bash
# A Django project whose secrets exist only in its vault, from the first `vault init` to a request
# that its server answers. Works in a temporary folder, which it removes.
#
# Needs Rust, git, and python3 with venv (or another Python, named in PYTHON). It can be run from any
# folder, any number of times.
set -euo pipefail

readonly STEPS=9
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
python=${PYTHON:-python3}
number=0
server=

say() { # prints one line at the start of each step
    number=$((number + 1))
    printf '\n[%d/%d] %s\n' "$number" "$STEPS" "$*"
}

note() { printf '      %s\n' "$*"; }

fail() {
    printf '\nFAILED in step %d: %s\n' "$number" "$*" >&2
    exit 1
}

run() { # shows a command, then runs it
    printf '      $ %s\n' "$*"
    "$@" 2>&1 | indent || fail "that command failed"
}

need() { # PROGRAM HINT
    command -v "$1" > /dev/null || fail "$1 is not installed ($2)"
}

build_vault() { # prints the path of the binary, which depends on the caller's settings of cargo
    (cd "$root" && cargo build --locked --quiet --message-format=json-render-diagnostics) |
        sed -n 's|.*"executable":"\([^"]*/vault\)".*|\1|p'
}

indent() { sed 's/^/        /'; }

ci() { # for a subshell: becomes a command in the clone, with the credential as the only key
    cd "$work/clone" && export HOME="$work/runner" VAULT_KEY="$credential" && exec "$@"
}

run_ci() {
    printf '      $ %s\n' "$*"
    ci "$@" 2>&1 | indent || fail "that command failed"
}

names_with_values() { # prints the files that contain one of the values on standard input
    local values
    values=$(cat)
    [ -n "$values" ] || fail "there is nothing to search for"
    # The values are not on a command line, where other users could see them. Packed objects of git
    # are unpacked and searched too.
    grep -rlaF -f <(printf '%s\n' "$values") "$work" || true
    local repository
    for repository in project clone; do
        if git -C "$work/$repository" cat-file --batch --batch-all-objects 2>/dev/null |
            grep -qaF -f <(printf '%s\n' "$values"); then
            echo "git history of $repository"
        fi
    done
}

clean_up() {
    if [ -n "$server" ]; then
        kill -KILL "$server" 2>/dev/null || true
    fi
    rm -rf "$work"
}

work=$(mktemp -d "${TMPDIR:-/tmp}/vault-django.XXXXXX")
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

say "Build vault (the first time takes a few minutes) and a virtual environment with Django."
need cargo "https://rustup.rs"
need git "on Debian: apt-get install git"
need "$python" "on Debian: apt-get install python3 python3-venv; or name one with PYTHON=…"
note '$ cargo build      (also what `cargo test` uses)'
vault=$(build_vault) || fail "vault could not be built"
PATH="$(dirname "$vault"):$PATH"
"$python" -m venv "$work/venv" ||
    fail "$python has no venv; on Debian: apt-get install python3-venv"
run "$work/venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
export PATH="$work/venv/bin:$PATH"
note "$(vault --version), Django $(python -m django --version)"

# From here on, the caller's own settings, keys, and repositories have no influence.
for name in ${!VAULT_@} ${!DJANGO_@} ${!EMAIL_@} ${!GIT_@} ${!XDG_@}; do unset "$name"; done
export HOME="$work/laptop" GIT_CONFIG_NOSYSTEM=1 PYTHONDONTWRITEBYTECODE=1
# Otherwise `vault init` would put the key of this example into the caller's own keyring.
export CI=true
mkdir "$HOME" "$work/runner"

say "A project in a git repository of its own, with a vault: your key is made on your laptop."
mkdir "$work/project"
cp -R "$here/manage.py" "$here/ci" "$here/shop" "$here/visits" "$here/vault.toml" "$here/.gitignore" \
    "$here/requirements.txt" "$work/project"
cd "$work/project"
git init --quiet --initial-branch=main
git config user.name Alice
git config user.email alice@example.com
run vault init --name alice

say "Bring in the .env file that every laptop had, and delete it."
python - > .env <<'PYTHON'
import secrets
print("# handed from laptop to laptop")
print(f"EMAIL_HOST_PASSWORD='{secrets.token_urlsafe(24)}'")
PYTHON
run vault import .env
run vault copy EMAIL_HOST_PASSWORD --from development --to production
[ "$(vault get EMAIL_HOST_PASSWORD | names_with_values)" = "$work/project/.env" ] ||
    fail "the value is in other files than .env"
rm .env
note "(.env was the only file that held the value: a search through all files found it, and only it)"

say "A secret key for each environment, generated; nobody has seen either. Then commit."
run vault set DJANGO_SECRET_KEY --generate=django -e development -e production
run vault set DEPLOY_TOKEN --generate -e production
run vault list -e development -e production
run git add --all
run git commit --quiet --message "The shop, with its vault"

say "A credential for CI. It can read production, nothing else."
note '$ vault ci add github-production -e production      (prints what goes into VAULT_KEY)'
credential=$(vault ci add github-production -e production --quiet)
run git add .vault
run git commit --quiet --message "CI may read production"

say "CI: a fresh clone, an empty HOME, no key. A step without VAULT_KEY must not run."
HOME="$work/runner" git clone --quiet --no-local "$work/project" "$work/clone"
note '$ vault exec -q -- python manage.py check'
status=0
answer=$(cd "$work/clone" && HOME="$work/runner" vault exec -q -- python manage.py check 2>&1) ||
    status=$?
printf '%s\n' "$answer" | indent
[ "$status" -eq 121 ] || fail "without a key the status is $status, not 121 (locked)"
note "(status 121: locked, and no process was started)"

say "The same with VAULT_KEY: check, test, migrate, collect static files."
note "(-q: vault adds no notice of its own)"
run_ci vault exec -q -- python manage.py check --deploy --fail-level WARNING
run_ci vault exec -q -- python manage.py test --verbosity 0
run_ci vault exec -q -- python manage.py migrate --verbosity 0
run_ci vault exec -q -- python manage.py collectstatic --noinput
[ -s "$work/clone/data/db.sqlite3" ] || fail "migrate made no database"
[ -s "$work/clone/static/admin/css/base.css" ] || fail "collectstatic collected nothing"

say "Serve a request, and stop the server."
note '$ vault exec -q -- python manage.py runserver --noreload 127.0.0.1:0'
mkfifo "$work/log"
# This subshell becomes vault, so the signal below is sent to vault.
ci vault exec -q -- python -u manage.py runserver --noreload 127.0.0.1:0 > "$work/log" 2>&1 &
server=$!
address=
log=
exec 3< "$work/log"
rm "$work/log"
while IFS= read -r line <&3; do
    log+="$line"$'\n'
    case $line in
        *"server at http://"*) address=${line##* at } && break ;;
    esac
done
[ -n "$address" ] || fail "the server did not start: $log"
run_ci vault exec -q -- python - "$address" <<'PYTHON'
"""Sends a request as the proxy would, and checks the receipt's signature with the key."""
import json
import os
import sys
import urllib.request

from django.core import signing

headers = {"Host": "shop.example.com", "X-Forwarded-Proto": "https"}
request = urllib.request.Request(sys.argv[1], headers=headers)
with urllib.request.urlopen(request, timeout=60) as response:
    answer = json.load(response)
key = os.environ["DJANGO_SECRET_KEY"]
number = signing.loads(answer["receipt"], key=key, fallback_keys=[], salt="receipt")
assert number == answer["visit"] == 1, "the receipt does not hold"
print(f"{response.status} {response.reason}, visit {number}; its receipt was signed with the key")
PYTHON
kill -TERM "$server"
status=0
wait "$server" || status=$?
server=
[ "$status" -eq 143 ] || fail "the server ended with $status, not by SIGTERM"
python - "$address" <<'PYTHON' || fail "something still listens at $address"
import socket
import sys
from urllib.parse import urlsplit

address = urlsplit(sys.argv[1])
with socket.socket() as client:
    sys.exit(client.connect_ex((address.hostname, address.port)) == 0)
PYTHON
log+=$(cat <&3)
exec 3<&-
note "(SIGTERM reached the server: it is gone)"

say "The values are in the vault, encrypted, and nowhere else."
found=$(printf '%s' "$log" | grep -caF -f <(vault get DJANGO_SECRET_KEY -e production) || true)
[ "$found" -eq 0 ] || fail "the server's log holds the key"
for environment in development production; do
    for name in DJANGO_SECRET_KEY EMAIL_HOST_PASSWORD; do
        found=$(vault get "$name" -e "$environment" | names_with_values)
        [ -z "$found" ] || fail "$name of $environment is in the clear in: $found"
    done
done
found=$(printf '%s' "$credential" | names_with_values)
[ -z "$found" ] || fail "the credential is in: $found"
note "searched: both repositories with their git history, both HOMEs, the database, static files, logs"
run vault verify

printf '\nAll %d steps went well; the temporary folder is removed.\n' "$STEPS"
