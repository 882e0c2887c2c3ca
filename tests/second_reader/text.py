"""Reads machine-written files strictly, and writes them in their only spelling.

Follows docs/reference/format.md, "Bytes, numbers, names" and "Machine-written files". It trusts
nothing: the caller must still check the signature.
"""

import re
import tomllib
from datetime import datetime
from typing import Callable, NamedTuple

import agefiles
from crypto import LONGEST_VALUE, Refused, b64, is_public_key, padded_length, read_id
from crypto import require, unb64

LARGEST_NUMBER = 2**53 - 1
NO_TAG = bytes(16)


def number(value: object) -> int:
    require(type(value) is int and 1 <= value <= LARGEST_NUMBER, "not a number in range")
    return value


DEVICE = re.compile(r"(?i)CON|PRN|AUX|NUL|COM[1-9]|LPT[1-9]")
RESERVED = ("root", "members", "requests", "tmp", "vault")


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
        and name not in RESERVED
        and not DEVICE.fullmatch(name),
        "not the name of an environment or member",
    )
    return name


# --- Prefixes -------------------------------------------------------------------------------------


def prefixed(data: bytes) -> str:
    return "b64:" + b64(data)


def decoded(text: object, length: int | None = None) -> bytes:
    """Returns the bytes of a base64 value in a file."""
    require(isinstance(text, str) and text.startswith("b64:"), "a value without b64:")
    return unb64(text.removeprefix("b64:"), length)


def written(recipient: str) -> str:
    return recipient if agefiles.is_ssh(recipient) else f"bech32:{recipient}"


def bare(text: object) -> str:
    """Returns a bech32 value of a file without its prefix, or an SSH key, which has none."""
    if isinstance(text, str) and agefiles.is_ssh(text):
        return text
    require(isinstance(text, str) and text.startswith("bech32:"), "a value without bech32:")
    require(not agefiles.is_ssh(text.removeprefix("bech32:")), "an SSH key with bech32:")
    return text.removeprefix("bech32:")


# --- Strict text ----------------------------------------------------------------------------------


class Signed(NamedTuple):
    """A file's fields, and the signature over its body."""

    path: str
    fields: dict
    body: bytes
    signature: bytes


def cut(path: str, file: bytes) -> tuple[bytes, bytes]:
    """Returns the body and the signature in the last line. Parses nothing."""
    match = re.fullmatch(rb'(.*\n)signature = "([^"\n]*)"\n', file, re.DOTALL)
    require(match, f"{path}: has no signature in its last line")
    try:
        return match[1], decoded(match[2].decode("ascii", "replace"), 64)
    except Refused as reason:
        raise Refused(f"{path}: {reason}") from None


def read_signed(path: str, file: bytes, check: Callable, write: Callable) -> Signed:
    """The four steps of the page: cut off, parse, check each value, and compare after writing."""
    body, signature = cut(path, file)
    try:
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


def list_of(check: Callable) -> Callable:
    def check_list(values: object) -> None:
        require(isinstance(values, list), "not a list")
        for value in values:
            check(value)

    return check_list


def is_true(value: object) -> None:
    require(value is True, "not true")


def is_one(value: object) -> None:
    require(type(value) is int and value == 1, "another format")


def bytes32(value: object) -> None:
    decoded(value, 32)


def tag(value: object) -> None:
    require(decoded(value, 16) != NO_TAG, "a tag of zeros")


def moment(value: object) -> None:
    require(isinstance(value, datetime) and value.tzinfo and value.year <= 9998, "not a moment")


def check_id(value: object) -> None:
    read_id(bare(value))


def check_public_key(text: object) -> None:
    require(is_public_key(decoded(text, 32)), "not a public key")


def check_recipient(text: object) -> None:
    agefiles.check_recipient(bare(text))


def inline_table(table: dict, write: Callable) -> str:
    fields = ", ".join(f"{name} = {write(table[name])}" for name in sorted(table))
    return f"{{ {fields} }}" if fields else "{}"


def text_list(texts: list) -> str:
    return "[" + ", ".join(f'"{text}"' for text in texts) + "]"


def name_list(names: list) -> str:
    return text_list(sorted(set(names)))


def lines(fields: dict, order: str) -> str:
    """Writes `key = value` for each field that exists."""

    def spell(value: object) -> str:
        if isinstance(value, bool):
            return "true"
        if isinstance(value, datetime):
            return value.isoformat().replace("+00:00", "Z")
        return str(value) if isinstance(value, int) else f'"{value}"'

    return "".join(f"{key} = {spell(fields[key])}\n" for key in order.split() if key in fields)


# --- Entry ----------------------------------------------------------------------------------------


def check_entry(fields: dict) -> None:
    removed = {"removed": is_true} if "removed" in fields else {"sealed": check_sealed}
    numbers = {"format": is_one, "epoch": number, "origin": number, "revision": number}
    check_fields(fields, numbers | {"changed": moment, "author": label, "signer": label} | removed)
    require(fields["origin"] <= fields["epoch"], "the origin is above the epoch")


def check_sealed(text: object) -> None:
    padded = len(decoded(text)) - 40
    require(
        padded <= padded_length(LONGEST_VALUE) and padded == padded_length(padded - 1),
        "the sealed value has no length to which values are padded",
    )


def write_entry(environment: str, name: str, fields: dict) -> str:
    state = "removed" if "removed" in fields else "encrypted"
    order = "format epoch origin revision changed author signer sealed removed"
    return f"# {name} in {environment}, {state} by vault. Safe to commit.\n" + lines(fields, order)


def read_entry(environment: str, name: str, file: bytes) -> Signed:
    path = f"{environment}/{name}.toml"
    return read_signed(
        path, file, check_entry, lambda fields: write_entry(environment, name, fields)
    )


# --- Root -----------------------------------------------------------------------------------------


def check_root(fields: dict) -> None:
    hashes = {"recipient": bytes32, "signer": bytes32}
    check_fields(
        fields,
        {"format": is_one, "vault": check_id, "revision": number, "revocations": list_of(tag)},
        {
            "environments": table_of(label, check_epochs),
            "members": table_of(
                label, lambda it: check_fields(it, {}, {"revocation": tag, "lost": check_lost})
            ),
            "former": table_of(
                label, lambda it: check_fields(it, {}, hashes | {"lost": check_lost})
            ),
        },
    )
    tags = fields["revocations"]
    require(len(set(tags)) == len(tags), "a tag is listed twice")
    for member in fields.get("members", {}).values():
        require(member, "an empty record of a member")
        require("revocation" not in member or member["revocation"] in tags, "an unlisted tag")


def check_epochs(epochs: object) -> None:
    require(isinstance(epochs, list) and epochs, "no epochs")
    for at, epoch in enumerate(epochs):
        given = {} if at else {"given": list_of(label)}
        check_fields(epoch, {"number": number, "commitment": bytes32} | given)
    order = [(-epoch["number"], epoch["commitment"]) for epoch in epochs]
    require(order == sorted(order), "epochs are not in order")
    require(len({epoch["commitment"] for epoch in epochs}) == len(epochs), "equal commitments")
    require(len(epochs) == 1 or order[0][0] < order[1][0], "two epochs are the newest")


def check_lost(lost: object) -> None:
    names = {"names": list_of(secret_name)}
    table_of(label, lambda it: check_fields(it, {"epoch": number}, names))(lost)
    require(lost, "an empty table of losses")


def write_root(fields: dict) -> str:
    text = "# The environments, epochs, and revocations of this vault. "
    text += "Written by vault; safe to commit.\n" + lines(fields, "format vault revision")
    text += f"revocations = {text_list(fields['revocations'])}\n"
    for name, epochs in sorted(fields.get("environments", {}).items()):
        for epoch in epochs:
            text += f"\n[[environments.{name}]]\n" + lines(epoch, "number commitment")
            text += f"given = {name_list(epoch['given'])}\n" if "given" in epoch else ""
    for kind in ("members", "former"):
        for name, record in sorted(fields.get(kind, {}).items()):
            text += f"\n[{kind}.{name}]\n" + lines(record, "revocation recipient signer")
            text += write_lost(record["lost"]) if "lost" in record else ""
    return text + "\n"


def write_lost(lost: dict) -> str:
    def spell(one: dict) -> str:
        names = f", names = {name_list(one['names'])}" if "names" in one else ""
        return f"{{ epoch = {one['epoch']}{names} }}"

    return f"lost = {inline_table(lost, spell)}\n"


def read_root(file: bytes) -> Signed:
    return read_signed("root.toml", file, check_root, write_root)


# --- Member ---------------------------------------------------------------------------------------


def check_member(fields: dict) -> None:
    check_fields(
        fields,
        {
            "format": is_one,
            "name": label,
            "revision": number,
            "recipient": check_recipient,
            "access": table_of(label, check_access),
        },
        {
            "revocation": tag,
            "replaces": tag,
            "stanza": check_stanza,
            "signer": check_public_key,
            "signing_key": decoded,
            "admin": is_true,
            "authority": decoded,
            "credential": lambda text: decoded(text, 16),
            "sealed": table_of(label, check_sealed_keys),
        },
    )
    require(("signer" in fields) == ("signing_key" in fields), "half a signing key")
    require(("admin" in fields) == ("authority" in fields), "half an admin")
    require("write" not in fields["access"].values() or "signer" in fields, "no signing key")
    if "replaces" in fields:
        replaced, revocation = fields["replaces"], fields.get("revocation")
        require(revocation not in (None, replaced), "a tag that replaces itself, or without a tag")


def check_stanza(_: object) -> None:
    raise Refused("a stanza for a kind of recipient that is listed")


def check_sealed_keys(keys: object) -> None:
    table_of(bytes32, decoded)(keys)
    require(keys, "an empty table of sealed keys")


def check_access(access: object) -> None:
    if access not in ("read", "write"):
        list_of(secret_name)(access)


def write_access(access: str | list) -> str:
    return f'"{access}"' if isinstance(access, str) else name_list(access)


def write_member(fields: dict) -> str:
    order = "format name revision revocation replaces recipient stanza signer signing_key admin "
    text = f"# The keys and the access of {fields['name']}. Written by vault; safe to commit.\n"
    text += lines(fields, order + "authority credential") + "\n[access]\n"
    for name, access in sorted(fields["access"].items()):
        text += f"{name} = {write_access(access)}\n"
    for name, keys in sorted(fields.get("sealed", {}).items()):
        text += f"\n[sealed.{name}]\n"
        text += "".join(f'"{commitment}" = "{keys[commitment]}"\n' for commitment in sorted(keys))
    return text + "\n"


def read_member(name: str, file: bytes) -> Signed:
    signed = read_signed(f"members/{name}.toml", file, check_member, write_member)
    require(signed.fields["name"] == name, f"members/{name}.toml: is the file of another name")
    return signed


# --- Request to join ------------------------------------------------------------------------------


def check_request(fields: dict) -> None:
    check_fields(
        fields,
        {
            "format": is_one,
            "name": label,
            "vault": check_id,
            "recipient": check_recipient,
            "signer": check_public_key,
            "signing_key": lambda seed: require(len(decoded(seed)) <= 4096, "too long a seed"),
        },
    )


def write_request(fields: dict) -> str:
    comment = f"# {fields['name']} asks to join. Written by vault; safe to commit.\n"
    return comment + lines(fields, "format name vault recipient signer signing_key")


def read_request(name: str, file: bytes) -> Signed:
    path = f"requests/{label(name)}.toml"
    signed = read_signed(path, file, check_request, write_request)
    require(signed.fields["name"] == name, f"{path}: is the request of another name")
    return signed
