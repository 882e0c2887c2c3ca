#!/usr/bin/env python3
"""A second reader of vaults, written only from docs/reference/format.md.

    reader.py --vault DIR [--id ID[@TAG]] [--identity-file FILE] [--environment ENV]

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

from agefiles import check_header
from crypto import Refused, fingerprint, framed, require
from keys import Holder, Key, Locked, Pin, read_key_file
from text import bare, decoded, label, read_entry, read_request, secret_name
from vault import Vault

LARGEST_ROOT, LARGEST_ENTRY, LARGEST_MEMBER, LARGEST_REQUEST = (
    16 << 20,
    2 << 20,
    1 << 20,
    16 << 10,
)
MOST_ENTRIES, MOST_MEMBERS, MOST_REQUESTS = 20_000, 2_000, 1_000


# --- Files ----------------------------------------------------------------------------------------


class Folder:
    """An open folder. Symbolic links below it are not followed."""

    def __init__(self, path: str, parent: int | None = None):
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
        self.handle = os.open(path, flags, dir_fd=parent)

    def __del__(self):
        if hasattr(self, "handle"):
            os.close(self.handle)

    def files(self, folder: str, most: int) -> "tuple[Folder | None, list[str]]":
        """Returns a folder in this one, and the names in it."""
        try:
            found = Folder(folder, self.handle)
        except FileNotFoundError:
            return None, []
        names = [name for name in sorted(os.listdir(found.handle)) if not name.startswith(".")]
        require(len(names) <= most, f"{folder}: has too many files")
        return found, names

    def read(self, name: str, limit: int) -> bytes:
        handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=self.handle)
        with open(handle, "rb") as file:
            require(stat.S_ISREG(os.fstat(handle).st_mode), f"{name}: is not a regular file")
            content = file.read(limit + 1)
        require(len(content) <= limit, f"{name}: is too large")
        return content


# --- The order of checks --------------------------------------------------------------------------


def check_vault(store: Folder, pins: list[Pin]) -> Vault:
    """Steps 1 to 3, with all members' files."""
    vault = Vault(store.read("root.toml", LARGEST_ROOT), [pin.id for pin in pins])
    for pin in pins:
        pin.check(vault)
    folder, files = store.files("members", MOST_MEMBERS)
    for file in files:
        name = file.removesuffix(".toml")
        try:
            require(file.endswith(".toml"), f"members/{file}: is not the file of a member")
            vault.add_file(label(name), folder.read(file, LARGEST_MEMBER))
        except (Refused, OSError) as reason:
            vault.uncounted[name] = str(reason)
    return vault


def check_entries(store: Folder, vault: Vault, environment: str) -> dict[str, dict]:
    """Step 4. Returns every entry by its name, each with the commitment of its epoch."""
    folder, files = store.files(environment, MOST_ENTRIES)
    require(len({file.lower() for file in files}) == len(files), "names differ in case only")
    entries = {}
    for file in files:
        require(file.endswith(".toml"), f"{file!r}: is not an entry")
        name = secret_name(file.removesuffix(".toml"))
        entries[name] = check_entry(vault, environment, name, folder.read(file, LARGEST_ENTRY))
    return entries


def check_entry(vault: Vault, environment: str, name: str, file: bytes) -> dict:
    entry = read_entry(environment, name, file)
    signer, number = entry.fields["signer"], entry.fields["epoch"]
    require(
        vault.access(signer, environment) == "write",
        f"{entry.path}: is signed by {signer}, who cannot write here",
    )
    key = decoded(vault.members[signer]["signer"])
    reason = Refused(f"{entry.path}: the root does not list its epoch")
    for epoch in vault.environments[environment]:
        if epoch["number"] == number:
            try:
                commitment = decoded(epoch["commitment"])
                signed = entry.path, entry.body, entry.signature
                vault.check_signature(*signed, "vault/v1/entry", key, commitment)
                return entry.fields | {"commitment": epoch["commitment"]}
            except Refused as again:
                reason = again
    raise reason


def check_requests(store: Folder, vault: Vault) -> dict[str, str | None]:
    """Returns the fingerprint of each request to join, or None if a request violates the page.
    Requests are not part of the vault, so an invalid one is not an error."""
    folder, files = store.files("requests", MOST_REQUESTS)
    return {file: check_request(vault, file, folder) for file in files}


def check_request(vault: Vault, file: str, folder: Folder) -> str | None:
    try:
        request = read_request(file.removesuffix(".toml"), folder.read(file, LARGEST_REQUEST))
        fields, signed = request.fields, (request.path, request.body, request.signature)
        require(fields["vault"] == vault.root["vault"], "is for another vault")
        check_header(decoded(fields["signing_key"]), bare(fields["recipient"]))
        vault.check_signature(*signed, "vault/v1/request", decoded(fields["signer"]))
        vault.check_not_former(fields)
        for name, member in vault.members.items():
            require(
                name == fields["name"] or member["recipient"] != fields["recipient"],
                f"has the recipient of {name}",
            )
        return fingerprint(framed("vault/v1/join", vault.id, request.path, request.body))
    except (Refused, OSError):
        return None


# --- The command ----------------------------------------------------------------------------------


def read_vault(store: Folder, key: Key | None, pins: list[Pin], only: str | None) -> dict:
    """Checks everything in the order of the page, and decrypts only after that."""
    vault = check_vault(store, pins)
    names = [only] if only else sorted(vault.environments)
    require(set(names) <= vault.environments.keys(), "there is no such environment")
    if key and not pins:
        raise Locked("this vault is not trusted yet: add --id " + bare(vault.root["vault"]))
    checked = {name: check_entries(store, vault, name) for name in names}
    result = {
        "vault": bare(vault.root["vault"]),
        "revision": vault.root["revision"],
        "revocations": vault.root["revocations"],
        "trusted": bool(pins),
        "members": sorted(vault.members),
        "uncounted": vault.uncounted,
        "newer": [name for name in sorted(vault.members) if vault.is_newer(vault.members[name])],
        "former": sorted(vault.former),
        "lost": lost_of(vault),
        "leftovers": {n: found for n in sorted(vault.members) if (found := vault.leftovers(n))},
        "sealed_to_others": sealed_to_others(vault),
        "requests": check_requests(store, vault),
        "facts": {name: facts_of(vault, name, checked[name]) for name in names},
    }
    return result | (open_vault(vault, key, checked) if key else {})


def facts_of(vault: Vault, environment: str, entries: dict[str, dict]) -> dict:
    fields = ("epoch", "origin", "revision", "author", "signer")
    return {
        "epochs": [epoch["number"] for epoch in vault.environments[environment]],
        "access": {name: vault.access(name, environment) for name in vault.readers(environment)},
        "given": vault.newest(environment)["given"],
        "hidden": vault.hidden(environment),
        "cannot_read_yet": vault.cannot_read_yet(environment),
        "entries": {
            name: {field: entry[field] for field in fields} for name, entry in entries.items()
        },
        "removed": [name for name, entry in entries.items() if "removed" in entry],
    }


def lost_of(vault: Vault) -> dict:
    records = vault.root.get("members", {}) | vault.former
    return {name: record["lost"] for name, record in records.items() if "lost" in record}


def sealed_to_others(vault: Vault) -> list[str]:
    """Returns the sealed fields that break the rule of one recipient."""
    found = []
    for name, member in sorted(vault.members.items()):
        fields = {field: member[field] for field in ("signing_key", "authority") if field in member}
        for environment, keys in member.get("sealed", {}).items():
            fields |= {f"sealed.{environment}.{commitment}": it for commitment, it in keys.items()}
        for field, sealed in fields.items():
            try:
                check_header(decoded(sealed), bare(member["recipient"]))
            except Refused:
                found.append(f"members/{name}.toml: {field}")
    return found


def open_vault(vault: Vault, key: Key, checked: dict[str, dict]) -> dict:
    holder = Holder(vault, key)
    holder.check_seeds()
    values, closed = {}, {}
    for name, entries in checked.items():
        if vault.access(holder.name, name) is not None and (
            key.environments is None or name in key.environments
        ):
            values[name], closed[name] = holder.open(name, entries)
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
    parser.add_argument("--id", help="the id to trust, vault1…, with @TAG or without")
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
