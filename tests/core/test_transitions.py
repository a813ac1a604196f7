"""Compare-and-set: one of many wins, and a move that is not allowed moves nothing."""

from functools import partial

import pytest
from django.contrib.auth import get_user_model

from core import clock, ids
from core.transitions import Transitions, UnknownTransition
from core.webhooks.models import WebhookDelivery
from tests.billing.racing import race, results

STATES = Transitions(
    {"take": ("pending", "sending"), "give_back": ("sending", "pending"), "drop": (("pending", "sending"), "failed")}
)


def delivery() -> WebhookDelivery:
    return WebhookDelivery.objects.create(
        account_id=ids.new(), topic="t", subject_id=ids.new(), url="https://example.com", body="{}",
        status="pending", due_at=clock.now(),
    )  # fmt: skip


def test_the_table_can_be_asked() -> None:
    assert list(STATES.names) == ["take", "give_back", "drop"]
    assert STATES.sources("take") == ("pending",)
    assert STATES.sources("drop") == ("pending", "sending")
    assert STATES.target("drop") == "failed"


def test_a_name_that_is_not_in_the_table_is_an_error() -> None:
    for ask in (STATES.sources, STATES.target, partial(STATES.apply, queryset=get_user_model().objects.none())):
        with pytest.raises(UnknownTransition, match="^takes$"):
            ask("takes")
