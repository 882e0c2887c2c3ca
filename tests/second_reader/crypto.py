"""The cryptography of docs/reference/format.md: bytes in, bytes out. Does not know files.

If a library is less strict than the page, this file has the difference: canonical base64, bech32,
public keys, and signatures. It also has XChaCha20, which `cryptography` lacks.
"""

import base64
import hashlib
import struct
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

LONGEST_VALUE = 1 << 20


class Refused(Exception):
    """Something violates the page."""


def require(condition: object, reason: str) -> None:
    if not condition:
        raise Refused(reason)


# --- Bytes ----------------------------------------------------------------------------------------


def b64(data: bytes, altchars: bytes = b"+/") -> str:
    return base64.b64encode(data, altchars).decode().rstrip("=")


def unb64(text: object, length: int | None = None, altchars: bytes = b"+/") -> bytes:
    """Decodes canonical unpadded base64, and refuses every other spelling."""
    require(isinstance(text, str), "not base64")
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars, validate=True)
    except ValueError:
        raise Refused("not base64") from None
    require(b64(data, altchars) == text, "not canonical base64")
    require(length is None or len(data) == length, "not of the right length")
    return data


def framed(*parts: bytes | str | int) -> bytes:
    """Joins the parts, each after its length."""
    result = b""
    for part in parts:
        if isinstance(part, int):
            part = part.to_bytes(8, "big")
        elif isinstance(part, str):
            part = part.encode()
        result += len(part).to_bytes(8, "big") + part
    return result


def unframed(data: bytes) -> list[bytes]:
    parts = []
    while data:
        length = int.from_bytes(data[:8], "big")
        require(len(data) >= 8 + length, "not framed")
        parts.append(data[8 : 8 + length])
        data = data[8 + length :]
    return parts


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


# --- Bech32 (BIP 173) and bech32m (BIP 350) -------------------------------------------------------

BECH32, BECH32M = 1, 0x2BC830A3
CHARACTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def bech32(prefix: str, data: bytes, kind: int) -> str:
    groups = regroup(data, 8, 5)
    expanded = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    checksum = polymod(expanded + groups + [0] * 6) ^ kind
    groups += [checksum >> 5 * (5 - i) & 31 for i in range(6)]
    return prefix + "1" + "".join(CHARACTERS[group] for group in groups)


def fingerprint(data: bytes) -> str:
    """Returns the first 130 bits of the hash, five per character."""
    return "".join(CHARACTERS[group] for group in regroup(sha256(data), 8, 5)[:26])


def unbech32(prefix: str, text: object, kind: int, length: int = 32) -> bytes:
    """Decodes so many bytes. Like base64, they have only one spelling."""
    require(isinstance(text, str) and text.startswith(prefix + "1"), f"not {prefix}1…")
    body = text[len(prefix) + 1 :]
    groups = -(-8 * length // 5)
    require(len(body) == groups + 6 and set(body) <= set(CHARACTERS), f"not {prefix}1…")
    groups = [CHARACTERS.index(character) for character in body[:-6]]
    data = bytes(regroup(groups, 5, 8)[:length])
    require(bech32(prefix, data, kind) == text, f"not {prefix}1… with its checksum")
    return data


def polymod(values: list[int]) -> int:
    result = 1
    for value in values:
        top = result >> 25
        result = (result & 0x1FFFFFF) << 5 ^ value
        for i, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            result ^= generator if top >> i & 1 else 0
    return result


def regroup(values: bytes | list[int], width: int, new_width: int) -> list[int]:
    """Returns the same bits in groups of another width, with zeros at the end."""
    bits = "".join(f"{value:0{width}b}" for value in values)
    bits += "0" * (-len(bits) % new_width)
    return [int(bits[i : i + new_width], 2) for i in range(0, len(bits), new_width)]


# --- Signatures -----------------------------------------------------------------------------------

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P


def decode_point(data: bytes) -> tuple[int, int] | None:
    """Returns the point of the curve with this canonical encoding (RFC 8032, 5.1.3)."""
    y, sign = int.from_bytes(data, "little") & (1 << 255) - 1, data[31] >> 7
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    if y >= P or x * x % P != square or (x == 0 and sign):
        return None
    return (x if x & 1 == sign else P - x, y)


def add(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    """Returns the sum of two points (RFC 8032, 5.1.4)."""
    (x1, y1), (x2, y2) = one, other
    product = D * x1 * x2 * y1 * y2 % P
    x = (x1 * y2 + x2 * y1) * pow(1 + product, -1, P) % P
    return x, (y1 * y2 + x1 * x2) * pow(1 - product, -1, P) % P


def multiply(point: tuple[int, int], factor: int) -> tuple[int, int]:
    """Multiplies the point, in projective coordinates (RFC 8032, 5.1.4), with one inversion."""

    def add_projective(a: tuple, b: tuple) -> tuple:
        (x1, y1, z1, t1), (x2, y2, z2, t2) = a, b
        e, f = (x1 + y1) * (x2 + y2) - x1 * x2 - y1 * y2, z1 * z2 - D * t1 * t2
        g, h = z1 * z2 + D * t1 * t2, y1 * y2 + x1 * x2
        return e * f % P, g * h % P, f * g % P, e * h % P

    x, y = point
    result, power = (0, 1, 1, 0), (x, y, 1, x * y % P)
    while factor:
        result = add_projective(result, power) if factor & 1 else result
        power, factor = add_projective(power, power), factor >> 1
    inverse = pow(result[2], -1, P)
    return result[0] * inverse % P, result[1] * inverse % P


NEUTRAL = (0, 1)
BASE = decode_point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


@lru_cache
def is_public_key(data: bytes) -> bool:
    """Returns whether this is the canonical encoding of a point whose order is not small."""
    point = decode_point(data)
    return point is not None and multiply(point, 8) != NEUTRAL


@lru_cache(4096)
def verify(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Checks the equation with the cofactor. `cryptography` checks the one without it."""
    if not is_public_key(public_key) or len(signature) != 64:
        return False
    r, s = decode_point(signature[:32]), int.from_bytes(signature[32:], "little")
    if r is None or s >= L:
        return False
    digest = hashlib.sha512(signature[:32] + public_key + message).digest()
    k = int.from_bytes(digest, "little") % L
    right = add(r, multiply(decode_point(public_key), k))
    return multiply(multiply(BASE, s), 8) == multiply(right, 8)


def public_key(seed: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def sign(seed: bytes, message: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(seed).sign(message)


def read_id(text: object) -> bytes:
    """Returns the authority's public key, which is the content of a vault id."""
    data = unbech32("vault", text, BECH32M)
    require(is_public_key(data), "the vault id is not a public key")
    return data


# --- Data keys, sealed values ---------------------------------------------------------------------


def derive(data_key: bytes, vault: bytes, environment: str, info: bytes) -> bytes:
    salt = vault + sha256(environment.encode())
    return HKDF(SHA256(), 32, salt, info).derive(data_key)


def commitment_of(data_key: bytes, vault: bytes, environment: str) -> bytes:
    return derive(data_key, vault, environment, b"vault/v1/commitment")


def entry_key_of(data_key: bytes, vault: bytes, environment: str, name: str) -> bytes:
    return derive(data_key, vault, environment, b"vault/v1/entry-key" + framed(name))


def padded_length(length: int) -> int:
    n = length + 1
    if n <= 128:
        return 32 if n <= 32 else 64 if n <= 64 else 128
    e = n.bit_length() - 1
    z = e - (e.bit_length() - 1) - 1
    return -(-n >> z) << z


def seal_value(entry_key: bytes, place: bytes, nonce: bytes, value: bytes) -> bytes:
    padded = (value + b"\x80").ljust(padded_length(len(value)), b"\0")
    key, short_nonce = xchacha(entry_key, nonce)
    return nonce + ChaCha20Poly1305(key).encrypt(short_nonce, padded, place)


def open_value(entry_key: bytes, place: bytes, sealed: bytes) -> bytes:
    require(len(sealed) >= 40, "is too short")
    key, short_nonce = xchacha(entry_key, sealed[:24])
    try:
        padded = ChaCha20Poly1305(key).decrypt(short_nonce, sealed[24:], place)
    except InvalidTag:
        raise Refused("does not open in its place") from None
    value, end = padded.rstrip(b"\0")[:-1], padded.rstrip(b"\0")[-1:]
    require(end == b"\x80" and padded_length(len(value)) == len(padded), "is padded wrongly")
    require(len(value) <= LONGEST_VALUE, "is too long")
    return value


def xchacha(key: bytes, nonce: bytes) -> tuple[bytes, bytes]:
    """Returns the key and nonce that make ChaCha20-Poly1305 (RFC 8439) XChaCha20-Poly1305."""
    return hchacha20(key, nonce[:16]), bytes(4) + nonce[16:]


def hchacha20(key: bytes, nonce: bytes) -> bytes:
    """Computes HChaCha20 (draft-irtf-cfrg-xchacha-03, 2.2)."""
    state = list(struct.unpack("<16I", b"expand 32-byte k" + key + nonce))

    def quarter_round(a: int, b: int, c: int, d: int) -> None:
        for x, y, z, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            state[x] = state[x] + state[y] & 0xFFFFFFFF
            mixed = state[z] ^ state[x]
            state[z] = (mixed << turn | mixed >> 32 - turn) & 0xFFFFFFFF

    for _ in range(10):
        for column in range(4):
            quarter_round(column, 4 + column, 8 + column, 12 + column)
        for a in range(4):
            quarter_round(a, 4 + (a + 1) % 4, 8 + (a + 2) % 4, 12 + (a + 3) % 4)
    return struct.pack("<8I", *state[:4], *state[12:])
