"""Google's ID tokens against an issuer of our own: which prove an address, and how often certificates are fetched."""

import hashlib
import hmac
import logging
import time
from threading import Thread
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from accounts import google
from accounts.google import GoogleNotConfigured, GoogleUnreachable, IdTokenRefused, certificates, verified_address
from tests.accounts.sign_ins import SOMEBODY, refusals
from tests.billing.racing import race
from tests.google import CLIENT_ID, KEY, Google, Key, claims, encode, part, token

pytestmark = pytest.mark.usefixtures("issuer")
STRANGER = Key("key-one")
"""Another's key that says it is ours."""
NEXT = Key("key-two")


def signed_by_hmac(secret: bytes, algorithm: str = "HS256") -> str:
    """A token signed with what everybody knows, the public key, as if it were a secret."""
    signed = f"{part({'alg': algorithm, 'kid': KEY.id})}.{part(claims())}"
    return f"{signed}.{encode(hmac.digest(secret, signed.encode(), hashlib.sha256))}"


def public_key(encoding: serialization.Encoding) -> bytes:
    return KEY.private.public_key().public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo)


def tampered() -> str:
    head, _, signature = token().split(".")
    return f"{head}.{part(claims('victim@example.com'))}.{signature}"


def now() -> int:
    return int(time.time())


REFUSED = {
    "alg none": lambda: f"{part({'alg': 'none', 'kid': KEY.id})}.{part(claims())}.",
    "alg None, signed": lambda: token(header={"alg": "None"}),
    "alg missing": lambda: token(header={"alg": None}),
    "alg of another kind": lambda: token(header={"alg": "ES256"}),
    "alg that is no text": lambda: token(header={"alg": ["RS256"]}),
    "HS256 with the certificate": lambda: signed_by_hmac(KEY.certificate.encode()),
    "HS256 with the public key": lambda: signed_by_hmac(public_key(serialization.Encoding.PEM)),
    "RS256 with an HMAC": lambda: signed_by_hmac(public_key(serialization.Encoding.DER), "RS256"),
    "another's key": lambda: token(key=STRANGER),
    "a key of its own in the header": lambda: token(key=STRANGER, header={"jwk": {"kty": "RSA"}, "x5c": ["…"]}),
    "no kid": lambda: token(header={"kid": None}),
    "a kid that is no text": lambda: token(header={"kid": 1}),
    "an unknown kid": lambda: token(header={"kid": "nobody"}),
    "another audience": lambda: token(aud="somebody-else"),
    "a list of audiences": lambda: token(aud=[CLIENT_ID]),
    "no audience": lambda: token(aud=None),
    "a part of the audience": lambda: token(aud=CLIENT_ID[:-1]),
    "another issuer": lambda: token(iss="https://accounts.example.com"),
    "no issuer": lambda: token(iss=None),
    "an issuer that is no text": lambda: token(iss=["accounts.google.com"]),
    "expired": lambda: token(iat=now() - 3700, exp=now() - 12),
    "no expiry": lambda: token(exp=None),
    "an expiry that is no number": lambda: token(exp="tomorrow"),
    "issued in the future": lambda: token(iat=now() + 60),
    "no time of issue": lambda: token(iat=None),
    "an unverified address": lambda: token(email_verified=False),
    "an address verified in words": lambda: token(email_verified="true"),
    "an address of no said state": lambda: token(email_verified=None),
    "no address": lambda: token(None),
    "an empty address": lambda: token(""),
    "an address that is a list": lambda: token([SOMEBODY]),
    "an address of no form": lambda: token("somebody"),
    "an address that only looks ASCII": lambda: token("\u017fomebody@example.com"),
    "tampered": tampered,
    "no signature": lambda: token().rpartition(".")[0] + ".",
    "a signature cut": lambda: token()[:-8],
    "a fourth part": lambda: token() + ".x",
    "two parts": lambda: token().rpartition(".")[0],
    "not a token": lambda: "this is not a token at all",
    "not ASCII": lambda: "ünïcode." * 3,
    "claims that are a list": lambda: f"{part({'alg': 'RS256', 'kid': KEY.id})}.{part([1])}.{encode(b'x')}",
    "a header that is a list": lambda: f"{part([1])}.{part(claims())}.{encode(b'x')}",
    "a header nested deeply": lambda: f"{encode(b'[' * 5000)}.{part(claims())}.{encode(b'x')}",
    "a header with a number of many digits": lambda: f"{encode(b'1' * 5000)}.{part(claims())}.{encode(b'x')}",
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_proves_nothing_is_refused_in_one_sentence(
    case: str, caplog: pytest.LogCaptureFixture, issuer: Google
) -> None:
    shown = REFUSED[case]()
    before = total_refusals()
    with caplog.at_level(logging.DEBUG), pytest.raises(IdTokenRefused) as refused:
        verified_address(shown)
    error = refused.value
    assert (error.http_status, error.code, error.details) == (401, "unauthenticated", {})
    assert error.message == (IdTokenRefused.__doc__ or "")
    assert total_refusals() == before + 1
    assert "sign_in_refused" in caplog.text
    for piece in (shown, *shown.split(".")):
        assert len(piece) < 12 or piece not in caplog.text
    assert error.__suppress_context__ or error.__context__ is None
    assert issuer.asked <= 1


def total_refusals() -> float:
    reasons = ("malformed", "algorithm", "unknown_key", "signature_or_claims", "issuer", "unverified_address")
    return sum(refusals(f"google_{reason}") for reason in reasons)


@pytest.mark.parametrize(
    ("shown", "address"),
    [
        (token, SOMEBODY),
        (lambda: token("Some.Body@Example.COM"), "some.body@example.com"),
        (lambda: token(aud="another-client"), SOMEBODY),
        (lambda: token(iss="accounts.google.com"), SOMEBODY),
        (lambda: token(iat=now() + 5), SOMEBODY),
        (lambda: token(iat=now() - 3600, exp=now() - 5), SOMEBODY),
    ],
    ids=["plain", "upper case", "second client", "issuer without scheme", "our clock is late", "our clock is early"],
)
def test_a_good_one_proves_its_address(shown: Any, address: str) -> None:
    assert verified_address(shown()) == address


def test_without_a_client_id_nothing_is_judged(settings: Any, issuer: Google) -> None:
    settings.GOOGLE_CLIENT_IDS = []
    with pytest.raises(GoogleNotConfigured) as refused:
        verified_address(token())
    assert (refused.value.http_status, refused.value.code) == (503, "unavailable")
    assert issuer.asked == 0


class Clock:
    """Stands in for the module's clock."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def monotonic(self) -> float:
        return self.seconds


class TestCertificates:
    @pytest.fixture
    def clock(self, monkeypatch: pytest.MonkeyPatch) -> Clock:
        clock = Clock()
        monkeypatch.setattr(google, "time", clock)
        return clock

    def test_they_are_kept_for_as_long_as_their_answer_says(self, issuer: Google, clock: Clock) -> None:
        issuer.headers = {"Cache-Control": "public, max-age=500, must-revalidate", "Age": "100"}
        verified_address(token())
        clock.seconds += 399
        verified_address(token())
        assert issuer.asked == 1
        clock.seconds += 1
        verified_address(token())
        assert issuer.asked == 2

    @pytest.mark.parametrize("headers", [{}, {"Cache-Control": "no-store"}, {"Cache-Control": "max-age=1"}], ids=str)
    def test_for_a_minute_at_least(self, issuer: Google, clock: Clock, headers: dict[str, str]) -> None:
        issuer.headers = headers
        verified_address(token())
        clock.seconds += 59
        verified_address(token())
        assert issuer.asked == 1
        clock.seconds += 1
        verified_address(token())
        assert issuer.asked == 2

    def test_a_new_key_is_found_and_an_old_one_ends(self, issuer: Google, clock: Clock) -> None:
        verified_address(token())
        issuer.keys = [NEXT]
        clock.seconds += 30
        assert verified_address(token(key=NEXT)) == SOMEBODY
        with pytest.raises(IdTokenRefused):
            verified_address(token())

    def test_unknown_keys_make_us_ask_once_in_thirty_seconds(self, issuer: Google, clock: Clock) -> None:
        for number in range(20):
            with pytest.raises(IdTokenRefused):
                verified_address(token(header={"kid": f"made-up-{number}"}))
        assert issuer.asked == 1
        clock.seconds += 30
        for number in range(20):
            with pytest.raises(IdTokenRefused):
                verified_address(token(header={"kid": f"made-up-{number}"}))
        assert issuer.asked == 2
        verified_address(token())
        assert issuer.asked == 2

    @pytest.mark.parametrize(
        "trouble",
        [
            {"status": 500},
            {"status": 302, "headers": {"Location": "http://127.0.0.1:9/"}},
            {"content": b"<html>"},
            {"content": b"[]"},
            {"content": b"{}"},
            {"content": b'{"key-one": 1}'},
            {"content": b" " * 70_000},
            {"content": b"\xff"},
        ],
        ids=str,
    )
    def test_a_wrong_answer_is_not_a_refusal(self, issuer: Google, clock: Clock, trouble: dict[str, Any]) -> None:
        good = {name: getattr(issuer, name) for name in trouble}
        for name, value in trouble.items():
            setattr(issuer, name, value)
        before = total_refusals()
        for _ in range(3):
            with pytest.raises(GoogleUnreachable) as refused:
                verified_address(token())
            assert (refused.value.http_status, refused.value.code) == (503, "unavailable")
        assert total_refusals() == before
        assert issuer.asked == 1  # a moment's rest between tries
        for name, value in good.items():
            setattr(issuer, name, value)
        clock.seconds += 5
        assert verified_address(token()) == SOMEBODY

    def test_nobody_there(self, settings: Any) -> None:
        settings.GOOGLE_CERTS_URL = "http://127.0.0.1:9/certs"
        with pytest.raises(GoogleUnreachable):
            verified_address(token())

    def test_known_keys_go_on_when_a_refetch_fails(self, issuer: Google, clock: Clock) -> None:
        verified_address(token())
        issuer.status = 503
        clock.seconds += 30
        with pytest.raises(GoogleUnreachable):
            verified_address(token(key=NEXT))
        assert verified_address(token()) == SOMEBODY
        with pytest.raises(GoogleUnreachable):
            verified_address(token(key=NEXT))
        assert issuer.asked == 2

    def test_known_keys_do_not_wait_for_a_refetch(self, issuer: Google, clock: Clock) -> None:
        verified_address(token())
        clock.seconds += 30
        issuer.gate.clear()
        found: list[str | None] = []
        asking = Thread(target=lambda: found.append(certificates.find("made-up")))
        asking.start()
        try:
            deadline = time.monotonic() + 10
            while issuer.asked < 2 and time.monotonic() < deadline:
                time.sleep(0.005)
            assert issuer.asked == 2
            assert verified_address(token()) == SOMEBODY
            assert found == []
        finally:
            issuer.gate.set()
            asking.join(10)
        assert found == [None]

    @pytest.mark.django_db(transaction=True)
    def test_many_at_once_fetch_once(self, issuer: Google) -> None:
        shown = token()
        outcomes = race([lambda: verified_address(shown)] * 10)
        assert outcomes == [(SOMEBODY, None)] * 10
        assert issuer.asked == 1
