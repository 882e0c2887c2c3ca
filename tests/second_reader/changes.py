"""The changes of a vault, from docs/reference/format.md, "Changes". The second writer.

A change takes effect on the disk in the order of the page. It is not safe against a second writer,
or against an interruption.
"""

import os
import secrets
import time
from datetime import UTC, datetime
from pathlib import Path

from agefiles import Identity
from authority import Authority, File, new_epoch, new_member, new_request, reads_all_of
from authority import seal_epoch, sealed_to, signed_file, unite_lost
from crypto import require, seal_value, unb64
from keys import DataKey, Holder, Key, Pin, sealed_place
from reader import Folder, check_entries, check_vault
from text import decoded, label, prefixed, secret_name, write_entry, written
from vault import hashes_of


class Writer:
    """A member who can write, and the checked vault that they write to."""

    def __init__(self, folder: Path, key: Key, pin: Pin):
        self.path = folder / ".vault"
        self.store = Folder(str(self.path))
        self.vault = check_vault(self.store, [pin])
        self.holder = Holder(self.vault, key)
        self.holder.check_seeds()

    @classmethod
    def create(cls, folder: Path, environments: list[str], admins: dict) -> "Writer":
        """Makes a vault whose admins, with these identities, can write everywhere."""
        authority = Authority(secrets.token_bytes(32))
        access = dict.fromkeys(map(label, environments), "write")
        members = {
            label(name): new_member(
                name, str(it.to_public()), dict(access), secrets.token_bytes(32)
            )
            for name, it in admins.items()
        }
        root = {"format": 1, "vault": "bech32:" + authority.vault_id(), "revision": 1}
        root |= {"revocations": [], "environments": {}}
        for name in environments:
            epoch, key = new_epoch(authority.id, name, 1, list(members))
            root["environments"][name] = [epoch]
            for member in members.values():
                seal_epoch(member, epoch["commitment"], key)
        for member in members.values():
            member |= {"admin": True, "authority": sealed_to(member, authority.seed)}
        (folder / ".vault").mkdir(parents=True)
        files = [authority.member_file(member) for member in members.values()]
        files.append((".gitattributes", b"* -text diff=vault linguist-generated\n"))
        files.append((".gitignore", b"/tmp/\n"))
        for file in [*files, authority.root_file(root)]:
            replace(folder / ".vault", *file)
        first = next(iter(admins.values()))
        return cls(folder, Key(first), Pin(authority.id))

    # --- Values -----------------------------------------------------------------------------------

    def set_value(self, environment: str, name: str, value: bytes | None) -> None:
        """Sets a value, or removes it if it is None."""
        require(not self.vault.hidden(environment), "the newest key is known to someone hidden")
        entries = check_entries(self.store, self.vault, environment)
        epoch = self.vault.newest(environment)
        entry = {
            "format": 1,
            "epoch": epoch["number"],
            "origin": epoch["number"],
            "revision": entries[name]["revision"] + 1 if name in entries else 1,
            "changed": datetime.fromtimestamp(int(time.time()), UTC),
            "author": self.holder.name,
            "commitment": epoch["commitment"],
        }
        require(value is not None or "sealed" in entries.get(name, {}), "there is no such value")
        entry |= {"removed": True} if value is None else {}
        self.replace(self.entry(environment, secret_name(name), entry, value))

    def entry(self, environment: str, name: str, entry: dict, value: bytes | None) -> File:
        """Returns the file of an entry. Seals the value if there is one."""
        entry = entry | {"signer": self.holder.name}
        commitment = decoded(entry["commitment"])
        if value is not None:
            keys = self.holder.keys(environment, entry)
            place = sealed_place(self.vault.id, environment, name, entry)
            sealed = seal_value(keys[name], place, secrets.token_bytes(24), value)
            entry["sealed"] = prefixed(sealed)
        path, body = f"{environment}/{name}.toml", write_entry(environment, name, entry)
        seed = self.holder.seed("signing_key")
        return signed_file(path, body, "vault/v1/entry", self.vault.id, seed, commitment)

    def join(self, name: str, identity: Identity) -> str:
        """Writes a request to join, and returns its fingerprint."""
        recipient = str(identity.to_public())
        file, fingerprint = new_request(self.vault.id, label(name), recipient)
        self.replace(file)
        return fingerprint

    # --- More access: one file --------------------------------------------------------------------

    def add(self, name: str, identity: Identity, access: dict, *traits: str) -> Key:
        """Adds a member with some of the traits `writes`, `admin`, and `machine`. Returns the key,
        which for a machine is a credential."""
        known = {*self.vault.members, *self.vault.uncounted, *self.vault.former}
        require(name not in known, "this name has been used")
        recipient, tag = str(identity.to_public()), self.vault.last_tag()
        seed = secrets.token_bytes(32) if "writes" in traits else None
        member = new_member(label(name), recipient, access, seed)
        if "admin" in traits:
            member |= {"admin": True, "authority": sealed_to(member, self.authority().seed)}
        if "machine" in traits:
            member["credential"] = tag
        for environment in access:
            self.seal_newest(member, environment)
        self.put(member)
        if "machine" not in traits:
            return Key(identity)
        return Key(identity, Pin(self.vault.id, decoded(tag)), name, sorted(access))

    def change_access(self, name: str, changes: dict) -> None:
        """Changes access in some environments; None takes it."""
        member = self.vault.members[name]
        access = {e: a for e, a in (member["access"] | changes).items() if a is not None}
        rotate = [e for e in changes if not reads_all_of(changes[e], member["access"].get(e))]
        write = [e for e in changes if member["access"].get(e) == "write" != changes[e]]
        if rotate or write:
            before, lost = self.copy(member), self.losses(member, rotate)
            self.revoke(before, member | {"access": access}, rotate, lost)
            member = self.vault.members[name]
        more = [e for e in changes if changes[e] is not None and e not in rotate + write]
        if more:
            self.vault.drop_leftovers(member)
            member |= {"access": access, "revision": member["revision"] + 1}
            for environment in more:
                self.seal_newest(member, environment)
            self.put(member)

    def seal_newest(self, member: dict, environment: str) -> None:
        newest = self.vault.newest(environment)
        seal_epoch(member, newest["commitment"], self.data_key(environment, newest))

    # --- Revocations ------------------------------------------------------------------------------

    def rotate(self, environments: list[str]) -> None:
        self.revoke(None, None, environments, {})

    def remove_member(self, name: str) -> None:
        """Removes a member, or the name of a file that does not count or is missing."""
        require(name not in self.vault.former, "this member has left already")
        before = self.copy(self.vault.members.get(name, {"name": name, "access": {}}))
        rotate, record = self.removal(before)
        self.vault.root.setdefault("former", {})[name] = record
        self.revoke(before, None, rotate, {})

    def replace_recipient(self, name: str, identity: Identity) -> Key:
        """Replaces the recipient. The old keys become those of a former member."""
        before = self.copy(self.vault.members[name])
        require("write" not in before["access"].values(), "a new signer comes with a request")
        rotate, record = self.removal(before)
        self.vault.root.setdefault("former", {})[self.replaced_name(name)] = record
        after = before | {"recipient": written(str(identity.to_public()))}
        after = {k: it for k, it in after.items() if k not in ("signer", "signing_key")}
        self.revoke(before, after, rotate, {})
        return Key(identity)

    def replaced_name(self, name: str) -> str:
        number = 1
        while True:
            end = f"-until-{number}"
            result = name[: 63 - len(end)] + end
            if result not in {*self.vault.former, *self.vault.members, *self.vault.uncounted}:
                return result
            number += 1

    def removal(self, member: dict) -> tuple[list[str], dict]:
        """Returns the environments that a removal rotates, and the record of a former member. The
        record takes over the one of the member."""
        rotate, name = self.writable(), member["name"]
        lost = self.losses(member, list(member["access"]))
        given = {e for e in self.vault.environments if name in self.vault.newest(e)["given"]}
        shown = given | lost.keys()
        require(shown <= set(rotate), "another admin must take the access that you do not have")
        others = [it for n, it in self.vault.members.items() if n != name]
        kept = {digest for other in others for digest in hashes_of(other).values()}
        hashes = hashes_of(member) if "recipient" in member else {}
        record = {field: digest for field, digest in hashes.items() if digest not in kept}
        before = self.vault.root.get("members", {}).pop(name, {})
        lost = unite_lost(before.get("lost", {}), lost)
        return rotate, record | ({"lost": lost} if lost else {})

    def losses(self, member: dict, environments: list[str]) -> dict:
        """Returns what goes into `lost` if this member loses access to these environments."""
        lost = {}
        for name in environments:
            if self.vault.access(member["name"], name) is not None:
                access = member["access"][name]
                names = {} if isinstance(access, str) else {"names": access}
                lost[name] = {"epoch": self.vault.newest(name)["number"]} | names
        return lost

    def revoke(
        self, before: dict | None, after: dict | None, rotate: list[str], lost: dict
    ) -> None:
        """Writes a revocation in the order of the page. `before` is the member who loses something,
        and `after` their fields from now on; None for a rotation, or for a member who leaves."""
        vault, authority, tag = (self.vault, self.authority(), prefixed(secrets.token_bytes(16)))
        require("admin" not in (before or {}), "taking admin makes a new authority")
        name = before["name"] if before else None
        resigned = self.resigned(before, after) if before else []
        entries = {e: self.opened(e) for e in rotate}
        if name in vault.members:
            del vault.members[name]
        if after:
            vault.members[name] = self.without_lost_keys(before, after, tag)
            record = vault.root.setdefault("members", {}).pop(name, {}) | {"revocation": tag}
            united = unite_lost(record.get("lost", {}), lost)
            vault.root["members"][name] = record | ({"lost": united} if united else {})
        changed = self.start_epochs(rotate) | ({name} if after else set())
        for other in changed:
            vault.members[other]["revision"] += 1
        vault.root["revocations"].append(tag)
        vault.root["revision"] += 1
        keepers = [authority.member_file(vault.members[n]) for n in sorted(changed - {name})]
        loser = [authority.member_file(vault.members[name])] if after else []
        for file in [*resigned, *keepers, *loser, authority.root_file(vault.root)]:
            self.replace(file)
        for environment in rotate:
            for entry_name, (entry, value) in entries[environment].items():
                epoch = vault.newest(environment)
                entry |= {"epoch": epoch["number"], "commitment": epoch["commitment"]}
                self.replace(self.entry(environment, entry_name, entry, value))
        if before and not after:
            (self.path / f"members/{name}.toml").unlink(missing_ok=True)

    def resigned(self, before: dict, after: dict | None) -> list[File]:
        """Returns the entries that need a new signer, in the epoch in which they are."""
        files = []
        for environment, access in before["access"].items():
            kept = after and after["access"].get(environment) == "write"
            if access == "write" and not (kept and after.get("signer") == before["signer"]):
                for name, entry in check_entries(self.store, self.vault, environment).items():
                    if entry["signer"] == before["name"]:
                        require(environment in self.writable(), "you cannot sign this entry again")
                        files.append(self.entry(environment, name, entry, None))
        return files

    def opened(self, environment: str) -> dict[str, tuple[dict, bytes | None]]:
        """Returns all entries with their values."""
        entries = check_entries(self.store, self.vault, environment)
        values, closed = self.holder.open(environment, entries)
        require(not closed, "not every value can be opened")
        return {
            name: (entry, unb64(values[name]) if name in values else None)
            for name, entry in entries.items()
        }

    def without_lost_keys(self, before: dict, after: dict, tag: str) -> dict:
        """Seals the listed epochs that the member had, and still may have, again."""
        after = self.copy(after) | {"sealed": {}, "revocation": tag}
        after.pop("replaces", None)
        after |= {"replaces": before["revocation"]} if "revocation" in before else {}
        for name in after["access"]:
            for epoch in self.vault.environments.get(name, []):
                if epoch["commitment"] in before.get("sealed", {}).get(name, {}):
                    seal_epoch(after, epoch["commitment"], self.data_key(name, epoch))
        return after

    def start_epochs(self, environments: list[str]) -> set[str]:
        """Starts an epoch in each environment, and returns the members to whom one is sealed."""
        changed = set()
        for name in environments:
            epochs, readers = self.vault.environments[name], self.vault.readers(name)
            epoch, key = new_epoch(self.vault.id, name, epochs[0]["number"] + 1, readers)
            for reader in readers:
                self.vault.drop_leftovers(self.vault.members[reader])
                seal_epoch(self.vault.members[reader], epoch["commitment"], key)
            del epochs[0]["given"]
            epochs.insert(0, epoch)
            changed |= set(readers)
        return changed

    def forget(self, environment: str) -> None:
        """Drops the older epochs, if no entry needs them, and then the keys of those."""
        entries = check_entries(self.store, self.vault, environment).values()
        newest = self.vault.newest(environment)
        used = {entry["commitment"] for entry in entries} - {newest["commitment"]}
        require(not used, "an entry is in an older epoch")
        for name in self.vault.cannot_read_yet(environment):
            member = self.vault.members[name]
            member["revision"] += 1
            self.seal_newest(member, environment)
            self.put(member)
        self.vault.environments[environment][1:] = []
        self.vault.root["revision"] += 1
        self.replace(self.authority().root_file(self.vault.root))
        for name, member in self.vault.members.items():
            if self.vault.leftovers(name):
                self.vault.drop_leftovers(member)
                member["revision"] += 1
                self.put(member)

    # --- Parts ------------------------------------------------------------------------------------

    def authority(self) -> Authority:
        return Authority(self.holder.seed("authority"))

    def writable(self) -> list[str]:
        names = sorted(self.vault.environments)
        return [name for name in names if self.vault.access(self.holder.name, name) == "write"]

    def data_key(self, environment: str, epoch: dict) -> DataKey:
        key = self.holder.keys(environment, epoch)
        require(isinstance(key, DataKey), "you do not have this data key")
        return key

    def copy(self, member: dict) -> dict:
        sealed = {name: dict(keys) for name, keys in member.get("sealed", {}).items()}
        return member | {"access": dict(member["access"]), "sealed": sealed}

    def put(self, member: dict) -> None:
        self.vault.members[member["name"]] = member
        self.replace(self.authority().member_file(member))

    def replace(self, file: File) -> None:
        replace(self.path, *file)


def replace(folder: Path, path: str, content: bytes) -> None:
    temporary = folder / "tmp" / secrets.token_hex(8)
    temporary.parent.mkdir(exist_ok=True)
    temporary.write_bytes(content)
    (folder / path).parent.mkdir(exist_ok=True)
    os.replace(temporary, folder / path)
