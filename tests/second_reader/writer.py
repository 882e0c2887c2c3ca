#!/usr/bin/env python3
"""A second writer, from docs/reference/format.md, "Changes". It made the golden vaults.

    writer.py --vault DIR --identity-file FILE init [--recovery FILE] MEMBER ENVIRONMENT…
    writer.py --vault DIR --identity-file FILE --id ID COMMAND

    add [--writes] [--admin] [--machine] MEMBER FILE ACCESS…   replace-recipient MEMBER FILE
    access MEMBER ACCESS…                                      remove-member MEMBER
    set ENVIRONMENT NAME < VALUE                               remove ENVIRONMENT NAME
    rotate ENVIRONMENT…                                        forget ENVIRONMENT
    join MEMBER FILE

ACCESS is `production=write`, `=read`, `=NAME,NAME`, or `=none`. `init` writes the new identities
into the files, and so do `add` and `replace-recipient` (for a machine, a credential), and `join`,
which prints the fingerprint of a request. With `--hybrid`, they are post-quantum, and
with `--ssh`, SSH keys. `vault` must be able to open the vault.
"""

import argparse
import sys
from pathlib import Path

from agefiles import generate

from changes import Writer
from crypto import Refused
from keys import Key, Pin, read_key_file, write_credential
from text import bare


def access_of(texts: list[str]) -> dict:
    """Reads `production=read`, `production=A,B`, or `production=none`."""
    access = {}
    for text in texts:
        environment, _, rights = text.partition("=")
        words = {"write": "write", "read": "read", "none": None}
        access[environment] = words[rights] if rights in words else sorted(rights.split(","))
    return access


def save(path: str, key: Key) -> None:
    text = write_credential(key) if key.member else str(key.identity)
    Path(path).write_text(text + "\n")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--vault", required=True, type=Path)
    parser.add_argument("--id", type=Pin.parse)
    parser.add_argument("--identity-file", required=True)
    parser.add_argument("--hybrid", action="store_true")
    parser.add_argument("--ssh", action="store_true")
    commands = parser.add_subparsers(dest="command", required=True)
    positional = {
        "init": ["member", "environments…"],
        "add": ["member", "file", "access…"],
        "access": ["member", "access…"],
        "remove-member": ["member"],
        "replace-recipient": ["member", "file"],
        "join": ["member", "file"],
        "set": ["environment", "name"],
        "remove": ["environment", "name"],
        "rotate": ["environments…"],
        "forget": ["environment"],
    }
    for name, arguments in positional.items():
        command = commands.add_parser(name)
        for argument in arguments:
            many = {"nargs": "+"} if argument.endswith("…") else {}
            command.add_argument(argument.removesuffix("…"), **many)
        if name == "init":
            command.add_argument("--recovery")
        if name == "add":
            for trait in ("writes", "admin", "machine"):
                command.add_argument(
                    f"--{trait}", action="append_const", dest="traits", const=trait
                )
    return parser.parse_args()


def run(it: argparse.Namespace) -> None:
    if it.command == "init":
        files = {it.member: it.identity_file} | ({"recovery": it.recovery} if it.recovery else {})
        keys = {name: generate(hybrid=it.hybrid, ssh=it.ssh) for name in files}
        writer = Writer.create(it.vault, it.environments, keys)
        for name, file in files.items():
            save(file, Key(keys[name]))
        print(bare(writer.vault.root["vault"]))
        return
    writer = Writer(it.vault, read_key_file(it.identity_file), it.id)
    identity = generate(hybrid=it.hybrid, ssh=it.ssh)
    match it.command:
        case "add":
            save(it.file, writer.add(it.member, identity, access_of(it.access), *it.traits or ()))
        case "access":
            writer.change_access(it.member, access_of(it.access))
        case "remove-member":
            writer.remove_member(it.member)
        case "replace-recipient":
            save(it.file, writer.replace_recipient(it.member, identity))
        case "join":
            save(it.file, Key(identity))
            print(writer.join(it.member, identity))
        case "set":
            writer.set_value(it.environment, it.name, sys.stdin.buffer.read())
        case "remove":
            writer.set_value(it.environment, it.name, None)
        case "rotate":
            writer.rotate(it.environments)
        case "forget":
            writer.forget(it.environment)


if __name__ == "__main__":
    try:
        run(parse_arguments())
    except Refused as reason:
        sys.exit(f"refused: {reason}")
