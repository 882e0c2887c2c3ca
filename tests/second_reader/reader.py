#!/usr/bin/env python3
"""A second reader of vaults, written only from docs/reference/format.md.

    reader.py --vault DIR [--id ID[@FLOOR]] [--identity-file FILE] [--environment ENV]

checks the vault in DIR and prints, as JSON, every value that the identity can open, in base64.
FILE contains an age identity or a credential, which has its own pin. Without FILE, it checks
everything that can be checked without a key. Exit status: 0; 2 usage; 3 locked; 4 refused.

It is a reference, not a tool: it is slow, and does not wipe memory.
"""

import argparse
import json
import os
import stat
import sys

from crypto import Refused, b64, fingerprint, framed, read_id, require, sha256, unb64, verify
from keys import Holder, Key, Locked, Pin, read_key_file
from text import Signed, epoch_of, read_entry, read_environment, read_request, read_roster
from text import secret_name

LARGEST_FILE, LARGEST_ENTRY, LARGEST_REQUEST = 16 << 20, 2 << 20, 16 << 10
MOST_ENTRIES = 20_000


# --- Files ----------------------------------------------------------------------------------------


class Folder:
    """An open folder. Symbolic links below it are not followed."""

    def __init__(self, path: str, parent: int | None = None):
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
        self.handle = os.open(path, flags, dir_fd=parent)

    def folder(self, name: str) -> "Folder | None":
        try:
            return Folder(name, self.handle)
        except FileNotFoundError:
            return None

    def names(self) -> list[str]:
        return sorted(os.listdir(self.handle))

    def read(self, name: str, limit: int = LARGEST_FILE) -> bytes:
        handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=self.handle)
        with open(handle, "rb") as file:
            require(stat.S_ISREG(os.fstat(handle).st_mode), f"{name}: is not a regular file")
            content = file.read(limit + 1)
        require(len(content) <= limit, f"{name}: is too large")
        return content


# --- The order of checks --------------------------------------------------------------------------


def check_roster(store: Folder, pins: list[Pin]) -> Signed:
    """Steps 1 and 2."""
    roster = read_roster(store.read("members.toml"))
    vault = read_id(roster.fields["vault"])
    check_signature(roster, "vault/v1/roster", vault, vault)
    for pin in pins:
        require(vault == pin.vault, "members.toml: belongs to a different vault than the pinned one")
        require(
            roster.fields["floor"] >= pin.floor, "members.toml: its floor is below the pinned one"
        )
    return roster


def check_environment(store: Folder, roster: dict, name: str) -> Signed:
    """Step 3."""
    listed = roster["environments"][name]
    file = store.read(f"{name}.toml")
    environment = read_environment(name, file)
    vault = read_id(roster["vault"])
    check_signature(environment, "vault/v1/environment", vault, vault)
    revision = environment.fields["revision"]
    require(revision >= listed["revision"], f"{name}.toml: is older than the roster says")
    require(
        revision > listed["revision"] or b64(sha256(file)) == listed["sha256"],
        f"{name}.toml: is not the file that the roster lists",
    )
    for member in environment.fields["epochs"][0]["sealed"]:
        access = roster["members"].get(member, {}).get("access", {})
        require(name in access, f"{name}.toml: is sealed to {member}, who has no access")
    return environment


def check_entries(store: Folder, roster: dict, environment: dict) -> dict[str, dict]:
    """Step 4. Returns every entry by its name."""
    folder = store.folder(environment["environment"])
    files = [file for file in folder.names() if not file.startswith(".")] if folder else []
    require(len(files) <= MOST_ENTRIES, "there are too many entries")
    require(len({file.lower() for file in files}) == len(files), "names differ in case only")
    entries = {}
    for file in files:
        require(file.endswith(".toml"), f"{file!r}: is not an entry")
        name = secret_name(file.removesuffix(".toml"))
        entries[name] = check_entry(roster, environment, name, folder.read(file, LARGEST_ENTRY))
    return entries


def check_entry(roster: dict, environment: dict, name: str, file: bytes) -> dict:
    entry = read_entry(environment["environment"], name, file)
    epoch = epoch_of(environment, entry.fields["epoch"])
    require(epoch, f"{entry.path}: is of an epoch that the environment does not have")
    signer = roster["members"].get(entry.fields["signer"], {"access": {}})
    require(
        signer["access"].get(environment["environment"]) == "write",
        f"{entry.path}: is signed by {entry.fields['signer']}, who may not write here",
    )
    commitment = unb64(epoch["commitment"])
    check_signature(
        entry, "vault/v1/entry", read_id(roster["vault"]), unb64(signer["signer"]), commitment
    )
    return entry.fields


def check_requests(store: Folder, roster: dict) -> dict[str, str | None]:
    """Returns the fingerprint of each request to join, or None if a request violates the page.
    Requests are not part of the vault, so an invalid one is not an error."""
    folder = store.folder("requests")
    files = [file for file in folder.names() if not file.startswith(".")] if folder else []
    return {file: check_request(roster, file, folder) for file in files}


def check_request(roster: dict, file: str, folder: Folder) -> str | None:
    try:
        request = read_request(file.removesuffix(".toml"), folder.read(file, LARGEST_REQUEST))
        vault = read_id(roster["vault"])
        require(request.fields["vault"] == roster["vault"], "is for another vault")
        signer = unb64(request.fields["signer"])
        check_signature(request, "vault/v1/request", vault, signer)
        return fingerprint(framed("vault/v1/join", vault, request.path, request.body))
    except (Refused, OSError):
        return None


def check_signature(file: Signed, label: str, vault: bytes, key: bytes, *commitment: bytes) -> None:
    message = framed(label, vault, file.path, *commitment, file.body)
    require(verify(key, message, file.signature), f"{file.path}: does not match the signature of its signer")


# --- The command ----------------------------------------------------------------------------------


def read_vault(store: Folder, key: Key | None, pins: list[Pin], only: str | None) -> dict:
    """Checks everything in the order of the page, and decrypts only after that."""
    roster = check_roster(store, pins).fields
    names = [only] if only else sorted(roster.get("environments", {}))
    require(set(names) <= roster.get("environments", {}).keys(), "there is no such environment")
    if key and not pins:
        raise Locked("nobody has said that this is the right vault: add --id " + roster["vault"])
    checked = {}
    for name in names:
        environment = check_environment(store, roster, name).fields
        checked[name] = environment, check_entries(store, roster, environment)
    facts = {name: facts_of(roster, *checked[name]) for name in names}
    result = {
        "vault": roster["vault"],
        "revision": roster["revision"],
        "floor": roster["floor"],
        "trusted": bool(pins),
        "members": sorted(roster["members"]),
        "former": sorted(roster.get("former", {})),
        "requests": check_requests(store, roster),
        "facts": facts,
    }
    return result | (open_vault(roster, key, checked) if key else {})


def facts_of(roster: dict, environment: dict, entries: dict[str, dict]) -> dict:
    listed = roster["environments"][environment["environment"]]
    return {
        "revision": environment["revision"],
        "ahead": environment["revision"] > listed["revision"],
        "epochs": [epoch["number"] for epoch in environment["epochs"]],
        "entries": {
            name: {
                field: entry[field] for field in ("epoch", "origin", "revision", "author", "signer")
            }
            for name, entry in entries.items()
        },
        "removed": [name for name, entry in entries.items() if "removed" in entry],
    }


def open_vault(roster: dict, key: Key, checked: dict[str, tuple]) -> dict:
    holder = Holder(roster, key.identity)
    holder.check_seeds()
    values, closed = {}, {}
    for name, (environment, entries) in checked.items():
        if name in holder.member["access"] and (
            key.environments is None or name in key.environments
        ):
            values[name], closed[name] = holder.open(environment, entries)
    return {
        "member": holder.name,
        "admin": "admin" in holder.member,
        "access": holder.member["access"],
        "values": values,
        "closed": closed,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--vault", required=True, help="the folder that holds .vault")
    parser.add_argument("--id", help="the id to trust, vault1…, with @FLOOR or without")
    parser.add_argument("--identity-file", help="a file with an age identity or a credential")
    parser.add_argument("--environment", help="only this one")
    arguments = parser.parse_args()
    try:
        key = read_key_file(arguments.identity_file) if arguments.identity_file else None
        pins = [key.pin] if key and key.pin else []
        pins += [Pin.parse(arguments.id)] if arguments.id else []
        only = arguments.environment
        if only and key and key.environments is not None and only not in key.environments:
            raise Locked(f"the credential is for {', '.join(key.environments)}, not for {only}")
        store = Folder(os.path.join(arguments.vault, ".vault"))
        print(json.dumps(read_vault(store, key, pins, only), indent=2))
    except Locked as reason:
        print(f"locked: {reason}", file=sys.stderr)
        return 3
    except (Refused, OSError) as reason:
        print(f"refused: {reason}", file=sys.stderr)
        return 4
    return 0


if __name__ == "__main__":
    sys.exit(main())
