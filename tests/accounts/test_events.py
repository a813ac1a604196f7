"""The account's audit log over HTTP: complete, newest first, its own."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import SecurityEvent, User
from accounts.services.security_events import NOWHERE, Origin, record
from core import clock, ids
from tests.accounts.credentials import KEYS, REVOKE, created, limited
from tests.accounts.linking import DENY, approve, granted, poll, start
from tests.media.customers import Customer, error

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("signing_in")]
EVENTS = "/api/v1/account/events"


def listed(customer: Customer, **query: Any) -> list[dict[str, Any]]:
    answer = customer.get(EVENTS, **query)
    assert answer.status_code == 200, answer.content
    assert answer.json().keys() == {"ok", "events", "nextCursor"}
    events: list[dict[str, Any]] = answer.json()["events"]
    return events


def note(customer: Customer, kind: str, **details: Any) -> SecurityEvent:
    return record(account_id=customer.id, kind=kind, origin=NOWHERE, now=clock.now(), **details)


def test_an_event_is_shown_whole(customer: Customer) -> None:
    customer.get(EVENTS)  # the key's first use from here is an event of its own
    event = record(
        account_id=customer.id,
        kind=SecurityEvent.SIGNED_IN,
        origin=Origin(address="2001:db8::7", user_agent="Mozilla/5.0"),
        now=clock.now(),
        method="google",
    )
    assert listed(customer)[0] == {
        "id": ids.encode(ids.EVENT, event.pk),
        "kind": "signed_in",
        "at": clock.rfc3339(event.at),
        "address": "2001:db8::7",
        "userAgent": "Mozilla/5.0",
        "keyPrefix": None,
        "details": {"method": "google"},
    }


def test_what_the_account_did_is_there_newest_first(customer: Customer, other: Customer) -> None:
    created(other.post(KEYS))
    customer.get(KEYS)
    child = created(customer.post(KEYS, headers={"User-Agent": "probe/2"}))
    customer.post(REVOKE, {"keyPrefix": child["keyPrefix"]})
    started, refused = start(), start()
    approve(customer, started)
    customer.post(DENY, {"userCode": refused["userCode"]})
    linked = granted(poll(started))
    own = customer.key[:16]
    assert [(event["kind"], event["keyPrefix"]) for event in listed(customer)] == [
        ("key_created", linked["keyPrefix"]),
        ("device_denied", own),
        ("device_approved", own),
        ("key_revoked", child["keyPrefix"]),
        ("key_created", child["keyPrefix"]),
        ("key_used_from_new_address", own),
        ("key_created", own),
    ]
    assert [event["userAgent"] for event in listed(customer, kind="key_created")] == ["", "probe/2", ""]
    assert [event["address"] for event in listed(customer, kind="key_created")] == ["127.0.0.1", "127.0.0.1", None]
    text = customer.get(EVENTS).content.decode()
    for secret in (customer.key, child["apiKey"], linked["apiKey"], started["deviceCode"], other.key[:16]):
        assert secret not in text
    assert started["userCode"] not in text


def test_pages_follow_each_other_without_gap_or_repetition(customer: Customer, other: Customer) -> None:
    customer.get(EVENTS)
    events = [note(customer, SecurityEvent.SIGNED_IN) for _ in range(5)]
    note(other, SecurityEvent.SIGNED_IN)
    expected = [ids.encode(ids.EVENT, event.pk) for event in reversed(events)]
    seen: list[str] = []
    cursor: dict[str, str] = {}
    sizes = []
    while True:
        body = customer.get(EVENTS, kind="signed_in", limit="2", **cursor).json()
        seen += [event["id"] for event in body["events"]]
        sizes.append(len(body["events"]))
        note(customer, SecurityEvent.SIGNED_IN)  # what comes meanwhile is on no later page
        if body["nextCursor"] is None:
            break
        cursor = {"cursor": body["nextCursor"]}
    assert (seen, sizes) == (expected, [2, 2, 1])


def test_fifty_are_a_page_and_a_hundred_the_most(customer: Customer, django_assert_num_queries: Any) -> None:
    customer.get(EVENTS)
    for _ in range(101):
        note(customer, SecurityEvent.SIGNED_OUT)
    with django_assert_num_queries(1):
        assert len(listed(customer)) == 50
    assert len(listed(customer, limit="100")) == 100
    assert len(listed(customer, limit="1")) == 1
    assert customer.get(EVENTS, limit="100", kind="signed_out").json()["nextCursor"] is not None


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "101"}, "limit"),
        ({"limit": "-1"}, "limit"),
        ({"limit": "x"}, "limit"),
        ({"limit": ""}, "limit"),
        ({"limit": "1.5"}, "limit"),
        ({"kind": "everything"}, "kind"),
        ({"kind": ""}, "kind"),
        ({"kind": "\0"}, "kind"),
        ({"cursor": "x"}, "cursor"),
        ({"cursor": ""}, "cursor"),
        ({"cursor": "acct_00000000000000000000000000"}, "cursor"),
        ({"account": "x"}, "account"),
    ],
    ids=str,
)
def test_bad_queries(customer: Customer, query: dict[str, str], field: str) -> None:
    assert list(error(customer.get(EVENTS, **query), 400, "invalid_request")["details"]["fields"]) == [field]


def test_anothers_cursor_shows_nothing_of_theirs(customer: Customer, other: Customer) -> None:
    theirs = note(other, SecurityEvent.SIGNED_IN)
    newest = ids.encode(ids.EVENT, theirs.pk)
    assert {event["keyPrefix"] for event in listed(customer, cursor=newest)} == {customer.key[:16]}


def test_a_session_reads_them_and_a_key_without_the_scope_does_not(customer: Customer, browser: Client) -> None:
    assert [event["kind"] for event in browser.get(EVENTS).json()["events"]] == ["key_created"]
    answer = limited(customer, "media:read", "billing:read").get(EVENTS)
    assert error(answer, 403, "missing_scope")["details"] == {"scopes": ["keys"]}
    error(Client().get(EVENTS), 401, "unauthenticated")


def test_nobody_changes_them_over_http(customer: Customer) -> None:
    for method in ("post", "put", "patch", "delete"):
        answer = getattr(customer.http, method)(EVENTS, headers={"x-api-key": customer.key})
        error(answer, 405, "method_not_allowed")
    assert User.objects.get(pk=customer.id).security_events.count() == 2
