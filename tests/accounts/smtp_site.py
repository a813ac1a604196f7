"""A mail server on loopback that answers as it is told to, and keeps what it took."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

HANG_UP = "hang up"
"""Instead of an answer."""


@dataclass
class SmtpSite:
    """How it behaves, and what came."""

    port: int = 0
    answers: dict[str, str] = field(default_factory=dict)
    """What it says, once, to CONNECT, EHLO, MAIL, RCPT or DATA, instead of yes."""
    connections: int = 0
    taken: list[list[str]] = field(default_factory=list)
    """The recipients of each message."""

    def greeting(self, usual: str) -> str:
        """The first line of a connection."""
        self.connections += 1
        return self.answers.pop("CONNECT", usual)

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        """What aiosmtpd calls; without yes, the client says HELO."""
        session.host_name = hostname
        return [self.answers["EHLO"]] if "EHLO" in self.answers else responses

    async def handle_HELO(self, server: SMTP, session: Session, envelope: Envelope, hostname: str) -> str:
        """What aiosmtpd calls."""
        session.host_name = hostname
        return self.answers.pop("EHLO", "250 hello")

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """What aiosmtpd calls."""
        envelope.mail_from = address
        return self._answer("MAIL", server)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """What aiosmtpd calls."""
        envelope.rcpt_tos.append(address)
        return self._answer("RCPT", server)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """What aiosmtpd calls after the whole message."""
        answer = self._answer("DATA", server)
        if answer.startswith("250"):
            self.taken.append(list(envelope.rcpt_tos))
        return answer

    def _answer(self, verb: str, server: SMTP) -> str:
        answer = self.answers.pop(verb, "250 yes")
        if answer == HANG_UP and server.transport is not None:
            server.transport.abort()
        return answer


@contextmanager
def serve(port: int) -> Iterator[SmtpSite]:
    """Listen on this loopback port; nobody's password is right."""
    site = SmtpSite(port=port)
    controller = _Controller(site, port)
    controller.start()
    try:
        yield site
    finally:
        controller.stop()


class _Server(SMTP):
    greeted = False

    async def push(self, status: Any) -> None:
        if not self.greeted:
            self.greeted = True
            status = self.event_handler.greeting(status)
        await super().push(status)


class _Controller(Controller):
    def __init__(self, site: SmtpSite, port: int) -> None:
        super().__init__(site, hostname="127.0.0.1", port=port, server_hostname="mail.localhost")

    def factory(self) -> SMTP:
        return _Server(
            self.handler,
            hostname="mail.localhost",
            authenticator=lambda *_: AuthResult(success=False, handled=False),
            auth_require_tls=False,
        )

    def _trigger_server(self) -> None:
        """The usual one connects once, which would be counted."""
        super()._trigger_server()
        self.handler.connections = 0
