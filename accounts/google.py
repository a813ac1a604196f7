"""Google's ID tokens: whose address a token proves."""

import json
import re
import threading
import time
from dataclasses import dataclass, field

import requests
from django.conf import settings
from google.auth import jwt
from google.auth.exceptions import GoogleAuthError

from accounts.addresses import normal_address
from accounts.refusals import SignInRefused, note_refusal
from core.errors import Unavailable

LONGEST_TOKEN = 8192
SKEW_SECONDS = 10
"""How far the issuer's clock may be from ours."""
SHORTEST_CACHE_SECONDS, LONGEST_CACHE_SECONDS = 60, 86_400
REFETCH_SECONDS = 30
"""Tokens of unknown keys cannot make us ask more often."""
RETRY_SECONDS = 5
"""After a failure, while we have no certificates."""
_TIMEOUT = (3, 5)
_MOST_BYTES = 65_536
_MAX_AGE = re.compile(r"max-age=(\d{1,9})")
_UNREADABLE = (GoogleAuthError, ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError)
"""What google-auth raises for tokens that are no tokens, besides its own errors. Their messages quote the token."""


class IdTokenRefused(SignInRefused):
    """The Google ID token is not valid here: it must be Google's, for this site, current, with a verified address."""


class GoogleNotConfigured(Unavailable):
    """Signing in with Google is not set up on this installation."""


class GoogleUnreachable(Unavailable):
    """Google's certificates cannot be fetched right now; try again shortly."""


def verified_address(id_token: str) -> str:
    """The verified email address in a valid token, as `normal_address` writes it. May fetch certificates.

    Raises:
        IdTokenRefused: always the same sentence; the reason is counted and logged.
        GoogleNotConfigured: no client id is set.
        GoogleUnreachable: the certificates it needs are not at hand.
    """
    if not settings.GOOGLE_CLIENT_IDS:
        raise GoogleNotConfigured
    try:
        header = jwt.decode_header(id_token)
    except _UNREADABLE:
        raise _refused("google_malformed") from None
    if header.get("alg") != "RS256":  # one algorithm: a key must never be read as another kind's
        raise _refused("google_algorithm")
    key_id = header.get("kid")
    certificate = certificates.find(key_id) if isinstance(key_id, str) else None
    if certificate is None:
        raise _refused("google_unknown_key")
    try:
        claims = jwt.decode(
            id_token,
            certs=certificate,
            audience=list(settings.GOOGLE_CLIENT_IDS),
            clock_skew_in_seconds=SKEW_SECONDS,
        )
    except _UNREADABLE:
        raise _refused("google_signature_or_claims") from None
    if claims.get("iss") not in settings.GOOGLE_ISSUERS:
        raise _refused("google_issuer")
    address = claims.get("email")
    if claims.get("email_verified") is not True or not isinstance(address, str):
        raise _refused("google_unverified_address")
    try:
        return normal_address(address)
    except ValueError:
        raise _refused("google_unverified_address") from None


def _refused(reason: str) -> IdTokenRefused:
    note_refusal(reason)
    return IdTokenRefused()


@dataclass(frozen=True, kw_only=True)
class _Fetched:
    url: str = ""
    by_key_id: dict[str, str] = field(default_factory=dict)
    fresh_until: float = 0.0

    def is_fresh(self) -> bool:
        return self.url == settings.GOOGLE_CERTS_URL and time.monotonic() < self.fresh_until


class Certificates:
    """Google's current certificates (key id → PEM), kept in this process for as long as their answer allows."""

    def __init__(self) -> None:
        self._fetching = threading.Lock()
        self.forget()

    def forget(self) -> None:
        """Fetch them anew when they are needed next."""
        self._fetched = _Fetched()
        self._not_before = 0.0
        self._failed = False

    def find(self, key_id: str) -> str | None:
        """The certificate of this key; None when Google has no such key.

        Raises:
            GoogleUnreachable: the certificates are not at hand.
        """
        known = self._fetched  # one read: another thread may replace it
        if known.is_fresh() and key_id in known.by_key_id:
            return known.by_key_id[key_id]
        with self._fetching:
            known = self._fetched
            if known.is_fresh() and key_id in known.by_key_id:
                return known.by_key_id[key_id]
            if time.monotonic() < self._not_before and known.url in ("", settings.GOOGLE_CERTS_URL):
                if self._failed:
                    raise GoogleUnreachable
                return None
            self._fetch()
            return self._fetched.by_key_id.get(key_id)

    def _fetch(self) -> None:
        at_hand = self._fetched.is_fresh()
        try:
            self._fetched = _ask(settings.GOOGLE_CERTS_URL)
        except (requests.RequestException, ValueError) as error:
            self._failed = True
            self._not_before = time.monotonic() + (REFETCH_SECONDS if at_hand else RETRY_SECONDS)
            raise GoogleUnreachable from error
        self._failed = False
        self._not_before = time.monotonic() + REFETCH_SECONDS


def _ask(url: str) -> _Fetched:
    asked = time.monotonic()
    with requests.get(url, timeout=_TIMEOUT, allow_redirects=False, stream=True) as answer:
        if answer.status_code != 200:
            raise ValueError(f"the certificates' address answered with status {answer.status_code}")
        content = answer.raw.read(_MOST_BYTES + 1, decode_content=True)
        if len(content) > _MOST_BYTES:
            raise ValueError("the certificates' answer is too large")
        found = json.loads(content)
        if not isinstance(found, dict) or not found or not all(isinstance(pem, str) for pem in found.values()):
            raise ValueError("the certificates' answer is not an object of PEM texts")
        match = _MAX_AGE.search(answer.headers.get("Cache-Control", ""))
        age = answer.headers.get("Age", "0")
        seconds = (int(match.group(1)) if match else 0) - (int(age) if age.isascii() and age.isdigit() else 0)
    seconds = min(max(seconds, SHORTEST_CACHE_SECONDS), LONGEST_CACHE_SECONDS)
    return _Fetched(url=url, by_key_id=found, fresh_until=asked + seconds)


certificates = Certificates()
"""This process's."""
