#!/usr/bin/env python3
"""A second writer, from docs/reference/format.md, "Changes".

    writer.py --vault DIR --id ID --identity-file FILE set ENVIRONMENT NAME < VALUE
    writer.py --vault DIR --id ID --identity-file FILE remove-access MEMBER ENVIRONMENT
    writer.py --vault DIR --id ID --identity-file FILE remove-member MEMBER

`vault` must be able to open the files that it writes. It made the golden vault with older epochs
and former members.
"""

import argparse
import os
import secrets
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pyrage

from crypto import b64, commitment_of, entry_key_of, framed, read_id, require, seal_value, sha256
from crypto import sign, unb64, unseal
from keys import Holder, Pin, read_key_file, sealed_place
from reader import Folder, check_entries, check_environment, check_roster
from text import epoch_of, write_entry, write_environment, write_roster


class Writer:
    """A member who can write, and the checked vault that they write to."""

    def __init__(self, folder: Path, pin: Pin, identity: pyrage.x25519.Identity):
        self.path = folder / ".vault"
        self.store = Folder(str(self.path))
        self.roster = check_roster(self.store, [pin]).fields
        self.vault = read_id(self.roster["vault"])
        self.holder = Holder(self.roster, identity)
        self.holder.check_seeds()

    def set(self, environment_name: str, name: str, value: bytes) -> None:
        environment = check_environment(self.store, self.roster, environment_name).fields
        entries = check_entries(self.store, self.roster, environment)
        newest = environment["epochs"][0]["number"]
        revision = entries[name]["revision"] + 1 if name in entries else 1
        entry = {
            "format": 1,
            "epoch": newest,
            "origin": newest,
            "revision": revision,
            "changed": datetime.fromtimestamp(int(time.time()), UTC),
            "author": self.holder.name,
        }
        self.replace(*self.entry(environment, name, entry, value))

    def remove_access(self, name: str, environment_name: str) -> None:
        files = self.take(name, [environment_name])
        self.finish(files)

    def remove_member(self, name: str) -> None:
        files = self.take(name, list(self.roster["members"][name]["access"]))
        member = self.roster["members"].pop(name)
        former = {key: member[key] for key in ("recipient", "signer", "lost") if key in member}
        self.roster.setdefault("former", {})[name] = former
        self.finish(files)

    def take(self, name: str, environment_names: list[str]) -> list[tuple[str, bytes]]:
        """Returns the files of environments that a member can no longer open."""
        member, files = self.roster["members"][name], []
        require("admin" not in member, "taking admin makes a new authority")
        for environment_name in environment_names:
            environment = check_environment(self.store, self.roster, environment_name).fields
            entries = check_entries(self.store, self.roster, environment)
            values, closed = self.holder.open(environment, entries)
            require(not closed, "not every value can be opened")
            access = member["access"].pop(environment_name)
            names = {} if access in ("read", "write") else {"names": access}
            number = environment["epochs"][0]["number"]
            member.setdefault("lost", {})[environment_name] = {"epoch": number} | names
            self.start_epoch(environment, name)
            files.append(self.environment(environment))
            for entry_name, entry in entries.items():
                value = unb64(values[entry_name]) if entry_name in values else None
                files.append(
                    self.entry(environment, entry_name, entry | {"epoch": number + 1}, value)
                )
        return files

    def finish(self, files: list[tuple[str, bytes]]) -> None:
        """Writes environments and entries, and then the roster with a new floor."""
        self.roster["revision"] += 1
        self.roster["floor"] = self.roster["revision"]
        roster = self.sign(
            "members.toml", "vault/v1/roster", write_roster(self.roster), self.authority()
        )
        for file in [*sorted(files, key=lambda file: "/" in file[0]), roster]:
            self.replace(*file)

    def start_epoch(self, environment: dict, without: str) -> None:
        """Inserts a new epoch before the others, sealed to everyone who still has access."""
        name, number = environment["environment"], environment["epochs"][0]["number"] + 1
        key = secrets.token_bytes(32)
        commitment = commitment_of(key, self.vault, name)
        place = self.vault, name, number, commitment
        sealed = {}
        for member, record in self.roster["members"].items():
            access = record["access"].get(name)
            if access in ("read", "write"):
                payload = framed("vault/v1/data-key", *place, key)
            else:
                keys = [(n, entry_key_of(key, self.vault, name, n)) for n in sorted(access or [])]
                payload = framed(
                    "vault/v1/entry-keys", *place, *(part for pair in keys for part in pair)
                )
            if access is not None:
                recipient = pyrage.x25519.Recipient.from_str(record["recipient"])
                sealed[member] = b64(pyrage.encrypt(payload, [recipient]))
        for epoch in environment["epochs"]:
            epoch["sealed"].pop(without, None)
        environment["epochs"].insert(
            0, {"number": number, "commitment": b64(commitment), "sealed": sealed}
        )
        environment["revision"] += 1

    def environment(self, environment: dict) -> tuple[str, bytes]:
        name = environment["environment"]
        file = self.sign(
            f"{name}.toml", "vault/v1/environment", write_environment(environment), self.authority()
        )
        self.roster["environments"][name] = {
            "revision": environment["revision"],
            "sha256": b64(sha256(file[1])),
        }
        return file

    def entry(
        self, environment: dict, name: str, entry: dict, value: bytes | None
    ) -> tuple[str, bytes]:
        """Returns the file of an entry, sealed in the entry's epoch unless it is a tombstone."""
        entry = entry | {"signer": self.holder.name}
        epoch = epoch_of(environment, entry["epoch"])
        if value is not None:
            key = self.holder.keys(environment, epoch)[name]
            place = sealed_place(self.vault, environment, name, entry)
            entry["sealed"] = b64(seal_value(key, place, secrets.token_bytes(24), value))
        path = f"{environment['environment']}/{name}.toml"
        body = write_entry(environment["environment"], name, entry)
        seed = unseal(self.holder.identity, unb64(self.holder.member["signing_key"]))
        return self.sign(path, "vault/v1/entry", body, seed, unb64(epoch["commitment"]))

    def authority(self) -> bytes:
        return unseal(self.holder.identity, unb64(self.holder.member["authority"]))

    def sign(
        self, path: str, label: str, body: str, seed: bytes, *commitment: bytes
    ) -> tuple[str, bytes]:
        message = framed(label, self.vault, path, *commitment, body)
        return path, f'{body}signature = "{b64(sign(seed, message))}"\n'.encode()

    def replace(self, path: str, content: bytes) -> None:
        temporary = self.path / "tmp" / secrets.token_hex(8)
        temporary.parent.mkdir(exist_ok=True)
        temporary.write_bytes(content)
        (self.path / path).parent.mkdir(exist_ok=True)
        os.replace(temporary, self.path / path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--vault", required=True, type=Path)
    parser.add_argument("--id", required=True, type=Pin.parse)
    parser.add_argument("--identity-file", required=True, type=Path)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("set")
    command.add_argument("environment")
    command.add_argument("name")
    command = commands.add_parser("remove-access")
    command.add_argument("member")
    command.add_argument("environment")
    commands.add_parser("remove-member").add_argument("member")
    arguments = parser.parse_args()
    key = read_key_file(arguments.identity_file)
    writer = Writer(arguments.vault, arguments.id, key.identity)
    if arguments.command == "set":
        writer.set(arguments.environment, arguments.name, sys.stdin.buffer.read())
    elif arguments.command == "remove-access":
        writer.remove_access(arguments.member, arguments.environment)
    else:
        writer.remove_member(arguments.member)


if __name__ == "__main__":
    main()
