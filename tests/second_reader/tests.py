#!/usr/bin/env python3
"""Tests the second reader and writer against the page and the golden vaults.

Needs tests/setup.sh.
"""

import json
import re
import unittest
from pathlib import Path

from agefiles import read_identity, unseal
from change_tests import Changes, Interruptions
from counting_tests import Counting, Spelling
from crypto import commitment_of, entry_key_of, framed, hchacha20, open_value, padded_length
from crypto import Refused, read_id, sha256, unb64, unframed, verify
from keys import Holder, Locked, Pin, read_key_file, sealed_place
from reader import Folder, check_entries, check_vault, read_vault
from text import bare, cut, decoded, read_entry

__all__ = ["Changes", "Counting", "Golden", "Interruptions", "Page", "Spelling"]

TESTS = Path(__file__).resolve().parent.parent
GOLDEN = TESTS / "golden"
GOLDEN_VAULTS = ("v1", "v1-kinds", "v1-rotated", "v1-ssh")
PAGE = (TESTS.parent / "docs" / "reference" / "format.md").read_text()


def expected_of(vault: str) -> dict:
    return json.loads((GOLDEN / vault / "expected.json").read_text())


def read(vault: str, file: str | None, pin: Pin) -> dict:
    key = read_key_file(GOLDEN / vault / "identities" / file) if file else None
    pins = [pin] + ([key.pin] if key and key.pin else [])
    return read_vault(Folder(str(GOLDEN / vault / ".vault")), key, pins, None)


class Golden(unittest.TestCase):
    def test_every_key_opens_exactly_the_expected_values(self):
        for vault in GOLDEN_VAULTS:
            expected = expected_of(vault)
            for file, opens in expected["opens"].items():
                with self.subTest(vault=vault, file=file):
                    result = read(vault, file, Pin.parse(expected["vault"]))
                    values = {
                        environment: {name: unb64(value) for name, value in values.items()}
                        for environment, values in result["values"].items()
                    }
                    wanted = {
                        environment: {
                            name: unb64(expected["values"][environment][name]) for name in names
                        }
                        for environment, names in opens.items()
                    }
                    self.assertEqual(values, wanted)

    def test_former_keys_are_locked_out(self):
        for vault in GOLDEN_VAULTS:
            expected = expected_of(vault)
            for file in expected["locked"]:
                with self.assertRaises(Locked, msg=file):
                    read(vault, file, Pin.parse(expected["vault"]))

    def test_root_and_members_have_the_expected_facts(self):
        for vault in GOLDEN_VAULTS:
            expected = expected_of(vault)
            result = read(vault, None, Pin.parse(expected["vault"]))
            for field in ("epochs", "removed", "cannot_read_yet"):
                facts = {name: facts[field] for name, facts in result["facts"].items()}
                self.assertEqual(facts, expected[field], f"{vault} {field}")
            for field in ("former", "lost", "requests"):
                self.assertEqual(result[field], expected[field], f"{vault} {field}")
            self.assertEqual(len(result["revocations"]), expected["revocations"])
            self.assertEqual([*result["leftovers"]], expected["leftovers"])
            self.assertEqual((result["uncounted"], result["newer"]), ({}, []))
            self.assertEqual(result["sealed_to_others"], [])
            self.assertEqual([facts["hidden"] for facts in result["facts"].values()], [[], []])

    def test_pin_with_an_unknown_tag_or_another_id_is_refused(self):
        vault = read_id(expected_of("v1")["vault"])
        latest = decoded(read("v1-rotated", None, Pin(vault))["revocations"][-1])
        read("v1-rotated", None, Pin(vault, latest))
        for pin in (Pin(vault, latest), Pin(sha256(b""))):
            with self.assertRaises(Refused):
                read("v1", None, pin)


class Page(unittest.TestCase):
    def test_worked_example_of_the_page_is_correct(self):
        for block in worked_example():
            self.assertTrue(
                f"```text\n{block}```\n" in PAGE, f"docs/reference/format.md lacks:\n{block}"
            )

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

    def test_post_quantum_age_file_opens_as_its_vector_says(self):
        vector = (TESTS / "vectors" / "age" / "hybrid").read_bytes()
        head, sealed = vector.split(b"\n\n", 1)
        fields = dict(line.split(": ") for line in head.decode().splitlines())
        payload = unseal(read_identity(fields["identity"]), sealed)
        self.assertEqual(sha256(payload).hex(), fields["payload"])

    def test_hchacha20_matches_its_draft(self):
        nonce = bytes.fromhex("000000090000004a0000000031415927")
        subkey = "82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc"
        self.assertEqual(hchacha20(bytes(range(32)), nonce).hex(), subkey)


def worked_example() -> list[str]:
    """Returns the blocks of the page's last chapter, made from the golden vault."""
    key = read_key_file(GOLDEN / "v1/identities/ci-both.txt")
    store = Folder(str(GOLDEN / "v1/.vault"))
    vault = check_vault(store, [key.pin])
    epoch, holder = vault.newest("development"), Holder(vault, key)
    sealed_key = holder.member["sealed"]["development"][epoch["commitment"]]
    payload = unseal(key.identity, decoded(sealed_key))
    file = (GOLDEN / "v1/.vault/development/GREETING.toml").read_bytes()
    entry = read_entry("development", "GREETING", file)
    fields = check_entries(store, vault, "development")["GREETING"]
    sealed, commitment = decoded(fields["sealed"]), decoded(epoch["commitment"])
    data_key = unframed(payload)[-1]
    entry_key = entry_key_of(data_key, vault.id, "development", "GREETING")
    place = sealed_place(vault.id, "development", "GREETING", fields)
    assert commitment == commitment_of(data_key, vault.id, "development")
    assert open_value(entry_key, place, sealed) == b"hello"
    message = framed("vault/v1/entry", vault.id, entry.path, commitment, entry.body)
    root = (GOLDEN / "v1/.vault/root.toml").read_bytes()
    member = (GOLDEN / "v1/.vault/members/ci-both.toml").read_bytes()
    credential = key_line("ci-both.txt")
    content = unb64(credential.removeprefix("vaultci1_"), altchars=b"-_")
    end = 81 + len(key.member)
    return [
        file.decode(),
        listing(
            ("vault id", bare(vault.root["vault"])),
            ("id", vault.id),
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
            ("key of alice", decoded(vault.members["alice"]["signer"])),
            ("signature", entry.signature),
        ),
        root.decode(),
        signing("vault/v1/root", vault.id, "root.toml", root),
        signing("vault/v1/member", vault.id, "members/ci-both.toml", member),
        listing(("payload", payload)),
        f"{credential}\n",
        listing(
            ("identity", content[:32]),
            ("id", content[32:64]),
            ("tag", content[64:80]),
            ("member", content[80:end]),
            ("environments", content[end:-8]),
            ("checksum", content[-8:]),
        ),
    ]


def signing(kind: str, vault: bytes, path: str, file: bytes) -> str:
    body, signature = cut(path, file)
    message = framed(kind, vault, path, body)
    return listing(
        ("length of the body", f"{len(body)} bytes"),
        ("message but the body", message[: -len(body)]),
        ("SHA-256(message)", sha256(message)),
        ("signature", signature),
    )


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
