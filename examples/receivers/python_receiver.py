"""A receiver in Python 3.9 or newer, standard library only.

Run: python3 python_receiver.py --port 8888 --secret '<the subscription's secret>'   (or WEBHOOK_SECRET in the environment)
"""

import argparse
import base64
import hashlib
import hmac
import os
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOLERANCE_SECONDS = 300
MAX_BODY_BYTES = 1024 * 1024


def standard_key(secret):
    """What follows whsec_, base64-decoded; any other secret as its UTF-8 bytes."""
    if secret.startswith("whsec_"):
        text = secret[len("whsec_"):]
        try:
            # validate=True: without it foreign characters are dropped, and the key could end up empty.
            key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
        except ValueError:
            key = b""
        if key:
            return key
    return secret.encode()


def refusal(secret, headers, body, now=None):
    """Why the request is not genuine, or None when it is. `body`: the bytes as received."""
    hexdigest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    expected = f"sha256={hexdigest}".encode()
    # The second one is there while a rotation overlaps, made with the previous secret: either may be the one we know.
    # As bytes, because compare_digest raises on text outside ASCII and a header may hold anything.
    given = [headers.get(name, "").encode() for name in ("X-Signature", "X-Signature-Previous")]
    if not any(hmac.compare_digest(one, expected) for one in given):
        return "X-Signature does not fit"

    message_id = headers.get("webhook-id", "")
    timestamp = headers.get("webhook-timestamp", "")
    if not message_id or not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 11):
        return "webhook-id or webhook-timestamp is missing or malformed"
    if abs((time.time() if now is None else now) - int(timestamp)) > TOLERANCE_SECONDS:
        return "webhook-timestamp is out of tolerance: a replay, or a wrong clock"
    signed = f"{message_id}.{timestamp}.".encode() + body
    digest = base64.b64encode(hmac.new(standard_key(secret), signed, hashlib.sha256).digest())
    candidates = headers.get("webhook-signature", "").split(" ")
    if not any(hmac.compare_digest(one.encode(), b"v1," + digest) for one in candidates):
        return "webhook-signature does not fit"
    return None


class Receiver(BaseHTTPRequestHandler):
    secret = ""

    def do_POST(self):
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()):
            return self.answer(411)
        if len(length) > 10 or int(length) > MAX_BODY_BYTES:
            return self.answer(413)
        body = self.rfile.read(int(length))  # json.loads only after the check
        reason = refusal(self.secret, self.headers, body)
        if reason is not None:
            print(f"refused: {reason}", flush=True)
            return self.answer(401, reason)
        # Keep webhook-id (unique) in the transaction that handles the payload: a delivery may arrive twice.
        print(f"verified {self.headers['webhook-id']} {self.headers['X-Event']}", flush=True)
        return self.answer(204)

    def answer(self, status, text=""):
        """The text is for whoever looks at the failed attempt: the sender keeps it."""
        self.send_response(status)
        if text:
            self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_args):
        """The lines printed above are the log."""


def main():
    parser = argparse.ArgumentParser(description="Receives and verifies webhooks")
    parser.add_argument("--port", type=int, default=8888, help="0 takes a free one")
    parser.add_argument("--secret", default=os.environ.get("WEBHOOK_SECRET", ""))
    arguments = parser.parse_args()
    if not arguments.secret:
        parser.error("give --secret or set WEBHOOK_SECRET: an empty secret would accept forgeries")
    Receiver.secret = arguments.secret
    server = ThreadingHTTPServer(("127.0.0.1", arguments.port), Receiver)
    print(f"listening on http://127.0.0.1:{server.server_address[1]}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        print("stopped", flush=True)


if __name__ == "__main__":
    main()
