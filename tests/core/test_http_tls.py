"""TLS is checked against the name in the URL, whatever address the connection was pinned to."""

import io
import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from core import http
from core.http import connection, resolver
from tests.core.origin import Origin, answer


class Authority:
    """A certificate authority made for one test run."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")])
        self.certificate = (
            self._begin(self._name, self._key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(self._key, hashes.SHA256())
        )

    def context_for(self, folder: Path, *names: x509.GeneralName) -> ssl.SSLContext:
        """A server's context with a certificate for `names`."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "server")])
        certificate = (
            self._begin(subject, key)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        chain = folder / "server.pem"
        chain.write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain)
        return context

    def _begin(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
        )


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def secure(
    authority: Authority, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Origin, list[str | None]]]:
    """A server with a certificate for files.example and 127.0.0.1, and the names it was asked for."""
    asked: list[str | None] = []
    names = (x509.DNSName("files.example"), x509.IPAddress(ip_address("127.0.0.1")))
    context = authority.context_for(tmp_path, *names)
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    trusted = ssl.create_default_context(cadata=authority.certificate.public_bytes(serialization.Encoding.PEM).decode())
    monkeypatch.setattr(connection, "tls_context", lambda: trusted)
    monkeypatch.setattr(resolver, "lookup", lambda _: ["127.0.0.1"])
    with Origin(lambda _: answer(b"hello"), tls=context) as origin:
        settings.HTTP_ALLOWED_TARGETS = [
            f"{host}:{origin.port}" for host in ("files.example", "other.example", "127.0.0.1")
        ]
        yield origin, asked


def fetch(url: str) -> bytes:
    sink = io.BytesIO()
    http.fetch_to(url, sink=sink, max_bytes=100, timeout_seconds=5)
    return sink.getvalue()


def test_the_name_goes_into_sni_and_host_while_the_address_is_pinned(secure: tuple[Origin, list[str | None]]) -> None:
    origin, asked = secure
    assert fetch(f"https://files.example:{origin.port}/") == b"hello"
    assert asked == ["files.example"]
    assert origin.requests[0].headers["host"] == f"files.example:{origin.port}"


def test_a_certificate_for_an_address_serves_that_address(secure: tuple[Origin, list[str | None]]) -> None:
    origin, _ = secure
    assert fetch(f"https://127.0.0.1:{origin.port}/") == b"hello"


def test_a_certificate_for_another_name_is_refused(secure: tuple[Origin, list[str | None]]) -> None:
    origin, asked = secure
    with pytest.raises(http.FetchFailed) as raised:
        fetch(f"https://other.example:{origin.port}/")
    assert (raised.value.reason, raised.value.retryable) == ("tls", False)
    assert raised.value.sentence == "The server's certificate is not valid for this host."
    assert asked == ["other.example"]
    assert origin.requests == []


def test_a_certificate_nobody_vouches_for_is_refused(
    secure: tuple[Origin, list[str | None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    origin, _ = secure
    monkeypatch.setattr(connection, "tls_context", ssl.create_default_context)
    outcome = http.post(f"https://files.example:{origin.port}/", body=b"{}", headers={}, timeout_seconds=5)
    assert (outcome.status, outcome.error) == (None, "tls")
    assert origin.requests == []


def test_a_server_that_speaks_no_tls_is_a_failure(secure: tuple[Origin, list[str | None]], settings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def greet() -> None:
            peer, _ = listener.accept()
            with peer:
                peer.sendall(b"220 mail.example ESMTP\r\n")
                peer.recv(4096)

        thread = threading.Thread(target=greet)
        thread.start()
        port = listener.getsockname()[1]
        settings.HTTP_ALLOWED_TARGETS.append(f"127.0.0.1:{port}")
        with pytest.raises(http.FetchFailed) as raised:
            fetch(f"https://127.0.0.1:{port}/")
        thread.join(5)
    assert (raised.value.reason, raised.value.retryable) == ("tls", True)


def test_a_redirect_from_https_to_http_is_refused(secure: tuple[Origin, list[str | None]], settings: Any) -> None:
    origin, _ = secure
    with Origin(lambda _: answer(b"plain")) as plain:
        settings.HTTP_ALLOWED_TARGETS.append(f"127.0.0.1:{plain.port}")
        origin.respond = lambda _: answer(status="302 X", location=f"http://127.0.0.1:{plain.port}/")
        with pytest.raises(http.ForbiddenUrl, match="from https to http"):
            fetch(f"https://files.example:{origin.port}/")
        assert (len(origin.requests), plain.connects) == (1, 0)
