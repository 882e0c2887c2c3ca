"""Makes the files that the authority signs, and the keys that are sealed in them.

Follows docs/reference/format.md, "Signatures" and "Age files". It writes nothing to a disk.
"""

import secrets

from agefiles import seal as seal_to
from crypto import BECH32M, bech32, commitment_of, fingerprint, framed, public_key, sign
from keys import DataKey
from text import bare, decoded, prefixed, read_member, read_root, write_member, write_request
from text import write_root, written

File = tuple[str, bytes]


class Authority:
    """The key that signs the root and the members' files. Refuses to write invalid ones."""

    def __init__(self, seed: bytes):
        self.seed, self.id = seed, public_key(seed)

    def vault_id(self) -> str:
        return bech32("vault", self.id, BECH32M)

    def root_file(self, root: dict) -> File:
        body = write_root(root)
        path, file = signed_file("root.toml", body, "vault/v1/root", self.id, self.seed)
        read_root(file)
        return path, file

    def member_file(self, member: dict) -> File:
        path, body = f"members/{member['name']}.toml", write_member(member)
        path, file = signed_file(path, body, "vault/v1/member", self.id, self.seed)
        read_member(member["name"], file)
        return path, file


def signed_file(
    path: str, body: str, kind: str, vault: bytes, seed: bytes, *commitment: bytes
) -> File:
    signature = sign(seed, framed(kind, vault, path, *commitment, body))
    return path, f'{body}signature = "{prefixed(signature)}"\n'.encode()


def new_member(name: str, recipient: str, access: dict, seed: bytes | None) -> dict:
    """Returns the fields of a new member, who has no sealed keys yet. With a seed, they can sign."""
    member = {
        "format": 1,
        "name": name,
        "revision": 1,
        "recipient": written(recipient),
        "access": access,
    }
    if seed:
        member["signer"] = prefixed(public_key(seed))
        member["signing_key"] = sealed_to(member, seed)
    return member


def new_request(vault: bytes, name: str, recipient: str) -> tuple[File, str]:
    """Returns a request to join, and its fingerprint."""
    seed, path = secrets.token_bytes(32), f"requests/{name}.toml"
    fields = new_member(name, recipient, {}, seed)
    body = write_request(fields | {"vault": "bech32:" + bech32("vault", vault, BECH32M)})
    told = fingerprint(framed("vault/v1/join", vault, path, body))
    return signed_file(path, body, "vault/v1/request", vault, seed), told


def sealed_to(member: dict, payload: bytes) -> str:
    return prefixed(seal_to(bare(member["recipient"]), payload))


def new_epoch(vault: bytes, environment: str, number: int, given: list) -> tuple[dict, DataKey]:
    key = secrets.token_bytes(32)
    commitment = prefixed(commitment_of(key, vault, environment))
    epoch = {"number": number, "commitment": commitment, "given": sorted(given)}
    return epoch, DataKey(key, vault, environment)


def seal_epoch(member: dict, commitment: str, key: DataKey) -> None:
    """Seals the keys of an epoch to a member, as far as their access goes."""
    access = member["access"][key.environment]
    place = key.vault, key.environment, decoded(commitment)
    if isinstance(access, str):
        payload = framed("vault/v1/data-key", *place, key.key)
    else:
        keys = [part for name in sorted(set(access)) for part in (name, key[name])]
        payload = framed("vault/v1/entry-keys", *place, *keys)
    sealed = member.setdefault("sealed", {}).setdefault(key.environment, {})
    sealed[commitment] = sealed_to(member, payload)


def unite_lost(one: dict, other: dict) -> dict:
    """Unites two records of lost access, by environment."""
    united = dict(one)
    for environment, lost in other.items():
        before = united.get(environment, lost)
        both = {"epoch": max(before["epoch"], lost["epoch"])}
        if "names" in before and "names" in lost:
            both["names"] = sorted({*before["names"], *lost["names"]})
        united[environment] = both
    return united


def reads_all_of(access: str | list | None, other: str | list | None) -> bool:
    """Returns whether access allows to read all that the other access does."""
    if isinstance(access, str) or other is None:
        return True
    return access is not None and not isinstance(other, str) and set(other) <= set(access)
