#!/usr/bin/env python3
"""Parses dotenv files with the real python-dotenv, and writes cases.json.

    pip install python-dotenv==1.2.4
    tests/dotenv/oracle.py FILE                 # one file, as a case
    tests/dotenv/oracle.py --corpus SEED COUNT  # the fixed cases and COUNT random ones

cases.json is the output of `--corpus 1 300`. `cargo test import` replays it, and does not need
Python. To search further, overwrite it with a larger corpus, run the test, and restore it.

A case has the file and either `undecodable`, the number of the first line that is not UTF-8, or
  statements  the parser's results: [name, value or null, error, line], without comments
  values      the variables that load_dotenv would set: dotenv_values(interpolate=False), not null
All bytes are in unpadded base64.
"""

import base64
import importlib.metadata
import json
import logging
import os
import random
import re
import sys
import tempfile

from dotenv import dotenv_values
from dotenv.parser import parse_stream

VERSION = "1.2.4"


def encoded(data):
    return base64.b64encode(data).decode().rstrip("=")


def text(value):
    return None if value is None else encoded(value.encode())


def statement(binding):
    before = re.match(r"\s*", binding.original.string).group()
    line = binding.original.line + before.count("\n")
    return [binding.key, text(binding.value), binding.error, line]


def case(data):
    with tempfile.NamedTemporaryFile(delete=False) as file:
        file.write(data)
    try:
        with open(file.name, encoding="utf-8") as stream:
            bindings = list(parse_stream(stream))
        values = dotenv_values(file.name, interpolate=False, encoding="utf-8")
    except UnicodeDecodeError:
        return {"file": encoded(data), "undecodable": undecodable(data)}
    finally:
        os.unlink(file.name)
    return {
        "file": encoded(data),
        "statements": [statement(b) for b in bindings if b.error or b.key is not None],
        "values": {name: text(value) for name, value in values.items() if value is not None},
    }


def undecodable(data):
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return 1 + len(re.findall(b"\r\n|\r|\n", data[: error.start]))


# Written by hand: every kind of quote, escape, comment, newline, and mistake at least once.
FIXED = [
    b"",
    b"\n\n  \n",
    b"# only a comment",
    b"A=1",
    b"A=1\nB=2\n",
    b"A=1\r\nB=2\r\n",
    b"A=1\rB=2\r",
    b"A=1\n\r\nB=\n",
    b"  A \t=  1  \n",
    b"export A=1\nexport\tB=2\nexport  C = 3\n",
    b"export\nexport=1\n",
    b"export =1\n",
    b"export # a comment\n",
    b"export export A=1\n",
    b"exportA=1\n",
    b"'A'=1\n'B C'='x'\nexport 'D'=2\n",
    b"'A=1\nB=2\n",
    b"''=1\n",
    b"'A\r\nB'=1\n",
    b'"A"=1\n',
    b"A\nB\n",
    b"A=1\nA\n",
    b"A\nA=1\n",
    b"A=1\nB=2\nA=3\n",
    b"A=\nB=''\nC=\"\"\nD= \n",
    b"A=#x\nB= #x\nC=a#b\nD=a #b\nE=a\t#b #c\nF=# #x\n",
    b"A #x\nB#x\n",
    b"A='a'#x\nB='a' #x\nC='a' b\nD='a'b\n",
    b"A='a #b'\nB=\"a #b\"\n",
    b"A='it\\'s \\\\ \\n \\\" \\x'\n",
    b'A="\\\\ \\\' \\" \\a\\b\\f\\n\\r\\t\\v \\x41 \\u0041 \\101 \\0 \\e \\$ \\\n"\n',
    b'A="\\\\n\\\\\\n\\\\\\\\n"\n',
    b"A=\\n \\\\ \\' \\\" \\\n",
    b'A="a\\"\nB="b"\n',
    b'A="a\\\\"\nB="b"\n',
    b"A='\\\\'\nB='\\'\n",
    b'A="one\ntwo\nthree"\nB=4\n',
    b"A='one\r\ntwo\rthree'\nB=4\n",
    b'A="one\ntwo\nB=3\n',
    b'A="one\ntwo" x\nB=3\n',
    b"A='one\nB=\"two\nC=3\n",
    b"A=a'b'c\nB=a\"b\nC=`x`\n",
    b"A=$B\nB=${A}\nC=\"${A:-x}\"\nD='$A'\n",
    b"A=a=b==\n=1\n==\n",
    b"A B=1\n",
    b"A: 1\n",
    b"A:1\n",
    b"A.b-c/d=1\n1=2\n",
    b"\xef\xbb\xbfA=1\n",
    b"\xef\xbb\xbf\xef\xbb\xbfA=1\n",
    b"A=\xef\xbb\xbf1\n\xef\xbb\xbfB=1\n",
    b"A=\xff\n",
    b"A=1\r\nB=2\rC=3\nD=\xc3",
    b"\xff\xfeA\x00=\x001\x00",
    b"A=\xed\xa0\x80\n",
    b"A=a\x00b\nB=\"a\x00b\"\n\x00=1\n",
    "A=\u00e4\u20ac\U0001f600\nB=\"\\\u00e4\"\n\u00c4=1\n".encode(),
    b"A=1 \x0b\x0c\x1c\x1d\x1e\x1f\n\x1cB\x1d=\x1e1\x1f#x\n",
    "A=1\u00a0\u2028\u3000\n\u2003B\u2003=\u20031\u2003#x\n".encode(),
    "A=1\u200b\nB=\u180e#x\nC=x\ufeff#y\nD=x\u2060 \n".encode(),
    b"A='a'\x0c\x0b#x\nB='a'\x85",
    "A='a'\u0085\nB=1\u0085#x\n".encode(),
    b"A=-----BEGIN KEY-----\nabcd\nefg=\n-----END KEY-----\n",
    b'A="-----BEGIN KEY-----\nabcd\nefg=\n-----END KEY-----"\n',
    b'A={"a": "b # c"}\nB=\'{"a": "b # c"}\'\n',
    b"A='",
    b'A="\\',
    b"export ",
    b"A",
    b"A=",
    b"A= ",
    b"#",
    b"'",
    b"\\",
]

SPACES = [chr(code) for code in range(sys.maxunicode + 1) if code not in (10, 13)]
SPACES = [letter for letter in SPACES if letter.isspace()]
ALIKE = ["\u180e", "\u200b", "\u200d", "\u2060", "\ufeff", "\x00", "\x08", "\x0e", "\x1b", "\x7f"]
NEWLINES = ["\n", "\n", "\n", "\r\n", "\r"]
LETTERS = list("aAbBfnNrtuUvx019_") + ["\u00e4", "\U0001f600", "$", "${A}", "`", ":", "-", "export"]
SYMBOLS = ["'", "'", '"', '"', "\\", "\\", "\\", "#", "=", " ", " ", "\t", "export "]


def noise(rng, most):
    pools = [LETTERS, SYMBOLS, SYMBOLS, SYMBOLS, NEWLINES, SPACES, ALIKE]
    weights = [8, 5, 5, 5, 4, 3, 1]
    picks = rng.choices(pools, weights, k=rng.randint(0, most))
    return "".join(rng.choice(pool) for pool in picks)


def blank(rng):
    return rng.choice(["", "", "", " ", "\t", "  ", rng.choice(SPACES)])


def plain(rng, forbidden):
    return "".join(letter for letter in noise(rng, 8) if letter not in forbidden)


def likely(rng):
    """Returns a line that is usually valid."""
    other = plain(rng, "=#'\r\n") or "D"
    name = rng.choice(["A", "B", "C", "A_B", "export", "'A'", "'A B'", other])
    quote = rng.choice(["'", '"'])
    inner = plain(rng, quote).replace("\\", rng.choice(["\\\\", "\\n", "\\" + quote, "\\"]))
    value = rng.choice([plain(rng, "\r\n"), quote + inner + quote, quote + inner + quote, ""])
    comment = rng.choice(["", "", "#", " #" + plain(rng, "\r\n")])
    assigned = rng.choice(["=", "=", "=", "=", "=", "=", "=", ""])
    parts = [rng.choice(["", "", "export "]), name, blank(rng), assigned]
    parts += [blank(rng), value if assigned else "", blank(rng), comment]
    return blank(rng) + "".join(parts) + rng.choice(NEWLINES)


def nasty(rng):
    """Returns a random file: noise, likely lines, or likely lines with a few letters of noise."""
    kind = rng.randrange(4)
    if kind == 0:
        content = noise(rng, 24)
    else:
        content = "".join(likely(rng) for _ in range(rng.randint(1, 4)))
    if kind == 1 and content:
        at = rng.randrange(len(content))
        content = content[:at] + noise(rng, 3) + content[at + rng.randint(0, 2) :]
    data = rng.choice(["", "", "", "", "", "\ufeff"]).encode() + content.encode()
    if rng.randrange(40) == 0:
        at = rng.randint(0, len(data))
        data = data[:at] + rng.choice([b"\xff", b"\xc3", b"\xed\xa0\x80", b"\x80"]) + data[at:]
    return data


def corpus(seed, count):
    rng = random.Random(seed)
    files = FIXED + ["".join(f"A{ord(s)}=x{s}#y{s}\n" for s in SPACES + ALIKE).encode()]
    files += [nasty(rng) for _ in range(count)]
    cases = ",\n".join(json.dumps(case(file)) for file in files)
    return f'{{"python-dotenv": "{VERSION}", "cases": [\n{cases}\n]}}'


def main(arguments):
    if importlib.metadata.version("python-dotenv") != VERSION:
        sys.exit(f"needs python-dotenv {VERSION}: pip install python-dotenv=={VERSION}")
    logging.disable()
    if len(arguments) == 3 and arguments[0] == "--corpus":
        print(corpus(int(arguments[1]), int(arguments[2])))
    elif len(arguments) == 1:
        with open(arguments[0], "rb") as file:
            print(json.dumps(case(file.read())))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
