"""One key, one request, one effect; another request under the same key is refused."""

from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Event
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, transaction

from core import ids
from core.errors import InvalidRequest
from core.idempotency import services as idempotency
from core.idempotency.models import IdempotencyRecord
from core.idempotency.services import IdempotencyConflict, Key
from tests.billing.racing import race, wait_until_blocked

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ACCOUNT, SUBJECT = ids.new(), ids.new()


def key(*, account_id: UUID = ACCOUNT, route: str = "POST media/jobs", name: str = "k1", request: Any = "r") -> Key:
    return Key(account_id=account_id, route=route, key=name, fingerprint=idempotency.fingerprint(request))


def claim(wanted: Key, *, subject_id: UUID = SUBJECT, now: datetime = NOW) -> None:
    idempotency.claim(key=wanted, subject_id=subject_id, status=201, body={"ok": True, "n": [1]}, now=now)


def test_the_fingerprint_is_of_the_canonical_form() -> None:
    one = idempotency.fingerprint({"task": "image.generate", "input": {"a": [1, 2], "ü": None}})
    assert one == idempotency.fingerprint({"input": {"ü": None, "a": [1, 2]}, "task": "image.generate"})
    # sha256 of {"input":{"a":[1,2],"ü":null},"task":"image.generate"}
    assert one.hex() == "9f2540d2defe025895350f8342df4607854c7e9140adae64a2429dc4a1f0604c"
    others: list[Any] = [
        {"task": "image.generate", "input": {"a": [2, 1], "ü": None}},
        {"task": "image.generate", "input": {"a": [1, 2]}},
        {"task": "image.generate", "input": {"a": ["1", 2], "ü": None}},
        {"task": "image.generate", "input": {"a": [1, 2], "ü": False}},
        {"task": "image.generate ", "input": {"a": [1, 2], "ü": None}},
    ]
    assert len({one, *map(idempotency.fingerprint, others)}) == 6
    assert len(idempotency.fingerprint({"a": "\ud800"})) == 32


@pytest.mark.parametrize(
    ("header", "body", "chosen"),
    [
        (None, None, None),
        ("k", None, "k"),
        (None, "k", "k"),
        ("k", "k", "k"),
        ("x" * 200, None, "x" * 200),
    ],
)
def test_header_and_body_name_one_key(header: str | None, body: str | None, chosen: str | None) -> None:
    assert idempotency.one_key(header=header, body=body) == chosen


@pytest.mark.parametrize(
    ("header", "body", "reason"),
    [
        ("a", "b", "differs from the idempotency header"),
        ("a", "", "differs from the idempotency header"),
        ("", None, "must have 1 to 200 characters"),
        (None, "", "must have 1 to 200 characters"),
        ("x" * 201, None, "must have 1 to 200 characters"),
    ],
)
def test_a_bad_key_is_refused_by_name(header: str | None, body: str | None, reason: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        idempotency.one_key(header=header, body=body)
    assert caught.value.fields == {"idempotencyKey": reason}


@pytest.mark.django_db
def test_the_same_request_finds_its_answer() -> None:
    assert idempotency.find(key=key()) is None
    claim(key())
    found = idempotency.find(key=key())
    assert found is not None
    assert (found.subject_id, found.status, found.body, found.created_at) == (SUBJECT, 201, {"ok": True, "n": [1]}, NOW)


@pytest.mark.django_db
def test_another_request_under_the_key_is_a_conflict() -> None:
    claim(key())
    with pytest.raises(IdempotencyConflict) as caught:
        idempotency.find(key=key(request="another"))
    assert (caught.value.http_status, caught.value.code) == (409, "idempotency_conflict")
    assert IdempotencyRecord.objects.count() == 1


@pytest.mark.django_db
def test_a_key_is_one_account_and_one_route() -> None:
    claim(key())
    for stranger in (key(account_id=ids.new()), key(route="POST other"), key(name="K1"), key(name="k1 ")):
        assert idempotency.find(key=stranger) is None
        claim(stranger)
    assert IdempotencyRecord.objects.count() == 5


@pytest.mark.django_db
def test_a_second_claim_is_refused_and_leaves_the_first() -> None:
    claim(key())
    with pytest.raises(IntegrityError), transaction.atomic():
        claim(key(), subject_id=ids.new())
    assert [record.subject_id for record in IdempotencyRecord.objects.all()] == [SUBJECT]


@pytest.mark.django_db(transaction=True)
def test_of_racing_claims_one_stays() -> None:
    subjects = [ids.new() for _ in range(8)]
    outcomes = race([partial(claim, key(), subject_id=subject) for subject in subjects])
    winners = [number for number, (_, error) in enumerate(outcomes) if error is None]
    assert len(winners) == 1
    assert all(isinstance(error, IntegrityError) for _, error in outcomes if error is not None)
    record = IdempotencyRecord.objects.get()
    assert record.subject_id == subjects[winners[0]]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kept", [True, False], ids=["committed", "rolled back"])
def test_a_claim_waits_for_the_transaction_that_claims_first(kept: bool) -> None:
    first_subject, second_subject = ids.new(), ids.new()
    claimed = Event()

    def first() -> None:
        with transaction.atomic():
            claim(key(), subject_id=first_subject)
            claimed.set()
            wait_until_blocked()
            transaction.set_rollback(not kept)

    def second() -> None:
        assert claimed.wait(30)
        claim(key(), subject_id=second_subject)

    (_, first_error), (_, second_error) = race([first, second])
    assert first_error is None
    if kept:
        assert isinstance(second_error, IntegrityError)
    else:
        assert second_error is None
    assert IdempotencyRecord.objects.get().subject_id == (first_subject if kept else second_subject)


@pytest.mark.django_db
def test_records_are_kept_for_72_hours_and_then_forgotten_oldest_first() -> None:
    ages = {"fresh": 0, "promised": 48, "edge": 72, "old": 73, "older": 80, "oldest": 100}
    for name, hours in ages.items():
        claim(key(name=name), now=NOW - timedelta(hours=hours))

    def left() -> set[str]:
        return set(IdempotencyRecord.objects.values_list("key", flat=True))

    assert idempotency.forget_old(now=NOW, limit=2) == 2
    assert left() == {"fresh", "promised", "edge", "old"}
    assert idempotency.forget_old(now=NOW) == 1
    assert left() == {"fresh", "promised", "edge"}
    assert idempotency.forget_old(now=NOW) == 0
    assert idempotency.forget_old(now=NOW + timedelta(microseconds=1)) == 1
    assert left() == {"fresh", "promised"}
