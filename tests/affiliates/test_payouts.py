"""Payouts: of all that is available, one at a time, ended once, and decided by somebody else."""

from collections.abc import Callable
from functools import partial
from threading import Event
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth import get_user_model
from django.db import IntegrityError, connection, transaction

from affiliates import handlers
from affiliates.audit import differences
from affiliates.models import Affiliate, Decision, PayoutRequest
from affiliates.services import payouts
from affiliates.services.decisions import OwnAffiliate, PayoutBlocked, decide_affiliate, decide_payout, set_basis_points
from affiliates.services.payouts import AskedPayout, NoOpenRequest, NotEligible, cancel_payout, request_payout
from billing.models import Transfer
from billing.selectors import CommissionView, audit, commission, house_totals
from core import ids
from core.errors import InvalidRequest, InvalidState, NotFound
from core.idempotency.models import IdempotencyRecord
from core.idempotency.services import IdempotencyConflict
from tests.affiliates.partners import DAY, NOW, bound_pair, earn, new_affiliate, reversal_event
from tests.billing.conftest import new_account
from tests.billing.racing import race, wait_until_blocked

pytestmark = pytest.mark.django_db
ENOUGH = 300_000_000
"""Of deposits: $60 of commission."""


def view(affiliate: Affiliate) -> CommissionView:
    return commission(affiliate_id=affiliate.account_id)


def ask(affiliate: Affiliate, *, note: str | None = None, key: str | None = None) -> AskedPayout:
    return request_payout(account_id=affiliate.account_id, note=note, idempotency_key=key, now=NOW)


def decide(payout: PayoutRequest, action: Any, actor: UUID, **more: Any) -> PayoutRequest:
    given = {"reason": "looked at", "payment_reference": "wire 42" if action == "pay" else "", "now": NOW + DAY}
    return decide_payout(payout_id=payout.pk, action=action, actor_id=actor, **given | more)


@pytest.fixture
def rich(db: None) -> Affiliate:
    """An affiliate with $60 available."""
    affiliate, account = bound_pair()
    earn(affiliate, account, ENOUGH)
    assert view(affiliate) == CommissionView(0, 60_000_000, 0)
    return affiliate


@pytest.fixture
def operator(db: None) -> UUID:
    return new_account()


class TestAsking:
    def test_reserves_all_that_is_available(self, rich: Affiliate) -> None:
        asked = ask(rich, note="thank you")
        row = PayoutRequest.objects.get()
        assert asked.replayed is False
        assert asked.body == {
            "id": ids.encode(ids.PAYOUT, row.pk),
            "status": "requested",
            "amountUsdMicros": 60_000_000,
            "payoutAddress": rich.payout_address,
            "note": "thank you",
            "paymentReference": None,
            "createdAt": "2026-11-24T12:00:00.000Z",
            "decidedAt": None,
            "finishedAt": None,
        }
        assert view(rich) == CommissionView(0, 0, 60_000_000)
        assert Transfer.objects.get(reference=f"payout:{row.pk}:reserve").amount == 60_000_000
        assert audit() == differences() == []

    def test_each_reason_against_it(self, rich: Affiliate) -> None:
        def reasons(*, available: int = 60_000_000) -> list[str]:
            before = Transfer.objects.count()
            with pytest.raises(NotEligible) as refused:
                ask(rich)
            details = refused.value.details
            assert (details["minimumUsdMicros"], details["availableUsdMicros"]) == (50_000_000, available)
            assert Transfer.objects.count() == before
            return list(details["reasons"])

        Affiliate.objects.update(payout_address="")
        assert reasons() == ["no_payout_address"]
        Affiliate.objects.update(payout_address="0xme", status="suspended")
        assert reasons() == ["not_approved"]
        Affiliate.objects.update(status="approved")
        ask(rich)
        assert reasons(available=0) == ["open_request", "below_minimum"]

    def test_the_minimum_is_fifty_dollars_to_the_micro(self) -> None:
        affiliate, account = bound_pair()
        earn(affiliate, account, 249_999_999)
        assert view(affiliate).available == 49_999_999
        with pytest.raises(NotEligible) as refused:
            ask(affiliate)
        assert refused.value.details["reasons"] == ["below_minimum"]
        earn(affiliate, account, 5)
        assert ask(affiliate).body["amountUsdMicros"] == 50_000_000

    def test_pending_commission_does_not_count(self) -> None:
        affiliate, account = bound_pair()
        earn(affiliate, account, ENOUGH, matured=False)
        with pytest.raises(NotEligible):
            ask(affiliate)
        assert view(affiliate) == CommissionView(60_000_000, 0, 0)

    def test_an_account_that_never_applied(self) -> None:
        with pytest.raises(NotEligible) as refused:
            request_payout(account_id=new_account(), note=None, idempotency_key="k", now=NOW)
        assert refused.value.details["reasons"] == ["not_approved", "no_payout_address", "below_minimum"]
        assert not IdempotencyRecord.objects.exists()

    def test_once_per_idempotency_key(self, rich: Affiliate) -> None:
        first = ask(rich, note="n", key="k")
        cancel_payout(account_id=rich.account_id, now=NOW)
        again = ask(rich, note="n", key="k")
        assert (again.replayed, again.body) == (True, first.body)
        with pytest.raises(IdempotencyConflict):
            ask(rich, key="k")
        assert view(rich) == CommissionView(0, 60_000_000, 0)
        assert ask(rich, key="another").replayed is False

    def test_a_new_address_counts_for_later_requests(self, rich: Affiliate) -> None:
        ask(rich)
        Affiliate.objects.update(payout_address="0xnew")
        assert PayoutRequest.objects.get().payout_address == rich.payout_address

    def test_a_second_open_one_is_refused_by_the_database(self, rich: Affiliate) -> None:
        ask(rich)
        with pytest.raises(IntegrityError, match="affiliates_payout_one_open"), transaction.atomic():
            PayoutRequest.objects.create(affiliate=rich, amount_micros=1, payout_address="x")


class TestCanceling:
    def test_makes_it_available_again(self, rich: Affiliate) -> None:
        ask(rich)
        canceled = cancel_payout(account_id=rich.account_id, now=NOW + DAY)
        assert (canceled.status, canceled.decided_at, canceled.finished_at) == ("canceled", NOW + DAY, NOW + DAY)
        assert view(rich) == CommissionView(0, 60_000_000, 0)
        [decision] = Decision.objects.all()
        assert (decision.action, decision.actor_id, decision.payout_id) == ("cancel", rich.account_id, canceled.pk)
        with pytest.raises(NoOpenRequest):
            cancel_payout(account_id=rich.account_id, now=NOW)
        assert ask(rich).body["status"] == "requested"

    def test_an_approved_one_too_but_not_a_paid_one(self, rich: Affiliate, operator: UUID) -> None:
        ask(rich)
        decide(PayoutRequest.objects.get(), "approve", operator)
        canceled = cancel_payout(account_id=rich.account_id, now=NOW + 2 * DAY)
        assert (canceled.decided_at, canceled.finished_at) == (NOW + DAY, NOW + 2 * DAY)
        ask(rich)
        paid = decide(decide(PayoutRequest.objects.get(status="requested"), "approve", operator), "pay", operator)
        with pytest.raises(NoOpenRequest):
            cancel_payout(account_id=rich.account_id, now=NOW)
        paid.refresh_from_db()
        assert paid.status == "paid"

    def test_of_somebody_who_has_none(self, rich: Affiliate) -> None:
        ask(rich)
        for account in (new_account(), new_affiliate().account_id):
            with pytest.raises(NoOpenRequest):
                cancel_payout(account_id=account, now=NOW)
        assert view(rich).reserved == 60_000_000


class TestDeciding:
    def test_approved_and_paid(self, rich: Affiliate, operator: UUID) -> None:
        ask(rich)
        payout = decide(PayoutRequest.objects.get(), "approve", operator)
        assert (payout.status, payout.decided_at, payout.finished_at) == ("approved", NOW + DAY, None)
        assert view(rich) == CommissionView(0, 0, 60_000_000)
        payout = decide(payout, "pay", operator, payment_reference="  wire 42 ", now=NOW + 2 * DAY)
        assert (payout.status, payout.payment_reference) == ("paid", "wire 42")
        assert (payout.decided_at, payout.finished_at) == (NOW + DAY, NOW + 2 * DAY)
        assert view(rich) == CommissionView(0, 0, 0)
        assert house_totals()["cash:payouts"] == 60_000_000
        transfer = Transfer.objects.get(reference=f"payout:{payout.pk}:settle")
        assert (transfer.kind, transfer.actor_id, transfer.reason) == ("payout", operator, "looked at")
        rows = Decision.objects.order_by("id").values_list("action", "actor_id", "reason", "details")
        assert list(rows) == [
            ("approve", operator, "looked at", {}),
            ("pay", operator, "looked at", {"payment_reference": "wire 42"}),
        ]
        assert audit() == differences() == []

    @pytest.mark.parametrize("approved_before", [False, True])
    def test_rejected(self, rich: Affiliate, operator: UUID, approved_before: bool) -> None:
        ask(rich)
        payout = PayoutRequest.objects.get()
        if approved_before:
            decide(payout, "approve", operator)
        payout = decide(payout, "reject", operator)
        assert (payout.status, payout.finished_at) == ("rejected", NOW + DAY)
        assert view(rich) == CommissionView(0, 60_000_000, 0)
        assert "cash:payouts" not in house_totals()
        ask(rich)

    @pytest.mark.parametrize(
        ("before", "action"),
        [
            ((), "pay"),
            (("approve",), "approve"),
            (("reject",), "approve"),
            (("reject",), "reject"),
            (("reject",), "pay"),
            (("approve", "pay"), "approve"),
            (("approve", "pay"), "reject"),
            (("approve", "pay"), "pay"),
        ],
    )
    def test_what_is_out_of_order_changes_nothing(
        self, rich: Affiliate, operator: UUID, before: tuple[str, ...], action: str
    ) -> None:
        ask(rich)
        payout = PayoutRequest.objects.get()
        for step in before:
            payout = decide(payout, step, operator)
        counts = (Transfer.objects.count(), Decision.objects.count())
        with pytest.raises(InvalidState) as refused:
            decide(payout, action, operator)
        assert refused.value.details == {"status": payout.status}
        assert (Transfer.objects.count(), Decision.objects.count()) == counts

    def test_paying_needs_a_reference_and_rejecting_a_reason(self, rich: Affiliate, operator: UUID) -> None:
        ask(rich)
        payout = PayoutRequest.objects.get()
        with pytest.raises(InvalidRequest, match="reason"):
            decide(payout, "reject", operator, reason=" ")
        payout = decide(payout, "approve", operator)
        for reference in ("", "  ", "x" * 201):
            with pytest.raises(InvalidRequest, match="paymentReference"):
                decide(payout, "pay", operator, payment_reference=reference)
        assert view(rich).reserved == 60_000_000
        with pytest.raises(NotFound):
            decide_payout(payout_id=ids.new(), action="approve", actor_id=operator, now=NOW)

    def test_nobody_decides_about_their_own(self, rich: Affiliate) -> None:
        ask(rich)
        payout = PayoutRequest.objects.get()
        for action in ("approve", "reject"):
            with pytest.raises(OwnAffiliate):
                decide(payout, action, rich.account_id)
        with pytest.raises(OwnAffiliate):
            set_basis_points(affiliate_id=rich.pk, basis_points=1, actor_id=rich.account_id, reason="mine", now=NOW)
        assert not Decision.objects.exists()

    def test_commission_that_is_owed_blocks_the_approval(self, operator: UUID) -> None:
        affiliate, account = bound_pair()
        deposit = earn(affiliate, account, ENOUGH)
        ask(affiliate)
        payout = PayoutRequest.objects.get()
        handlers.claw_back(reversal_event(deposit, 100_000_000))
        assert view(affiliate) == CommissionView(0, -20_000_000, 60_000_000)
        with pytest.raises(PayoutBlocked) as refused:
            decide(payout, "approve", operator)
        assert refused.value.details == {
            "affiliateStatus": "approved",
            "accountActive": True,
            "availableUsdMicros": -20_000_000,
        }
        payout.refresh_from_db()
        assert (payout.status, Decision.objects.count()) == ("requested", 0)
        decide(payout, "reject", operator)
        assert view(affiliate) == CommissionView(0, 40_000_000, 0)
        with pytest.raises(NotEligible):
            ask(affiliate)

    def test_a_suspended_affiliate_blocks_the_approval(self, rich: Affiliate, operator: UUID) -> None:
        ask(rich)
        decide_affiliate(affiliate_id=rich.pk, action="suspend", actor_id=operator, reason="fraud?", now=NOW)
        with pytest.raises(PayoutBlocked):
            decide(PayoutRequest.objects.get(), "approve", operator)
        assert view(rich).reserved == 60_000_000

    def test_a_suspended_account_blocks_the_approval(self, rich: Affiliate, operator: UUID) -> None:
        ask(rich)
        get_user_model().objects.filter(pk=rich.account_id).update(is_active=False)
        with pytest.raises(PayoutBlocked) as refusal:
            decide(PayoutRequest.objects.get(), "approve", operator)
        assert refusal.value.details["accountActive"] is False
        assert (PayoutRequest.objects.get().status, view(rich).reserved) == ("requested", 60_000_000)

    def test_what_is_clawed_back_after_the_payout_is_owed_and_made_up_first(self, operator: UUID) -> None:
        affiliate, account = bound_pair()
        deposit = earn(affiliate, account, ENOUGH)
        ask(affiliate)
        decide(decide(PayoutRequest.objects.get(), "approve", operator), "pay", operator)
        handlers.claw_back(reversal_event(deposit, ENOUGH))
        assert view(affiliate) == CommissionView(0, -60_000_000, 0)
        earn(affiliate, account, 500_000_000)
        assert view(affiliate) == CommissionView(0, 40_000_000, 0)
        with pytest.raises(NotEligible) as refused:
            ask(affiliate)
        assert refused.value.details["availableUsdMicros"] == 40_000_000
        assert house_totals()["cash:payouts"] == 60_000_000
        assert audit() == differences() == []

    def test_decisions_are_never_changed(self, rich: Affiliate, operator: UUID) -> None:
        ask(rich)
        decide(PayoutRequest.objects.get(), "approve", operator)
        for change in ("UPDATE affiliates_decision SET reason = ''", "DELETE FROM affiliates_decision"):
            with pytest.raises(IntegrityError, match="refused"), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(change)


class TestDecidingAboutAffiliates:
    def test_every_way_and_no_other(self, operator: UUID) -> None:
        possible = {
            ("pending", "approve"): "approved",
            ("pending", "reject"): "rejected",
            ("approved", "suspend"): "suspended",
            ("suspended", "reinstate"): "approved",
        }
        for status in ("pending", "approved", "rejected", "suspended"):
            for action in ("approve", "reject", "suspend", "reinstate"):
                affiliate = new_affiliate(status=status)
                act: Callable[[], Affiliate] = partial(
                    decide_affiliate,
                    affiliate_id=affiliate.pk,
                    action=action,
                    actor_id=operator,
                    reason="looked at",
                    now=NOW,
                )
                decisions = Decision.objects.filter(affiliate=affiliate)
                if (status, action) in possible:
                    assert act().status == possible[status, action]
                    [decision] = decisions
                    assert (decision.action, decision.actor_id, decision.reason) == (action, operator, "looked at")
                else:
                    with pytest.raises(InvalidState) as refused:
                        act()
                    assert refused.value.details == {"status": status}
                    assert not decisions.exists()

    def test_a_rejection_and_a_suspension_need_a_reason(self, operator: UUID) -> None:
        affiliate = new_affiliate(status="pending")
        for action in ("reject", "suspend"):
            with pytest.raises(InvalidRequest, match="reason"):
                decide_affiliate(affiliate_id=affiliate.pk, action=action, actor_id=operator, reason=" ", now=NOW)
        assert decide_affiliate(
            affiliate_id=affiliate.pk, action="approve", actor_id=operator, reason="", now=NOW
        ).status == ("approved")

    def test_the_share_is_changed_within_bounds(self, operator: UUID) -> None:
        affiliate = new_affiliate()
        for wrong in (-1, 5_001, 10_000):
            with pytest.raises(InvalidRequest, match="basisPoints"):
                set_basis_points(
                    affiliate_id=affiliate.pk, basis_points=wrong, actor_id=operator, reason="deal", now=NOW
                )
        changed = set_basis_points(
            affiliate_id=affiliate.pk, basis_points=5_000, actor_id=operator, reason="deal", now=NOW
        )
        assert changed.basis_points == 5_000
        [decision] = Decision.objects.all()
        assert (decision.action, decision.details) == ("terms", {"before": 2_000, "after": 5_000})
        with pytest.raises(NotFound):
            set_basis_points(affiliate_id=ids.new(), basis_points=1, actor_id=operator, reason="deal", now=NOW)


def outcomes_of(calls: list[Callable[[], Any]], *refusals: type[Exception]) -> list[Any]:
    """What each call returned, or which of the expected refusals it raised."""
    outcomes = race(calls)
    assert all(error is None or isinstance(error, refusals) for _, error in outcomes), outcomes
    return [result if error is None else type(error) for result, error in outcomes]


@pytest.mark.django_db(transaction=True)
class TestRaces:
    @pytest.mark.parametrize("key", [None, "the same"])
    def test_fifty_requests_at_once_are_one(self, key: str | None) -> None:
        affiliate, account = bound_pair()
        earn(affiliate, account, ENOUGH)
        found = outcomes_of([partial(ask, affiliate, key=key)] * 50, NotEligible)
        made = [one for one in found if isinstance(one, AskedPayout) and not one.replayed]
        assert len(made) == 1
        if key is None:
            assert found.count(NotEligible) == 49
        else:
            assert [one.body for one in found] == [made[0].body] * 50
        assert PayoutRequest.objects.count() == 1
        assert Transfer.objects.filter(reference__startswith="payout:").count() == 1
        assert view(affiliate) == CommissionView(0, 0, 60_000_000)
        assert audit() == differences() == []

    def test_approvals_payments_rejections_and_cancelation_end_it_once(self) -> None:
        operator = new_account()
        for _ in range(5):
            affiliate, account = bound_pair()
            earn(affiliate, account, ENOUGH)
            ask(affiliate)
            payout = PayoutRequest.objects.get(affiliate=affiliate)
            decide(payout, "approve", operator)
            outcomes_of(
                [
                    partial(decide, payout, "pay", operator),
                    partial(decide, payout, "reject", operator),
                    partial(cancel_payout, account_id=affiliate.account_id, now=NOW),
                    partial(decide, payout, "pay", operator),
                ],
                InvalidState,
            )
            payout.refresh_from_db()
            paid = payout.status == "paid"
            assert payout.status in {"paid", "rejected", "canceled"}
            assert view(affiliate) == CommissionView(0, 0 if paid else 60_000_000, 0)
            assert Transfer.objects.filter(reference=f"payout:{payout.pk}:settle").count() == 1
            assert Decision.objects.filter(payout=payout).exclude(action="approve").count() == 1
        assert audit() == differences() == []

    def test_a_refund_against_request_approval_and_payment(self) -> None:
        operator = new_account()
        for _ in range(6):
            affiliate, account = bound_pair()
            deposit = earn(affiliate, account, ENOUGH)

            def pay(affiliate: Affiliate = affiliate) -> PayoutRequest:
                ask(affiliate)
                payout = PayoutRequest.objects.get(affiliate=affiliate)
                return decide(decide(payout, "approve", operator), "pay", operator)

            refund = partial(handlers.claw_back, reversal_event(deposit, ENOUGH))
            found = outcomes_of([pay, refund, partial(ask, affiliate)], InvalidState)
            paid = 60_000_000 if isinstance(found[0], PayoutRequest) else 0
            reserved = sum(
                PayoutRequest.objects.filter(affiliate=affiliate, status__in=("requested", "approved")).values_list(
                    "amount_micros", flat=True
                )
            )
            # What was paid, or is reserved, is owed: nothing else is ever below zero.
            assert view(affiliate) == CommissionView(0, -paid - reserved, reserved)
            assert PayoutRequest.objects.filter(affiliate=affiliate).count() <= 1
            with pytest.raises(NotEligible):
                ask(affiliate)
        assert audit() == differences() == []

    def test_what_is_refunded_between_the_look_and_the_reservation_is_not_reserved(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        affiliate, account = bound_pair()
        deposit = earn(affiliate, account, ENOUGH)
        looked, refunded = Event(), Event()
        plain = payouts.reserve_payout

        def reserve(**given: Any) -> Any:
            looked.set()
            assert refunded.wait(30)
            return plain(**given)

        def refund() -> None:
            assert looked.wait(30)
            handlers.claw_back(reversal_event(deposit, 5))
            refunded.set()

        monkeypatch.setattr(payouts, "reserve_payout", reserve)
        (_, error), _ = race([partial(ask, affiliate), refund])
        assert isinstance(error, NotEligible)
        assert error.details["reasons"] == ["balance_changed"]
        assert error.details["availableUsdMicros"] == 59_999_999
        assert not PayoutRequest.objects.exists()
        assert view(affiliate) == CommissionView(0, 59_999_999, 0)

    def test_a_suspension_is_waited_for(self) -> None:
        operator, suspended = new_account(), Event()
        affiliate, account = bound_pair()
        earn(affiliate, account, ENOUGH)

        def suspend() -> None:
            with transaction.atomic():
                decide_affiliate(affiliate_id=affiliate.pk, action="suspend", actor_id=operator, reason="x", now=NOW)
                suspended.set()
                wait_until_blocked()

        def late() -> AskedPayout:
            assert suspended.wait(30)
            return ask(affiliate)

        assert outcomes_of([suspend, late], NotEligible) == [None, NotEligible]
        assert view(affiliate).reserved == 0
