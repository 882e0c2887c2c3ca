"""Age files and the keys for them: docs/reference/format.md, "Age files".

`pyrage` knows the classic kind of key and SSH keys. For the post-quantum kind, this file has age
itself, on the HPKE of `cryptography`.
"""

import hashlib
import hmac
import os
import re

import pyrage
import pyrage.ssh
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.hpke import MLKEM768X25519PrivateKey, MLKEM768X25519PublicKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from crypto import BECH32, P, Refused, b64, bech32, is_public_key, require, unb64, unbech32

SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
INFO = b"age-encryption.org/mlkem768x25519"
ENCAPSULATED = 1088 + 32
Q = 3329
CHUNK = 64 << 10


# --- Keys -----------------------------------------------------------------------------------------


class Hybrid:
    """A post-quantum identity: 32 bytes, of which both private keys are made."""

    def __init__(self, seed: bytes):
        self.seed = seed
        expanded = hashlib.shake_256(seed).digest(96)
        self.ml_kem = MLKEM768PrivateKey.from_seed_bytes(expanded[:64])
        self.x25519 = X25519PrivateKey.from_private_bytes(expanded[64:])

    def __str__(self) -> str:
        return bech32("age-secret-key-pq-", self.seed, BECH32).upper()

    def to_public(self) -> str:
        keys = self.ml_kem.public_key(), self.x25519.public_key()
        return bech32("age1pq", b"".join(key.public_bytes_raw() for key in keys), BECH32)

    def file_key(self, stanza: list[str], body: bytes) -> bytes:
        require(len(stanza) == 2 and len(body) == 32, "has a stanza of a wrong form")
        encapsulated = unb64(stanza[1], ENCAPSULATED)
        private = MLKEM768X25519PrivateKey(self.ml_kem, self.x25519)
        try:
            return SUITE.decrypt(encapsulated + body, private, INFO)
        except (InvalidTag, ValueError):
            raise Refused("cannot be opened with this identity") from None


class Ssh:
    """An SSH key in OpenSSH's format, without a passphrase."""

    def __init__(self, text: str):
        self.text = text.strip()
        try:
            private = serialization.load_ssh_private_key(text.encode(), None)
        except ValueError:
            raise Refused("is not an SSH key") from None
        require(isinstance(private, Ed25519PrivateKey), "is not an ssh-ed25519 key")
        self.point = private.public_key().public_bytes_raw()

    @classmethod
    def generate(cls) -> "Ssh":
        openssh = serialization.PrivateFormat.OpenSSH
        plain = serialization.NoEncryption()
        private = Ed25519PrivateKey.generate()
        return cls(private.private_bytes(serialization.Encoding.PEM, openssh, plain).decode())

    def __str__(self) -> str:
        return self.text

    def to_public(self) -> str:
        return f"{SSH} {b64(BEFORE_POINT + self.point)}"


SSH = "ssh-ed25519"
BEFORE_POINT = b"\0\0\0\x0bssh-ed25519\0\0\0\x20"
BEGIN_SSH = "-----BEGIN OPENSSH PRIVATE KEY-----"

Identity = pyrage.x25519.Identity | Hybrid | Ssh


def generate(*, hybrid: bool = False, ssh: bool = False) -> Identity:
    if ssh:
        return Ssh.generate()
    return Hybrid(os.urandom(32)) if hybrid else pyrage.x25519.Identity.generate()


def read_identity(text: str) -> Identity:
    if text.startswith(BEGIN_SSH):
        return Ssh(text)
    if text.upper().startswith("AGE-SECRET-KEY-PQ-1"):
        require(text in (text.upper(), text.lower()), "is not an age identity")
        return Hybrid(unbech32("age-secret-key-pq-", text.lower(), BECH32))
    try:
        return pyrage.x25519.Identity.from_str(text)
    except pyrage.IdentityError:
        raise Refused("is not an age identity") from None


def secret_of(identity: Identity) -> bytes:
    """Returns the 32 bytes that are in a credential."""
    if isinstance(identity, Hybrid):
        return identity.seed
    return unbech32("age-secret-key-", str(identity).lower(), BECH32)


def identity_of(secret: bytes, *, hybrid: bool) -> Identity:
    if hybrid:
        return Hybrid(secret)
    return pyrage.x25519.Identity.from_str(bech32("age-secret-key-", secret, BECH32).upper())


def is_hybrid(recipient: str) -> bool:
    return recipient.startswith("age1pq1")


def is_ssh(recipient: str) -> bool:
    return recipient.startswith(f"{SSH} ")


def hybrid_keys(recipient: str) -> tuple[bytes, bytes]:
    data = unbech32("age1pq", recipient, BECH32, 1184 + 32)
    return data[:1184], data[1184:]


def check_recipient(recipient: str) -> None:
    if is_ssh(recipient):
        data = unb64(recipient.removeprefix(f"{SSH} "), len(BEFORE_POINT) + 32)
        require(data.startswith(BEFORE_POINT), "not an ssh-ed25519 key")
        require(is_public_key(data[-32:]), "a recipient of small order, or with another spelling")
        return
    if is_hybrid(recipient):
        ml_kem, point = hybrid_keys(recipient)
        bits = int.from_bytes(ml_kem[:-32], "little")
        numbers = [bits >> 12 * at & 0xFFF for at in range(768)]
        require(
            all(number < Q for number in numbers), "a recipient with a number that is too large"
        )
    else:
        point = unbech32("age", recipient, BECH32)
    require(int.from_bytes(point, "little") < P, "not a recipient")
    try:
        X25519PrivateKey.generate().exchange(X25519PublicKey.from_public_bytes(point))
    except ValueError:
        raise Refused("a recipient of small order") from None


# --- Files ----------------------------------------------------------------------------------------


HEADER = re.compile(
    rb"age-encryption\.org/v1\n"
    rb"((?:-> [!-~]+(?: [!-~]+)*\n(?:[A-Za-z0-9+/]{64}\n)*[A-Za-z0-9+/]{0,63}\n)+)"
    rb"--- ([A-Za-z0-9+/]{43})\n"
)
STANZA = re.compile(r"-> ([^\n]+)\n((?:[^\n]{64}\n)*[^\n]{0,63})\n")


def check_header(sealed: bytes, recipient: str) -> None:
    """Checks that the only stanza besides grease is the recipient's own. Needs no key."""
    header = HEADER.match(sealed)
    require(header, "is not an age file")
    types = re.findall(rb"^-> ([!-~]+)", header[1], re.MULTILINE)
    stanzas = [type for type in types if not type.endswith(b"-grease")]
    wanted = "mlkem768x25519" if is_hybrid(recipient) else SSH if is_ssh(recipient) else "X25519"
    require(stanzas == [wanted.encode()], "is not sealed to exactly one recipient")


def seal(recipient: str, payload: bytes) -> bytes:
    if is_ssh(recipient):
        return pyrage.encrypt(payload, [pyrage.ssh.Recipient.from_str(recipient)])
    if not is_hybrid(recipient):
        return pyrage.encrypt(payload, [pyrage.x25519.Recipient.from_str(recipient)])
    ml_kem, point = hybrid_keys(recipient)
    public = MLKEM768X25519PublicKey(
        MLKEM768PublicKey.from_public_bytes(ml_kem), X25519PublicKey.from_public_bytes(point)
    )
    file_key, nonce = os.urandom(16), os.urandom(16)
    wrapped = SUITE.encrypt(file_key, public, INFO)
    share, body = wrapped[:ENCAPSULATED], wrapped[ENCAPSULATED:]
    header = f"age-encryption.org/v1\n-> mlkem768x25519 {b64(share)}\n{b64(body)}\n---".encode()
    mac = b64(header_mac(file_key, header)).encode()
    require(len(payload) < CHUNK, "is too long for one chunk")
    cipher = ChaCha20Poly1305(derived(file_key, nonce, b"payload"))
    return header + b" " + mac + b"\n" + nonce + cipher.encrypt(bytes(11) + b"\1", payload, None)


def unseal(identity: Identity, sealed: bytes) -> bytes:
    check_header(sealed, str(identity.to_public()))
    if not isinstance(identity, Hybrid):
        if isinstance(identity, Ssh):
            identity = pyrage.ssh.Identity.from_buffer(f"{identity}\n".encode())
        try:
            return pyrage.decrypt(sealed, [identity])
        except pyrage.DecryptError:
            raise Refused("cannot be opened with this identity, or is damaged") from None
    header = HEADER.match(sealed)
    stanzas = [(line.split(" "), body) for line, body in STANZA.findall(header[1].decode())]
    [own] = [stanza for stanza in stanzas if stanza[0][0] == "mlkem768x25519"]
    file_key = identity.file_key(own[0], unb64(own[1].replace("\n", "")))
    mac = header_mac(file_key, sealed[: header.start(2) - 1])
    require(hmac.compare_digest(mac, unb64(header[2].decode(), 32)), "has a changed header")
    nonce, chunk = sealed[header.end() :][:16], sealed[header.end() :][16:]
    # Everything that is sealed here fits the first chunk, which is the last one.
    cipher = ChaCha20Poly1305(derived(file_key, nonce, b"payload"))
    try:
        return cipher.decrypt(bytes(11) + b"\1", chunk, None)
    except InvalidTag:
        raise Refused("is damaged") from None


def derived(file_key: bytes, salt: bytes, info: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt, info).derive(file_key)


def header_mac(file_key: bytes, header: bytes) -> bytes:
    return hmac.digest(derived(file_key, b"", b"header"), header, "sha256")
