#!/usr/bin/env bash
# Packages: oras 0.2.43, requests 2.34.2 (PyPI).
# Guess: a registry that asks for a name and a password (WWW-Authenticate: Basic realm="team") gets those that docker login kept, as it gets them from docker; without any, the answer 401 is an error at once.
# Seen: the default client takes the realm for the address of a token server, prefixes https:// or http:// to it and asks it, with the right credentials at hand as without. That fails, is retried five times with pauses of 3, 5, 11, 29 and 83 seconds, and after 131 seconds the error is that there is no such host.
# Why it matters: a scheduler that fetches its matcher, or its job images, from a small registry with htpasswd waits for two minutes and then looks for a fault of DNS. With auth_backend="basic" the same credentials work.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check oras==0.2.43 requests==2.34.2
mkdir -p home/.docker
cat > probe.py <<'PY'
import base64
import json
import os
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MANIFEST = json.dumps({"schemaVersion": 2, "layers": []}).encode()
RIGHT = "Basic " + base64.b64encode(b"user:secret").decode()


class Registry(BaseHTTPRequestHandler):
    def do_GET(self):
        right = self.headers.get("Authorization") == RIGHT
        self.send_response(200 if right else 401)
        if not right:
            self.send_header("WWW-Authenticate", 'Basic realm="team"')
        self.send_header("Content-Length", str(len(MANIFEST)))
        self.end_headers()
        self.wfile.write(MANIFEST)

    def log_message(self, *arguments):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Registry)
threading.Thread(target=server.serve_forever, daemon=True).start()
address = f"127.0.0.1:{server.server_port}"
kept = {"auths": {address: {"auth": base64.b64encode(b"user:secret").decode()}}}
with open(os.path.expanduser("~/.docker/config.json"), "w") as file:
    json.dump(kept, file)

from oras.provider import Registry as Client

pauses, asked = [], []
time.sleep = pauses.append
for backend in ("token", "basic"):
    client = Client(hostname=address, insecure=True, auth_backend=backend)
    sent = client.auth.session.request if hasattr(client.auth, "session") else client.session.request

    def request(method, url, *arguments, sent=sent, **named):
        asked.append(url)
        return sent(method, url, *arguments, **named)

    client.session.request = request
    try:
        print(backend, "->", client.get_manifest(f"{address}/team/matcher:1"))
    except Exception as error:
        print(backend, "->", type(error).__name__, str(error)[:110])
        failed = str(error)
print("pauses:", pauses, "together", sum(pauses), "seconds")
assert "team" in failed and pauses == [3, 5, 11, 29, 83], (failed, pauses)
PY
HOME=$work/home venv/bin/python probe.py
