"""Whose request it is: behind proxies of every spelling, and whom it counts for."""

from typing import Any

import pytest
from django.test import RequestFactory

from core.client_address import UNKNOWN, client_address, client_address_or_none, subscriber

PROXY = "10.0.0.1"


@pytest.fixture(autouse=True)
def _behind_a_proxy(settings: Any) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]


def address(forwarded: str | None, connection: str = PROXY) -> str:
    meta = {"REMOTE_ADDR": connection} | ({"HTTP_X_FORWARDED_FOR": forwarded} if forwarded is not None else {})
    return client_address(RequestFactory().get("/", **meta))


@pytest.mark.parametrize(
    ("forwarded", "found"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("203.0.113.9:51234", "203.0.113.9"),
        ("2001:DB8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("198.51.100.1, 203.0.113.9, 10.2.2.2", "203.0.113.9"),
        ("198.51.100.1, 203.0.113.9, ::ffff:10.2.2.2", "203.0.113.9"),
        ("203.0.113.9, ,", "203.0.113.9"),
        (None, PROXY),
        ("10.9.9.9", "10.9.9.9"),
    ],
)
def test_what_a_trusted_proxy_says(forwarded: str | None, found: str) -> None:
    assert address(forwarded) == found


@pytest.mark.parametrize(
    "garbage", ["somebody", "203.0.113.9.1", "unknown, _hidden", "[::1", "1.2.3.4:x", "\u0661.1.1.1"]
)
def test_what_is_no_address_is_unknown_and_the_next_hop_is_not_believed(garbage: str) -> None:
    assert address(f"198.51.100.1, {garbage}") == UNKNOWN
    request = RequestFactory().get("/", REMOTE_ADDR=PROXY, HTTP_X_FORWARDED_FOR=garbage)
    assert client_address_or_none(request) is None


def test_nobody_else_is_believed() -> None:
    assert address("203.0.113.9", connection="192.0.2.7") == "192.0.2.7"
    assert address("203.0.113.9", connection="::ffff:10.0.0.1") == "203.0.113.9"


def test_whom_it_counts_for() -> None:
    assert subscriber("203.0.113.9") == "203.0.113.9"
    assert subscriber("2001:db8:1:2:3::4") == subscriber("2001:db8:1:2:ffff::") == "2001:db8:1:2::/64"
    assert subscriber("2001:db8:1:3::4") != subscriber("2001:db8:1:2::4")
    assert subscriber(None) == subscriber(UNKNOWN) == UNKNOWN
