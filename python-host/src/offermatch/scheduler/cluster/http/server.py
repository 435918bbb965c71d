"""Serves a cluster over HTTP as docs/cluster-http.openapi.yaml describes; the standard library's server, and nothing else.

Whoever reaches it can run commands. So it listens where it is told and, without a token, answers only requests that name
this machine: a page in a browser can neither send its content type nor its key from elsewhere, nor guess another name.
"""

from __future__ import annotations

import hmac
import ipaddress
import json
import logging
import re
import socket
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from threading import BoundedSemaphore
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from offermatch.errors import ClusterError, OffermatchError
from offermatch.scheduler.cluster.abc import Cluster
from offermatch.scheduler.cluster.http import wire

__all__ = ["ClusterServer"]

_LOG = logging.getLogger(__name__)
_MOST_CONNECTIONS = 256
_IDLE_SECONDS = 60.0
_KEY = re.compile(r"([A-Za-z0-9._~-]|%[0-9A-Fa-f]{2})+")

_Answer = tuple[HTTPStatus, dict[str, Any]]


class _Refused(Exception):  # noqa: N818 - an answer, not a failure of this program
    def __init__(self, status: HTTPStatus, code: str, message: str, **headers: str) -> None:
        super().__init__(status)
        self.status = status
        self.body = {"error": {"code": code, "message": message}}
        self.headers = headers


class ClusterServer(ThreadingHTTPServer):
    """An HTTP server in front of a cluster; ``serve_forever`` and ``shutdown`` are the standard library's."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, cluster: Cluster, host: str = "127.0.0.1", port: int = 0, *, token: str | None = None) -> None:
        """Listen; port 0 takes a free one.

        Args:
            cluster: What is served. It is not closed with the server.
            host: The address to listen on.
            port: The port to listen on.
            token: What a request has to carry, as ``Authorization: Bearer TOKEN``.

        Raises:
            ClusterError: ``listen-failed``.
        """
        self.cluster = cluster
        self.token = token
        if ":" in host:
            self.address_family = socket.AF_INET6
        self._room = BoundedSemaphore(_MOST_CONNECTIONS)
        self._open: set[Any] = set()
        try:
            super().__init__((host, port), _Handler)
        except (OSError, OverflowError) as error:
            hint = "give an address of this machine and a port that is free"
            raise ClusterError("listen-failed", str(error), hint, f"{host}:{port}") from error

    @property
    def url(self) -> str:
        """The address that clients are given."""
        host, port = self.server_address[:2]
        return f"http://[{host!s}]:{port}" if self.address_family == socket.AF_INET6 else f"http://{host!s}:{port}"

    def server_bind(self) -> None:
        """Bind without asking the name service for our own name, which may take long."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection on a thread of its own, when there is room for one more."""
        self._room.acquire()
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """End a connection and make room."""
        super().shutdown_request(request)
        self._open.discard(request)
        self._room.release()

    def server_close(self) -> None:
        """Stop listening, and end the connections that clients keep for their next request."""
        super().server_close()
        for request in list(self._open):
            with suppress(OSError):
                request.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log a connection that broke."""
        del request
        _LOG.info("connection with %s broke", client_address, exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "offermatch"
    sys_version = ""
    timeout = _IDLE_SECONDS
    disable_nagle_algorithm = True
    wbufsize = -1
    server: ClusterServer

    def _handle(self) -> None:
        headers: dict[str, str] = {}
        try:
            body = self._read_body()
            self._check_allowed()
            status, answer = self._route(body)
        except _Refused as refused:
            status, answer, headers = refused.status, refused.body, refused.headers
        except ClusterError as error:
            status = HTTPStatus.BAD_REQUEST if error.code == "message-malformed" else HTTPStatus.SERVICE_UNAVAILABLE
            answer = {"error": {"code": error.code, "message": error.line}}
        except OffermatchError as error:
            status, answer = HTTPStatus.BAD_REQUEST, {"error": {"code": error.code, "message": error.line}}
        except OSError:
            raise
        except Exception:  # noqa: BLE001 - the connection gets its answer, whatever a cluster does
            _LOG.exception("%s %s failed", self.command, self.path)
            status = HTTPStatus.INTERNAL_SERVER_ERROR
            answer = {"error": {"code": "server-failed", "message": "the server's log says why"}}
        self._send(status, answer, headers)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_TRACE = do_QUERY = _handle  # noqa: N815

    def _route(self, body: bytes) -> _Answer:
        url = urlsplit(self.path)
        routes: dict[str, tuple[str, Callable[[], _Answer]]] = {
            "/v1/offers": ("GET", self._offers),
            "/v1/inputs": ("GET", lambda: self._input(url.query)),
            "/v1/launches": ("POST", lambda: self._launch(body)),
            "/v1/reports": ("POST", lambda: self._reports(body)),
            "/v1/cancellations": ("POST", lambda: self._cancel(body)),
            "/v1/settlements": ("POST", lambda: self._forget(body)),
        }
        if url.path not in routes:
            raise _Refused(HTTPStatus.NOT_FOUND, "path-unknown", f"there is nothing at {url.path}")
        method, answer = routes[url.path]
        if self.command != method:
            message = f"{self.command} is not answered here"
            raise _Refused(HTTPStatus.METHOD_NOT_ALLOWED, "method-unknown", message, Allow=method)
        if method == "POST" and self.headers.get_content_type() != "application/json":
            message = f"the content type is {self.headers.get_content_type()}, not application/json"
            raise _Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "content-type", message)
        return answer()

    def _offers(self) -> _Answer:
        return HTTPStatus.OK, wire.offers_of(self.server.cluster.offers())

    def _input(self, query: str) -> _Answer:
        names = parse_qs(query, keep_blank_values=True).get("name", [])
        if len(names) != 1 or not 0 < len(names[0]) <= wire.LONGEST_KEY:
            raise wire.malformed(f"give one name of 1 to {wire.LONGEST_KEY} characters")
        found = self.server.cluster.fetch(names, concurrency=1)[0]
        return (HTTPStatus.NOT_FOUND if found.reason else HTTPStatus.OK), wire.fetched_of(found)

    def _launch(self, body: bytes) -> _Answer:
        encoded = self.headers.get("Idempotency-Key", "")
        if not _KEY.fullmatch(encoded) or len(encoded) > wire.LONGEST_KEY:
            what = f"no percent-encoded text of 1 to {wire.LONGEST_KEY} characters"
            raise wire.malformed(f"the header Idempotency-Key is missing, or {what}")
        # Two headers that differ in a byte are two keys, even where the bytes are no text.
        key = unquote(encoded, errors="surrogateescape")
        launched = self.server.cluster.launch([wire.launch_from(key, body)])[0]
        return (HTTPStatus.CONFLICT if launched.refusal else HTTPStatus.OK), wire.launched_of(launched)

    def _reports(self, body: bytes) -> _Answer:
        return HTTPStatus.OK, wire.reports_of(self.server.cluster.reports(wire.keys_from(body)))

    def _cancel(self, body: bytes) -> _Answer:
        self.server.cluster.cancel(wire.keys_from(body))
        return HTTPStatus.OK, {}

    def _forget(self, body: bytes) -> _Answer:
        self.server.cluster.forget(wire.keys_from(body))
        return HTTPStatus.OK, {}

    def _read_body(self) -> bytes:
        length = self.headers.get("Content-Length")
        if "Transfer-Encoding" in self.headers or (length is None and self.command == "POST"):
            self.close_connection = True
            raise _Refused(HTTPStatus.LENGTH_REQUIRED, "length-required", "send a body with its Content-Length")
        if length is None:
            return b""
        if not (length.isascii() and length.isdigit()) or len(length) > 18:
            self.close_connection = True
            raise _Refused(HTTPStatus.BAD_REQUEST, "message-malformed", f"Content-Length is {length!r}")
        if int(length) > wire.MOST_BYTES:
            self.close_connection = True
            message = f"the body has {length} bytes; at most {wire.MOST_BYTES} are read"
            raise _Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body-too-long", message)
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            self.close_connection = True
            raise _Refused(HTTPStatus.BAD_REQUEST, "message-malformed", "the body ends before its Content-Length")
        return body

    def _check_allowed(self) -> None:
        if self.server.token is not None:
            given = self.headers.get("Authorization", "").encode(errors="replace")
            if not hmac.compare_digest(given, f"Bearer {self.server.token}".encode()):
                headers = {"WWW-Authenticate": "Bearer"}
                raise _Refused(HTTPStatus.UNAUTHORIZED, "token-missing", "send Authorization: Bearer TOKEN", **headers)
        elif not _names_an_address(self.headers.get("Host", "")):
            message = "the Host header is neither localhost nor an address"
            raise _Refused(HTTPStatus.MISDIRECTED_REQUEST, "host-unknown", message)

    def _send(self, status: HTTPStatus, answer: dict[str, Any], headers: dict[str, str]) -> None:
        body = json.dumps(answer, separators=(",", ":")).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name in the standard library
        """Log a request."""
        _LOG.debug("%s " + format, self.client_address[0], *args)


def _names_an_address(host: str) -> bool:
    """Whether a Host header cannot be the name of a page that was led here by its name server."""
    name = urlsplit(f"//{host}").hostname or ""
    if name == "localhost":
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
