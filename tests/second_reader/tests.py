#!/usr/bin/env python3
"""Tests the second reader and writer against the page and the golden vaults.

Needs tests/setup.sh.
"""

import json
import os
import re
import shutil
import tempfile
import unittest
from pathlib import Path

from crypto import commitment_of, entry_key_of, framed, hchacha20, open_value, padded_length
from crypto import Refused, read_id, sha256, unb64, unframed, unseal, verify
from keys import Holder, Locked, Pin, read_key_file, sealed_place
from reader import Folder, check_environment, check_roster, read_vault
from text import read_entry
from writer import Writer

TESTS = Path(__file__).resolve().parent.parent
GOLDEN = TESTS / "golden"
PAGE = (TESTS.parent / "docs" / "reference" / "format.md").read_text()


def expected_of(vault: str) -> dict:
    return json.loads((GOLDEN / vault / "expected.json").read_text())


def key_of(vault: str, file: str):
    return read_key_file(GOLDEN / vault / "identities" / file)


def read(folder: Path, key, pin: Pin) -> dict:
    return read_vault(Folder(str(folder / ".vault")), key, [pin], None)


class Golden(unittest.TestCase):
    def test_every_key_opens_exactly_the_expected_values(self):
        for vault in ("v1", "v1-rotated"):
            expected = expected_of(vault)
            for file, opens in expected["opens"].items():
                with self.subTest(vault=vault, file=file):
                    result = read(GOLDEN / vault, key_of(vault, file), Pin.parse(expected["vault"]))
                    values = {
                        environment: {name: unb64(value) for name, value in values.items()}
                        for environment, values in result["values"].items()
                    }
                    self.assertEqual(values, wanted(expected, opens))
                    for environment, removed in expected["removed"].items():
                        self.assertEqual(result["facts"][environment]["removed"], removed)

    def test_former_member_is_locked_out(self):
        pin = Pin.parse(expected_of("v1")["vault"])
        with self.assertRaises(Locked):
            read(GOLDEN / "v1-rotated", key_of("v1", "ci-production.txt"), pin)

    def test_higher_pin_and_other_id_are_refused(self):
        vault = read_id(expected_of("v1")["vault"])
        for pin in (Pin(vault, 2), Pin(sha256(b""), 0)):
            with self.assertRaises(Refused):
                read(GOLDEN / "v1", None, pin)


def wanted(expected: dict, opens: dict) -> dict:
    return {
        environment: {name: unb64(expected["values"][environment][name]) for name in names}
        for environment, names in opens.items()
    }


class SecondWriter(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        shutil.copytree(GOLDEN / "v1" / ".vault", self.folder / ".vault")
        self.pin = Pin.parse(expected_of("v1")["vault"])
        self.alice = key_of("v1", "alice.txt")

    def writer(self) -> Writer:
        return Writer(self.folder, self.pin, self.alice.identity)

    def test_set_value_is_read_back_with_the_next_revision(self):
        for value in (b"", b"\x80\0", bytes(range(256)) * 5):
            self.writer().set("production", "GONE", value)
            result = read(self.folder, self.alice, self.pin)
            self.assertEqual(unb64(result["values"]["production"]["GONE"]), value)
        self.assertEqual(result["facts"]["production"]["entries"]["GONE"]["revision"], 5)

    def test_old_environment_under_the_new_roster_is_refused(self):
        self.writer().remove_member("ci-production")
        read(self.folder, self.alice, self.pin)
        shutil.copy(GOLDEN / "v1/.vault/production.toml", self.folder / ".vault/production.toml")
        with self.assertRaisesRegex(Refused, "older than the roster says"):
            read(self.folder, self.alice, self.pin)

    def test_every_flipped_byte_of_an_entry_is_refused(self):
        path = self.folder / ".vault/development/GREETING.toml"
        content = path.read_bytes()
        store = Folder(str(self.folder / ".vault"))
        # Pure Python is slow: every byte with VAULT_TESTS=all, otherwise every 16th.
        step = 1 if os.environ.get("VAULT_TESTS") == "all" else 16
        for at in range(0, len(content), step):
            path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
            with self.assertRaises(Refused, msg=f"byte {at}"):
                read_vault(store, None, [self.pin], "development")


class Page(unittest.TestCase):
    def test_worked_example_of_the_page_is_correct(self):
        for block in worked_example():
            self.assertTrue(f"```text\n{block}```\n" in PAGE, f"docs/reference/format.md lacks:\n{block}")

    def test_table_of_lengths_is_correct(self):
        rows = re.findall(r"^\| [\d,]+ \| .*$", PAGE, re.MULTILINE)
        numbers = [int(n.replace(",", "")) for row in rows for n in re.findall(r"[\d,]+", row)]
        pairs = list(zip(numbers[::2], numbers[1::2]))
        self.assertGreater(len(pairs), 12)
        for length, padded in pairs:
            self.assertEqual(padded_length(length), padded, length)

    def test_example_of_framing_is_correct(self):
        self.assertTrue(framed("ab", 258).hex() in re.sub(r"\s", "", PAGE))

    def test_signature_edge_cases_have_the_same_answer_as_vault(self):
        lines = (TESTS / "vectors" / "ed25519.txt").read_text().splitlines()
        for line in (line for line in lines if not line.startswith("#")):
            _, _, key, signature, message, holds = line.split(" ")
            key, signature, message = map(bytes.fromhex, (key, signature, message))
            self.assertEqual(verify(key, message, signature), holds == "yes", line)

    def test_hchacha20_matches_its_draft(self):
        nonce = bytes.fromhex("000000090000004a0000000031415927")
        subkey = "82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc"
        self.assertEqual(hchacha20(bytes(range(32)), nonce).hex(), subkey)


def worked_example() -> list[str]:
    """Returns the blocks of the page's last chapter, made from the golden vault."""
    key = key_of("v1", "ci-both.txt")
    store = Folder(str(GOLDEN / "v1" / ".vault"))
    roster = check_roster(store, [key.pin]).fields
    environment = check_environment(store, roster, "development").fields
    holder, epoch = Holder(roster, key.identity), environment["epochs"][0]
    payload = unseal(key.identity, unb64(epoch["sealed"][holder.name]))
    file = (GOLDEN / "v1/.vault/development/GREETING.toml").read_bytes()
    entry = read_entry("development", "GREETING", file)
    sealed, commitment = unb64(entry.fields["sealed"]), unb64(epoch["commitment"])
    data_key, vault = unframed(payload)[-1], key.pin.vault
    entry_key = entry_key_of(data_key, vault, "development", "GREETING")
    place = sealed_place(vault, environment, "GREETING", entry.fields)
    assert commitment == commitment_of(data_key, vault, "development")
    assert open_value(entry_key, place, sealed) == b"hello"
    message = framed("vault/v1/entry", vault, entry.path, commitment, entry.body)
    credential = key_line("ci-both.txt")
    content = unb64(credential.removeprefix("vaultci1_"), altchars=b"-_")
    return [
        file.decode(),
        listing(
            ("vault id", roster["vault"]),
            ("id", vault),
            ("data key", data_key),
            ("SHA-256(environment)", sha256(b"development")),
            ("commitment", commitment),
            ("entry key", entry_key),
            ("nonce", sealed[:24]),
            ("associated data", place),
            ("padded value", b"hello\x80".ljust(32, b"\0")),
            ("ciphertext", sealed[24:-16]),
            ("tag", sealed[-16:]),
        ),
        listing(
            ("length of the body", f"{len(entry.body)} bytes"),
            ("message but the body", message[: -len(entry.body)]),
            ("SHA-256(message)", sha256(message)),
            ("key of alice", unb64(roster["members"]["alice"]["signer"])),
            ("signature", entry.signature),
        ),
        listing(("payload", payload)),
        f"{credential}\n",
        listing(
            ("identity", content[:32]),
            ("id", content[32:64]),
            ("floor", content[64:72]),
            ("environments", content[72:-8]),
            ("checksum", content[-8:]),
        ),
    ]


def key_line(file: str) -> str:
    lines = (GOLDEN / "v1/identities" / file).read_text().splitlines()
    return next(line for line in lines if not line.startswith("#"))


def listing(*rows: tuple[str, bytes | str]) -> str:
    """Returns names and hexadecimal values, 32 bytes per line."""
    text = ""
    for name, value in rows:
        lines = [value] if isinstance(value, str) else spaced(value, 32).split(" ")
        for at, line in enumerate(lines):
            text += f"{'' if at else name:22}{line}\n"
    return text


def spaced(data: bytes, width: int) -> str:
    return data.hex(" ", -width) if data else ""


if __name__ == "__main__":
    unittest.main()
