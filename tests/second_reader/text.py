"""Reads machine-written files strictly, and writes them in their only spelling.

Follows docs/reference/format.md, "Bytes, numbers, names" and "Machine-written files". It trusts
nothing: the caller must still check the signature.
"""

import re
import tomllib
from datetime import datetime
from typing import Callable, NamedTuple

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from crypto import BECH32, LONGEST_VALUE, Refused, is_public_key, padded_length, read_id, require
from crypto import P, unb64, unbech32

LARGEST_NUMBER = 2**53 - 1


def number(value: object) -> int:
    require(type(value) is int and 1 <= value <= LARGEST_NUMBER, "not a number in range")
    return value


DEVICE = re.compile(r"(?i)CON|PRN|AUX|NUL|COM[1-9]|LPT[1-9]")


def secret_name(name: object) -> str:
    require(
        isinstance(name, str) and re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,199}", name),
        "not the name of a secret",
    )
    require(not DEVICE.fullmatch(name), "a device on Windows")
    return name


def label(name: object) -> str:
    """Checks the name of an environment or a member."""
    require(
        isinstance(name, str)
        and re.fullmatch(r"[a-z][a-z0-9-]{0,62}", name)
        and name not in ("members", "requests", "tmp")
        and not DEVICE.fullmatch(name),
        "not the name of an environment or member",
    )
    return name


class Signed(NamedTuple):
    """A file's fields, and the unchecked signature over its body."""

    path: str
    fields: dict
    body: bytes
    signature: bytes


def read_signed(path: str, file: bytes, check: Callable, write: Callable) -> Signed:
    """The four steps of the page: cut off, parse, check each value, and compare after writing."""
    match = re.fullmatch(rb'(.*\n)signature = "([A-Za-z0-9+/]*)"\n', file, re.DOTALL)
    require(match, f"{path}: has no signature in its last line")
    body, signature = match[1], match[2].decode()
    try:
        signature = unb64(signature, 64)
        fields = tomllib.loads(body.decode())
        check(fields)
        again = write(fields).encode()
    except Refused as reason:
        raise Refused(f"{path}: {reason}") from None
    except (ValueError, RecursionError):
        raise Refused(f"{path}: is not TOML") from None
    require(again == body, f"{path}: is not in its one spelling")
    return Signed(path, fields, body, signature)


def check_fields(table: object, required: dict, optional: dict = {}) -> None:
    """Checks that each field is known and valid, and that none is missing."""
    require(isinstance(table, dict), "not a table")
    unknown = table.keys() - required.keys() - optional.keys()
    require(not unknown, "an unknown field")
    require(required.keys() <= table.keys(), "a field is missing")
    for key, value in table.items():
        (required.get(key) or optional[key])(value)


def table_of(check_name: Callable, check: Callable) -> Callable:
    def check_table(table: object) -> None:
        require(isinstance(table, dict), "not a table")
        for name, value in table.items():
            check_name(name)
            check(value)

    return check_table


def is_true(value: object) -> None:
    require(value is True, "not true")


def is_one(value: object) -> None:
    require(type(value) is int and value == 1, "another format")


def bytes32(value: object) -> None:
    unb64(value, 32)


def moment(value: object) -> None:
    require(isinstance(value, datetime) and value.tzinfo and value.year <= 9998, "not a moment")


def inline_table(table: dict, write: Callable) -> str:
    fields = ", ".join(f"{name} = {write(table[name])}" for name in sorted(table))
    return f"{{ {fields} }}" if fields else "{}"


def name_list(names: list) -> str:
    return "[" + ", ".join(f'"{name}"' for name in sorted(set(names))) + "]"


def lines(fields: dict, order: list[str]) -> str:
    """Writes `key = value` for each field that exists."""

    def spell(value: object) -> str:
        if isinstance(value, bool):
            return "true"
        if isinstance(value, datetime):
            return value.isoformat().replace("+00:00", "Z")
        return str(value) if isinstance(value, int) else f'"{value}"'

    return "".join(f"{key} = {spell(fields[key])}\n" for key in order if key in fields)


# --- Entry ----------------------------------------------------------------------------------------


def check_entry(fields: dict) -> None:
    removed = {"removed": is_true} if "removed" in fields else {"sealed": check_sealed}
    numbers = {"format": is_one, "epoch": number, "origin": number, "revision": number}
    check_fields(fields, numbers | {"changed": moment, "author": label, "signer": label} | removed)
    require(fields["origin"] <= fields["epoch"], "the origin is above the epoch")


def check_sealed(text: object) -> None:
    padded = len(unb64(text)) - 40
    require(
        padded <= padded_length(LONGEST_VALUE) and padded == padded_length(padded - 1),
        "the sealed value has no length to which values are padded",
    )


def write_entry(environment: str, name: str, fields: dict) -> str:
    state = "removed" if "removed" in fields else "encrypted"
    order = [
        "format",
        "epoch",
        "origin",
        "revision",
        "changed",
        "author",
        "signer",
        "sealed",
        "removed",
    ]
    return f"# {name} in {environment}, {state} by vault. Safe to commit.\n" + lines(fields, order)


def read_entry(environment: str, name: str, file: bytes) -> Signed:
    path = f"{environment}/{name}.toml"
    return read_signed(
        path, file, check_entry, lambda fields: write_entry(environment, name, fields)
    )


# --- Environment ----------------------------------------------------------------------------------


def check_environment(fields: dict) -> None:
    def epochs(epochs: object) -> None:
        require(isinstance(epochs, list) and epochs, "no epochs")
        for epoch in epochs:
            check_fields(
                epoch, {"number": number, "commitment": bytes32, "sealed": table_of(label, unb64)}
            )
        numbers = [epoch["number"] for epoch in epochs]
        require(numbers == sorted(set(numbers), reverse=True), "epochs do not descend")

    check_fields(
        fields, {"format": is_one, "environment": label, "revision": number, "epochs": epochs}
    )


def write_environment(fields: dict) -> str:
    name = fields["environment"]
    text = (
        f"# The data keys of {name}, each sealed to one member. Written by vault; safe to commit.\n"
    )
    text += lines(fields, ["format", "environment", "revision"])
    for epoch in fields["epochs"]:
        text += "\n[[epochs]]\n" + lines(epoch, ["number", "commitment"])
        for member, sealed in sorted(epoch["sealed"].items()):
            text += f'sealed.{member} = "{sealed}"\n'
        text += "" if epoch["sealed"] else "sealed = {}\n"
    return text + "\n"


def read_environment(name: str, file: bytes) -> Signed:
    signed = read_signed(f"{name}.toml", file, check_environment, write_environment)
    require(signed.fields["environment"] == name, f"{name}.toml: is of another environment")
    return signed


def epoch_of(environment: dict, number: int) -> dict | None:
    return next((epoch for epoch in environment["epochs"] if epoch["number"] == number), None)


# --- Roster ---------------------------------------------------------------------------------------


def check_roster(fields: dict) -> None:
    lost = table_of(label, lambda it: check_fields(it, {"epoch": number}, {"names": check_names}))
    member = (
        {"recipient": check_recipient, "access": table_of(label, check_access)},
        {
            "signer": check_public_key,
            "signing_key": unb64,
            "admin": is_true,
            "authority": unb64,
            "floor": number,
            "lost": lost,
        },
    )
    former = {"recipient": check_recipient}, {"signer": check_public_key, "lost": lost}
    listed = {"revision": number, "sha256": bytes32}
    required = {"format": is_one, "vault": read_id, "revision": number, "floor": number}
    check_fields(
        fields,
        required,
        {
            "environments": table_of(label, lambda it: check_fields(it, listed)),
            "members": table_of(label, lambda it: check_fields(it, *member)),
            "former": table_of(label, lambda it: check_fields(it, *former)),
        },
    )
    check_consistency(fields)


def check_consistency(roster: dict) -> None:
    members, former = roster.get("members", {}), roster.get("former", {})
    require(members, "there is no member")
    require(not members.keys() & former.keys(), "a name is in use twice")
    require(roster["floor"] <= roster["revision"], "the floor is above the revision")
    recipients = {member["recipient"] for member in members.values()}
    require(len(recipients) == len(members), "two members have one recipient")
    for member in members.values():
        require(("signer" in member) == ("signing_key" in member), "half a signing key")
        require(("admin" in member) == ("authority" in member), "half an admin")
        require("write" not in member["access"].values() or "signer" in member, "no signing key")
        require(
            member["access"].keys() <= roster.get("environments", {}).keys(), "access to nothing"
        )


def check_access(access: object) -> None:
    if access not in ("read", "write"):
        check_names(access)


def check_names(names: object) -> None:
    require(isinstance(names, list), "not a list of names")
    for name in names:
        secret_name(name)


def check_recipient(text: object) -> None:
    """Checks the only encoding of a point of Curve25519 whose order is not small."""
    require(isinstance(text, str), "not a recipient")
    point = unbech32("age", text, BECH32)
    require(len(point) == 32 and int.from_bytes(point, "little") < P, "not a recipient")
    try:
        X25519PrivateKey.generate().exchange(X25519PublicKey.from_public_bytes(point))
    except ValueError:
        raise Refused("a recipient of small order") from None


def check_public_key(text: object) -> None:
    require(is_public_key(unb64(text, 32)), "not a public key")


def write_roster(fields: dict) -> str:
    text = "# Who may do what in this vault. Written by vault; safe to commit.\n"
    text += lines(fields, ["format", "vault", "revision", "floor"])
    for name, listed in sorted(fields.get("environments", {}).items()):
        text += f"\n[environments.{name}]\n" + lines(listed, ["revision", "sha256"])
    for name, member in sorted(fields.get("members", {}).items()):
        text += f"\n[members.{name}]\n" + lines(member, ["recipient"])
        text += f"access = {inline_table(member['access'], write_access)}\n"
        text += lines(member, ["signer", "signing_key", "admin", "authority", "floor"])
        text += write_lost(member)
    for name, former in sorted(fields.get("former", {}).items()):
        text += f"\n[former.{name}]\n" + lines(former, ["recipient", "signer"]) + write_lost(former)
    return text + "\n"


def write_access(access: str | list) -> str:
    return f'"{access}"' if isinstance(access, str) else name_list(access)


def write_lost(member: dict) -> str:
    def spell(lost: dict) -> str:
        names = f", names = {name_list(lost['names'])}" if "names" in lost else ""
        return f"{{ epoch = {lost['epoch']}{names} }}"

    return f"lost = {inline_table(member['lost'], spell)}\n" if member.get("lost") else ""


def read_roster(file: bytes) -> Signed:
    return read_signed("members.toml", file, check_roster, write_roster)


# --- Request to join ------------------------------------------------------------------------------


def check_request(fields: dict) -> None:
    check_fields(
        fields,
        {
            "format": is_one,
            "name": label,
            "vault": read_id,
            "recipient": check_recipient,
            "signer": check_public_key,
            "signing_key": lambda seed: require(len(unb64(seed)) <= 4096, "too long a seed"),
        },
    )


def write_request(fields: dict) -> str:
    order = ["format", "name", "vault", "recipient", "signer", "signing_key"]
    comment = f"# {fields['name']} asks to join. Written by vault; safe to commit.\n"
    return comment + lines(fields, order)


def read_request(name: str, file: bytes) -> Signed:
    path = f"requests/{label(name)}.toml"
    signed = read_signed(path, file, check_request, write_request)
    require(signed.fields["name"] == name, f"{path}: is the request of another name")
    return signed
