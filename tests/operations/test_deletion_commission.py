"""Deleting an affiliate's account: its commission is given up or in the way, and nothing of it moves afterwards."""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from affiliates import handlers
from affiliates.audit import differences
from affiliates.models import Affiliate, Commission, PayoutRequest
from affiliates.services.commissions import mature_due
from affiliates.services.decisions import decide_payout
from affiliates.services.forfeit_commission import forfeit_commission
from affiliates.services.payouts import request_payout
from billing.models import Transfer
from billing.selectors import CommissionView, audit, commission, house_totals
from tests.accounts.sign_ins import mailed_code
from tests.affiliates.partners import DAY, NOW, bound_pair, deposit_event, earn, reversal_event
from tests.billing.conftest import new_account
from tests.billing.racing import race
from tests.media.customers import Customer, error, new_customer
from tests.operations.test_deletion import address, delete

pytestmark = pytest.mark.django_db
Partner = tuple[Customer, Affiliate, UUID]


@pytest.fixture(autouse=True)
def _mail(signing_in: None, db: None) -> None:
    """Codes can be mailed."""


@pytest.fixture
def partner(db: None) -> Partner:
    partner = new_customer(0)
    affiliate, account = bound_pair(account_id=partner.id)
    return partner, affiliate, account


def test_commission_is_given_up_only_when_that_is_said(partner: Partner) -> None:
    person, affiliate, account = partner
    matured = earn(affiliate, account, 20_000_000)
    pending = earn(affiliate, account, 5_000_000, matured=False)
    before = house_totals()
    assert error(delete(person), 409, "account_not_deletable")["details"] == {
        "reasons": [{"reason": "commission", "usdMicros": 5_000_000}]
    }
    affiliate.refresh_from_db()
    assert (affiliate.status, commission(affiliate_id=person.id)) == (
        "approved",
        CommissionView(1_000_000, 4_000_000, 0),
    )
    answer = delete(person, forfeitBalance=True).json()
    assert (answer["forfeitedUsdMicros"], answer["forfeitedCommissionUsdMicros"]) == (0, 5_000_000)
    assert commission(affiliate_id=person.id) == CommissionView(0, 0, 0)
    given_up = Transfer.objects.filter(reference__startswith="affiliate:").order_by("reference")
    assert list(given_up.values_list("reference", "kind", "amount")) == [
        (f"affiliate:{affiliate.pk}:forfeited:available", "claw_back", 4_000_000),
        (f"affiliate:{affiliate.pk}:forfeited:pending", "claw_back", 1_000_000),
    ]
    after = house_totals()
    assert {kind: after[kind] - before[kind] for kind in after if after[kind] != before[kind]} == {
        "commission": 5_000_000
    }
    # Nothing of it moves any more, and nothing new is earned.
    handlers.claw_back(reversal_event(matured, 20_000_000))
    handlers.claw_back(reversal_event(pending, 5_000_000))
    handlers.restore(reversal_event(pending, 5_000_000))
    assert mature_due(limit=100, now=NOW + 60 * DAY) == 0
    event = deposit_event(account)
    handlers.accrue(event)
    assert Commission.objects.get(pk=event["depositId"]).withheld == "not_approved"
    assert commission(affiliate_id=person.id) == CommissionView(0, 0, 0)
    assert audit() == differences() == []


def test_commission_that_is_owed_is_in_the_way(partner: Partner) -> None:
    person, affiliate, account = partner
    event = earn(affiliate, account, 300_000_000)
    request_payout(account_id=person.id, note=None, idempotency_key=None, now=NOW)
    asked, operator = PayoutRequest.objects.get(), new_account()
    decide_payout(payout_id=asked.pk, action="approve", actor_id=operator, now=NOW)
    decide_payout(payout_id=asked.pk, action="pay", actor_id=operator, payment_reference="0x1", now=NOW)
    handlers.claw_back(reversal_event(event, 300_000_000))
    earn(affiliate, account, 5_000_000, matured=False)
    answer = delete(person, forfeitBalance=True)
    assert error(answer, 409, "account_not_deletable")["details"]["reasons"] == [
        {"reason": "commission_debt", "usdMicros": 60_000_000}
    ]
    assert commission(affiliate_id=person.id) == CommissionView(1_000_000, -60_000_000, 0)


def test_an_audit_finds_what_was_given_up_by_nobody(partner: Partner) -> None:
    person, affiliate, account = partner
    earn(affiliate, account, 20_000_000)
    earn(affiliate, account, 5_000_000, matured=False)
    forfeit_commission(account_id=person.id, pending=1_000_000, available=3_000_000)
    found = [(one.figure, one.expected, one.found) for one in differences()]
    assert found == [("available", 0, 1_000_000), ("deleted", 1, 0)] * 2


@pytest.mark.django_db(transaction=True)
def test_a_deposit_at_the_same_moment_leaves_nothing_behind() -> None:
    for _ in range(4):
        person = new_customer(0)
        affiliate, account = bound_pair(account_id=person.id)
        event = earn(affiliate, account, 20_000_000)
        code = mailed_code(address(person))
        another = deposit_event(account)
        back = reversal_event(event, 20_000_000)
        calls: list[Callable[[], Any]] = [
            partial(delete, person, code, forfeitBalance=True),
            partial(handlers.accrue, another),
            partial(handlers.claw_back, back),
        ]
        (answer, failed), *others = race(calls)
        assert (failed, [error for _, error in others]) == (None, [None, None])
        assert answer.status_code == 200
        handlers.claw_back(back)
        assert commission(affiliate_id=person.id) == CommissionView(0, 0, 0)
    assert audit() == differences() == []
