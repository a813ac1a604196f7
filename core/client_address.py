"""Where a request comes from."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """The client's address: the connection's, or what a configured proxy says."""
    address = str(request.META.get("REMOTE_ADDR", ""))
    if _is_trusted(address):
        for hop in reversed(str(request.META.get("HTTP_X_FORWARDED_FOR", "")).split(",")):
            candidate = hop.strip()
            if candidate and not _is_trusted(candidate):
                return candidate
    return address


def client_address_or_none(request: HttpRequest) -> str | None:
    """The same if it is an IP address, in its one canonical form; None when a proxy wrote something else."""
    try:
        return str(ipaddress.ip_address(client_address(request)))
    except ValueError:
        return None


def _is_trusted(address: str) -> bool:
    if not settings.TRUSTED_PROXIES:
        return False
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed in ipaddress.ip_network(network, strict=False) for network in settings.TRUSTED_PROXIES)
