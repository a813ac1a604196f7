"""Deliveries to a real receiver: the schedule, the signature, and what a crash or a race may not do."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction
from standardwebhooks import Webhook, WebhookVerificationError

from core import clock, http, ids
from core.errors import InvalidRequest, NotFound
from core.webhooks import delivery as delivering
from core.webhooks.delivery import deliver_due
from core.webhooks.models import WebhookDelivery, WebhookTry
from core.webhooks.secrets import current_secret, rotate_secret
from core.webhooks.services import StillDelivering, enqueue_delivery, enqueue_test, resend
from tests.core.origin import Origin, Request, answer

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ACCOUNT = ids.new()
BODY = '{"status": "completed", "name": "Grün 雪"}'

pytestmark = pytest.mark.django_db


@pytest.fixture
def receiver(settings: Any) -> Iterator[Origin]:
    with Origin(lambda _: answer(b"ok")) as origin:
        settings.HTTP_ALLOWED_TARGETS = [f"127.0.0.1:{origin.port}"]
        yield origin


Enqueue = Callable[..., WebhookDelivery]


@pytest.fixture
def enqueue(receiver: Origin) -> Enqueue:
    def enqueue(*, url: str = "", account_id: UUID = ACCOUNT, now: datetime = NOW) -> WebhookDelivery:
        return enqueue_delivery(
            account_id=account_id,
            topic="media_job_terminal",
            subject_id=ids.new(),
            url=url or f"http://127.0.0.1:{receiver.port}/hook?token=1",
            body=BODY,
            now=now,
        )

    return enqueue


def status(code: int, *, location: str = "https://example.com/") -> Callable[[Request], bytes]:
    return lambda _: answer(status=f"{code} X", location=location)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def row(delivery: WebhookDelivery) -> WebhookDelivery:
    return WebhookDelivery.objects.get(pk=delivery.pk)


def recorded(delivery: WebhookDelivery) -> list[tuple[datetime, int | None, str]]:
    rows = WebhookTry.objects.filter(delivery=delivery).order_by("at", "id")
    return [(tried.at, tried.http_status, tried.error) for tried in rows]


def test_a_delivery_reaches_its_receiver_once(enqueue: Enqueue, receiver: Origin) -> None:
    queued = enqueue()
    assert deliver_due(limit=10, now=NOW) == 1
    assert deliver_due(limit=10, now=after(9999)) == 0
    [request] = receiver.requests
    assert (request.method, request.target) == ("POST", "/hook?token=1")
    assert request.body == BODY.encode()
    assert request.headers["content-type"] == "application/json"
    done = row(queued)
    assert (done.status, done.tries, done.next_try_at, done.finished_at) == ("delivered", 1, None, NOW)
    assert recorded(queued) == [(NOW, 200, "")]


@pytest.mark.parametrize("code", [200, 201, 202, 204, 299])
def test_any_2xx_is_success(code: int, enqueue: Enqueue, receiver: Origin) -> None:
    queued = enqueue()
    receiver.respond = status(code)
    deliver_due(limit=1, now=NOW)
    assert row(queued).status == "delivered"


def test_nothing_is_sent_before_it_is_due(enqueue: Enqueue, receiver: Origin) -> None:
    enqueue(now=after(1))
    assert deliver_due(limit=10, now=NOW) == 0
    assert receiver.connects == 0


@pytest.mark.parametrize("code", [408, 429, 500, 502, 503, 599])
def test_the_whole_schedule_of_a_receiver_that_stays_down(code: int, enqueue: Enqueue, receiver: Origin) -> None:
    queued = enqueue()
    receiver.respond = status(code)
    moments = [0, 30, 150, 750, 2550, 9750]  # 30 s, 2 m, 10 m, 30 m, 2 h after the try before
    for number, moment in enumerate(moments):
        if moment:
            assert deliver_due(limit=10, now=after(moment - 1)) == 0
        assert row(queued).status == "pending"
        assert row(queued).next_try_at == after(moment)
        assert deliver_due(limit=10, now=after(moment)) == 1
        assert row(queued).tries == number + 1
    final = row(queued)
    assert (final.status, final.next_try_at, final.finished_at) == ("failed", None, after(9750))
    assert recorded(queued) == [(after(moment), code, "") for moment in moments]
    assert deliver_due(limit=10, now=after(10**6)) == 0
    assert len(receiver.requests) == 6
    assert {request.headers["webhook-id"] for request in receiver.requests} == {ids.encode("whd", queued.pk)}
    assert len({request.headers["webhook-signature"] for request in receiver.requests}) == 6


@pytest.mark.parametrize("code", [400, 401, 403, 404, 409, 410, 418, 301, 302, 307, 308, 304])
def test_any_other_answer_ends_it(code: int, enqueue: Enqueue, receiver: Origin, settings: Any) -> None:
    with Origin(lambda _: answer(b"secret")) as elsewhere:
        settings.HTTP_ALLOWED_TARGETS.append(f"127.0.0.1:{elsewhere.port}")
        queued = enqueue()
        receiver.respond = status(code, location=f"http://127.0.0.1:{elsewhere.port}/")
        assert deliver_due(limit=10, now=NOW) == 1
        assert elsewhere.connects == 0
    assert (row(queued).status, row(queued).finished_at) == ("failed", NOW)
    assert recorded(queued) == [(NOW, code, "")]
    assert deliver_due(limit=10, now=after(9999)) == 0
    assert len(receiver.requests) == 1


def test_an_unreachable_receiver_is_tried_again(enqueue: Enqueue, receiver: Origin) -> None:
    queued = enqueue()
    receiver.__exit__()
    deliver_due(limit=1, now=NOW)
    assert (row(queued).status, row(queued).next_try_at) == ("pending", after(30))
    assert recorded(queued) == [(NOW, None, "connect")]


def test_a_receiver_that_is_too_slow_is_tried_again(
    enqueue: Enqueue, receiver: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert delivering.TIMEOUT_SECONDS == 10.0
    monkeypatch.setattr(delivering, "TIMEOUT_SECONDS", 0.2)
    queued = enqueue()

    def slow(_: Request) -> bytes:
        receiver.stopping.wait(5)
        return answer()

    receiver.respond = slow
    deliver_due(limit=1, now=NOW)
    assert recorded(queued) == [(NOW, None, "timeout")]
    assert row(queued).next_try_at == after(30)


def test_a_url_that_has_become_forbidden_ends_it_without_a_connection(
    enqueue: Enqueue, receiver: Origin, settings: Any
) -> None:
    queued = enqueue()
    settings.HTTP_ALLOWED_TARGETS = []
    assert deliver_due(limit=10, now=NOW) == 1
    assert (row(queued).status, recorded(queued)) == ("failed", [(NOW, None, "forbidden_url")])
    assert receiver.connects == 0


def test_the_reference_verifier_accepts_the_signature(enqueue: Enqueue, receiver: Origin) -> None:
    now = clock.now()
    enqueue(now=now)
    deliver_due(limit=1, now=now)
    [request] = receiver.requests
    secret = current_secret(account_id=ACCOUNT, now=now).secret
    assert secret.startswith("whsec_")
    assert Webhook(secret).verify(request.body, request.headers) == {"status": "completed", "name": "Grün 雪"}
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(request.body + b" ", request.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(request.body, request.headers | {"webhook-id": ids.encode("whd", ids.new())})


def test_a_rotated_secret_keeps_verifying_for_a_day(enqueue: Enqueue, receiver: Origin) -> None:
    now = clock.now()
    old = current_secret(account_id=ACCOUNT, now=now - timedelta(hours=30)).secret
    rotated_at = now - timedelta(hours=23, minutes=59)
    new = rotate_secret(account_id=ACCOUNT, now=rotated_at).secret
    assert new != old
    enqueue(now=now)
    deliver_due(limit=1, now=now)
    both = receiver.requests[0]
    assert both.headers["webhook-signature"].count("v1,") == 2
    for secret in (new, old):
        Webhook(secret).verify(both.body, both.headers)

    later = now + timedelta(minutes=2)
    enqueue(now=later)
    deliver_due(limit=1, now=later)
    one = receiver.requests[1]
    assert one.headers["webhook-signature"].count("v1,") == 1
    Webhook(new).verify(one.body, one.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(old).verify(one.body, one.headers)


def test_a_retry_is_signed_with_the_secret_of_its_own_time(enqueue: Enqueue, receiver: Origin) -> None:
    now = clock.now()
    enqueue(now=now - timedelta(seconds=40))
    receiver.respond = status(500)
    deliver_due(limit=1, now=now - timedelta(seconds=40))
    new = rotate_secret(account_id=ACCOUNT, now=now - timedelta(seconds=20)).secret
    receiver.respond = status(200)
    deliver_due(limit=1, now=now)
    first, second = receiver.requests
    Webhook(new).verify(second.body, second.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(new).verify(first.body, first.headers)
    assert first.headers["webhook-id"] == second.headers["webhook-id"]


def test_unreadable_secrets_send_nothing_and_are_tried_again(enqueue: Enqueue, receiver: Origin, settings: Any) -> None:
    queued, other = enqueue(), enqueue(account_id=ids.new())
    current_secret(account_id=ACCOUNT, now=NOW)
    settings.DATA_ENCRYPTION_KEYS = ["QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY="]
    assert deliver_due(limit=10, now=NOW) == 2
    assert recorded(queued) == [(NOW, None, "secret_unreadable")]
    assert row(queued).next_try_at == after(30)
    assert row(other).status == "delivered"
    assert len(receiver.requests) == 1


def test_a_defect_of_ours_leaves_the_other_deliveries_alone(
    enqueue: Enqueue, receiver: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, fine = enqueue(url="http://broken.example/"), enqueue()
    real = http.post

    def post(url: str, **arguments: Any) -> http.PostOutcome:
        if "broken" in url:
            raise RuntimeError("a bug")
        return real(url, **arguments)

    monkeypatch.setattr(http, "post", post)
    assert deliver_due(limit=10, now=NOW) == 2
    assert recorded(broken) == [(NOW, None, "internal_error")]
    assert row(fine).status == "delivered"


def test_a_crash_before_the_record_sends_it_again_after_the_lease(enqueue: Enqueue, receiver: Origin) -> None:
    queued = enqueue()
    with mock.patch.object(delivering, "_record", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        deliver_due(limit=1, now=NOW)
    assert (row(queued).status, row(queued).next_try_at, recorded(queued)) == ("pending", after(60), [])
    assert deliver_due(limit=1, now=after(59)) == 0
    assert deliver_due(limit=1, now=after(60)) == 1
    assert (row(queued).status, row(queued).tries) == ("delivered", 1)
    assert len({request.headers["webhook-id"] for request in receiver.requests}) == 1
    assert len(receiver.requests) == 2


def test_who_lost_the_lease_records_the_try_but_moves_nothing(
    enqueue: Enqueue, receiver: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one steward waits for its answer, its lease runs out and another one gets a 500."""
    queued = enqueue()

    def overtake(future: Any) -> http.PostOutcome:
        outcome: http.PostOutcome = future.result()
        if outcome.status == 404:
            receiver.respond = status(500)
            assert deliver_due(limit=1, now=after(60)) == 1
        return outcome

    monkeypatch.setattr(delivering, "_outcome", overtake)
    receiver.respond = status(404)
    assert deliver_due(limit=1, now=NOW) == 1
    assert (row(queued).status, row(queued).tries, row(queued).next_try_at) == ("pending", 1, after(90))
    assert recorded(queued) == [(NOW, 404, ""), (after(60), 500, "")]


def test_the_limit_is_kept_and_the_longest_due_go_first(enqueue: Enqueue, receiver: Origin) -> None:
    late, early, middle = enqueue(now=after(-1)), enqueue(now=after(-3)), enqueue(now=after(-2))
    assert deliver_due(limit=2, now=NOW) == 2
    assert [row(each).status for each in (early, middle, late)] == ["delivered", "delivered", "pending"]
    assert deliver_due(limit=1, now=NOW) == 1


def test_a_long_call_stops_claiming_before_its_leases_grow_short(
    enqueue: Enqueue, receiver: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once the time to claim is over, what runs is finished and the rest is left to the next call."""
    assert timedelta(seconds=delivering.CLAIM_SECONDS + 2 * delivering.TIMEOUT_SECONDS) < delivering.LEASE
    queued = [enqueue(account_id=ids.new()) for _ in range(3)]

    monkeypatch.setattr(delivering, "CONCURRENT", 1)
    monkeypatch.setattr(delivering, "time", mock.Mock(monotonic=mock.Mock(side_effect=[0.0, 0.0, 0.0, 99.0, 99.0])))
    assert deliver_due(limit=10, now=NOW) == 2
    assert sorted(row(each).status for each in queued) == ["delivered", "delivered", "pending"]


def test_slow_receivers_of_one_account_hold_up_nobody_else(enqueue: Enqueue, receiver: Origin) -> None:
    """Twenty slow messages stand first in the queue; the other account's one does not wait for them."""
    gate = threading.Event()
    at_the_gate = []

    def slow_for_one(request: Request) -> bytes:
        if request.target == "/slow":
            at_the_gate.append(request)
            gate.wait(10)
        else:
            gate.set()
        return answer()

    receiver.respond = slow_for_one
    slow = [enqueue(url=f"http://127.0.0.1:{receiver.port}/slow", now=after(-10)) for _ in range(20)]
    quick = enqueue(url=f"http://127.0.0.1:{receiver.port}/quick", account_id=ids.new())
    assert deliver_due(limit=100, now=NOW) == 21
    before_quick = [request.target for request in receiver.requests].index("/quick")
    assert before_quick <= delivering.CONCURRENT_PER_ACCOUNT
    assert {row(each).status for each in (*slow, quick)} == {"delivered"}


def test_resend_starts_the_schedule_again_with_the_same_id(enqueue: Enqueue, receiver: Origin) -> None:
    queued = enqueue()
    receiver.respond = status(404)
    deliver_due(limit=1, now=NOW)
    again = resend(account_id=ACCOUNT, delivery_id=queued.pk, now=after(100))
    assert (again.status, again.tries, again.next_try_at, again.finished_at) == ("pending", 0, after(100), None)
    receiver.respond = status(200)
    assert deliver_due(limit=1, now=after(100)) == 1
    assert row(queued).status == "delivered"
    assert recorded(queued) == [(NOW, 404, ""), (after(100), 200, "")]
    first, second = receiver.requests
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]


def test_resend_refuses_what_is_pending_or_foreign(enqueue: Enqueue, receiver: Origin) -> None:
    queued = enqueue()
    with pytest.raises(StillDelivering):
        resend(account_id=ACCOUNT, delivery_id=queued.pk, now=NOW)
    deliver_due(limit=1, now=NOW)
    for account_id, delivery_id in ((ids.new(), queued.pk), (ACCOUNT, ids.new())):
        with pytest.raises(NotFound):
            resend(account_id=account_id, delivery_id=delivery_id, now=after(1))
    assert (row(queued).status, row(queued).finished_at) == ("delivered", NOW)


def test_a_test_message_is_an_ordinary_delivery(receiver: Origin) -> None:
    queued = enqueue_test(account_id=ACCOUNT, url=f"http://127.0.0.1:{receiver.port}/", now=NOW)
    assert deliver_due(limit=1, now=NOW) == 1
    assert row(queued).status == "delivered"
    assert b'"callbackType": "webhook_test"' in receiver.requests[0].body


def test_a_test_message_to_a_forbidden_url_is_not_queued() -> None:
    with pytest.raises(InvalidRequest) as refused:
        enqueue_test(account_id=ACCOUNT, url="https://10.1.2.3/", now=NOW)
    assert refused.value.fields == {"url": "The host of the URL has no public address."}
    assert WebhookDelivery.objects.count() == 0


def test_a_delivery_exists_exactly_if_its_cause_does(enqueue: Enqueue) -> None:
    def cause() -> None:
        with transaction.atomic():
            enqueue()
            raise RuntimeError("the cause fails")

    with pytest.raises(RuntimeError, match="the cause fails"):
        cause()
    assert WebhookDelivery.objects.count() == 0


@pytest.mark.parametrize(
    "broken", [{"status": "lost"}, {"status": "delivered"}, {"next_try_at": None}, {"finished_at": NOW}]
)
def test_the_database_refuses_a_state_that_makes_no_sense(broken: dict[str, Any], enqueue: Enqueue) -> None:
    queued = enqueue()
    with pytest.raises(IntegrityError), transaction.atomic():
        WebhookDelivery.objects.filter(pk=queued.pk).update(**broken)


@pytest.mark.django_db(transaction=True)
def test_racing_stewards_send_each_message_once(enqueue: Enqueue, receiver: Origin) -> None:
    queued = [enqueue(account_id=ids.new()) for _ in range(24)]
    start = threading.Barrier(4)
    counts: list[int] = []

    def steward() -> None:
        try:
            start.wait(10)
            counts.append(deliver_due(limit=100, now=NOW))
        finally:
            connection.close()

    threads = [threading.Thread(target=steward) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sum(counts) == 24
    sent = [request.headers["webhook-id"] for request in receiver.requests]
    assert sorted(sent) == sorted(ids.encode("whd", each.pk) for each in queued)
    assert {row(each).status for each in queued} == {"delivered"}
    assert WebhookTry.objects.count() == 24


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_a_receiver_thinks(enqueue: Enqueue, receiver: Origin) -> None:
    queued = enqueue()
    seen: list[tuple[str, datetime | None]] = []

    def look(_: Request) -> bytes:
        # From another connection: the claim is committed and no lock is held.
        try:
            with transaction.atomic():
                found = WebhookDelivery.objects.select_for_update(nowait=True).get(pk=queued.pk)
                seen.append((found.status, found.next_try_at))
        finally:
            connection.close()
        return answer()

    receiver.respond = look
    deliver_due(limit=1, now=NOW)
    assert seen == [("pending", after(60))]


@pytest.mark.django_db(transaction=True)
def test_delivering_inside_a_transaction_is_a_programming_error(enqueue: Enqueue, receiver: Origin) -> None:
    enqueue()
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        deliver_due(limit=1, now=NOW)
    assert receiver.connects == 0
