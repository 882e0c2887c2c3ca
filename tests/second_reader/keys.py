"""The keys of a vault: an identity, or a credential around one, and the keys sealed to it.

Follows docs/reference/format.md, "Age files" and "Identity, credential, pin". The content must have
been checked.
"""

from pathlib import Path
from typing import NamedTuple

from agefiles import BEGIN_SSH, Hybrid, Identity, identity_of, read_identity, secret_of, unseal
from crypto import Refused, b64, commitment_of, entry_key_of, framed, is_public_key
from crypto import open_value, public_key, read_id, require, sha256, unb64, unframed
from text import NO_TAG, bare, decoded, label, prefixed, secret_name
from vault import Vault


class Locked(Exception):
    """The key, the member, or the pin is missing."""


# --- Identity, credential, pin --------------------------------------------------------------------


class Pin(NamedTuple):
    """The vault that the reader has decided to trust, and the last revocation known."""

    id: bytes
    tag: bytes = NO_TAG

    @classmethod
    def parse(cls, text: str) -> "Pin":
        """Reads `ID` or `ID@TAG`."""
        vault, at, tag = text.partition("@")
        pin = cls(read_id(vault), unb64(tag, 16) if at else NO_TAG)
        require(not at or pin.tag != NO_TAG, "not the tag of a pin")
        return pin

    def check(self, vault: Vault) -> None:
        require(
            self.tag == NO_TAG or prefixed(self.tag) in vault.root["revocations"],
            "root.toml: is from before a revocation that the pin knows",
        )


class Key(NamedTuple):
    """An identity and, from a credential, the pin, the member, and the environments."""

    identity: Identity
    pin: Pin | None = None
    member: str | None = None
    environments: list[str] | None = None


def read_key_file(path: str | Path) -> Key:
    text = Path(path).read_text(errors="replace")
    if text.startswith(BEGIN_SSH):
        return Key(read_identity(text))
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    require(len(lines) == 1, "the identity file does not hold one key")
    if lines[0].startswith("vaultci1_"):
        return read_credential(lines[0])
    try:
        return Key(read_identity(lines[0]))
    except Refused:
        raise Refused("the identity file does not hold an age identity") from None


def write_credential(key: Key) -> str:
    names = [key.member, *sorted(key.environments)]
    payload = secret_of(key.identity) + key.pin.id + key.pin.tag
    payload += b"".join(bytes([len(name)]) + name.encode() for name in names)
    return "vaultci1_" + b64(
        payload + credential_checksum(payload, isinstance(key.identity, Hybrid)), b"-_"
    )


def credential_checksum(payload: bytes, hybrid: bool) -> bytes:
    label = "vault/v1/hybrid-credential" if hybrid else "vault/v1/credential"
    return sha256(framed(label, payload))[:8]


def read_credential(text: str) -> Key:
    data = unb64(text.removeprefix("vaultci1_"), altchars=b"-_")
    payload, checksum = data[:-8], data[-8:]
    hybrid = checksum == credential_checksum(payload, True)
    require(hybrid or checksum == credential_checksum(payload, False), "the credential is damaged")
    names, rest = [], payload[80:]
    while rest:
        names.append(label(rest[1 : 1 + rest[0]].decode("ascii", "replace")))
        require(len(names[-1]) == rest[0], "the credential is damaged")
        rest = rest[1 + rest[0] :]
    require(
        names and names[1:] == sorted(set(names[1:])) and is_public_key(payload[32:64]),
        "the credential is damaged",
    )
    pin = Pin(payload[32:64], payload[64:80])
    return Key(identity_of(payload[:32], hybrid=hybrid), pin, names[0], names[1:])


# --- The values that an identity opens ------------------------------------------------------------


class Holder:
    """Steps 5 and 6: a member, and the identity that proves it."""

    def __init__(self, vault: Vault, key: Key):
        recipient = str(key.identity.to_public())
        names = sorted(vault.members) if key.member is None else [key.member]
        found = [
            name
            for name in names
            if name in vault.members and bare(vault.members[name]["recipient"]) == recipient
        ]
        if not found:
            reason = vault.uncounted.get(key.member, f"no member has the recipient {recipient}")
            raise Locked(reason)
        self.vault, self.identity = vault, key.identity
        self.name, self.member = found[0], vault.members[found[0]]

    def seed(self, field: str) -> bytes:
        """Returns `signing_key` or `authority`, if it belongs to the public key next to it."""
        public = self.vault.id if field == "authority" else decoded(self.member["signer"])
        seed = unseal(self.identity, decoded(self.member[field]))
        require(
            len(seed) == 32 and public_key(seed) == public,
            f"members/{self.name}.toml: the {field} is not the one it names",
        )
        return seed

    def check_seeds(self) -> None:
        for field in ("signing_key", "authority"):
            if field in self.member:
                self.seed(field)

    def keys(self, environment: str, epoch: dict) -> "DataKey | dict[str, bytes] | None":
        """Returns the data key of an epoch, or the entry keys of some names, or None if neither is
        sealed to this member."""
        path, vault = f"members/{self.name}.toml", self.vault.id
        sealed = self.member.get("sealed", {}).get(environment, {}).get(epoch["commitment"])
        if sealed is None:
            return None
        parts = unframed(unseal(self.identity, decoded(sealed)))
        commitment = decoded(epoch["commitment"])
        require(
            parts[1:4] == [vault, environment.encode(), commitment],
            f"{path}: a sealed key belongs to another place",
        )
        keys = parts[4:]
        if parts[0] == b"vault/v1/data-key":
            require(
                len(keys) == 1 and commitment_of(keys[0], vault, environment) == commitment,
                f"{path}: a data key does not give the commitment",
            )
            return DataKey(keys[0], vault, environment)
        names = [secret_name(part.decode("ascii", "replace")) for part in keys[::2]]
        require(
            parts[0] == b"vault/v1/entry-keys"
            and len(keys) == 2 * len(names)
            and names == sorted(set(names))
            and all(len(key) == 32 for key in keys[1::2]),
            f"{path}: a sealed key is not understood",
        )
        return dict(zip(names, keys[1::2]))

    def open(self, environment: str, entries: dict[str, dict]) -> tuple[dict, dict]:
        """Returns the values by name, and the reasons why others cannot be opened."""
        opened, values, closed = {}, {}, {}
        for epoch in self.vault.environments[environment]:
            opened[epoch["commitment"]] = self.keys(environment, epoch)
        for name, entry in entries.items():
            keys = opened[entry["commitment"]]
            if "removed" in entry:
                continue
            if keys is None:
                closed[name] = f"epoch {entry['epoch']} is not sealed to {self.name}"
            elif name not in keys:
                closed[name] = f"{self.name} cannot read this name"
            else:
                values[name] = b64(self.value(environment, name, entry, keys[name]))
        return values, closed

    def value(self, environment: str, name: str, entry: dict, key: bytes) -> bytes:
        place = sealed_place(self.vault.id, environment, name, entry)
        try:
            return open_value(key, place, decoded(entry["sealed"]))
        except Refused as reason:
            raise Refused(f"{environment}/{name}.toml: its value {reason}") from None


class DataKey:
    """Derives the key of every name."""

    def __init__(self, key: bytes, vault: bytes, environment: str):
        self.key, self.vault, self.environment = key, vault, environment

    def __contains__(self, name: str) -> bool:
        return True

    def __getitem__(self, name: str) -> bytes:
        return entry_key_of(self.key, self.vault, self.environment, name)


def sealed_place(vault: bytes, environment: str, name: str, entry: dict) -> bytes:
    """Returns the associated data of a value. `commitment` is that of the entry's epoch."""
    commitment = decoded(entry["commitment"])
    numbers = entry["origin"], entry["revision"]
    return framed("vault/v1/sealed", vault, environment, name, entry["epoch"], commitment, *numbers)
