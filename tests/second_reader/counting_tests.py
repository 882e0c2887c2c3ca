"""Tests of the rules by which a member's file counts, and of the strict text of root and member."""

import os
import secrets

import pyrage

from agefiles import check_header, generate, seal
from authority import new_epoch, seal_epoch
from crypto import Refused
from keys import Locked, Pin
from small_vault import SmallVault
from text import decoded, prefixed

ZEROS = prefixed(bytes(16))


class Counting(SmallVault):
    def uncounted(self, name: str, reason: str) -> None:
        self.assertRegex(self.read()["uncounted"][name], reason)

    def test_file_without_the_authoritys_signature_does_not_count(self):
        path = self.path("members/bob.toml")
        path.write_bytes(path.read_bytes().replace(b'= "write"', b'= "read"'))
        self.uncounted_and_its_entries_refused("signature")

    def uncounted_and_its_entries_refused(self, reason: str) -> None:
        with self.assertRaisesRegex(Refused, "cannot write here"):
            self.read()
        self.path("production/OF_BOB.toml").unlink()
        self.uncounted("bob", reason)
        with self.assertRaises(Locked):
            self.read(self.bob)
        self.assertEqual(self.names(self.ci), ["OF_ALICE"])

    def test_file_under_another_name_does_not_count(self):
        self.path("members/carol.toml").write_bytes(self.path("members/bob.toml").read_bytes())
        self.uncounted("carol", "signature")

    def test_stray_files_and_links_do_not_count(self):
        self.path("members/README.md").write_bytes(b"")
        self.path("members/.hidden.toml").write_bytes(b"")
        self.path("members/bob.toml").rename(self.folder / "bob.toml")
        self.path("members/bob.toml").symlink_to(self.folder / "bob.toml")
        self.path("members/big.toml").write_bytes(b"\n" * (1 << 20) + b"\n")
        self.path("production/OF_BOB.toml").unlink()
        self.assertEqual({*self.read()["uncounted"]}, {"README.md", "big", "bob"})

    def test_former_member_does_not_count_under_any_name(self):
        bob = self.files()["members/bob.toml"]
        self.writer().remove_member("bob")
        self.path("members/bob.toml").write_bytes(bob)
        self.uncounted("bob", "name of a former member")
        self.change_member("bob", lambda it: it.update(name="carol"))
        self.uncounted("carol", "recipient of a former member")
        other = f"bech32:{pyrage.x25519.Identity.generate().to_public()}"
        self.change_member("bob", lambda it: it.update(name="carol", recipient=other))
        self.uncounted("carol", "signer of a former member")

    def test_file_from_before_a_revocation_does_not_count(self):
        bob = self.files()["members/bob.toml"]
        self.writer().change_access("bob", {"production": ["OF_BOB"]})
        self.path("members/bob.toml").write_bytes(bob)
        self.uncounted("bob", "before a revocation")
        # A higher revision does not help.
        self.change_member("bob", lambda it: it.update(revision=9))
        self.uncounted("bob", "before a revocation")

    def test_file_from_after_two_unknown_revocations_does_not_count(self):
        root = self.files()["root.toml"]
        self.writer().change_access("bob", {"production": "read"})
        self.writer().change_access("bob", {"production": ["OF_BOB"]})
        self.path("root.toml").write_bytes(root)
        self.path("production/OF_BOB.toml").unlink()
        self.path("production/OF_ALICE.toml").unlink()
        self.uncounted("bob", "before a revocation")

    def test_file_newer_than_the_root_counts_and_is_named(self):
        root = self.files()["root.toml"]
        self.writer().change_access("bob", {"production": "read"})
        self.path("root.toml").write_bytes(root)
        result = self.read(self.bob)
        self.assertEqual((result["newer"], result["uncounted"]), (["bob"], {}))
        # `given` is satisfied only by the root's own tag.
        self.writer().rotate(["production"])
        self.assertEqual(self.read()["facts"]["production"]["hidden"], ["bob"])

    def test_access_without_a_listed_key_or_environment_is_a_leftover(self):
        commitment = self.vault().newest("production")["commitment"]

        def abandon(bob: dict) -> None:
            bob["access"]["staging"] = "read"
            bob["sealed"] = {"staging": bob["sealed"].pop("production")}

        self.path("production/OF_BOB.toml").unlink()
        self.change_member("bob", abandon)
        result = self.read(self.bob)
        found = ["access.production", "access.staging", f"sealed.staging.{commitment}"]
        self.assertEqual((result["leftovers"], result["values"]), ({"bob": found}, {}))

    def test_given_name_without_a_file_is_hidden(self):
        self.writer().rotate(["production"])
        self.path("members/ci.toml").unlink()
        self.assertEqual(self.read()["facts"]["production"]["hidden"], ["ci"])
        self.assertEqual(self.read()["facts"]["development"]["hidden"], [])
        with self.assertRaisesRegex(Refused, "someone hidden"):
            self.writer().set_value("production", "NEW", b"")
        self.writer().rotate(["production"])
        self.writer().set_value("production", "NEW", b"")

    def test_member_merged_with_a_rotation_cannot_read_yet(self):
        before = self.files()
        self.writer().add("dora", pyrage.x25519.Identity.generate(), {"production": "read"})
        dora = self.files()["members/dora.toml"]
        self.restore(before)
        self.writer().rotate(["production"])
        self.path("members/dora.toml").write_bytes(dora)
        facts = self.read()["facts"]["production"]
        self.assertEqual((facts["cannot_read_yet"], facts["hidden"]), (["dora"], []))

    def test_entry_belongs_to_the_epoch_of_its_commitment(self):
        """Two epochs have the same number, as after a merge."""
        for number in (2, 3):
            writer = self.writer()
            epoch, key = new_epoch(self.pin.id, "production", 2, ["alice"])
            alice = writer.vault.members["alice"]
            seal_epoch(alice, epoch["commitment"], key)
            writer.put(alice)
            epoch["number"] = number

            def insert(root: dict) -> None:
                epochs = root["environments"]["production"]
                del epochs[0]["given"]
                epochs.insert(0, epoch)

            self.change_root(insert)
            self.writer().set_value("production", f"IN_{number}", b"three")
        epochs = self.vault().environments["production"]
        self.assertEqual([epoch["number"] for epoch in epochs], [3, 2, 1])

        def renumber(root: dict) -> None:
            newest, one, other = root["environments"]["production"]
            one["number"] = other["number"] = 1
            pair = sorted((one, other), key=lambda epoch: epoch["commitment"])
            root["environments"]["production"] = [newest, *pair]

        self.path("production/IN_2.toml").unlink()
        self.change_root(renumber)
        self.assertEqual(self.names(self.alice), ["IN_3", "OF_ALICE", "OF_BOB"])

    def test_second_recipient_of_a_field_is_refused_and_found(self):
        recipients = [self.ci.identity.to_public(), pyrage.x25519.Identity.generate().to_public()]
        self.assertIsNone(check_header(pyrage.encrypt(b"", recipients[:1]), str(recipients[0])))
        commitment = self.vault().newest("production")["commitment"]
        sealed = prefixed(pyrage.encrypt(b"payload", recipients))
        self.change_member("ci", lambda ci: ci["sealed"]["production"].update({commitment: sealed}))
        found = [f"members/ci.toml: sealed.production.{commitment}"]
        self.assertEqual(self.read()["sealed_to_others"], found)
        with self.assertRaisesRegex(Refused, "exactly one recipient"):
            self.read(self.ci)

    def test_other_headers_of_age_files_are_refused(self):
        recipient = str(self.ci.identity.to_public())
        sealed = seal(recipient, b"")
        start, line, rest = sealed.split(b"\n", 2)
        body = b"A" * 43
        for header in (
            [start, line.replace(b"X25519", b"scrypt")],
            [start, b"-> scrypt a 1", body, line],
            [start, b"-> scrypt", b"A" * 64, b"", line],
            [start, b"-> grease a 1", body, line],
            [start, b"->  x-grease", body, line],
            [start, b"-> x-grease ", body, line],
            [start, b"-> x-grease", line],
            [start, b"-> x-grease", b"A" * 65, line],
            [b"age-encryption.org/v2", line],
            [b"", start, line],
        ):
            with self.assertRaises(Refused, msg=header):
                check_header(b"\n".join([*header, rest]), recipient)
        for grease in ([b"-> x-grease", b""], [b"-> -grease a b", b"A" * 64, b"AA"]):
            check_header(b"\n".join([start, *grease, line, rest]), recipient)

    def test_age_file_for_another_kind_of_key_is_refused(self):
        classic, hybrid = (str(generate(hybrid=hybrid).to_public()) for hybrid in (False, True))
        for own, other in ((classic, hybrid), (hybrid, classic)):
            self.assertIsNone(check_header(seal(own, b""), own))
            with self.assertRaisesRegex(Refused, "exactly one recipient"):
                check_header(seal(own, b""), other)


class Spelling(SmallVault):
    """Each text is signed by the authority, so only its spelling is wrong."""

    def edits(self, name: str, kind: str, *edits: tuple[str, str]) -> None:
        file = self.path(name).read_bytes()
        body = file.decode().rpartition("signature = ")[0]
        for old, new in edits:
            self.assertIn(old, body)
            self.sign_text(name, kind, body.replace(old, new, 1))
            if name == "root.toml":
                with self.assertRaises(Refused, msg=new):
                    self.read()
            else:
                self.assertIn("ci", self.vault().uncounted, new)
            self.path(name).write_bytes(file)
        self.read()

    def test_other_spelling_of_a_root_is_refused(self):
        self.writer().change_access("ci", {"production": ["A", "B"]})
        self.writer().remove_member("ci")
        names = {"production": ["A", "B"]}
        self.writer().add("dora", pyrage.x25519.Identity.generate(), names)
        self.writer().change_access("dora", {"production": None})
        first, second, third = self.vault().root["revocations"]
        self.edits(
            "root.toml",
            "vault/v1/root",
            ("format = 1", "format = 2"),
            ('vault = "bech32:', 'vault = "'),
            ("revision = ", "revision = 0"),
            (f'"{first}", "{second}"', f'"{first}","{second}"'),
            (f'"{first}", ', f'"{first}", "{first}", '),
            (f'"{first}", ', f'"{ZEROS}", '),
            (f'"{first}", ', f'"{first[4:]}", '),
            (third, prefixed(secrets.token_bytes(16))),
            ("[[environments.development]]", "[environments.development]"),
            ("[[environments.development]]", "[[environments.vault]]"),
            ("number = 3", "number = 1"),
            ("number = 1", "number = 2"),
            ('given = ["alice", "bob"]', 'given = ["bob", "alice"]'),
            ('given = ["alice", "bob"]\n', ""),
            ("number = 2\n", "number = 2\ngiven = []\n"),
            ("[members.dora]\n", "[members.dora]\nrevision = 1\n"),
            ("\n[members.dora]\n", "\n[members.bob]\n\n[members.dora]\n"),
            ('names = ["A", "B"]', 'names = ["B", "A"]'),
            ("lost = {", "lost = { },#"),
            ("\n\n[former", "\n[former"),
            ("[former.ci]", "[former.root]"),
        )

    def test_other_spelling_of_a_member_does_not_count(self):
        self.writer().change_access("ci", {"production": "read", "development": ["A", "B"]})
        self.writer().change_access("ci", {"development": ["A"]})
        self.writer().change_access("ci", {"development": ["A", "B"]})
        ci = self.vault().members["ci"]
        recipient, tag = ci["recipient"], ci["revocation"]
        newest, old = [epoch["commitment"] for epoch in self.vault().environments["development"]]
        first, second = sorted([newest, old])
        self.edits(
            "members/ci.toml",
            "vault/v1/member",
            ("format = 1", "format = 2"),
            ('name = "ci"', 'name = "cd"'),
            ("access of ci.", "access of cd."),
            ("revision = ", "revision = -"),
            (f'revocation = "{tag}"\n', f'replaces = "{tag}"\n'),
            (f'revocation = "{tag}"\n', f'revocation = "{tag}"\nreplaces = "{tag}"\n'),
            (f'revocation = "{tag}"', f'revocation = "{ZEROS}"'),
            (recipient, recipient.removeprefix("bech32:")),
            (recipient, recipient.upper()),
            (f'{recipient}"\n', f'{recipient}"\nstanza = "X25519"\n'),
            (f'{recipient}"\n', f'{recipient}"\nstanza = "other"\n'),
            (f'{recipient}"\n', f'{recipient}"\nsigning_key = "b64:AAAA"\n'),
            (f'{recipient}"\n', f'{recipient}"\nadmin = true\n'),
            (f'{recipient}"\n', f'{recipient}"\nadmin = false\n'),
            (f'credential = "{ZEROS}"', 'credential = "b64:"'),
            (f'credential = "{ZEROS}"', 'credential = "AAAAAAAAAAAAAAAAAAAAAA"'),
            ("\n[access]", "[access]"),
            ('["A", "B"]', '["B", "A"]'),
            ('"read"', '"write"'),
            ('"read"', '"admin"'),
            ("[sealed.production]", "[sealed.production]\n[sealed.staging]"),
            (f'"{first}" = ', f"{first[4:]} = "),
            (f'"{first}" = "b64:', f'"{first}" = "'),
            (f'"{first}" = ', f'"{first}=" = '),
            (f'"{first}"', f'"{second}x"'),
        )

    def test_ssh_recipient_has_one_spelling(self):
        old, ssh = self.vault().members["ci"]["recipient"], generate(ssh=True).to_public()
        kind, key = ssh.split(" ")
        start = "AAAAC3NzaC1lZDI1NTE5AAAAI"
        wrong = [
            f"bech32:{ssh}",
            f"{ssh} ci",
            f"{ssh}=",
            f"{kind}  {key}",
            f" {ssh}",
            f"{kind} {key[:-4]}",
            f"{kind} b64:{key}",
            f"ssh-rsa {key}",
            ssh.upper(),
            # Points of small order, and one that is not canonical.
            f"{kind} {start}{'A' * 43}",
            f"{kind} {start}AE{'A' * 41}",
            f"{kind} {start}O{'/' * 41}3"[:80],
        ]
        self.edits("members/ci.toml", "vault/v1/member", *((old, it) for it in wrong))
        body = self.path("members/ci.toml").read_text().rpartition("signature = ")[0]
        self.sign_text("members/ci.toml", "vault/v1/member", body.replace(old, ssh))
        self.assertNotIn("ci", self.vault().uncounted)

    def test_every_flipped_byte_is_noticed(self):
        # Pure Python is slow: every byte with VAULT_TESTS=all, otherwise every 32nd.
        step = 1 if os.environ.get("VAULT_TESTS") == "all" else 32
        self.pin = Pin(self.pin.id)
        for name in ("root.toml", "members/ci.toml", "production/OF_ALICE.toml"):
            content = self.path(name).read_bytes()
            for at in range(0, len(content), step):
                flipped = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
                self.path(name).write_bytes(flipped)
                with self.subTest(name=name, byte=at):
                    if name.startswith("members/"):
                        self.assertIn("ci", self.vault().uncounted)
                    else:
                        with self.assertRaises(Refused):
                            self.read(only="production")
            self.path(name).write_bytes(content)

    def test_sealed_payload_of_another_place_is_refused(self):
        def swap(ci: dict) -> None:
            (key,) = ci["sealed"]["production"]
            ci["sealed"]["production"][key] = ci["sealed"]["development"].popitem()[1]
            del ci["sealed"]["development"], ci["access"]["development"]

        self.writer().change_access("ci", {"development": "read"})
        self.change_member("ci", swap)
        self.assertEqual(len(decoded(self.vault().members["ci"]["credential"])), 16)
        with self.assertRaisesRegex(Refused, "another place"):
            self.read(self.ci)
