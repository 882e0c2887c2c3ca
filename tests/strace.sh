#!/usr/bin/env bash
# Checks with strace that `set` opens only one file for writing, the temporary file that becomes the
# entry, and that `get`, `exec`, `list`, and `verify` write nothing. Prints the calls it has seen.
# Usage: tests/strace.sh [PATH-OF-VAULT]
set -euo pipefail
vault=$(realpath "${1:-"$(dirname "${BASH_SOURCE[0]}")/../target/debug/vault"}")
command -v strace >/dev/null || { echo "tests/strace.sh: strace is missing" >&2; exit 1; }
# The user of a running vault cannot inspect it, and neither can that user's strace.
[[ $(id -u) == 0 ]] || { echo "tests/strace.sh: only root can inspect a vault" >&2; exit 77; }

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
export HOME=$root/home
unset VAULT_KEY VAULT_KEY_FILE VAULT_KEY_COMMAND VAULT_ID VAULT_DIR VAULT_ENVIRONMENT
mkdir "$HOME" "$root/repo"
cd "$root/repo"
git init --quiet
"$vault" init --quiet --name alice
printf first | "$vault" set --quiet KEY

# Every call that can make, change, move, or remove a file, or write to a descriptor.
calls=openat,open,creat,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,link,linkat
calls+=,symlink,symlinkat,truncate,ftruncate,write,writev,pwrite64,sendfile,copy_file_range
value="canary value of the trace"
trace() { strace -f -y -s 64 -e "trace=$calls" -o "$root/trace" "$@"; }
# Files opened for writing, made, moved, or removed; and writes to anything except the streams.
changes() { grep -E 'O_WRONLY|O_RDWR|O_CREAT|creat\(|rename|unlink|mkdir|link' "$root/trace" || true; }
written() { grep -E '^[0-9]+ +p?writev?(64)?\([3-9]' "$root/trace" || true; }
show() { sed -e "s|$root|…|g" -e 's/^/    /'; }

failed=0
expect() { # NAME PATTERN...: checks that the changes are exactly these, in this order
    local name=$1 at=0
    shift
    echo "$name:"
    { changes; written; } | show
    while IFS= read -r line; do
        at=$((at + 1))
        [[ $line =~ ${!at:-^nothing$} ]] || { echo "    UNEXPECTED: $line"; failed=1; }
    done < <(changes; written)
    [[ $at == $# ]] || { echo "    expected $# calls, saw $at"; failed=1; }
    if grep -F "$value" "$root/trace" | grep -vE 'write\(1<' ; then
        echo "    the value was written"; failed=1
    fi
}

printf %s "$value" | trace "$vault" set --quiet KEY
temporary='\.vault/tmp>?'
expect "vault set KEY" \
    'mkdirat\(.*"tmp"' 'mkdirat\(.*"development".*EEXIST' \
    'openat\(.*tmp>, "[0-9a-f]{16}", O_WRONLY\|O_CREAT\|O_EXCL' \
    'renameat\(.*tmp>, "[0-9a-f]{16}", .*development>, "KEY.toml"' \
    'write\([0-9]+<.*/\.vault/tmp/[0-9a-f]{16}>, "# KEY in development'
trace "$vault" get KEY >/dev/null
expect "vault get KEY"
trace "$vault" list >/dev/null
expect "vault list"
trace "$vault" verify >/dev/null
expect "vault verify"
trace "$vault" exec --no-mask -- true
expect "vault exec -- true"
exit "$failed"
