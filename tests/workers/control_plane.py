"""A small control plane and bucket on one real port: it verifies every signature, records every request in order, and
answers as the test scripted it."""

import hashlib
import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

from workers.protocol import signing
from workers.protocol.claim import Claim, HeartbeatAnswer, NodeGreeting, ProgressAnswer, StagedFile
from workers.protocol.result import Upload, UploadGrant, UploadRequest

MASTER = b"master key of the tests"
CREDENTIAL = signing.derive(MASTER, node_id="tests-1", version=1)
ATTEMPT = UUID("01980f2c-7b3a-7c11-8e55-1f0a2b3c4d5e")
JOB = UUID("01980f2c-7b3a-7c11-8e55-1f0a2b3c4d5f")


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def word(self) -> str:
        """The call's last word (claim, progress, …); at the bucket `GET clip` or `PUT output_0001.bin`."""
        last = self.path.partition("?")[0].rpartition("/")[2]
        return f"{self.method} {last}" if self.path.startswith("/bucket/") else last

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def nonce(self) -> str:
        return self.headers[signing.NONCE_HEADER]


class Lost(Exception):
    """Scripted: the request is taken and the connection is cut without an answer."""


Answer = tuple[int, bytes]
Script = Callable[[Seen], Answer]


def say(status: int, **body: Any) -> Script:
    """An answer of this status whatever is asked."""
    return lambda _: (status, json.dumps(body).encode())


def lose(_: Seen) -> Answer:
    """Take the request and answer nothing."""
    raise Lost


@dataclass
class ControlPlane:
    """Answers well unless `scripts[word]` holds answers to give first, one for each request."""

    task: str = "diagnostic.noop"
    params: dict[str, Any] = field(default_factory=dict)
    lease_seconds: float = 30.0
    inputs: dict[str, bytes] = field(default_factory=dict)
    """Files of the field `clips`, by their name in the bucket."""
    pools: tuple[str, ...] = ("diagnostic", "image")

    def __post_init__(self) -> None:
        self.seen: list[Seen] = []
        self.forged: list[Seen] = []
        self.stored: dict[str, bytes] = {}
        self.scripts: dict[str, list[Script]] = defaultdict(list)
        self.always: dict[str, Script] = {}
        self._changed = threading.Condition()

    def __enter__(self) -> "ControlPlane":
        plane = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                seen = Seen(method=self.command, path=self.path, headers=dict(self.headers), body=body)
                try:
                    status, content = plane.take(seen)
                except Lost:
                    self.close_connection = True
                    return
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                if seen.path.startswith("/bucket/"):
                    self.send_header("Connection", "close")  # storage's client outlives the test
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = answer

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def words(self) -> list[str]:
        """What was asked, in order."""
        with self._changed:
            return [seen.word for seen in self.seen]

    def all(self, word: str) -> list[Seen]:
        with self._changed:
            return [seen for seen in self.seen if seen.word == word]

    def one(self, word: str) -> Seen:
        (seen,) = self.all(word)
        return seen

    def wait_for(self, word: str, times: int = 1) -> None:
        """Return once `word` was asked that often."""
        with self._changed:
            assert self._changed.wait_for(lambda: sum(seen.word == word for seen in self.seen) >= times, timeout=20), (
                f"{word} was not asked {times} times: {[seen.word for seen in self.seen]}"
            )

    def take(self, seen: Seen) -> Answer:
        """Record one request and answer it."""
        bucket = seen.path.startswith("/bucket/")
        with self._changed:
            if not bucket and not self._is_genuine(seen):
                self.forged.append(seen)
                return 401, b'{"code": "unauthenticated", "error": "not signed"}'
            self.seen.append(seen)
            scripts = self.scripts[seen.word]
            script = scripts.pop(0) if scripts else self.always.get(seen.word)
            self._changed.notify_all()
        if script is not None:
            return script(seen)
        return self._bucket(seen) if bucket else (200, self._answer(seen))

    def _is_genuine(self, seen: Seen) -> bool:
        known = {earlier.nonce for earlier in self.seen if signing.NONCE_HEADER in earlier.headers}
        return (
            seen.headers.get(signing.NODE_HEADER) == CREDENTIAL.node_id
            and seen.headers.get(signing.VERSION_HEADER) == str(CREDENTIAL.version)
            and seen.nonce not in known
            and signing.verify_request(
                CREDENTIAL.secret,
                method=seen.method,
                path=seen.path,
                timestamp=seen.headers[signing.TIME_HEADER],
                nonce=seen.nonce,
                body=seen.body,
                signature=seen.headers[signing.SIGNATURE_HEADER],
                now=time.time(),
            )
        )

    def _answer(self, seen: Seen) -> bytes:
        match seen.word:
            case "node":
                return _json(NodeGreeting(node_id=CREDENTIAL.node_id, pools=list(self.pools), heartbeat_seconds=0.05))
            case "heartbeat":
                return _json(HeartbeatAnswer())
            case "claim":
                return _json(self.claim())
            case "progress":
                return _json(ProgressAnswer(cancel=False, lease_seconds=self.lease_seconds))
            case "uploads":
                asked = UploadRequest.model_validate_json(seen.body)
                return _json(
                    UploadGrant(
                        uploads=[self._grant(output.name) for output in asked.outputs],
                        result=self._grant("result.json"),
                    )
                )
            case "complete":
                return b'{"outcome": "completed"}'
            case "fail":
                return b'{"outcome": "noted"}'
        raise AssertionError(f"unexpected {seen.method} {seen.path}")

    def claim(self) -> Claim:
        """What a claim answers."""
        files = [
            StagedFile(
                field="clips",
                index=index,
                url=f"{self.url}/bucket/in/{name}?signature=secret",
                bytes=len(body),
                sha256=hashlib.sha256(body).hexdigest(),
                media_type="video/mp4",
            )
            for index, (name, body) in enumerate(self.inputs.items())
        ]
        return Claim(
            attempt_id=ATTEMPT,
            job_id=JOB,
            task=self.task,
            pool="diagnostic",
            params=self.params,
            seed=7,
            files=files,
            lease_seconds=self.lease_seconds,
        )

    def _grant(self, name: str) -> Upload:
        return Upload(name=name, url=f"{self.url}/bucket/out/{name}?signature=secret", headers={"x-bound": name})

    def _bucket(self, seen: Seen) -> Answer:
        name = seen.word.partition(" ")[2]
        if seen.method == "PUT":
            assert seen.headers["x-bound"] == name
            self.stored[name] = seen.body
            return 200, b""
        return (200, self.inputs[name]) if name in self.inputs else (404, b"")


def _json(message: Any) -> bytes:
    return message.model_dump_json().encode()
