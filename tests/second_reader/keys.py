"""The keys of a vault: an identity, or a credential around one, and the keys sealed to it.

Follows docs/reference/format.md, "Age files" and "Identity, credential, pin". The content must have
been checked.
"""

from pathlib import Path
from typing import NamedTuple

import pyrage

from crypto import BECH32, Refused, b64, bech32, commitment_of, entry_key_of, framed, is_public_key
from crypto import open_value, public_key, read_id, require, sha256, unb64, unframed, unseal
from text import epoch_of, label, secret_name


class Locked(Exception):
    """The key, the member, or the pin is missing."""


# --- Identity, credential, pin --------------------------------------------------------------------


class Pin(NamedTuple):
    """The vault that the reader has decided to trust."""

    vault: bytes
    floor: int

    @classmethod
    def parse(cls, text: str) -> "Pin":
        """Reads `ID` or `ID@FLOOR`."""
        vault, _, floor = text.partition("@")
        require(floor.isdecimal() or "@" not in text, "not the floor of a pin")
        return cls(read_id(vault), int(floor or 0))


class Key(NamedTuple):
    """An identity and, from a credential, the pin and the environments."""

    identity: pyrage.x25519.Identity
    pin: Pin | None = None
    environments: list[str] | None = None


def read_key_file(path: str | Path) -> Key:
    text = Path(path).read_text(errors="replace")
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    require(len(lines) == 1, "the identity file does not hold one key")
    if lines[0].startswith("vaultci1_"):
        return read_credential(lines[0])
    try:
        return Key(pyrage.x25519.Identity.from_str(lines[0]))
    except pyrage.IdentityError:
        raise Refused("the identity file holds no age identity") from None


def read_credential(text: str) -> Key:
    data = unb64(text.removeprefix("vaultci1_"), altchars=b"-_")
    payload, checksum = data[:-8], data[-8:]
    require(
        sha256(framed("vault/v1/credential", payload))[:8] == checksum, "the credential is damaged"
    )
    environments, rest = [], payload[72:]
    while rest:
        environments.append(label(rest[1 : 1 + rest[0]].decode("ascii", "replace")))
        require(len(environments[-1]) == rest[0], "the credential is damaged")
        rest = rest[1 + rest[0] :]
    require(
        len(payload) >= 72 and environments == sorted(set(environments)),
        "the credential is damaged",
    )
    secret = bech32("age-secret-key-", payload[:32], BECH32).upper()
    require(is_public_key(payload[32:64]), "the credential is damaged")
    pin = Pin(payload[32:64], int.from_bytes(payload[64:72], "big"))
    return Key(pyrage.x25519.Identity.from_str(secret), pin, environments)


# --- The values that an identity opens ------------------------------------------------------------


class Holder:
    """Steps 5 and 6: a member, and the identity that proves it."""

    def __init__(self, roster: dict, identity: pyrage.x25519.Identity):
        recipient = str(identity.to_public())
        found = [n for n, member in roster["members"].items() if member["recipient"] == recipient]
        if not found:
            raise Locked(f"the identity of {recipient} belongs to no member")
        self.name, self.identity = found[0], identity
        self.vault, self.member = read_id(roster["vault"]), roster["members"][found[0]]

    def check_seeds(self) -> None:
        """Checks that the sealed seeds belong to the public keys next to them."""
        public_keys = {"signing_key": self.member.get("signer"), "authority": b64(self.vault)}
        for field, public in public_keys.items():
            if field in self.member:
                seed = unseal(self.identity, unb64(self.member[field]))
                require(
                    len(seed) == 32 and b64(public_key(seed)) == public,
                    f"members.toml: the {field} of {self.name} is not the one it names",
                )

    def keys(self, environment: dict, epoch: dict) -> "DataKey | dict[str, bytes] | None":
        """Returns the data key of an epoch, or the entry keys of some names, or None if neither is
        sealed to this member."""
        name = environment["environment"]
        if self.name not in epoch["sealed"]:
            return None
        payload = unseal(self.identity, unb64(epoch["sealed"][self.name]))
        commitment = unb64(epoch["commitment"])
        parts = unframed(payload)
        place, keys = framed(*parts[1:5]), parts[5:]
        require(
            place == framed(self.vault, name, epoch["number"], commitment),
            f"{name}.toml: what is sealed to {self.name} belongs to another place",
        )
        if parts[0] == b"vault/v1/data-key":
            require(
                len(keys) == 1 and commitment_of(keys[0], self.vault, name) == commitment,
                f"{name}.toml: the data key sealed to {self.name} does not give the commitment",
            )
            return DataKey(keys[0], self.vault, name)
        names = [secret_name(part.decode("ascii", "replace")) for part in keys[::2]]
        require(
            parts[0] == b"vault/v1/entry-keys"
            and len(keys) == 2 * len(names)
            and names == sorted(set(names))
            and all(len(key) == 32 for key in keys[1::2]),
            f"{name}.toml: what is sealed to {self.name} is not understood",
        )
        return dict(zip(names, keys[1::2]))

    def open(self, environment: dict, entries: dict[str, dict]) -> tuple[dict, dict]:
        """Returns the values by name, and the reasons why others cannot be opened."""
        opened = {epoch["number"]: self.keys(environment, epoch) for epoch in environment["epochs"]}
        values, closed = {}, {}
        for name, entry in entries.items():
            keys = opened[entry["epoch"]]
            if "removed" in entry:
                continue
            if keys is None:
                closed[name] = f"epoch {entry['epoch']} is not sealed to {self.name}"
            elif name not in keys:
                closed[name] = f"{self.name} may not read this name"
            else:
                values[name] = b64(self.value(environment, name, entry, keys[name]))
        return values, closed

    def value(self, environment: dict, name: str, entry: dict, key: bytes) -> bytes:
        place = sealed_place(self.vault, environment, name, entry)
        try:
            return open_value(key, place, unb64(entry["sealed"]))
        except Refused as reason:
            raise Refused(f"{environment['environment']}/{name}.toml: its value {reason}") from None


class DataKey:
    """Derives the key of every name."""

    def __init__(self, key: bytes, vault: bytes, environment: str):
        self.key, self.vault, self.environment = key, vault, environment

    def __contains__(self, name: str) -> bool:
        return True

    def __getitem__(self, name: str) -> bytes:
        return entry_key_of(self.key, self.vault, self.environment, name)


def sealed_place(vault: bytes, environment: dict, name: str, entry: dict) -> bytes:
    """Returns the associated data of a value."""
    commitment = unb64(epoch_of(environment, entry["epoch"])["commitment"])
    return framed(
        "vault/v1/sealed",
        vault,
        environment["environment"],
        name,
        entry["epoch"],
        commitment,
        entry["origin"],
        entry["revision"],
    )
