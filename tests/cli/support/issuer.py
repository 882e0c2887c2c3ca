"""An issuer of tokens for CI jobs, as GitHub and GitLab are. Runs until its standard input ends.

Prints one line of JSON: its port and its public key. Writes the claims of the next tokens with
`POST /`; `GET /?…&audience=A` with the bearer token `of-the-job` returns a token, as GitHub's
ACTIONS_ID_TOKEN_REQUEST_URL does.
"""

import base64
import http.server
import json
import sys
import threading
import time
import urllib.parse

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
CLAIMS = {}


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def token(audience):
    now = int(time.time())
    claims = {"aud": audience, "iat": now, "nbf": now, "exp": now + 300, **CLAIMS}
    if "age" in claims:
        age = claims.pop("age")
        claims.update(iat=now - age, nbf=now - age, exp=now - age + 300)
    text = encoded(b'{"alg":"RS256","typ":"JWT"}') + b"." + encoded(json.dumps(claims).encode())
    signature = KEY.sign(text, padding.PKCS1v15(), hashes.SHA256())
    return (text + b"." + encoded(signature)).decode()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        CLAIMS.clear()
        CLAIMS.update(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.answer(200, {})

    def do_GET(self):
        if self.headers["Authorization"] != "bearer of-the-job":
            return self.answer(401, {})
        query = urllib.parse.parse_qs(urllib.parse.urlparse(self.path).query)
        self.answer(200, {"value": token(query["audience"][0])})

    def answer(self, status, document):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    public = KEY.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    print(json.dumps({"port": server.server_port, "key": public.decode()}), flush=True)
    sys.stdin.read()


main()
