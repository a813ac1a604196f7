"""Names to addresses: once for each connection, every answer checked, never again while the connection lives."""

import socket
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from ipaddress import ip_address

import psutil
import structlog

from core.http.addresses import Address, is_public
from core.http.deadline import Deadline
from core.http.errors import FetchFailed, ForbiddenUrl, HttpError, timed_out
from core.http.urls import Target, forbidden_targets

_OWN_ADDRESSES_KEPT_SECONDS = 60
_OWN_LOOKUP_SECONDS = 3
_log = structlog.get_logger(__name__)

OwnAddresses = frozenset[tuple[Address, int | None]]
_own: dict[tuple[tuple[str, int | None], ...], tuple[float, OwnAddresses]] = {}
"""The last answer for our own services, by the setting it was made from; kept when a later look-up fails."""


def lookup(name: str) -> Sequence[str]:
    """Ask the system's resolver for every address of `name`. The hook that tests replace.

    A name with a trailing dot is absolute: the search list and the hosts file have no say.
    """
    answers = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(answer[4][0]) for answer in answers))


def resolve(target: Target, *, deadline: Deadline) -> list[Address]:
    """The addresses that a connection to `target` may be pinned to, in the resolver's order.

    One forbidden address among the answers refuses them all: a name that answers both would otherwise be a coin toss.

    Raises:
        ForbiddenUrl: an answer is not public, or is an address of this machine or of one of our services.
        FetchFailed: the name could not be resolved in time.
    """
    if target.listed:
        return [target.literal] if target.literal else _addresses(target.host, deadline)
    found = [target.literal] if target.literal else _addresses(f"{target.host}.", deadline)
    own = _own_addresses()
    for address in found:
        if not is_public(address) or (address, None) in own or (address, target.port) in own:
            raise ForbiddenUrl("The host of the URL has no public address.")
    return found


def _addresses(name: str, deadline: Deadline) -> list[Address]:
    answer: Future[Sequence[str]] = Future()

    def ask() -> None:
        try:
            answer.set_result(lookup(name))
        except Exception as error:
            answer.set_exception(error)

    # getaddrinfo knows no timeout; a daemon thread of its own lets the deadline hold, also across a fork.
    threading.Thread(target=ask, name="core-http-lookup", daemon=True).start()
    try:
        addresses = [ip_address(text) for text in answer.result(timeout=deadline.left())]
    except TimeoutError:
        raise timed_out() from None
    except (OSError, UnicodeError, ValueError):
        raise _not_found() from None
    if not addresses:
        raise _not_found()
    return addresses


def _not_found() -> FetchFailed:
    return FetchFailed("The host of the URL could not be found.", reason="dns", retryable=True)


def _own_addresses() -> OwnAddresses:
    """Where this machine and the services of HTTP_FORBIDDEN_TARGETS live, at most a minute old."""
    targets = forbidden_targets()
    expires, known = _own.get(targets, (0.0, frozenset()))
    if time.monotonic() < expires:
        return known
    fresh: set[tuple[Address, int | None]] = set()
    for host, port in targets:
        try:
            addresses = [ip_address(host)] if _is_address(host) else _addresses(host, Deadline(_OWN_LOOKUP_SECONDS))
        except HttpError as error:
            # The name itself stays refused (core.http.urls); what it last resolved to stays refused as well.
            _log.warning("own_service_not_resolved", host=host, reason=error.reason)
            fresh |= known
        else:
            fresh |= {(address, port) for address in addresses}
    fresh |= {(address, None) for address in _interface_addresses()}
    _own[targets] = (time.monotonic() + _OWN_ADDRESSES_KEPT_SECONDS, frozenset(fresh))
    return frozenset(fresh)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _interface_addresses() -> set[Address]:
    families = {socket.AF_INET, socket.AF_INET6}
    return {
        ip_address(entry.address.partition("%")[0])
        for entries in psutil.net_if_addrs().values()
        for entry in entries
        if entry.family in families
    }
