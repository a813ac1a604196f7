"""Bodies of /api/v1/auth: what is sent, and what is answered."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from accounts.addresses import LONGEST_ADDRESS, normal_address
from accounts.api.messages import Account, KeyLabel
from accounts.google import LONGEST_TOKEN
from core.messages import Message

EmailAddress = Annotated[
    str,
    Field(max_length=LONGEST_ADDRESS, json_schema_extra={"format": "email"}),
    AfterValidator(normal_address),
]


class GoogleToken(Message):
    """A Google ID token that proves an address."""

    id_token: Annotated[str, Field(min_length=20, max_length=LONGEST_TOKEN)]
    """A current ID token that Google issued for this site's client id."""
    key_label: KeyLabel = "Google sign-in"
    """Names the new key in lists. A browser session has no key: there it does nothing."""


class EmailCodeWanted(Message):
    """Where to mail a one-time code."""

    email: EmailAddress
    """The address to prove; ASCII, at most 254 characters."""


class EmailCodeShown(Message):
    """A one-time code that proves an address."""

    email: EmailAddress
    """The address that the code was asked for with."""
    code: Annotated[str, Field(pattern=r"^[0-9]{6}$")]
    """The six digits in the mail."""
    key_label: KeyLabel = "Email sign-in"
    """Names the new key in lists. A browser session has no key: there it does nothing."""


class EmailCodeMailed(Message):
    """A code is on its way, if the address has a mailbox."""

    ok: Literal[True] = True
    expires_in_seconds: int
    """How long the code is good for."""


class KeyIssued(Message):
    """A new API key: the only answer that ever shows it."""

    ok: Literal[True] = True
    api_key: str
    """The key; keep it secret."""
    key_prefix: str
    """What lists show of it."""
    label: str
    """Its name in lists."""
    account: Account
    """Whose it is."""


class BrowserSession(Message):
    """The browser's session."""

    ok: Literal[True] = True
    authenticated: bool
    """Whether somebody is signed in."""
    account: Account | None
    """Who; null when nobody is."""
    expires_at: str | None
    """When the session ends (RFC 3339, UTC); null when nobody is signed in."""
    csrf_token: str
    """To send as `X-CSRFToken` with unsafe requests that carry no Origin."""


class SessionClosed(Message):
    """Nobody is signed in with this browser any more."""

    ok: Literal[True] = True
