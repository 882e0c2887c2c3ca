"""Tests of the second writer: each change, and each interruption of one."""

import pyrage

from changes import Writer
from crypto import Refused, unb64
from keys import Key, Locked, Pin
from small_vault import SmallVault
from text import decoded


class Changes(SmallVault):
    def test_set_value_is_read_back_with_the_next_revision(self):
        for value in (b"", b"\x80\0", bytes(range(256)) * 5):
            self.writer().set_value("production", "OF_BOB", value)
            result = self.read(self.alice)
            self.assertEqual(unb64(result["values"]["production"]["OF_BOB"]), value)
        self.assertEqual(result["facts"]["production"]["entries"]["OF_BOB"]["revision"], 4)

    def test_added_member_changes_one_file(self):
        before = self.files()
        self.writer().add("dora", pyrage.x25519.Identity.generate(), {"production": "read"})
        after = self.files()
        self.assertEqual(after.keys() - before.keys(), {"members/dora.toml"})
        self.assertEqual({name: after[name] for name in before}, before)

    def test_granted_access_changes_one_file(self):
        before = self.files()
        self.writer().change_access("ci", {"development": ["OF_ALICE"]})
        after = self.files()
        changed = [name for name in after if after[name] != before.get(name)]
        self.assertEqual(changed, ["members/ci.toml"])
        # The credential names its environments, and development is not one of them.
        self.assertEqual([*self.read(self.ci)["values"]], ["production"])
        key = Key(self.ci.identity)
        self.assertEqual(self.names(key, "development"), ["OF_ALICE"])

    def test_shorter_list_keeps_only_the_keys_of_its_names(self):
        self.writer().change_access("ci", {"production": ["OF_BOB"]})
        self.assertEqual(self.names(self.ci), ["OF_BOB"])
        self.assertEqual([*self.read(self.ci)["closed"]["production"]], ["OF_ALICE"])
        self.assertEqual(self.read()["facts"]["production"]["epochs"], [2, 1])
        self.assertEqual(self.read()["lost"], {"ci": {"production": {"epoch": 1}}})

    def test_taken_write_starts_no_epoch(self):
        self.writer().change_access("bob", {"production": "read"})
        result = self.read(self.bob)
        self.assertEqual(result["facts"]["production"]["epochs"], [1])
        entry = result["facts"]["production"]["entries"]["OF_BOB"]
        self.assertEqual((entry["author"], entry["signer"]), ("bob", "alice"))
        self.assertEqual((len(result["revocations"]), result["lost"]), (1, {}))

    def test_second_revocation_replaces_the_first_tag(self):
        self.writer().change_access("bob", {"production": "read"})
        self.writer().change_access("bob", {"production": ["OF_BOB"]})
        vault, bob = self.vault(), self.vault().members["bob"]
        self.assertEqual([bob["replaces"], bob["revocation"]], vault.root["revocations"])
        self.assertEqual(vault.tag_of("bob"), bob["revocation"])

    def test_removed_member_is_locked_out_of_new_epochs(self):
        self.writer().remove_member("bob")
        self.assertFalse(self.path("members/bob.toml").exists())
        result = self.read(self.alice)
        self.assertEqual(result["former"], ["bob"])
        for facts in result["facts"].values():
            self.assertEqual(facts["epochs"], [2, 1])
            self.assertEqual({entry["epoch"] for entry in facts["entries"].values()}, {2})
        with self.assertRaises(Locked):
            self.read(self.bob)

    def test_removal_of_a_missing_file_keeps_the_name(self):
        self.path("members/ci.toml").unlink()
        self.assertEqual(self.read()["facts"]["production"]["hidden"], [])
        self.writer().remove_member("ci")
        self.assertEqual(self.vault().former, {"ci": {}})
        with self.assertRaisesRegex(Refused, "has been used"):
            self.writer().add("ci", pyrage.x25519.Identity.generate(), {})

    def test_replaced_recipient_locks_the_old_key_out(self):
        new = self.writer().replace_recipient("ci", pyrage.x25519.Identity.generate())
        self.assertEqual(self.names(new), ["OF_ALICE", "OF_BOB"])
        self.assertEqual([*self.vault().former], ["ci-until-1"])
        with self.assertRaises(Locked):
            self.read(self.ci)

    def test_name_of_a_replaced_key_is_cut_to_63_bytes(self):
        long = "a" * 63
        self.assertEqual(self.writer().replaced_name(long), "a" * 55 + "-until-1")
        self.assertEqual(self.writer().replaced_name("ci"), "ci-until-1")

    def test_forgotten_epochs_first_give_the_newest_to_everyone(self):
        self.writer().rotate(["production"])
        newest = self.vault().newest("production")["commitment"]
        kept = self.files()["members/ci.toml"]
        self.change_member("ci", lambda ci: ci["sealed"]["production"].pop(newest))
        self.assertEqual(self.names(self.ci), [])
        self.assertEqual(self.read()["facts"]["production"]["hidden"], ["ci"])
        self.writer().forget("production")
        self.assertEqual(self.names(self.ci), ["OF_ALICE", "OF_BOB"])
        self.assertNotEqual(self.files()["members/ci.toml"], kept)
        self.assertEqual(self.read()["leftovers"], {})

    def test_older_root_is_refused_by_a_pin_with_a_later_tag(self):
        old = self.files()["root.toml"]
        self.writer().rotate(["production"])
        self.pin = Pin(self.pin.id, decoded(self.vault().root["revocations"][-1]))
        self.read(self.alice)
        self.path("root.toml").write_bytes(old)
        with self.assertRaisesRegex(Refused, "before a revocation"):
            self.read(self.alice)


class Interruptions(SmallVault):
    """A revocation that ends between any two writes. No one who keeps access loses a value."""

    def interrupted(self, change, *leaver: str) -> None:
        start, stop = self.files(), 0
        while True:
            self.restore(start)
            if self.runs_to_the_end(change, stop):
                break
            with self.subTest(writes=stop):
                self.assertEqual(self.names(self.alice), ["OF_ALICE", "OF_BOB"])
                self.assertEqual(self.names(self.alice, "development"), ["OF_ALICE"])
                self.assertEqual(self.names(self.ci), ["OF_ALICE", "OF_BOB"])
                result = self.read()
                self.assertEqual(result["uncounted"].keys() - set(leaver), set())
                for facts in result["facts"].values():
                    self.assertEqual((facts["hidden"], facts["cannot_read_yet"]), ([], []))
            stop += 1
        self.assertGreaterEqual(stop, 3)

    def runs_to_the_end(self, change, stop: int) -> bool:
        class Interrupted(Writer):
            left = stop

            def replace(self, file):
                if not self.left:
                    raise InterruptedError
                self.left -= 1
                super().replace(file)

        try:
            change(Interrupted(self.folder, self.alice, self.pin))
        except InterruptedError:
            return False
        return True

    def test_interrupted_rotation_is_readable(self):
        self.interrupted(lambda writer: writer.rotate(["development", "production"]))

    def test_interrupted_removal_is_readable(self):
        self.interrupted(lambda writer: writer.remove_member("bob"), "bob")

    def test_interrupted_loss_of_access_is_readable(self):
        self.interrupted(lambda writer: writer.change_access("bob", {"production": None}))

    def test_interrupted_loss_of_write_is_readable(self):
        self.interrupted(lambda writer: writer.change_access("bob", {"production": "read"}))
