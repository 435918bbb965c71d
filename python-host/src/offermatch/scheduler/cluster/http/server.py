"""Serves a cluster over HTTP as docs/cluster-http.openapi.yaml describes, with uvicorn.

Whoever may launch can run commands, so who may is looked at before anything else: token and Host are checked when the
headers are there and before a byte of the body is read. All that is held for strangers has a bound: connections, headers,
bodies, values in a body, and the time that a whole request may take.
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import json
import logging
import socket
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit

from offermatch.errors import ClusterError, InputError, OffermatchError
from offermatch.extras import require
from offermatch.scheduler.cluster.abc import Cluster
from offermatch.scheduler.cluster.http import wire
from offermatch.visible import LONGEST_NAME, visible

__all__ = ["ClusterServer"]

_LOG = logging.getLogger(__name__)
_MOST_CONNECTIONS = 512
_MOST_HELD = 64 * 2**20
"""Bytes of bodies that are held at once."""
_THREADS = 16
_READ_SECONDS = 20.0
_WRITE_SECONDS = 30.0
_LINGER_SECONDS = 2.0
"""For which the rest of a refused request is read and thrown away."""
_IDLE_SECONDS = 60
_SECONDS_TO_END = 2

_Answer = tuple[HTTPStatus, dict[str, Any]]
_Receive = Callable[[], Awaitable[dict[str, Any]]]
_Send = Callable[[dict[str, Any]], Awaitable[None]]


class _Refused(Exception):  # noqa: N818 - an answer, not a failure of this program
    def __init__(self, status: HTTPStatus, code: str, message: str, **headers: str) -> None:
        super().__init__(status)
        self.status = status
        self.body = {"error": {"code": code, "message": message}}
        self.headers = headers


class ClusterServer:
    """An HTTP server in front of a cluster, on a thread of its own. A context manager."""

    def __init__(
        self,
        cluster: Cluster,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        token: str | None = None,
        certificate: Path | None = None,
        key: Path | None = None,
        read_seconds: float = _READ_SECONDS,
        most_connections: int = _MOST_CONNECTIONS,
    ) -> None:
        """Listen; nothing is answered before it is started.

        Args:
            cluster: What is served. It is not closed with the server.
            host: The address to listen on.
            port: The port to listen on; 0 takes a free one.
            token: What a request has to carry, as ``Authorization: Bearer TOKEN``.
            certificate: A file with the server's certificate and its chain; TLS is spoken where it is given.
            key: A file with the certificate's key.
            read_seconds: From the first moment of a request until all of it has been read.
            most_connections: Connections at once.

        Raises:
            ClusterError: ``listen-failed``, ``extra-missing``.
            InputError: ``setting-malformed`` for a certificate that cannot be used.
        """
        require("agent", "uvicorn", kind=ClusterError)
        uvicorn = import_module("uvicorn")
        guard = import_module("offermatch.scheduler.cluster.http.guard")
        self._cluster = cluster
        self._token = token
        self._held = 0
        self._guard = guard.Guard(most_connections, read_seconds)
        self._threads = ThreadPoolExecutor(_THREADS, "offermatch agent")
        config = uvicorn.Config(
            self._answer,
            http=guard.guarded(self._guard),
            ws="none",
            lifespan="off",
            interface="asgi3",
            loop="asyncio",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            h11_max_incomplete_event_size=guard.LONGEST_HEADERS,
            timeout_keep_alive=_IDLE_SECONDS,
            timeout_graceful_shutdown=_SECONDS_TO_END,
            ssl_certfile=None if certificate is None else str(certificate),
            ssl_keyfile=None if key is None else str(key),
        )
        try:
            config.load()
        except (OSError, ValueError) as error:
            hint = "give a certificate and its key, both as PEM"
            raise InputError("setting-malformed", f"TLS cannot be set up: {error}", hint, str(certificate)) from error
        self._uvicorn = uvicorn.Server(config)
        try:
            self._socket = socket.create_server(
                (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=128
            )
        except (OSError, OverflowError) as error:
            hint = "give an address of this machine and a port that is free"
            message = getattr(error, "strerror", None) or str(error)
            raise ClusterError("listen-failed", message, hint, f"{host}:{port}") from error
        host, port = self._socket.getsockname()[:2]
        self.address: tuple[str, int] = (host, port)
        self.url = f"{'http' if certificate is None else 'https'}://{f'[{host}]' if ':' in host else host}:{port}"
        self._thread = threading.Thread(target=self._serve, name="offermatch agent", daemon=True)

    def __enter__(self) -> ClusterServer:
        """Start it."""
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close it."""
        self.close()

    def start(self) -> None:
        """Answer from now on."""
        self._thread.start()

    def close(self) -> None:
        """Stop listening, and end all connections: at once those that are idle, the others after two seconds."""
        self._uvicorn.should_exit = True
        if self._thread.ident is not None:
            self._thread.join()
        self._socket.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _serve(self) -> None:
        asyncio.run(self._uvicorn.serve(sockets=[self._socket]))

    # ---- on the loop ---------------------------------------------------------------------------------------------

    async def _answer(self, scope: dict[str, Any], receive: _Receive, send: _Send) -> None:
        headers: dict[str, str] = {}
        is_refused = False
        try:
            status, answer = await self._answered(scope, receive)
        except _Refused as refused:
            status, answer, headers, is_refused = refused.status, refused.body, refused.headers, True
        except ClusterError as error:
            status = HTTPStatus.BAD_REQUEST if error.code == "message-malformed" else HTTPStatus.SERVICE_UNAVAILABLE
            answer = {"error": {"code": error.code, "message": visible(error.line)}}
        except OffermatchError as error:
            status, answer = HTTPStatus.SERVICE_UNAVAILABLE, {"error": {"code": error.code, "message": visible(error.line)}}
        except Exception:  # noqa: BLE001 - a bug in one answer must not end the others
            _LOG.exception("%s %s failed", scope["method"], visible(scope["path"], LONGEST_NAME))
            status = HTTPStatus.INTERNAL_SERVER_ERROR
            answer = {"error": {"code": "server-failed", "message": "the agent's log says why"}}
        body = json.dumps(answer, separators=(",", ":")).encode()
        shown = {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}
        raw = [(name.encode(), value.encode()) for name, value in shown.items()]
        start = {"type": "http.response.start", "status": int(status), "headers": raw}
        await asyncio.wait_for(self._written(send, start, body, more=is_refused), _WRITE_SECONDS)
        if is_refused:
            # A connection that is closed with bytes unread is reset, and a client that still sends loses the answer.
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._drop(receive), _LINGER_SECONDS)
            await send({"type": "http.response.body", "body": b""})

    @staticmethod
    async def _written(send: _Send, start: dict[str, Any], body: bytes, *, more: bool) -> None:
        await send(start)
        await send({"type": "http.response.body", "body": body, "more_body": more})

    @staticmethod
    async def _drop(receive: _Receive) -> None:
        while (await receive()).get("more_body", False):
            pass

    async def _answered(self, scope: dict[str, Any], receive: _Receive) -> _Answer:
        self._check_allowed(scope["headers"])
        self._guard.trust(scope["client"])
        read = self._route(scope)
        body = bytearray()
        try:
            if scope["method"] == "POST":
                await self._read(scope["headers"], receive, body)
            # What is read is decoded by few at a time, and never on the loop that answers everybody.
            return await asyncio.get_running_loop().run_in_executor(self._threads, read, bytes(body))
        finally:
            self._held -= len(body)

    def _check_allowed(self, headers: list[tuple[bytes, bytes]]) -> None:
        if self._token is not None:
            given = _header(headers, b"authorization")
            if not hmac.compare_digest(given, f"Bearer {self._token}".encode()):
                message = "send Authorization: Bearer TOKEN"
                raise _closing(HTTPStatus.UNAUTHORIZED, "token-missing", message, {"WWW-Authenticate": "Bearer"})
        elif not _names_an_address(_header(headers, b"host").decode("latin-1")):
            message = "the Host header is neither localhost nor an address"
            raise _closing(HTTPStatus.MISDIRECTED_REQUEST, "host-unknown", message)

    def _route(self, scope: dict[str, Any]) -> Callable[[bytes], _Answer]:
        routes: dict[str, tuple[str, Callable[[bytes], _Answer]]] = {
            wire.OFFERS: ("GET", self._offers),
            wire.INPUTS: ("GET", partial(self._input, scope["query_string"])),
            wire.OUTPUTS: ("GET", partial(self._output, scope["query_string"])),
            wire.LAUNCHES: ("POST", self._launch),
            wire.REPORTS: ("POST", self._reports),
            wire.CANCELLATIONS: ("POST", self._cancel),
            wire.SETTLEMENTS: ("POST", self._forget),
        }
        path, method = scope["path"], scope["method"]
        if path not in routes:
            if path.startswith("/v1/"):
                message = (
                    f"this agent speaks version {wire.VERSION} of the wire format, not 1; use the scheduler of its version"
                )
                raise _closing(HTTPStatus.GONE, "version-unknown", message)
            raise _closing(HTTPStatus.NOT_FOUND, "path-unknown", f"there is nothing at {visible(path, LONGEST_NAME)}")
        wanted, answer = routes[path]
        if method != wanted:
            message = f"{visible(method, LONGEST_NAME)} is not answered here"
            raise _closing(HTTPStatus.METHOD_NOT_ALLOWED, "method-unknown", message, {"Allow": wanted})
        kind = _header(scope["headers"], b"content-type").partition(b";")[0].strip().lower()
        if method == "POST" and kind != b"application/json":
            message = f"the content type is {visible(kind.decode('latin-1'), LONGEST_NAME)!r}, not application/json"
            raise _closing(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "content-type", message)
        if method == "POST" and _header(scope["headers"], b"content-encoding"):
            raise _closing(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "content-type", "no Content-Encoding is taken")
        return answer

    async def _read(self, headers: list[tuple[bytes, bytes]], receive: _Receive, body: bytearray) -> None:
        announced = _header(headers, b"content-length")
        if announced and int(announced) > wire.MOST_BYTES:
            self._too_long()
        more = True
        while more:
            event = await receive()
            if event["type"] == "http.disconnect":
                raise wire.malformed("the body ends before its length")
            piece = event.get("body", b"")
            body += piece
            self._held += len(piece)
            if len(body) > wire.MOST_BYTES:
                self._too_long()
            if self._held > _MOST_HELD:
                message = f"more than {_MOST_HELD} bytes of requests are held; ask again"
                raise _closing(HTTPStatus.SERVICE_UNAVAILABLE, "server-busy", message, {"Retry-After": "1"})
            more = event.get("more_body", False)

    @staticmethod
    def _too_long() -> None:
        message = f"the body is too long; at most {wire.MOST_BYTES} bytes are read"
        raise _closing(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body-too-long", message)

    # ---- on a thread of few --------------------------------------------------------------------------------------

    def _offers(self, _: bytes) -> _Answer:
        return HTTPStatus.OK, wire.offers_of(self._cluster.offers())

    def _input(self, query: bytes, _: bytes) -> _Answer:
        names = _asked(query).get("name", [])
        if len(names) != 1 or not 0 < len(names[0]) <= wire.LONGEST_KEY:
            raise wire.malformed(f"give one name of 1 to {wire.LONGEST_KEY} characters")
        found = self._cluster.fetch(names, concurrency=1)[0]
        return (HTTPStatus.NOT_FOUND if found.reason else HTTPStatus.OK), wire.fetched_of(found)

    def _output(self, query: bytes, _: bytes) -> _Answer:
        asked = _asked(query)
        keys, stream, most = asked.get("key", []), asked.get("stream", ["stdout"])[-1], asked.get("most", ["65536"])[-1]
        if len(keys) != 1 or not 0 < len(keys[0]) <= wire.LONGEST_KEY:
            raise wire.malformed(f"give one key of 1 to {wire.LONGEST_KEY} characters")
        if stream not in ("stdout", "stderr"):
            raise wire.malformed("the stream is neither stdout nor stderr")
        if not (most.isascii() and most.isdigit() and len(most) < 9 and 0 < int(most) <= wire.MOST_OUTPUT):
            raise wire.malformed(f"most is no number from 1 to {wire.MOST_OUTPUT}")
        found = self._cluster.output(keys[0], "stdout" if stream == "stdout" else "stderr", int(most))
        if found is None:
            message = "nothing is kept of what this key has written"
            return HTTPStatus.NOT_FOUND, {"error": {"code": "output-unknown", "message": message}}
        return HTTPStatus.OK, wire.output_of(found)

    def _launch(self, body: bytes) -> _Answer:
        return HTTPStatus.OK, wire.launched_of(self._cluster.launch(wire.launches_from(body)))

    def _reports(self, body: bytes) -> _Answer:
        return HTTPStatus.OK, wire.reports_of(self._cluster.reports(wire.keys_from(body)))

    def _cancel(self, body: bytes) -> _Answer:
        self._cluster.cancel(wire.keys_from(body))
        return HTTPStatus.OK, {}

    def _forget(self, body: bytes) -> _Answer:
        self._cluster.forget(wire.keys_from(body))
        return HTTPStatus.OK, {}


def _closing(status: HTTPStatus, code: str, message: str, headers: dict[str, str] | None = None) -> _Refused:
    """Return a refusal that ends the connection; the rest of the request is thrown away."""
    return _Refused(status, code, message, Connection="close", **(headers or {}))


def _asked(query: bytes) -> dict[str, list[str]]:
    try:
        return parse_qs(query.decode("latin-1"), keep_blank_values=True, max_num_fields=8, errors="surrogateescape")
    except ValueError:
        return {}


def _header(headers: list[tuple[bytes, bytes]], name: bytes) -> bytes:
    """Return a header that is there once; empty where it is missing or there twice, which is as good as missing."""
    found = [value for one, value in headers if one == name]
    return found[0] if len(found) == 1 else b""


def _names_an_address(host: str) -> bool:
    """Whether a Host header cannot be the name of a page that was led here by its name server."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or bool(ipaddress.ip_address(name))
    except ValueError:
        return False
