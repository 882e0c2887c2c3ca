"""A small vault for the tests, made by the second writer, and files that the page does not allow."""

import shutil
import tempfile
import unittest
from pathlib import Path
from typing import Callable

import pyrage

from authority import Authority, signed_file
from changes import Writer
from keys import Key, Pin
from reader import Folder, check_vault, read_vault
from text import read_member, read_root
from vault import Vault

Identity = pyrage.x25519.Identity


class SmallVault(unittest.TestCase):
    """alice is an admin, bob writes in production, and ci reads there. Each has one secret."""

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.alice = Key(Identity.generate())
        environments = ["development", "production"]
        admins = {"alice": self.alice.identity}
        writer = Writer.create(self.folder, environments, admins)
        self.pin = Pin(writer.vault.id)
        self.bob = writer.add("bob", Identity.generate(), {"production": "write"}, "writes")
        self.ci = writer.add("ci", Identity.generate(), {"production": "read"}, "machine")
        for environment in environments:
            writer.set_value(environment, "OF_ALICE", b"one")
        self.writer(self.bob).set_value("production", "OF_BOB", b"two")

    def path(self, name: str) -> Path:
        return self.folder / ".vault" / name

    def writer(self, key: Key | None = None) -> Writer:
        return Writer(self.folder, key or self.alice, self.pin)

    def read(self, key: Key | None = None, only: str | None = None) -> dict:
        pins = [self.pin] + ([key.pin] if key and key.pin else [])
        return read_vault(Folder(str(self.folder / ".vault")), key, pins, only)

    def names(self, key: Key, environment: str = "production") -> list[str]:
        return [*self.read(key)["values"][environment]]

    def vault(self) -> Vault:
        return check_vault(Folder(str(self.folder / ".vault")), [self.pin])

    def files(self) -> dict[str, bytes]:
        folder = self.folder / ".vault"
        paths = [path for path in folder.rglob("*") if path.is_file()]
        return {str(path.relative_to(folder)): path.read_bytes() for path in paths}

    def restore(self, files: dict[str, bytes]) -> None:
        for path in [path for path in self.path("").rglob("*") if path.is_file()]:
            path.unlink()
        for name, content in files.items():
            self.path(name).write_bytes(content)

    def authority(self) -> Authority:
        return self.writer().authority()

    def change_root(self, change: Callable[[dict], None]) -> None:
        """Changes the root, and signs it again."""
        authority, root = (self.authority(), read_root(self.path("root.toml").read_bytes()).fields)
        change(root)
        self.path("root.toml").write_bytes(authority.root_file(root)[1])

    def change_member(self, name: str, change: Callable[[dict], None]) -> None:
        """Changes a member's file, and signs it again."""
        authority, path = self.authority(), self.path(f"members/{name}.toml")
        member = read_member(name, path.read_bytes()).fields
        change(member)
        self.path(f"members/{member['name']}.toml").write_bytes(authority.member_file(member)[1])

    def sign_text(self, name: str, kind: str, body: str) -> None:
        """Signs any text as the authority."""
        authority = self.authority()
        file = signed_file(name, body, kind, authority.id, authority.seed)[1]
        self.path(name).write_bytes(file)
