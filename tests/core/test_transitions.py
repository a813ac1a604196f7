"""Compare-and-set: one of many wins, and a move that is not allowed moves nothing."""

from datetime import UTC, datetime
from functools import partial
from threading import Event

import pytest
from django.db import transaction

from core import ids
from core.transitions import Transitions, UnknownTransition
from core.webhooks.models import WebhookDelivery
from tests.billing.racing import race, results, wait_until_blocked

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
STATES = Transitions(
    {
        "arrive": ("pending", "delivered"),
        "give_up": ("pending", "failed"),
        "again": (("delivered", "failed"), "pending"),
    }
)
END = {"next_try_at": None, "finished_at": NOW}
START = {"next_try_at": NOW, "finished_at": None}


def row() -> "WebhookDelivery":
    return WebhookDelivery.objects.create(
        account_id=ids.new(), topic="t", subject_id=ids.new(), url="https://example.com", body="{}", next_try_at=NOW
    )


def of(delivery: WebhookDelivery) -> "object":
    return WebhookDelivery.objects.filter(pk=delivery.pk)


def test_the_table_can_be_asked() -> None:
    assert list(STATES.names) == ["arrive", "give_up", "again"]
    assert STATES.sources("arrive") == ("pending",)
    assert STATES.sources("again") == ("delivered", "failed")
    assert STATES.target("again") == "pending"


def test_a_name_that_is_not_in_the_table_is_an_error() -> None:
    for ask in (STATES.sources, STATES.target, partial(STATES.apply, queryset=WebhookDelivery.objects.none())):
        with pytest.raises(UnknownTransition, match=r"^arrives$"):
            ask("arrives")


@pytest.mark.django_db
def test_a_move_sets_its_changes_and_nothing_else() -> None:
    mine, other = row(), row()
    assert STATES.apply("arrive", of(mine), tries=3, **END) is True
    mine.refresh_from_db()
    assert (mine.status, mine.tries, mine.finished_at, mine.url) == ("delivered", 3, NOW, "https://example.com")
    other.refresh_from_db()
    assert (other.status, other.tries) == ("pending", 0)


@pytest.mark.django_db
def test_a_move_from_another_status_changes_nothing() -> None:
    delivery = row()
    assert STATES.apply("again", of(delivery), tries=9, **START) is False
    assert STATES.apply("arrive", of(delivery), **END) is True
    assert STATES.apply("arrive", of(delivery), tries=9, **END) is False
    assert STATES.apply("give_up", of(delivery), tries=9, **END) is False
    delivery.refresh_from_db()
    assert (delivery.status, delivery.tries) == ("delivered", 0)
    assert STATES.apply("again", of(delivery), **START) is True
    assert STATES.apply("give_up", of(delivery), **END) is True
    assert STATES.apply("again", of(delivery), **START) is True


@pytest.mark.django_db
def test_a_row_that_is_gone_does_not_move() -> None:
    delivery = row()
    WebhookDelivery.objects.all().delete()
    assert STATES.apply("arrive", of(delivery), **END) is False


@pytest.mark.django_db(transaction=True)
def test_of_racing_threads_exactly_one_wins() -> None:
    for _ in range(5):
        delivery = row()
        moves = [
            partial(STATES.apply, "arrive" if number % 2 else "give_up", of(delivery), tries=number, **END)
            for number in range(8)
        ]
        won = results(race(moves))
        assert sorted(won) == [False] * 7 + [True]
        winner = won.index(True)
        delivery.refresh_from_db()
        assert (delivery.status, delivery.tries) == ("delivered" if winner % 2 else "failed", winner)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kept", [True, False], ids=["committed", "rolled back"])
def test_a_move_waits_for_the_transaction_that_moves_first(kept: bool) -> None:
    delivery = row()
    moved = Event()

    def first() -> bool:
        with transaction.atomic():
            won = STATES.apply("arrive", of(delivery), **END)
            moved.set()
            wait_until_blocked()
            transaction.set_rollback(not kept)
        return won

    def second() -> bool:
        assert moved.wait(30)
        return STATES.apply("give_up", of(delivery), **END)

    assert results(race([first, second])) == [True, not kept]
    delivery.refresh_from_db()
    assert delivery.status == ("delivered" if kept else "failed")
