"""The API of Kubernetes: objects as JSON, in and out.

The official client finds the server, signs in (kubeconfig with its plugins, or the token of a pod, which changes) and
keeps the connections. Its generated models are left out: they are slow to build from 30,000 pods, refuse answers that
servers give, such as the one to a binding, and have no place for fields of a newer server.
"""

from __future__ import annotations

import gc
import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from offermatch.errors import ClusterError, InputError
from offermatch.extras import require
from offermatch.visible import visible

__all__ = ["Api", "Object", "RefusedError", "Stream", "decoded", "path_of"]

Object = dict[str, Any]

_TRIES = 6
_PAGE = 500
_PLURALS = {
    "Pod": "pods",
    "Node": "nodes",
    "Namespace": "namespaces",
    "Event": "events",
    "ConfigMap": "configmaps",
    "Lease": "leases",
}
_GROUPS = {"Lease": "apis/coordination.k8s.io/v1", "PodGroup": "apis/scheduling.x-k8s.io/v1alpha1"}


class RefusedError(ClusterError):
    """A request that the server has understood and does not grant.

    Attributes:
        status: The status of HTTP: 403, 404, 409, 410, 422 and others.
        reason: The API's own word for it, such as ``AlreadyExists``.
    """

    def __init__(self, status: int, reason: str, message: str, place: str) -> None:
        """Keep the server's words."""
        super().__init__("request-refused", visible(f"{status} {reason}: {message}"), _HINTS.get(status, ""), place)
        self.status = status
        self.reason = reason


_HINTS = {
    401: "the credentials do not hold; look at the kubeconfig",
    403: "see that the account may do this: 'kubectl auth can-i', and the role in docs/kubernetes.md",
}


def path_of(kind: str, namespace: str | None = None, name: str = "", part: str = "") -> str:
    """Return the path of an object, or of all of a kind; ``part`` is a subresource."""
    steps = [_GROUPS.get(kind, "api/v1")]
    if namespace is not None:
        steps += ["namespaces", quote(namespace, safe="")]
    steps.append(_PLURALS.get(kind, f"{kind.lower()}s"))
    if name:
        steps.append(quote(name, safe=""))
    return "/" + "/".join(steps + ([part] if part else []))


def decoded(text: bytes) -> Any:
    """Return what a text of JSON says.

    What is read has no cycles, and a collector that looks for some while it grows takes longer than the reading itself.

    Raises:
        ValueError: It is no JSON.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        return json.loads(text)
    finally:
        if collects:
            gc.enable()


class Api:
    """A connection to one API server. Any thread may use it.

    Attributes:
        namespace: The namespace of the context, or of the pod that this runs in.
    """

    def __init__(
        self,
        context: str | None = None,
        kubeconfig: str | None = None,
        *,
        timeout_seconds: float = 30.0,
        connections: int = 32,
    ) -> None:
        """Find the server; nothing is asked yet.

        Args:
            context: The context of the kubeconfig; its current one unless given.
            kubeconfig: The file; ``KUBECONFIG`` or ``~/.kube/config`` unless given, and where neither is there, what a pod
                is given.
            timeout_seconds: How long one request may take.
            connections: How many requests are under way at most.

        Raises:
            ClusterError: ``extra-missing``.
            InputError: ``setting-malformed`` for a kubeconfig that cannot be used.
        """
        require("kubernetes", "kubernetes", kind=ClusterError)
        client, config = import_module("kubernetes.client"), import_module("kubernetes.config")
        self._timeout = timeout_seconds
        settings = client.Configuration()
        settings.connection_pool_maxsize = connections
        self.namespace = "default"
        account = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
        given = kubeconfig or os.environ.get("KUBECONFIG") or str(Path("~/.kube/config").expanduser())
        try:
            if context is None and kubeconfig is None and not Path(given.split(os.pathsep)[0]).exists() and account.exists():
                config.load_incluster_config(client_configuration=settings)
                self.namespace = account.read_text(encoding="utf-8").strip()
            else:
                config.load_kube_config(given, context, settings)
                contexts, current = config.list_kube_config_contexts(given)
                chosen = next((one for one in contexts if one["name"] == context), current)
                self.namespace = chosen["context"].get("namespace") or "default"
        except (config.ConfigException, OSError, KeyError, TypeError, ValueError) as error:
            hint = "see that 'kubectl get nodes' works with this kubeconfig and context"
            raise InputError("setting-malformed", visible(str(error)), hint, visible(given)) from error
        self._errors: tuple[type[Exception], ...] = (import_module("urllib3.exceptions").HTTPError, OSError)
        self._unread = (*self._errors, ValueError, AttributeError)
        # A proxy that was set is not looked for in the environment with each request.
        settings.proxy = settings.proxy
        self._timeouts = import_module("urllib3").Timeout
        self._client = client.ApiClient(configuration=settings)
        self._host = settings.host.rstrip("/")
        connected = self._client.rest_client.pool_manager
        # Without a proxy there is one pool, which need not be looked for with each request, either.
        self._connected, self._begin = (
            (connected.connection_from_url(self._host), urlsplit(self._host).path)
            if connected.proxy is None
            else (connected, self._host)
        )

    def close(self) -> None:
        """Let go of the connections."""
        self._client.rest_client.close()

    def get(self, path: str, **query: Any) -> Object:
        """Return an object.

        Raises:
            RefusedError: The server's refusal, as do all requests.
            ClusterError: ``cluster-unreachable``, as do all requests.
        """
        return self.request("GET", path, query=query)

    def create(self, path: str, body: Object, **query: Any) -> Object:
        """Create an object, and return it as the server has it."""
        return self.request("POST", path, body, query=query)

    def replace(self, path: str, body: Object) -> Object:
        """Replace an object; 409 where its ``resourceVersion`` is not the present one."""
        return self.request("PUT", path, body)

    def patch(self, path: str, body: Object, *, merge_lists: bool = False) -> Object:
        """Change an object by a merge patch; ``merge_lists`` merges lists of the API's own types by their keys."""
        kind = "application/strategic-merge-patch+json" if merge_lists else "application/merge-patch+json"
        return self.request("PATCH", path, body, kind=kind)

    def delete(self, path: str, uid: str | None = None, *, grace_seconds: int | None = None) -> None:
        """Delete an object, and only the one with this uid; one that is not there is deleted."""
        body: Object = {"apiVersion": "v1", "kind": "DeleteOptions"}
        if grace_seconds is not None:
            body["gracePeriodSeconds"] = grace_seconds
        if uid is not None:
            body["preconditions"] = {"uid": uid}
        try:
            self.request("DELETE", path, body)
        except RefusedError as error:
            if error.status != 404:
                raise

    def found(self, path: str) -> Object | None:
        """Return an object; None where it is not there."""
        try:
            return self.get(path)
        except RefusedError as error:
            if error.status == 404:
                return None
            raise

    def pages(
        self, path: str, each: Callable[[list[Object]], object] | None = None, **query: Any
    ) -> tuple[list[Object], str]:
        """Return all objects of a list, which the server gives in pages, and the version that they are of.

        Args:
            path: The path of the list.
            each: Hears of the objects of each page as it comes; of a list that is begun again, from its begin.
            query: What else is asked.
        """
        while True:
            items: list[Object] = []
            more: dict[str, Any] = {"limit": _PAGE}
            try:
                while True:
                    page = self.get(path, **query, **more)
                    found = page.get("items") or []
                    items += found
                    if each is not None:
                        each(found)
                    metadata = page.get("metadata") or {}
                    if not metadata.get("continue"):
                        return items, str(metadata.get("resourceVersion", ""))
                    more["continue"] = metadata["continue"]
            except RefusedError as error:
                # The version that the pages are of is forgotten: begin again, with what is there now.
                if error.status != 410 or "continue" not in more:
                    raise

    def text(self, path: str, most: int, **query: Any) -> tuple[bytes, int]:
        """Return the last bytes of a text, and how many there are in all."""
        stream = self.stream(path, self._timeout, **query)
        kept, size = b"", 0
        try:
            for piece in stream.pieces():
                size += len(piece)
                kept = (kept + piece)[-most:]
        finally:
            stream.close()
        return kept, size

    def stream(self, path: str, silence_seconds: float, **query: Any) -> Stream:
        """Return an answer that comes in pieces, with at most so much silence between two."""
        return Stream(self._asked("GET", path, None, query, "application/json", silence_seconds), self._unread)

    def request(
        self,
        method: str,
        path: str,
        body: Object | None = None,
        *,
        query: Mapping[str, Any] | None = None,
        kind: str = "application/json",
    ) -> Object:
        """Return the answer to a request; one that the server is too busy for is made again."""
        answer = self._asked(method, path, body, query or {}, kind, self._timeout)
        try:
            found = decoded(answer.data or b"{}")
        except self._unread as error:
            raise self._unreachable(error, path) from error
        return found if isinstance(found, dict) else {"items": found}

    def _asked(self, method: str, path: str, body: Any, query: Mapping[str, Any], kind: str, seconds: float) -> Any:
        said = {name: value for name, value in query.items() if value is not None}
        url = f"{self._begin}{path}" + (f"?{urlencode(said)}" if said else "")
        text, timeout = None if body is None else json.dumps(body), self._timeouts(connect=self._timeout, read=seconds)
        for attempt in range(_TRIES):
            headers = {"Accept": "application/json", "Content-Type": kind, "User-Agent": "offermatch"}
            try:
                self._client.update_params_for_auth(headers, [], ["BearerToken"], path, method, body)
                answer = self._connected.request(
                    method, url, body=text, headers=headers, timeout=timeout, preload_content=False
                )
                if 200 <= answer.status < 300:
                    return answer
                told = answer.data
            except self._errors as error:
                raise self._unreachable(error, path) from error
            if answer.status == 429 and attempt + 1 < _TRIES:
                # It was not begun, so it may be asked again, whatever it is.
                with suppress(TypeError, ValueError):
                    time.sleep(min(5.0, float(answer.headers.get("Retry-After") or 0.2 * 2**attempt)))
                continue
            break
        if answer.status >= 500 or answer.status == 429:
            raise self._unreachable(f"{answer.status} {told[:500].decode(errors='replace')}", path)
        raise _refused(answer.status, told, path)

    def _unreachable(self, error: object, path: str) -> ClusterError:
        return ClusterError(
            "cluster-unreachable", visible(str(error)), "see that the API server runs", f"{self._host}{path}"
        )


class Stream:
    """An answer that comes in pieces; another thread may end it."""

    def __init__(self, answer: Any, errors: tuple[type[Exception], ...]) -> None:
        """Begin with the answer of a client."""
        self._answer = answer
        self._errors = errors
        self._lock = threading.Lock()
        self._closed = False

    def pieces(self) -> Iterator[bytes]:
        """Yield what comes.

        Raises:
            ClusterError: ``cluster-unreachable`` where it breaks off.
        """
        try:
            yield from self._answer.stream(2**18)
        except self._errors as error:
            if not self._closed:
                raise ClusterError("cluster-unreachable", visible(f"the answer broke off: {error}")) from error

    def lines(self) -> Iterator[bytes]:
        """Yield whole lines."""
        rest = b""
        for piece in self.pieces():
            *lines, rest = (rest + piece).split(b"\n") if b"\n" in piece else [rest + piece]
            yield from filter(None, lines)

    def end(self) -> None:
        """Let whoever reads it read no more; for another thread."""
        self._closed = True
        with suppress(Exception):
            self._answer.shutdown()

    def close(self) -> None:
        """Let go of it; its connection is not used again."""
        self._closed = True
        with suppress(Exception):
            self._answer.close()
            self._answer.release_conn()


def _refused(status: int, told: bytes, path: str) -> RefusedError:
    try:
        found = json.loads(told)
        return RefusedError(status, str(found.get("reason", "")), str(found.get("message", "")), path)
    except (ValueError, AttributeError):
        return RefusedError(status, "", told[:500].decode(errors="replace"), path)
