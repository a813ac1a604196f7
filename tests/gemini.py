"""A server on loopback that speaks the two calls of Gemini's HTTP that we make: countTokens and generateContent."""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np

KEY = "AIza-test-key"
RATE = 24_000
TOKENS_PER_SECOND = 25


@dataclass
class Gemini:
    """What it was asked, and how it answers."""

    address: str = ""
    asked: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    """(model, verb, body) of every request with the right key."""
    seconds: float = 1.5
    """How long its speech is."""
    status: int = 200
    """Anything else is answered as an error."""
    mime_type: str = f"audio/L16;codec=pcm;rate={RATE}"
    finish_reason: str = "STOP"
    block_reason: str | None = None
    gate: threading.Event = field(default_factory=threading.Event)
    """Speech is answered once this is set."""

    def verbs(self) -> list[str]:
        return [verb for _, verb, _ in self.asked]

    def texts(self) -> list[str]:
        return ["".join(part["text"] for part in body["contents"][0]["parts"]) for _, _, body in self.asked]

    def answer(self, model: str, verb: str, body: dict[str, Any]) -> dict[str, Any]:
        text = "".join(part["text"] for content in body["contents"] for part in content["parts"])
        tokens = count(text)
        if verb == "countTokens":
            return {"totalTokens": tokens, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": tokens}]}
        self.gate.wait(20)
        if self.block_reason:
            return {"promptFeedback": {"blockReason": self.block_reason}, "usageMetadata": {"promptTokenCount": tokens}}
        samples = np.arange(round(self.seconds * RATE))
        pcm = (8000 * np.sin(2 * np.pi * 220 * samples / RATE)).astype("<i2").tobytes()
        spoken = {"inlineData": {"mimeType": self.mime_type, "data": base64.b64encode(pcm).decode()}}
        candidate = {"content": {"role": "model", "parts": [spoken]}, "finishReason": self.finish_reason, "index": 0}
        audio = round(self.seconds * TOKENS_PER_SECOND)
        usage = {"promptTokenCount": tokens, "candidatesTokenCount": audio, "totalTokenCount": tokens + audio}
        return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": model}


def count(text: str) -> int:
    """Its tokens: four characters each, as a rule of thumb has it."""
    return -(-len(text) // 4)


@contextmanager
def serve() -> Iterator[Gemini]:
    """Listen on a free loopback port."""
    gemini = Gemini()
    gemini.gate.set()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(gemini))
    gemini.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield gemini
    finally:
        gemini.gate.set()
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(gemini: Gemini) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            model, _, verb = self.path.partition("?")[0].removeprefix("/v1beta/models/").partition(":")
            if self.headers.get("x-goog-api-key") != KEY:
                self._send(400, _error(400, "API key not valid. Please pass a valid API key.", "INVALID_ARGUMENT"))
                return
            gemini.asked.append((model, verb, body))
            if gemini.status != 200:
                self._send(gemini.status, _error(gemini.status, "No such voice.", "SCRIPTED"))
                return
            self._send(200, gemini.answer(model, verb, body))

        def _send(self, status: int, body: dict[str, Any]) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            """Tests look at `asked`."""

    return Handler


def _error(code: int, message: str, status: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "status": status}}
