"""A client's side of the demo: two clips on a web server, and an address that takes callbacks."""

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import imageio_ffmpeg

CLIPS = {
    "rings.mp4": ("testsrc2=size=1280x704:rate=30:duration=3", "sine=frequency=330:sample_rate=48000:duration=3"),
    "bars.mp4": ("smptehdbars=size=1280x704:rate=30:duration=3", "sine=frequency=440:sample_rate=48000:duration=3"),
}


@dataclass
class Origin:
    """Where the clips are and what was called back."""

    address: str = ""
    callbacks: dict[str, tuple[dict[str, str], bytes]] = field(default_factory=dict)
    """Job id → headers and exact body of its terminal callback."""
    arrived: threading.Condition = field(default_factory=threading.Condition)

    def url(self, name: str) -> str:
        """Where a client would point the platform."""
        return f"http://{self.address}/{name}"

    def wait_for(self, job_id: str, seconds: float) -> tuple[dict[str, str], bytes] | None:
        """The callback of a job, waiting for it."""
        with self.arrived:
            self.arrived.wait_for(lambda: job_id in self.callbacks, timeout=seconds)
            return self.callbacks.get(job_id)


def make_clips(folder: Path) -> None:
    """Draw the clips with ffmpeg; a few seconds."""
    for name, (picture, sound) in CLIPS.items():
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-y"]
        command += ["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound]
        command += ["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-c:a", "aac", "-shortest"]
        subprocess.run([*command, "-movflags", "+faststart", str(folder / name)], check=True)


@contextmanager
def serve(folder: Path) -> Iterator[Origin]:
    """Serve the folder's clips and take callbacks, on a free loopback port."""
    origin = Origin()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(folder, origin))
    origin.address = f"127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield origin
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(folder: Path, origin: Origin) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            name = self.path.lstrip("/")
            if name not in CLIPS:
                self.send_error(404)
                return
            content = (folder / name).read_bytes()
            status, part, total = 200, content, len(content)
            wanted = self.headers.get("Range", "")
            headers = {"Accept-Ranges": "bytes", "Content-Type": "video/mp4"}
            if wanted.startswith("bytes="):
                first, _, last = wanted.removeprefix("bytes=").partition("-")
                start, end = int(first), min(int(last or total - 1), total - 1)
                status, part = 206, content[start : end + 1]
                headers["Content-Range"] = f"bytes {start}-{end}/{total}"
            self.send_response(status)
            for header, value in (headers | {"Content-Length": str(len(part))}).items():
                self.send_header(header, value)
            self.end_headers()
            self.wfile.write(part)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told: dict[str, Any] = json.loads(body)
            with origin.arrived:
                origin.callbacks[told["externalJobId"]] = ({k.lower(): v for k, v in self.headers.items()}, body)
                origin.arrived.notify_all()
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """The demo prints what matters."""

    return Handler
