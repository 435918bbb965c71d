"""OCI registries for the tests: Debian's docker-registry on loopback, and one that lies."""

import hashlib
import json
import os
import shutil
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PROGRAM = shutil.which("docker-registry") or "/usr/local/bin/docker-registry"


@contextmanager
def registry(folder, htpasswd=None):
    """Yield the address of a real registry that keeps what it gets in the folder."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    access = f"auth:\n  htpasswd:\n    realm: tests\n    path: {htpasswd}\n" if htpasswd else ""
    config = Path(folder, "config.yml")
    config.write_text(
        f"version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: {folder}/data\n"
        f"http:\n  addr: 127.0.0.1:{port}\n{access}"
    )
    log = Path(folder, "log").open("wb")  # noqa: SIM115 - the process has it until the end
    running = subprocess.Popen(
        [PROGRAM, "serve", str(config)], stdout=log, stderr=log, env={**os.environ, "OTEL_SDK_DISABLED": "true"}
    )
    try:
        deadline = time.monotonic() + 20
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/v2/", timeout=5)
                break
            except urllib.error.HTTPError:
                break
            except OSError:
                assert running.poll() is None, Path(folder, "log").read_text()
                assert time.monotonic() < deadline, "the registry did not start"
                time.sleep(0.05)
        yield f"127.0.0.1:{port}"
    finally:
        running.terminate()
        running.wait(10)
        log.close()


def digest(content):
    """Return ``sha256:`` and the digest of bytes."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


@contextmanager
def liar(answers, secure=None):
    """Yield the address of a registry that answers a path with (status, headers, bytes), and 404 to all else.

    Args:
        answers: By path; ``?*`` at its end stands for any question. An answer may be a function of the headers asked with.
        secure: What speaks TLS, where it does.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            path = self.path if "?" not in self.path else self.path.partition("?")[0] + "?*"
            answer = answers.get(path, (404, {}, b"nothing there"))
            status, headers, content = answer(self.headers) if callable(answer) else answer
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(content))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    # A client that does not like what it is shown goes away.
    server.handle_error = lambda *_: None
    if secure is not None:
        server.socket = secure.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def manifest(layer, **changes):
    """Return the manifest of an artifact of one layer, with changes to what it says of the layer."""
    described = {"mediaType": "application/wasm", "digest": digest(layer), "size": len(layer)} | changes
    return json.dumps({"schemaVersion": 2, "layers": [described]}).encode()
