"""A mail catcher for development: takes every message by SMTP, keeps the last ones in memory, shows them on a page.

`python -m deploy.embedded.mail --smtp-port 1025 --page-port 8025`. Both ports are on loopback, nothing is ever sent on,
and nothing is written to a disk or a log: the messages carry sign-in codes.
"""

import argparse
import json
import re
import signal
import sys
import threading
from collections import deque
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import FrameType
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

KEPT = 50
LARGEST_MESSAGE = 5_000_000
LONGEST_WAIT = 25.0
"""Seconds that a request for newer messages may stay open."""
_CODE = re.compile(r"(?<![0-9])[0-9]{6}(?![0-9])")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"


@dataclass(frozen=True)
class Caught:
    """One message, as the page shows it."""

    number: int
    """Counts from 1; never used twice by one catcher."""
    at: str
    sender: str
    recipients: list[str]
    subject: str
    text: str
    code_line: str | None
    """The line with six digits, where the message has one."""


class Mailbox:
    """The last messages, and a way to wait for the next one. Any thread may call."""

    def __init__(self) -> None:
        self._messages: deque[Caught] = deque(maxlen=KEPT)
        self._count = 0
        self._changed = threading.Condition()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """What aiosmtpd calls with a message."""
        content = envelope.content if isinstance(envelope.content, bytes) else (envelope.content or "").encode()
        parsed: Any = message_from_bytes(content, policy=policy.default)
        self.put(parsed, sender=envelope.mail_from or "", recipients=list(envelope.rcpt_tos))
        return "250 Kept for whoever looks"

    def put(self, message: EmailMessage, *, sender: str, recipients: list[str]) -> None:
        """Keep a message; the oldest makes room for it."""
        text = _text(message)
        code_line = next((line.strip() for line in text.splitlines() if _CODE.search(line)), None)
        with self._changed:
            self._count += 1
            caught = Caught(
                number=self._count,
                at=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
                sender=sender,
                recipients=recipients,
                subject=str(message.get("Subject", "")),
                text=text,
                code_line=code_line,
            )
            self._messages.append(caught)
            self._changed.notify_all()

    def after(self, number: int, *, wait: float) -> list[Caught]:
        """The kept messages newer than `number`, oldest first; waits up to `wait` seconds for the first of them."""
        with self._changed:
            self._changed.wait_for(lambda: self._count > number, timeout=wait)
            return [caught for caught in self._messages if caught.number > number]


def _text(message: EmailMessage) -> str:
    try:
        body = message.get_body(preferencelist=("plain", "html"))
        content = body.get_content() if body is not None else ""
    except (KeyError, LookupError, ValueError):  # a character set or a form that Python does not know
        content = "(this message cannot be read)"
    return "\n".join(content.splitlines()) if isinstance(content, str) else ""


class MailServers:
    """The catcher's SMTP server and its page, both on loopback."""

    def __init__(self, *, smtp_port: int, page_port: int) -> None:
        self.mailbox = Mailbox()
        self._smtp = Controller(
            self.mailbox,
            hostname="127.0.0.1",
            port=smtp_port,
            server_hostname="mail.localhost",  # else it asks the resolver for the machine's full name
            data_size_limit=LARGEST_MESSAGE,
        )
        self._page = ThreadingHTTPServer(("127.0.0.1", page_port), _page_handler(self.mailbox))
        self._page.daemon_threads = True
        self._thread = threading.Thread(target=self._page.serve_forever, args=[0.05], name="mail-page", daemon=True)

    def start(self) -> None:
        """Serve; returns once both take connections."""
        self._smtp.start()
        self._thread.start()

    def stop(self) -> None:
        """End both."""
        self._page.shutdown()
        self._page.server_close()
        self._thread.join()
        self._smtp.stop()


def _page_handler(mailbox: Mailbox) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        server_version = "mail"
        sys_version = ""

        def do_GET(self) -> None:
            # A web page elsewhere could point a name of its own at this address and read the codes.
            host = (self.headers.get("Host") or "").rsplit(":", 1)[0]
            parts = urlsplit(self.path)
            if host not in {"127.0.0.1", "localhost"}:
                self._answer(421, "text/plain", "Ask for 127.0.0.1 or localhost.\n")
            elif parts.path == "/":
                self._answer(200, "text/html", render(mailbox.after(0, wait=0)))
            elif parts.path == "/messages.json":
                query = parse_qs(parts.query)
                number, wait = _number(query, "after"), min(_number(query, "wait"), LONGEST_WAIT)
                found = [asdict(caught) for caught in mailbox.after(number, wait=wait)]
                self._answer(200, "application/json", json.dumps({"messages": found}))
            else:
                self._answer(404, "text/plain", "There is nothing here.\n")

        def _answer(self, status: int, kind: str, body: str) -> None:
            content = body.encode()
            self.send_response(status)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Content-Security-Policy", _POLICY)
            self.send_header("X-Content-Type-Options", "nosniff")
            self.send_header("Cross-Origin-Resource-Policy", "same-origin")
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: the supervisor asks for news all day."""

    return Handler


def _number(query: dict[str, list[str]], name: str) -> int:
    value = query.get(name, ["0"])[0]
    return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else 0


def render(messages: list[Caught]) -> str:
    """The page: newest first, everything escaped, no script; it loads itself again every five seconds."""
    items = "".join(_item(caught) for caught in reversed(messages))
    empty = "<p class=empty>No message yet. Sign in with an email address, and its code arrives here.</p>"
    return _PAGE.replace("{items}", items or empty)


def _item(caught: Caught) -> str:
    code = f"<p class=code>{escape(caught.code_line)}</p>" if caught.code_line else ""
    opened = "" if caught.code_line else " open"
    return (
        f"<article><h2>{escape(caught.subject) or '(no subject)'}</h2>"
        f"<p class=meta>to {escape(', '.join(caught.recipients))} · from {escape(caught.sender)} · "
        f"<time>{escape(caught.at)}</time></p>{code}"
        f"<details{opened}><summary>Message</summary><pre>{escape(caught.text)}</pre></details></article>"
    )


_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="5">
<title>Caught mail</title>
<style>
:root { color-scheme: light dark; --line: #8883; --dim: #6b7280; --accent: #0f766e }
@media (prefers-color-scheme: dark) { :root { --dim: #9ca3af; --accent: #5eead4 } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 0 auto; padding: 2rem 1rem 4rem }
h1 { font-size: 1.4rem; margin: 0 }
.lead { color: var(--dim); margin: .2rem 0 2rem }
article { border: 1px solid var(--line); border-radius: 12px; padding: 1rem 1.2rem; margin: 0 0 1rem }
h2 { font-size: 1.05rem; margin: 0; overflow-wrap: anywhere }
.meta { color: var(--dim); font-size: .85rem; margin: .1rem 0 .6rem; overflow-wrap: anywhere }
.code { font: 600 1.15rem/1.4 ui-monospace, monospace; color: var(--accent); margin: .4rem 0 }
summary { cursor: pointer; color: var(--dim); font-size: .85rem }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font: .9rem/1.5 ui-monospace, monospace; margin: .6rem 0 0 }
.empty { color: var(--dim) }
</style>
</head>
<body>
<h1>Caught mail</h1>
<p class="lead">Development only: messages end here, the last 50 are kept in memory.</p>
<main>{items}</main>
</body>
</html>
"""


def main() -> int:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m deploy.embedded.mail", description=__doc__)
    parser.add_argument("--smtp-port", type=int, required=True)
    parser.add_argument("--page-port", type=int, required=True)
    options = parser.parse_args()
    ended = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        ended.set()

    for stopper in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stopper, on_signal)
    servers = MailServers(smtp_port=options.smtp_port, page_port=options.page_port)
    servers.start()
    ended.wait()
    servers.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
