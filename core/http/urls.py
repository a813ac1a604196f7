"""Reading a foreign URL strictly: whatever two parsers could understand differently is refused."""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import quote

from django.conf import settings

from core.http.addresses import Address, is_public
from core.http.errors import ForbiddenUrl

MAX_LENGTH = 4096

_SHAPE = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)([^#]*)(?:#.*)?")
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_DOTTED_QUAD = re.compile(r"(?:0|[1-9][0-9]{0,2})(?:\.(?:0|[1-9][0-9]{0,2})){3}")
_UNESCAPED = "%/?:@!$&'()*+,;=-._~[]"

_PRIVATE_SUFFIXES = frozenset(
    {
        "localhost",
        "local",
        "localdomain",
        "internal",
        "intranet",
        "private",
        "lan",
        "home",
        "corp",
        "home.arpa",
        "onion",
    }
)
"""Names that only mean something inside somebody's network."""

_DEFAULT_PORTS = {"http": 80, "https": 443}
SERVICE_PORTS = frozenset(
    {
        *(1080, 1433, 1434, 1521, 1723, 1883, 2049, 2181, 2375, 2376, 2377, 2379, 2380, 3128, 3260, 3268, 3269, 3306),
        *(3389, 3690, 4045, 4190, 4222, 4369, 4789, 5038, 5060, 5061, 5222, 5432, 5433, 5555, 5671, 5672, 5900, 5901),
        *(5984, 5985, 5986, 6000, 6432, 6379, 6380, 6443, 6514, 6566, 6667, 6697, 7000, 7001, 7077, 7199, 7473, 7687),
        *(8086, 8125, 8300, 8301, 8302, 8500, 8600, 9042, 9092, 9093, 9160, 9200, 9300, 9418, 10050, 10051, 10250),
        *(10255, 11211, 11434, 15672, 16379, 26257, 26379, 27017, 27018, 27019, 33060, 50000, 50070, 61613, 61616),
    }
)
"""Ports from 1024 up that belong to databases, brokers, orchestrators and the like, not to web servers."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """One URL that passed every rule which needs no network."""

    scheme: str
    host: str
    """Lower case, without brackets."""
    port: int
    path: str
    """Path and query, ASCII, at least `/`."""
    literal: Address | None
    """The host itself, when it is an address."""
    listed: bool
    """The operator put this exact host and port on HTTP_ALLOWED_TARGETS: its address may be anything."""

    @property
    def authority(self) -> str:
        """The Host header: brackets around IPv6, the port only when it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The URL in its one normal form, without a fragment."""
        return f"{self.scheme}://{self.authority}{self.path}"


def check_url(url: str) -> None:
    """Refuse a URL that this room would never open, without touching the network.

    Passing is not a promise: a name may still turn out to have a forbidden address when it is opened.

    Raises:
        ForbiddenUrl: the sentence says which rule the URL breaks.
    """
    parse(url)


def parse(url: str) -> Target:
    """The target behind `url`.

    Raises:
        ForbiddenUrl: the URL breaks one of the rules that need no network.
    """
    if len(url) > MAX_LENGTH:
        raise ForbiddenUrl(f"The URL is longer than {MAX_LENGTH} characters.")
    if any(character == " " or not character.isprintable() for character in url):
        raise ForbiddenUrl("The URL contains white space or control characters.")
    if "\\" in url:
        raise ForbiddenUrl("The URL contains a backslash.")
    shape = _SHAPE.fullmatch(url)
    if shape is None:
        raise ForbiddenUrl("This is not an absolute URL such as https://example.com/file.")
    scheme, authority, rest = shape[1].lower(), shape[2], shape[3]
    if scheme not in _DEFAULT_PORTS:
        raise ForbiddenUrl("Only https:// URLs are accepted.")
    if "@" in authority:
        raise ForbiddenUrl("The URL carries a user name or password.")
    if not authority.isascii():
        # Before lower(): it turns the Kelvin sign and its like into plain letters.
        raise ForbiddenUrl("An international host name must be written in its xn-- form.")

    host, port_text = _split(authority.lower())
    port = _port(port_text, scheme)
    literal = _literal(host)
    if literal is None:
        _check_labels(host)
    else:
        host = str(literal)

    listed = is_listed(host, port, settings.HTTP_ALLOWED_TARGETS)
    if not listed:
        _check_rules(scheme, host, port, literal)
    path = rest if rest.startswith("/") else f"/{rest}"
    return Target(
        scheme=scheme, host=host, port=port, path=quote(path, safe=_UNESCAPED), literal=literal, listed=listed
    )


def is_listed(host: str, port: int, entries: list[str]) -> bool:
    """Whether `entries` has exactly this `host:port` (IPv6 in brackets)."""
    name = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return any(entry.lower() == name for entry in entries)


def forbidden_targets() -> tuple[tuple[str, int | None], ...]:
    """HTTP_FORBIDDEN_TARGETS as (host, port) pairs; no port means every port."""
    pairs = []
    for entry in getattr(settings, "HTTP_FORBIDDEN_TARGETS", ()):
        host, port = _split(entry.lower()) if not _is_bare_v6(entry) else (entry.lower(), None)
        pairs.append((host.strip("[]").rstrip("."), int(port) if port else None))
    return tuple(pairs)


def _is_bare_v6(entry: str) -> bool:
    return entry.count(":") > 1 and not entry.startswith("[")


def _split(authority: str) -> tuple[str, str | None]:
    """Host (still in brackets when IPv6) and the port's text, None when there is no colon for it."""
    if authority.startswith("["):
        host, bracket, tail = authority.partition("]")
        if not bracket or (tail and not tail.startswith(":")):
            raise ForbiddenUrl("The host of the URL is not valid.")
        return f"{host}]", tail[1:] if tail else None
    host, colon, port = authority.partition(":")
    return host, port if colon else None


def _port(text: str | None, scheme: str) -> int:
    if text is None:
        return _DEFAULT_PORTS[scheme]
    if not _PORT.fullmatch(text) or int(text) > 65535:
        raise ForbiddenUrl("The port of the URL is not valid.")
    return int(text)


def _literal(host: str) -> Address | None:
    """The address that `host` spells, if it spells one; only the canonical IPv4 form counts."""
    if host.startswith("["):
        try:
            address = IPv6Address(host[1:-1])
        except ValueError:
            raise ForbiddenUrl("The host of the URL is not a valid IPv6 address.") from None
        if address.scope_id is not None:
            raise ForbiddenUrl("The host of the URL carries a zone.")
        return address
    if _DOTTED_QUAD.fullmatch(host):
        try:
            return IPv4Address(host)
        except ValueError:
            raise ForbiddenUrl("The host of the URL is not a valid IPv4 address.") from None
    if _NUMBER.fullmatch(host.rpartition(".")[2]):
        # 127.1, 0x7f.1, 2130706433, 017700000001: C libraries read them as addresses, each in its own way.
        raise ForbiddenUrl("An IPv4 address must be written as four decimal numbers.")
    return None


def _check_labels(host: str) -> None:
    if not host:
        raise ForbiddenUrl("The URL has no host.")
    if host.endswith("."):
        raise ForbiddenUrl("The host of the URL ends with a dot.")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in host.split(".")):
        raise ForbiddenUrl("The host of the URL is not a valid name.")


def _check_rules(scheme: str, host: str, port: int, literal: Address | None) -> None:
    if scheme == "http" and not settings.HTTP_ALLOW_PLAIN:
        raise ForbiddenUrl("Only https:// URLs are accepted.")
    if (port < 1024 and port not in _DEFAULT_PORTS.values()) or port in SERVICE_PORTS:
        raise ForbiddenUrl("The port of the URL is not one that web servers use.")
    if any(name == host and own_port in {None, port} for name, own_port in forbidden_targets()):
        raise ForbiddenUrl("The host of the URL is not allowed.")
    if literal is not None:
        if not is_public(literal):
            raise ForbiddenUrl("The host of the URL has no public address.")
        return
    suffixes = {host, *(host.split(".", count)[-1] for count in range(1, host.count(".") + 1))}
    if "." not in host or suffixes & _PRIVATE_SUFFIXES:
        raise ForbiddenUrl("The host of the URL is not a public name.")
