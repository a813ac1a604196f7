"""A real HTTP server on loopback whose every byte the test decides, and which counts what reached it."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import BinaryIO, Self

from core.http.urls import SERVICE_PORTS


@dataclass(frozen=True)
class Request:
    """One request as it came."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


Respond = Callable[[Request], bytes | Iterable[bytes]]


class Origin:
    """Answers each request with the bytes that `respond` returns; `connection: close` in them ends the connection."""

    def __init__(self, respond: Respond, *, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> None:
        self.respond = respond
        self.requests: list[Request] = []
        self.connects = 0
        self.stopping = threading.Event()
        self._tls = tls
        self._lock = threading.Lock()
        self._connections: list[socket.socket] = []
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, 0), family=family)
        while self._listener.getsockname()[1] in SERVICE_PORTS:
            self._listener.close()
            self._listener = socket.create_server((host, 0), family=family)
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.stopping.is_set():
            return
        self.stopping.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._connections:
            connection.close()
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self.connects += 1
                self._connections.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
                with self._lock:
                    self._connections.append(connection)
            with connection, connection.makefile("rb") as stream:
                while (request := _read(stream)) is not None:
                    with self._lock:
                        self.requests.append(request)
                    answer = self.respond(request)
                    closing = False
                    for piece in [answer] if isinstance(answer, bytes) else answer:
                        connection.sendall(piece)
                        closing = closing or b"connection: close" in piece
                    if closing:
                        return
        except OSError:
            return  # the client went away, which many tests make it do


def _read(stream: BinaryIO) -> Request | None:
    line = stream.readline()
    if not line:
        return None
    method, target, _ = line.decode().split(" ")
    headers: dict[str, str] = {}
    while (header := stream.readline().decode().strip()) != "":
        name, _, value = header.partition(":")
        headers[name.lower()] = value.strip()
    body = stream.read(int(headers.get("content-length", "0")))
    return Request(method, target, headers, body)


def answer(body: bytes = b"", *, status: str = "200 OK", close: bool = True, **headers: str) -> bytes:
    """A complete answer; keyword `content_type` becomes the header `content-type`."""
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    lines += ["connection: close"] if close else []
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body
