"""Control events: written with their cause, taking effect exactly once, kept until they do."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection, transaction

from accounts.models import ApiKey
from core import ids
from core.errors import Unavailable
from core.outbox import services as outbox
from core.outbox.models import DeadEvent, OutboxEvent
from tests.billing.racing import race, results

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
TABLE = {
    "note": [f"{__name__}.note"],
    "both": [f"{__name__}.note", f"{__name__}.note_again"],
    "nobody": [],
    "broken": [f"{__name__}.break_down"],
    "away": [f"{__name__}.find_nobody"],
    "dangling": [f"{__name__}.point_nowhere"],
    "bad_sql": [f"{__name__}.send_bad_sql"],
    "gone": [f"{__name__}.was_renamed"],
}
called: list[Any] = []


@pytest.fixture(autouse=True)
def table(settings: Any) -> Iterator[None]:
    settings.OUTBOX_HANDLERS = f"{__name__}.TABLE"
    outbox._table.cache_clear()
    called.clear()
    yield
    outbox._table.cache_clear()


def note(payload: Mapping[str, Any]) -> None:
    """The effect is a row; that it is also counted here shows calls whose effect was rolled back."""
    called.append(payload)
    get_user_model().objects.create_user(f"{payload['n']}-{ids.new()}@example.com")


def note_again(payload: Mapping[str, Any]) -> None:
    note({"n": f"again-{payload['n']}"})


def break_down(payload: Mapping[str, Any]) -> None:
    note(payload)
    raise ValueError("no such thing")


def find_nobody(payload: Mapping[str, Any]) -> None:
    note(payload)
    raise Unavailable(retry_after=payload.get("after", 5))


def point_nowhere(payload: Mapping[str, Any]) -> None:
    """A foreign key's check is deferred to the commit."""
    ApiKey.objects.create(user_id=ids.new(), label="x", prefix=str(ids.new())[:32], digest=b"")


def send_bad_sql(payload: Mapping[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nothing_like_this")


def effects() -> list[str]:
    return sorted(user.email.partition("-0")[0] for user in get_user_model().objects.all())


def handle(now: datetime = NOW, limit: int = 100) -> int:
    return outbox.handle_due(limit=limit, now=now)


def event() -> OutboxEvent:
    return OutboxEvent.objects.get()


@pytest.mark.django_db
class TestEmit:
    def test_writes_one_event_per_subscriber(self) -> None:
        outbox.emit(topic="both", payload={"n": 1}, due_at=NOW)
        assert sorted(OutboxEvent.objects.values_list("topic", "handler", "payload", "due_at", "tries")) == [
            ("both", f"{__name__}.note", {"n": 1}, NOW, 0),
            ("both", f"{__name__}.note_again", {"n": 1}, NOW, 0),
        ]
        assert called == []

    def test_a_topic_nobody_wants_writes_nothing(self) -> None:
        outbox.emit(topic="nobody", payload={"n": 1})
        assert not OutboxEvent.objects.exists()

    def test_a_topic_that_is_not_in_the_table_is_an_error(self) -> None:
        with pytest.raises(KeyError, match="notes"):
            outbox.emit(topic="notes", payload={"n": 1})
        assert not OutboxEvent.objects.exists()

    def test_an_event_of_a_rolled_back_cause_never_existed(self) -> None:
        with transaction.atomic():
            outbox.emit(topic="note", payload={"n": 1}, due_at=NOW)
            transaction.set_rollback(True)
        assert not OutboxEvent.objects.exists()
        assert handle() == 0
        assert called == []


def test_the_real_table_names_handlers_that_exist(settings: Any) -> None:
    from django.utils.module_loading import import_string

    from core import outbox_topics
    from gateway.handlers import HANDLERS

    topics = {value for name, value in vars(outbox_topics).items() if name.isupper()}
    assert set(HANDLERS) == topics
    for handlers in HANDLERS.values():
        for handler in handlers:
            assert callable(import_string(handler))


@pytest.mark.django_db
class TestHandle:
    def test_handlers_can_be_left_to_another_loop(self) -> None:
        outbox.emit(topic="both", payload={"n": 1}, due_at=NOW)
        slow = (f"{__name__}.note_again",)
        assert outbox.handle_due(limit=100, now=NOW, without=slow) == 1
        assert event().handler == slow[0]
        assert outbox.handle_due(limit=100, now=NOW, without=slow) == 0
        assert outbox.handle_due(limit=100, now=NOW, only=slow) == 1
        assert not OutboxEvent.objects.exists()

    def test_effect_and_deletion_come_together(self) -> None:
        outbox.emit(topic="both", payload={"n": 1}, due_at=NOW)
        assert handle() == 2
        assert effects() == ["1", "again-1"]
        assert not OutboxEvent.objects.exists()
        assert handle() == 0
        assert len(called) == 2

    def test_only_what_is_due_and_the_earliest_first(self) -> None:
        for n, seconds in ((1, 0), (2, -5), (3, 1)):
            outbox.emit(topic="note", payload={"n": n}, due_at=NOW + timedelta(seconds=seconds))
        assert handle(limit=1) == 1
        assert called == [{"n": 2}]
        assert handle() == 1
        assert called == [{"n": 2}, {"n": 1}]
        assert handle(NOW + timedelta(seconds=1)) == 1
        assert effects() == ["1", "2", "3"]

    @pytest.mark.parametrize(
        ("topic", "said"),
        [
            ("broken", "ValueError('no such thing')"),
            ("dangling", "IntegrityError"),
            ("bad_sql", "ProgrammingError"),
            ("gone", "ImportError"),
        ],
    )
    def test_a_failure_is_counted_and_leaves_no_effect_and_does_not_hold_up_others(self, topic: str, said: str) -> None:
        outbox.emit(topic=topic, payload={"n": 1}, due_at=NOW - timedelta(seconds=1))
        outbox.emit(topic="note", payload={"n": 2}, due_at=NOW)
        assert handle() == 2
        assert effects() == ["2"]
        failed = event()
        assert (failed.topic, failed.tries, failed.due_at) == (topic, 1, NOW + timedelta(seconds=2))
        assert failed.last_error.startswith(said)
        assert handle() == 0

    def test_failures_back_off_and_end_among_the_dead(self) -> None:
        outbox.emit(topic="broken", payload={"n": 1}, due_at=NOW)
        made = event()
        now, waits = NOW, []
        for tries in range(1, outbox.MAX_TRIES):
            assert handle(now) == 1
            assert event().tries == tries
            waits.append((event().due_at - now).total_seconds())
            assert handle(event().due_at - timedelta(microseconds=1)) == 0
            now = event().due_at
        assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 512]
        assert handle(now) == 1
        assert not OutboxEvent.objects.exists()
        dead = DeadEvent.objects.get()
        assert (dead.id, dead.topic, dead.handler) == (made.id, "broken", f"{__name__}.break_down")
        assert (dead.payload, dead.tries, dead.created_at) == ({"n": 1}, 10, made.created_at)
        assert dead.last_error == "ValueError('no such thing')"
        assert handle(now + timedelta(days=1)) == 0
        assert len(called) == 10
        assert effects() == []

    @pytest.mark.parametrize(("after", "seconds"), [(5, 5), (40, 40), (None, 5)])
    def test_an_unreachable_service_is_not_a_failed_try(self, after: int | None, seconds: int) -> None:
        outbox.emit(topic="away", payload={"n": 1, "after": after}, due_at=NOW)
        now = NOW
        for _ in range(outbox.MAX_TRIES + 3):
            assert handle(now) == 1
            assert event().due_at == now + timedelta(seconds=seconds)
            now = event().due_at
        assert event().tries == 0
        assert event().last_error.startswith("Unavailable")
        assert not DeadEvent.objects.exists()
        assert effects() == []

    def test_a_dead_event_is_replayed_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        outbox.emit(topic="broken", payload={"n": 1}, due_at=NOW)
        monkeypatch.setattr(outbox, "MAX_TRIES", 1)
        assert handle() == 1
        dead = DeadEvent.objects.get()
        monkeypatch.setitem(globals(), "break_down", note)
        later = NOW + timedelta(hours=1)
        assert outbox.replay(event_id=dead.id, now=later) is True
        assert outbox.replay(event_id=dead.id, now=later) is False
        back = event()
        assert (back.id, back.tries, back.due_at, back.created_at) == (dead.id, 0, later, dead.created_at)
        assert not DeadEvent.objects.exists()
        assert handle(later) == 1
        assert effects() == ["1"]
        assert not OutboxEvent.objects.exists()

    def test_nothing_to_replay(self) -> None:
        assert outbox.replay(event_id=ids.new(), now=NOW) is False
        assert not OutboxEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
class TestRaces:
    def test_racing_stewards_handle_each_event_once(self) -> None:
        for n in range(30):
            outbox.emit(topic="note", payload={"n": n}, due_at=NOW)
        handled = results(race([handle] * 4))
        assert sum(handled) == 30
        assert sorted(payload["n"] for payload in called) == list(range(30))
        assert effects() == sorted(map(str, range(30)))
        assert not OutboxEvent.objects.exists()

    def test_a_steward_passes_over_what_another_has_in_hand(self, monkeypatch: pytest.MonkeyPatch) -> None:
        both_inside = Barrier(2)

        def meet(payload: Mapping[str, Any]) -> None:
            note(payload)
            both_inside.wait(30)

        monkeypatch.setitem(globals(), "break_down", meet)
        for n in range(2):
            outbox.emit(topic="broken", payload={"n": n}, due_at=NOW)
        assert results(race([partial(handle, limit=1)] * 2)) == [1, 1]
        assert effects() == ["0", "1"]

    def test_a_steward_that_dies_in_the_middle_loses_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Its transaction goes with it: no effect, no deletion, and the event is handled by the next one."""

        class Killed(BaseException):
            pass

        def die(payload: Mapping[str, Any]) -> None:
            note(payload)
            raise Killed

        outbox.emit(topic="broken", payload={"n": 1}, due_at=NOW)
        with monkeypatch.context() as patch:
            patch.setitem(globals(), "break_down", die)
            with pytest.raises(Killed):
                handle()
        assert effects() == []
        assert (event().tries, event().due_at) == (0, NOW)
        monkeypatch.setitem(globals(), "break_down", note)
        assert handle() == 1
        assert effects() == ["1"]
        assert len(called) == 2
