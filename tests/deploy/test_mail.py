"""The mail catcher: a real SMTP server, a page that shows what came and shows it harmlessly."""

import http.client
import io
import json
import smtplib
import subprocess
import sys
import threading
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from rich.console import Console

from deploy import ports
from deploy.embedded.mail import KEPT, MailServers
from deploy.platform import Platform
from deploy.platform import __main__ as up
from deploy.platform.programs import Programs

HOSTILE = "<script>alert('x')</script>"


class Catcher:
    """A running catcher, and how to talk to it."""

    def __init__(self, smtp_port: int, page_port: int) -> None:
        self.smtp_port, self.page_port = smtp_port, page_port

    def send(self, subject: str, text: str, to: str = "somebody@example.com", html: str = "") -> None:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = "no-reply@example.com", to, subject
        message.set_content(text)
        if html:
            message.add_alternative(html, subtype="html")
        with smtplib.SMTP("127.0.0.1", self.smtp_port, timeout=10) as smtp:
            smtp.send_message(message)

    def get(self, path: str, host: str | None = None) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", self.page_port, timeout=10)
        connection.request("GET", path, headers={"Host": host} if host else {})
        return connection.getresponse()

    def messages(self, query: str = "") -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.load(self.get(f"/messages.json{query}"))["messages"]
        return found


@pytest.fixture
def catcher() -> Iterator[Catcher]:
    taken = [ports.take(name="smtp"), ports.take(name="mail")]
    servers = MailServers(smtp_port=taken[0], page_port=taken[1])
    servers.start()
    yield Catcher(*taken)
    servers.stop()
    ports.release(taken)


def test_a_message_is_shown_with_its_code(catcher: Catcher) -> None:
    catcher.send("Your code", "Hello,\n\n  your code is 123456.\n", html="<p>your code is <b>123456</b></p>")
    [message] = catcher.messages()
    assert message["at"].endswith("Z")
    assert message | {"at": ""} == {
        "number": 1,
        "at": "",
        "sender": "no-reply@example.com",
        "recipients": ["somebody@example.com"],
        "subject": "Your code",
        "text": "Hello,\n\n  your code is 123456.",
        "code_line": "your code is 123456.",
    }
    page = catcher.get("/").read().decode()
    assert "<h2>Your code</h2>" in page
    assert "<p class=code>your code is 123456.</p>" in page


def test_what_a_message_says_is_never_markup(catcher: Catcher) -> None:
    catcher.send(HOSTILE, f"{HOSTILE} 654321", to='"<b>x</b>"@example.com')
    answer = catcher.get("/")
    page = answer.read().decode()
    assert "<script" not in page
    assert "<b>" not in page
    assert page.count("&lt;script&gt;") == 3
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_last_fifty_are_kept(catcher: Catcher) -> None:
    for number in range(1, KEPT + 4):
        catcher.send(f"number {number}", "text")
    numbers = [message["number"] for message in catcher.messages()]
    assert numbers == list(range(4, KEPT + 4))
    assert [message["subject"] for message in catcher.messages(f"?after={KEPT + 2}")] == [f"number {KEPT + 3}"]


def test_whoever_waits_is_told_at_once(catcher: Catcher) -> None:
    found: list[dict[str, Any]] = []
    waiting = threading.Thread(target=lambda: found.extend(catcher.messages("?after=0&wait=9")))
    waiting.start()
    catcher.send("news", "text")
    waiting.join(5)
    assert [message["subject"] for message in found] == ["news"]


@pytest.mark.parametrize(
    "query", ["?after=x", "?after=-1&wait=-3", "?after=%F0%9F%8C%92", "?wait=0.5", "?after=" + "9" * 30]
)
def test_a_strange_question_is_answered(catcher: Catcher, query: str) -> None:
    catcher.send("kept", "text")
    assert len(catcher.messages(query)) == 1


def test_messages_that_cannot_be_read_are_shown_all_the_same(catcher: Catcher) -> None:
    with smtplib.SMTP("127.0.0.1", catcher.smtp_port, timeout=10) as smtp:
        for raw in (
            b"Subject: odd\r\nContent-Type: text/plain; charset=no-such\r\n\r\n\xff\xfe",
            b"",
            b"Subject: =?x?q?\xff?=\r\nContent-Type: multipart/mixed\r\n\r\nnothing",
            b"Content-Type: image/png\r\n\r\nnot one",
        ):
            smtp.sendmail("a@example.com", ["b@example.com"], raw)
    assert len(catcher.messages()) == 4
    assert catcher.get("/").status == 200


def test_a_page_elsewhere_cannot_read_it_through_a_name_of_its_own(catcher: Catcher) -> None:
    catcher.send("secret", "123456")
    for path in ("/", "/messages.json"):
        answer = catcher.get(path, host=f"evil.example:{catcher.page_port}")
        assert answer.status == 421
        assert b"123456" not in answer.read()
        assert answer.headers["Access-Control-Allow-Origin"] is None
    assert catcher.get("/", host="localhost").status == 200


def test_nothing_else_is_there_and_nothing_can_be_changed(catcher: Catcher) -> None:
    assert catcher.get("/../etc/passwd").status == 404
    connection = http.client.HTTPConnection("127.0.0.1", catcher.page_port, timeout=10)
    connection.request("POST", "/", b"x")
    assert connection.getresponse().status == 501


def test_the_process_serves_and_ends_when_asked_and_logs_nothing(tmp_path: Path) -> None:
    taken = [ports.take(name="smtp"), ports.take(name="mail")]
    program = Programs(data_dir=tmp_path, environment={}).mail(smtp_port=taken[0], page_port=taken[1])
    program.start()
    try:
        Catcher(*taken).send("Your code", "123456")
        with urlopen(f"http://127.0.0.1:{taken[1]}/messages.json", timeout=10) as answer:
            assert json.load(answer)["messages"][0]["code_line"] == "123456"
    finally:
        program.stop()
        ports.release(taken)
    assert program.exit_code == 0
    assert program.log.read_text() == ""


def test_the_terminal_is_told_of_each_message(catcher: Catcher, monkeypatch: pytest.MonkeyPatch) -> None:
    printed, stop_asked = Printed(), threading.Event()
    monkeypatch.setattr(up, "console", Console(file=printed, highlight=False, width=200))
    monkeypatch.setattr(up, "POLL_SECONDS", 1)
    page = f"http://127.0.0.1:{catcher.page_port}"
    reporting = threading.Thread(target=up.report_mail, args=[page, stop_asked])
    reporting.start()
    try:
        catcher.send("Your code [bold]", "Hello,\n\nyour code is 123456\n")
        catcher.send("News", "nothing to type")
        assert printed.seen.wait(10)
    finally:
        stop_asked.set()
        reporting.join(10)
    assert printed.getvalue() == (
        "mail to somebody@example.com: Your code [bold]\n  your code is 123456\nmail to somebody@example.com: News\n"
    )


class Printed(io.StringIO):
    """What a console prints; `seen` once News are in it."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = threading.Event()

    def write(self, text: str) -> int:
        written = super().write(text)
        if "News" in self.getvalue():
            self.seen.set()
        return written


def test_a_real_mail_server_takes_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMAIL_HOST", "mail.example.com")
    assert Platform(tmp_path, port_choice="any").mail is None
    assert Platform(tmp_path, port_choice="any", env_overrides={"EMAIL_HOST": ""})._programs[0] == "mail"


def test_both_ports_must_be_named() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "deploy.embedded.mail"], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 2
    assert "--smtp-port" in done.stderr
