"""The root and the member files that count.

Follows docs/reference/format.md, "Which member files count". Knows neither files nor private keys.
"""

import re

from crypto import Refused, framed, read_id, require, sha256, verify
from text import bare, cut, decoded, prefixed, read_member, read_root


class Vault:
    """A checked root, its counting members, and the reasons why other files do not count."""

    def __init__(self, file: bytes, trusted: list[bytes] = []):
        """Steps 1 and 2, except for the tags of pins. Parses only what is signed by a trusted id."""
        body, signature = cut("root.toml", file)
        line = re.match(rb'[^\n]*\n[^\n]*\nvault = "bech32:(vault1[a-z0-9]{58})"\n', body)
        require(line, "root.toml: does not name its vault")
        self.id = read_id(line[1].decode())
        require(
            set(trusted) <= {self.id},
            "root.toml: belongs to a different vault than the trusted one",
        )
        self.check_signature("root.toml", body, signature, "vault/v1/root", self.id)
        self.root = read_root(file).fields
        self.members: dict[str, dict] = {}
        self.uncounted: dict[str, str] = {}

    # --- Parts of the root ------------------------------------------------------------------------

    @property
    def environments(self) -> dict[str, list[dict]]:
        return self.root.get("environments", {})

    @property
    def former(self) -> dict[str, dict]:
        return self.root.get("former", {})

    def listed(self, environment: str) -> set[str]:
        """Returns the commitments of the environment's epochs."""
        return {epoch["commitment"] for epoch in self.environments.get(environment, [])}

    def newest(self, environment: str) -> dict:
        return self.environments[environment][0]

    def tag_of(self, name: str) -> str | None:
        return self.root.get("members", {}).get(name, {}).get("revocation")

    def last_tag(self) -> str:
        """Returns the last tag, or zeros if there is none."""
        return (self.root["revocations"] or [prefixed(bytes(16))])[-1]

    # --- Members ----------------------------------------------------------------------------------

    def add_file(self, name: str, file: bytes) -> None:
        """Step 3. Adds the member if the file counts, and otherwise remembers the reason."""
        try:
            path = f"members/{name}.toml"
            self.check_signature(path, *cut(path, file), "vault/v1/member", self.id)
            member = read_member(name, file).fields
            self.check_counts(member)
            self.members[name] = member
        except Refused as reason:
            self.uncounted[name] = str(reason)

    def check_counts(self, member: dict) -> None:
        name, path = member["name"], f"members/{member['name']}.toml"
        self.check_not_former(member)
        tags = member.get("revocation"), member.get("replaces")
        require(self.tag_of(name) in tags, f"{path}: is from before a revocation")

    def check_not_former(self, member: dict) -> None:
        """Checks the name and the keys of a member's file or a request."""
        name, path = member["name"], f"members/{member['name']}.toml"
        require(name not in self.former, f"{path}: has the name of a former member")
        for field, digest in hashes_of(member).items():
            known = [record.get(field) for record in self.former.values()]
            require(digest not in known, f"{path}: has the {field} of a former member")

    def is_newer(self, member: dict) -> bool:
        """Returns whether this counting file has a revocation that the root does not have."""
        return member.get("revocation") != self.tag_of(member["name"])

    def access(self, name: str, environment: str) -> str | list | None:
        """Returns the access, if it counts."""
        member = self.members.get(name, {"access": {}})
        sealed = member.get("sealed", {}).get(environment, {})
        counts = self.listed(environment) & sealed.keys()
        return member["access"].get(environment) if counts else None

    def reads_newest(self, name: str, environment: str) -> bool:
        sealed = self.members[name].get("sealed", {}).get(environment, {})
        return self.newest(environment)["commitment"] in sealed

    def readers(self, environment: str) -> list[str]:
        return [n for n in sorted(self.members) if self.access(n, environment) is not None]

    # --- Findings ---------------------------------------------------------------------------------

    def hidden(self, environment: str) -> list[str]:
        """Returns the names in `given` that are not satisfied."""
        return [
            name
            for name in self.newest(environment)["given"]
            if self.access(name, environment) is None
            or self.is_newer(self.members[name])
            or not self.reads_newest(name, environment)
        ]

    def cannot_read_yet(self, environment: str) -> list[str]:
        return [n for n in self.readers(environment) if not self.reads_newest(n, environment)]

    def leftovers(self, name: str) -> list[str]:
        """Returns the fields of a counting file that grant nothing, as paths."""
        member, found = self.members[name], []
        for environment in member["access"]:
            if self.access(name, environment) is None:
                found.append(f"access.{environment}")
        for environment, keys in member.get("sealed", {}).items():
            kept = self.listed(environment) if environment in member["access"] else set()
            found += [
                f"sealed.{environment}.{commitment}" for commitment in sorted(keys.keys() - kept)
            ]
        return found

    def drop_leftovers(self, member: dict) -> None:
        for environment in [*member["access"]]:
            if self.access(member["name"], environment) is None:
                del member["access"][environment]
        sealed = {}
        for environment in member["access"]:
            keys = member["sealed"][environment]
            sealed[environment] = {it: keys[it] for it in keys.keys() & self.listed(environment)}
        member["sealed"] = sealed

    def check_signature(
        self, path: str, body: bytes, signature: bytes, kind: str, key: bytes, *commitment: bytes
    ) -> None:
        message = framed(kind, self.id, path, *commitment, body)
        require(
            verify(key, message, signature), f"{path}: does not match the signature of its signer"
        )


def hashes_of(member: dict) -> dict[str, str]:
    """Returns the keys of a member as the record of a former member has them."""
    hashes = {"recipient": prefixed(sha256(bare(member["recipient"]).encode()))}
    if "signer" in member:
        hashes["signer"] = prefixed(sha256(decoded(member["signer"])))
    return hashes
