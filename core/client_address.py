"""Where a request comes from."""

import ipaddress
import re

from django.conf import settings
from django.http import HttpRequest

UNKNOWN = "unknown"
"""The address of a request whose proxy wrote something that is none: one for all of them, so that it gains nothing."""
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_WITH_PORT = re.compile(r"\[(?P<v6>[^\]]+)\](?::\d+)?|(?P<v4>[\d.]+):\d+")
_SUBSCRIBER_BITS = 64


def client_address(request: HttpRequest) -> str:
    """The client's address in its one canonical form: the connection's, or what a configured proxy says."""
    address = _parsed(str(request.META.get("REMOTE_ADDR", "")))
    if address is not None and _is_trusted(address):
        for hop in reversed(str(request.META.get("HTTP_X_FORWARDED_FOR", "")).split(",")):
            if not hop.strip():
                continue
            address = _parsed(hop.strip())
            if address is None or not _is_trusted(address):
                break
    return UNKNOWN if address is None else str(address)


def client_address_or_none(request: HttpRequest) -> str | None:
    """The same for a column of addresses: None where it is unknown."""
    address = client_address(request)
    return None if address == UNKNOWN else address


def subscriber(address: str | None) -> str:
    """Whom to limit: an IPv4 address, or the /64 that one IPv6 subscriber has all addresses of."""
    if address is None or address == UNKNOWN:
        return UNKNOWN
    if ":" not in address:
        return address
    return str(ipaddress.ip_network((address, _SUBSCRIBER_BITS), strict=False))


def _parsed(text: str) -> _Address | None:
    """An address as proxies write them: perhaps with a port, in brackets, with a zone, as IPv4 inside of IPv6."""
    match = _WITH_PORT.fullmatch(text)
    bare = (match["v6"] or match["v4"]) if match else text
    try:
        address = ipaddress.ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _is_trusted(address: _Address) -> bool:
    return any(address in ipaddress.ip_network(network, strict=False) for network in settings.TRUSTED_PROXIES)
