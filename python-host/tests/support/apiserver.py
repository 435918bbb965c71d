"""A double of a Kubernetes API server: lists in pages, watches, patches, bindings, conflicts, finalizers and quotas.

    python apiserver.py KUBECONFIG COMMAND...    writes a kubeconfig, and serves while the command runs

What it says is checked against a real server by the tests that run on both. It holds no more than these tests and the
benchmark need, and forces what a real server does too seldom: a version that is forgotten, a watch that breaks, an answer
that is lost.
"""

import asyncio
import copy
import json
import re
import subprocess
import sys
import threading
import time
import uuid
from datetime import datetime, timezone
from http import HTTPStatus
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

TOKENS = ("double", "scheduler")
"""The tokens of two accounts, which both may do everything."""
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_CLUSTER_WIDE = ("nodes", "namespaces")


class RefusalError(Exception):
    def __init__(self, status, reason, message):
        super().__init__(message)
        self.status, self.reason, self.message = status, reason, message


class Objects:
    """What the server keeps.

    Attributes:
        version: The last version.
        events: All that has happened from ``floor`` on: version, resource, the object before and after.
    """

    def __init__(self):
        self.version = 1
        self.floor = 0
        self.events = []
        self.listeners = []
        self.kept = {}
        self.logs = {}
        for name in ("default", "kube-system"):
            self.create("namespaces", None, {"kind": "Namespace", "metadata": {"name": name}})

    def of(self, resource):
        return self.kept.setdefault(resource, {})

    def get(self, resource, namespace, name):
        found = self.of(resource).get((namespace, name))
        if found is None:
            raise RefusalError(404, "NotFound", f'{resource} "{name}" not found')
        return found

    def put(self, resource, item):
        key = (item["metadata"].get("namespace"), item["metadata"]["name"])
        before = self.of(resource).get(key)
        self.version += 1
        item["metadata"]["resourceVersion"] = str(self.version)
        self.of(resource)[key] = item
        self._tell(resource, before, item)
        return item

    def remove(self, resource, item):
        del self.of(resource)[item["metadata"].get("namespace"), item["metadata"]["name"]]
        self.version += 1
        self._tell(resource, item, None)

    def _tell(self, resource, before, after):
        event = (self.version, resource, before, after)
        self.events.append(event)
        for listener in self.listeners:
            listener(event)

    def compact(self):
        """Forget all versions before the present one."""
        self.floor, self.events = self.version, []

    def create(self, resource, namespace, item):
        metadata = item.setdefault("metadata", {})
        name = metadata.get("name") or metadata.get("generateName", "") + uuid.uuid4().hex[:5]
        if not _NAME.fullmatch(name) or len(name) > 253:
            raise RefusalError(422, "Invalid", f'{resource} "{name}" is invalid: metadata.name')
        if namespace is not None and (None, namespace) not in self.of("namespaces"):
            raise RefusalError(404, "NotFound", f'namespaces "{namespace}" not found')
        if (namespace, name) in self.of(resource):
            raise RefusalError(409, "AlreadyExists", f'{resource} "{name}" already exists')
        if resource == "pods":
            self._admit(namespace, name, item)
        now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        metadata.update(name=name, uid=str(uuid.uuid4()), creationTimestamp=now)
        if namespace is not None:
            metadata["namespace"] = namespace
        return self.put(resource, item)

    def _admit(self, namespace, name, pod):
        for one in pod["spec"]["containers"]:
            if not one.get("image"):
                raise RefusalError(422, "Invalid", f'Pod "{name}" is invalid: spec.containers[0].image: Required value')
        for (place, _), quota in self.of("resourcequotas").items():
            hard = quota.get("status", {}).get("hard", {}).get("pods")
            used = sum(key[0] == namespace for key in self.of("pods"))
            if place == namespace and hard is not None and used >= int(hard):
                asked = f"requested: pods=1, used: pods={used}, limited: pods={hard}"
                told = f"exceeded quota: {quota['metadata']['name']}, {asked}"
                raise RefusalError(403, "Forbidden", f'pods "{name}" is forbidden: {told}')
        pod["spec"].setdefault("schedulerName", "default-scheduler")
        pod["spec"].setdefault("terminationGracePeriodSeconds", 30)
        pod["spec"].setdefault("priority", 0)
        for one in pod["spec"]["containers"]:
            resources = one.setdefault("resources", {})
            if "limits" in resources:
                resources["requests"] = {**resources["limits"], **resources.get("requests", {})}
        pod["status"] = {"phase": "Pending"}

    def change(self, resource, old, new, part):
        """Store an object that replaces another."""
        ours, theirs = old["metadata"], new.get("metadata") or {}
        for name in ("resourceVersion", "uid"):
            if theirs.get(name) not in (None, "", ours[name]):
                told = f'Operation cannot be fulfilled on {resource} "{ours["name"]}": it has been modified'
                raise RefusalError(409, "Conflict", told)
        if part == "status":
            made = {**old, "metadata": {**ours}, "status": new.get("status", {})}
        else:
            fixed = {
                name: ours[name]
                for name in ("name", "namespace", "uid", "creationTimestamp", "deletionTimestamp")
                if name in ours
            }
            made = {**new, "metadata": {**theirs, **fixed}}
            if resource == "pods":
                made["status"] = old["status"]
                self._check_pod(old, made)
        comparable = [{**one, "metadata": {**one["metadata"], "resourceVersion": ""}} for one in (old, made)]
        if comparable[0] == comparable[1]:
            return old
        made = self.put(resource, made)
        self._collect(resource, made)
        return made

    def _check_pod(self, old, new):
        was, now = copy.deepcopy(old["spec"]), copy.deepcopy(new["spec"])
        before, after = was.pop("activeDeadlineSeconds", None), now.pop("activeDeadlineSeconds", None)
        is_allowed = before == after or (after is not None and after > 0 and (before is None or after <= before))
        if was != now or not is_allowed:
            raise RefusalError(
                422,
                "Invalid",
                f'Pod "{old["metadata"]["name"]}" is invalid: spec: Forbidden',
            )

    def bind(self, namespace, name, body):
        pod = self.get("pods", namespace, name)
        if pod["metadata"].get("deletionTimestamp"):
            told = f"pod {name} is being deleted, cannot be assigned to a host"
            raise RefusalError(409, "Conflict", f'Operation cannot be fulfilled on pods/binding "{name}": {told}')
        if pod["spec"].get("nodeName"):
            told = f'pod {name} is already assigned to node "{pod["spec"]["nodeName"]}"'
            raise RefusalError(409, "Conflict", f'Operation cannot be fulfilled on pods/binding "{name}": {told}')
        conditions = [one for one in pod["status"].get("conditions", []) if one["type"] != "PodScheduled"]
        status = {**pod["status"], "conditions": [*conditions, {"type": "PodScheduled", "status": "True"}]}
        spec = {**pod["spec"], "nodeName": body["target"]["name"]}
        self.put("pods", {**pod, "metadata": {**pod["metadata"]}, "spec": spec, "status": status})
        return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}

    def delete(self, resource, item, options):
        wanted = (options.get("preconditions") or {}).get("uid")
        if wanted not in (None, item["metadata"]["uid"]):
            told = f"Precondition failed: UID in precondition: {wanted}, UID in object meta: {item['metadata']['uid']}"
            raise RefusalError(409, "Conflict", told)
        grace = 0
        if (
            resource == "pods"
            and item["spec"].get("nodeName")
            and item["status"].get("phase") not in ("Succeeded", "Failed")
        ):
            grace = options.get("gracePeriodSeconds", item["spec"]["terminationGracePeriodSeconds"])
        known = item["metadata"].get("deletionGracePeriodSeconds")
        if grace == 0 and not item["metadata"].get("finalizers"):
            self.remove(resource, item)
        elif known is None or grace < known:
            now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
            metadata = {**item["metadata"], "deletionGracePeriodSeconds": grace}
            metadata.setdefault("deletionTimestamp", now)
            item = self.put(resource, {**item, "metadata": metadata})
        return item

    def _collect(self, resource, item):
        metadata = item["metadata"]
        if (
            metadata.get("deletionTimestamp")
            and not metadata.get("finalizers")
            and metadata.get("deletionGracePeriodSeconds", 0) == 0
        ):
            self.remove(resource, item)


def merged(old, change, *, by_keys=False):
    """Return an object after a merge patch; ``by_keys`` merges conditions by their type, as a strategic one does."""
    if not isinstance(change, dict):
        return change
    found = dict(old) if isinstance(old, dict) else {}
    for name, value in change.items():
        if value is None:
            found.pop(name, None)
        elif by_keys and name == "conditions":
            kept = {one["type"]: one for one in found.get(name, [])}
            kept.update({one["type"]: {**kept.get(one["type"], {}), **one} for one in value})
            found[name] = list(kept.values())
        else:
            found[name] = merged(found.get(name), value, by_keys=by_keys)
    return found


def selects(query):
    """Return whether an object is meant by the selectors of a query."""
    labels = [one.partition("=") for one in query.get("labelSelector", "").split(",") if one]
    fields = [one.partition("=") for one in query.get("fieldSelector", "").split(",") if one]

    def field(item, path):
        for step in path.split("."):
            item = item.get(step, "") if isinstance(item, dict) else ""
        return item

    def found(item):
        own = item["metadata"].get("labels") or {}
        return all(
            (name in own) if not equals else own.get(name) == value.lstrip("=") for name, equals, value in labels
        ) and all((field(item, name.rstrip("!")) == value) != name.endswith("!") for name, _, value in fields)

    return found


class Connection(asyncio.Protocol):
    """One connection of a client."""

    def __init__(self, server):
        self.server, self.rest, self.watch = server, b"", None

    def connection_made(self, transport):
        self.transport = transport
        self.server.connections.add(self)

    def connection_lost(self, error):
        self.server.connections.discard(self)
        self.end_watch()

    def data_received(self, data):
        self.rest += data
        while (end := self.rest.find(b"\r\n\r\n")) >= 0:
            head = self.rest[:end].decode("latin-1").split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
            size = int(headers.get("content-length", 0))
            if len(self.rest) < end + 4 + size:
                return
            body, self.rest = self.rest[end + 4 : end + 4 + size], self.rest[end + 4 + size :]
            method, target, _ = head[0].split(" ")
            self._answer(method, target, headers, body)

    def _answer(self, method, target, headers, body):
        parts = urlsplit(target)
        query = dict(parse_qsl(parts.query))
        try:
            said = json.loads(body) if body else {}
            fault = self.server.fault(method, parts.path)
            if fault == "lost":
                self.server.handle(method, parts.path, query, headers, said, self)
                self.transport.abort()
                return
            if fault:
                raise RefusalError(fault, "Forced", "it was forced")  # noqa: TRY301
            found = self.server.handle(method, parts.path, query, headers, said, self)
        except RefusalError as error:
            found = {
                "kind": "Status",
                "status": "Failure",
                "reason": error.reason,
                "message": error.message,
                "code": error.status,
            }
            self._send(error.status, json.dumps(found).encode())
            return
        if found is not None:
            status = 201 if method == "POST" else 200
            self._send(status, found if isinstance(found, bytes) else json.dumps(found).encode())

    def _send(self, status, body):
        head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: application/json\r\n"
        self.transport.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)

    def begin_watch(self, resource, namespace, query):
        self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
        meant, objects = selects(query), self.server.objects
        begin = int(query.get("resourceVersion") or objects.version)
        if begin < objects.floor:
            gone = {
                "kind": "Status",
                "status": "Failure",
                "reason": "Expired",
                "message": "too old resource version",
                "code": 410,
            }
            self._event("ERROR", gone)
            self.end_watch()
            self.transport.write(b"0\r\n\r\n")
            return

        def tell(event):
            version, kind, before, after = event
            if kind != resource or version <= begin:
                return
            ends = [one for one in (before, after) if one is not None]
            if namespace is not None and ends[0]["metadata"].get("namespace") != namespace:
                return
            was, now = before is not None and meant(before), after is not None and meant(after)
            if now:
                self._event("MODIFIED" if was else "ADDED", after, version)
            elif was:
                last = {**before, "metadata": {**before["metadata"], "resourceVersion": str(version)}}
                self._event("DELETED", last, version)

        for event in objects.events:
            tell(event)
        self.watch = tell
        objects.listeners.append(tell)
        asyncio.get_running_loop().call_later(int(query.get("timeoutSeconds", 600)), self._time_out, tell)

    def _time_out(self, tell):
        if self.watch is tell and not self.transport.is_closing():
            self.end_watch()
            self.transport.write(b"0\r\n\r\n")

    def end_watch(self):
        if self.watch is not None:
            self.server.objects.listeners.remove(self.watch)
            self.watch = None

    def _event(self, kind, item, version=None):
        del version
        line = b'{"type":"%s","object":%s}\n' % (kind.encode(), json.dumps(item).encode())
        self.transport.write(b"%x\r\n%s\r\n" % (len(line), line))


class ApiServer:
    """The server, on a thread of its own.

    Attributes:
        requests: Token, verb, resource and subresource of each request, for who looks at them.
    """

    def __init__(self, folder):
        self.objects = Objects()
        self.connections = set()
        self.requests = set()
        self._lists = {}
        self._faults = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._ready = threading.Event()
        self.kubeconfig = Path(folder, "kubeconfig")
        self._thread.start()
        self._ready.wait()
        written = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "double",
            "contexts": [{"name": "double", "context": {"cluster": "double", "user": "admin"}}],
            "clusters": [{"name": "double", "cluster": {"server": f"http://127.0.0.1:{self.port}"}}],
            "users": [{"name": "admin", "user": {"token": TOKENS[0]}}],
        }
        self.kubeconfig.write_text(json.dumps(written))

    def _run(self):
        async def serve():
            server = await self._loop.create_server(lambda: Connection(self), "127.0.0.1", 0, backlog=1024)
            self.port = server.sockets[0].getsockname()[1]
            self._server = server
            self._ready.set()

        self._loop.run_until_complete(serve())
        self._loop.run_forever()
        for connection in list(self.connections):
            connection.transport.abort()
        self._server.close()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    def close(self):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def do(self, call):
        """Return what a call gives on the server's thread."""
        done = threading.Event()
        found = []
        self._loop.call_soon_threadsafe(lambda: (found.append(call()), done.set()))
        assert done.wait(10)
        return found[0]

    def break_watches(self):
        """Break off all watches in the middle of a line."""
        self.do(self.break_now)

    def break_now(self):
        """Do it on the server's thread."""
        for one in list(self.connections):
            if one.watch is not None:
                one.transport.write(b'10\r\n{"type":"MODIFIE')
                one.transport.abort()

    def say(self, line):
        """Send a line to all who watch, whatever it is."""

        def write():
            for one in list(self.connections):
                if one.watch is not None:
                    one.transport.write(b"%x\r\n%s\r\n" % (len(line), line))

        self.do(write)

    def force(self, method, pattern, fault, times=1):
        """Answer the next requests of a method and path with a status; ``lost``: serve them, and answer nothing."""
        self._faults.append([method, re.compile(pattern), fault, times])

    def fault_nothing(self):
        """Force nothing any more."""
        self._faults.clear()

    def fault(self, method, path):
        for one in self._faults:
            if one[0] == method and one[1].fullmatch(path) and one[3] > 0:
                one[3] -= 1
                return one[2]
        return None

    def handle(self, method, path, query, headers, body, connection):
        token = headers.get("authorization", "").removeprefix("Bearer ")
        if token not in TOKENS:
            raise RefusalError(401, "Unauthorized", "Unauthorized")
        if path == "/version":
            return {"gitVersion": "double"}
        steps = [unquote(step) for step in path.strip("/").split("/")]
        steps = steps[2:] if steps[0] == "api" else steps[3:]
        namespace = None
        if steps[0] == "namespaces" and len(steps) > 2:
            namespace, steps = steps[1], steps[2:]
        resource, name, part = (*steps, "", "")[:3]
        verb = method if name or method != "GET" else "watch" if query.get("watch") else "list"
        self.requests.add((token, verb, resource, part))
        objects = self.objects
        if not name:
            if method == "POST":
                return objects.create(resource, namespace, body)
            if method == "DELETE":
                meant = selects(query)
                for one in [one for one in objects.of(resource).values() if meant(one)]:
                    objects.delete(resource, one, {"gracePeriodSeconds": 0})
                return {}
            if query.get("watch") == "true":
                connection.begin_watch(resource, namespace, query)
                return None
            return self._list(resource, namespace, query)
        if part == "binding":
            return objects.bind(namespace, name, body)
        item = objects.get(resource, namespace, name)
        if part == "log":
            return objects.logs.get((namespace, name), "").encode()
        if method == "GET":
            return item
        if method == "DELETE":
            return objects.delete(resource, item, body)
        if method == "PATCH":
            body = merged(item, body, by_keys="strategic" in headers["content-type"])
        return objects.change(resource, item, body, part)

    def _list(self, resource, namespace, query):
        if "continue" in query:
            number, begin = map(int, query["continue"].split("."))
            version, found = self._lists[number]
            if version < self.objects.floor:
                raise RefusalError(410, "Expired", "The provided continue parameter is too old")
        else:
            meant = selects(query)
            number, begin, version = len(self._lists), 0, self.objects.version
            found = [
                one
                for one in self.objects.of(resource).values()
                if namespace in (None, one["metadata"].get("namespace")) and meant(one)
            ]
        limit = int(query.get("limit") or 0) or len(found)
        metadata = {"resourceVersion": str(version)}
        if begin + limit < len(found):
            # All pages are of one version.
            self._lists[number] = version, found
            metadata["continue"] = f"{number}.{begin + limit}"
        return {"kind": "List", "metadata": metadata, "items": found[begin : begin + limit]}


def main(kubeconfig, *command):
    server = ApiServer(Path(kubeconfig).parent)
    server.kubeconfig.rename(kubeconfig)
    ended = subprocess.run(command, check=False).returncode
    print(f"the double took {time.process_time():.2f} s of processor time in all")
    server.close()
    return ended


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
