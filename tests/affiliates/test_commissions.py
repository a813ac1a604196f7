"""Commission: earned once by each deposit, available after thirty days, taken back to the micro, in any order."""

import itertools
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction

from affiliates import handlers
from affiliates.audit import differences
from affiliates.models import Affiliate, Attribution, Commission, CommissionReversal
from affiliates.services import commissions
from affiliates.services.attribution import bind_explicit, close_attribution
from affiliates.services.commissions import mature_due
from affiliates.transitions import AVAILABLE, PENDING, SUSPENDED
from billing.models import Transfer
from billing.selectors import CommissionView, audit, commission, house_totals
from core import clock, outbox_topics
from core.outbox.models import OutboxEvent
from core.outbox.services import emit, handle_due
from gateway.handlers import HANDLERS
from tests.affiliates.partners import DAY, NOW, bound_pair, deposit_event, earn, new_affiliate, new_code, reversal_event
from tests.billing.conftest import new_account
from tests.billing.racing import race, results

pytestmark = pytest.mark.django_db
MATURE = NOW + 30 * DAY


def view(affiliate: Affiliate) -> CommissionView:
    return commission(affiliate_id=affiliate.account_id)


def references() -> list[str]:
    return sorted(Transfer.objects.filter(reference__startswith="commission:").values_list("reference", flat=True))


def of(event: dict[str, Any]) -> Commission:
    return Commission.objects.get(pk=event["depositId"])


def clean() -> None:
    """The books are right, and every commission is what its reversals and its transfers say."""
    assert audit() == []
    assert differences() == []
    for one in Commission.objects.all():
        left = (one.deposit_micros - one.reversed_micros) * one.basis_points // 10_000
        assert one.clawed_back_micros == one.amount_micros - left
        noted = CommissionReversal.objects.filter(commission=one)
        assert sum(noted.values_list("clawed_back_micros", flat=True)) == one.clawed_back_micros


class TestAccrual:
    def test_a_fifth_of_the_deposit_is_pending(self) -> None:
        affiliate, account = bound_pair()
        event = deposit_event(account, 20_000_000)
        handlers.accrue(event)
        assert view(affiliate) == CommissionView(4_000_000, 0, 0)
        assert house_totals()["commission"] == -4_000_000
        made = of(event)
        assert (made.affiliate_id, made.account_id, made.status) == (affiliate.pk, account, PENDING)
        assert (made.deposit_micros, made.basis_points, made.amount_micros) == (20_000_000, 2_000, 4_000_000)
        assert (made.settled_at, made.matures_at, made.withheld) == (NOW, MATURE, "")
        assert references() == [f"commission:{event['depositId']}:accrued"]
        assert commission(affiliate_id=account) == CommissionView(0, 0, 0)
        clean()

    def test_hearing_of_it_again_changes_nothing(self) -> None:
        affiliate, account = bound_pair()
        event = earn(affiliate, account, 20_000_000, matured=False)
        handlers.accrue(event)
        Affiliate.objects.update(basis_points=9_000)
        handlers.accrue(event)
        assert view(affiliate) == CommissionView(4_000_000, 0, 0)
        assert len(references()) == 1

    def test_every_deposit_earns_with_the_share_of_its_time(self) -> None:
        affiliate, account = bound_pair(basis_points=1_250)
        earn(affiliate, account, 10_000_000, matured=False)
        Affiliate.objects.update(basis_points=2_000)
        earn(affiliate, account, 10_000_000, matured=False)
        assert sorted(Commission.objects.values_list("amount_micros", flat=True)) == [1_250_000, 2_000_000]
        assert view(affiliate).pending == 3_250_000

    def test_less_than_a_micro_is_a_row_without_a_transfer(self) -> None:
        affiliate, account = bound_pair()
        event = earn(affiliate, account, 4, matured=False)
        assert (of(event).amount_micros, of(event).withheld) == (0, "")
        handlers.claw_back(reversal_event(event, 4))
        assert mature_due(limit=10, now=MATURE) == 1
        assert (of(event).status, references()) == (AVAILABLE, [])
        clean()

    def test_an_account_that_nobody_brought_earns_nobody_anything(self) -> None:
        stranger, late = new_account(), new_account()
        close_attribution(account_id=late, now=NOW)
        for account in (stranger, late):
            event = deposit_event(account)
            handlers.accrue(event)
            handlers.claw_back(reversal_event(event, 1))
            handlers.restore(reversal_event(event, 1))
        assert not Commission.objects.exists()
        assert not CommissionReversal.objects.exists()
        assert references() == []

    def test_the_first_deposit_earns_and_closes(self) -> None:
        affiliate, account = bound_pair()
        close_attribution(account_id=account, now=NOW)
        earn(affiliate, account, 5_000_000, matured=False)
        assert view(affiliate).pending == 1_000_000


class TestWithheld:
    def test_a_suspended_affiliate_earns_nothing_new(self) -> None:
        affiliate, account = bound_pair()
        before = earn(affiliate, account, 10_000_000, matured=False)
        Affiliate.objects.update(status=SUSPENDED)
        event = deposit_event(account)
        handlers.accrue(event)
        assert (of(event).withheld, of(event).amount_micros, of(event).basis_points) == ("not_approved", 0, 0)
        # Reinstated, it does not earn by what was decided before, whatever of that is heard again.
        Affiliate.objects.update(status="approved")
        handlers.accrue(event)
        handlers.claw_back(reversal_event(event, 20_000_000))
        handlers.restore(reversal_event(event, 20_000_000))
        assert view(affiliate) == CommissionView(2_000_000, 0, 0)
        assert references() == [f"commission:{before['depositId']}:accrued"]
        clean()

    def test_a_suspended_account_earns_nothing_new_and_its_customer_keeps_the_deposit(self) -> None:
        affiliate, account = bound_pair()
        earn(affiliate, account, 10_000_000, matured=False)
        get_user_model().objects.filter(pk=affiliate.account_id).update(is_active=False)
        event = deposit_event(account)
        handlers.accrue(event)
        assert (of(event).withheld, of(event).amount_micros, of(event).basis_points) == ("not_approved", 0, 0)
        assert view(affiliate) == CommissionView(2_000_000, 0, 0)
        get_user_model().objects.filter(pk=affiliate.account_id).update(is_active=True)
        assert earn(affiliate, account, 5_000_000, matured=False)["depositId"]
        assert view(affiliate) == CommissionView(3_000_000, 0, 0)
        clean()

    def test_the_wallet_that_paid_is_the_affiliates(self) -> None:
        affiliate, account = bound_pair(payout_address="0xABCdef")
        mine, anothers = deposit_event(account), deposit_event(account)
        handlers.accrue(mine | {"payer": "0xabcDEF"})
        handlers.accrue(anothers | {"payer": "0x123456"})
        assert (of(mine).withheld, of(anothers).withheld) == ("self_referral", "")
        assert view(affiliate) == CommissionView(4_000_000, 0, 0)
        clean()

    @pytest.mark.parametrize("mark", ["contact_email", "payout_address"])
    def test_an_application_with_anothers_address_takes_nothing_from_them(self, mark: str) -> None:
        affiliate, account = bound_pair()
        new_affiliate(account, status=PENDING, **{mark: getattr(affiliate, mark)})
        event = deposit_event(account)
        handlers.accrue(event)
        assert (of(event).withheld, of(event).amount_micros) == ("", 4_000_000)

    @pytest.mark.parametrize("mark", ["contact_email", "payout_address"])
    def test_who_turns_out_to_be_the_buyer_earns_nothing(self, mark: str) -> None:
        affiliate, account = bound_pair()
        earn(affiliate, account, 10_000_000, matured=False)
        buyer = new_affiliate(account)
        Affiliate.objects.filter(pk=affiliate.pk).update(**{mark: f"  {getattr(buyer, mark).upper()}"})
        event = deposit_event(account)
        handlers.accrue(event)
        assert (of(event).withheld, of(event).amount_micros) == ("self_referral", 0)
        assert view(affiliate).pending == 2_000_000

    def test_a_withheld_commission_with_an_amount_is_refused_by_the_database(self) -> None:
        affiliate, account = bound_pair()
        event = earn(affiliate, account, 10_000_000, matured=False)
        for wrong in ("self_referral", "because"):
            with pytest.raises(IntegrityError, match="affiliates_commission_withheld"), transaction.atomic():
                Commission.objects.filter(pk=event["depositId"]).update(withheld=wrong)


class TestMaturity:
    def test_after_thirty_days_and_not_a_moment_earlier(self) -> None:
        affiliate, account = bound_pair()
        event = earn(affiliate, account, 20_000_000, matured=False)
        assert mature_due(limit=10, now=MATURE - timedelta(microseconds=1)) == 0
        assert view(affiliate) == CommissionView(4_000_000, 0, 0)
        assert mature_due(limit=10, now=MATURE) == 1
        assert view(affiliate) == CommissionView(0, 4_000_000, 0)
        assert (of(event).status, of(event).matured_at) == (AVAILABLE, MATURE)
        assert mature_due(limit=10, now=MATURE + DAY) == 0
        assert view(affiliate) == CommissionView(0, 4_000_000, 0)
        clean()

    def test_only_what_is_left_matures(self) -> None:
        affiliate, account = bound_pair()
        event = earn(affiliate, account, 20_000_000, matured=False)
        gone = earn(affiliate, account, 20_000_000, matured=False)
        handlers.claw_back(reversal_event(event, 5_000_000))
        handlers.claw_back(reversal_event(gone, 20_000_000))
        assert view(affiliate) == CommissionView(3_000_000, 0, 0)
        assert mature_due(limit=10, now=MATURE) == 2
        assert view(affiliate) == CommissionView(0, 3_000_000, 0)
        assert f"commission:{gone['depositId']}:matured" not in references()
        clean()

    def test_a_batch_is_no_more_than_asked_for_and_oldest_first(self) -> None:
        _, account = bound_pair()
        for days in (2, 0, 1):
            handlers.accrue(deposit_event(account, 10_000_000, settled_at=NOW + days * DAY))
        assert mature_due(limit=2, now=NOW + 40 * DAY) == 2
        assert [one.settled_at for one in Commission.objects.filter(status=PENDING)] == [NOW + 2 * DAY]

    def test_one_that_fails_does_not_hold_the_others_up(self, monkeypatch: pytest.MonkeyPatch) -> None:
        affiliate, account = bound_pair()
        broken, fine = (earn(affiliate, account, 10_000_000, matured=False) for _ in range(2))
        plain = commissions.mature_commission

        def failing(*, affiliate_id: UUID, amount: int, reference: str) -> Any:
            if broken["depositId"] in reference:
                raise RuntimeError("broken")
            return plain(affiliate_id=affiliate_id, amount=amount, reference=reference)

        monkeypatch.setattr(commissions, "mature_commission", failing)
        assert mature_due(limit=10, now=MATURE) == 1
        assert (of(broken).status, of(fine).status) == (PENDING, AVAILABLE)
        monkeypatch.undo()
        assert mature_due(limit=10, now=MATURE) == 1
        assert view(affiliate) == CommissionView(0, 4_000_000, 0)

    def test_the_steward_has_the_loop_and_the_handlers(self) -> None:
        assert HANDLERS[outbox_topics.DEPOSIT_SETTLED] == ["affiliates.handlers.accrue"]
        affiliate, account = bound_pair()
        event = deposit_event(account)
        reversal = reversal_event(event, 20_000_000)
        emit(topic=outbox_topics.DEPOSIT_RESTORED, payload=reversal)
        emit(topic=outbox_topics.DEPOSIT_REVERSED, payload=reversal)
        emit(topic=outbox_topics.DEPOSIT_SETTLED, payload=event)
        assert handle_due(limit=10, now=clock.now()) == 3
        assert not OutboxEvent.objects.exists()
        assert view(affiliate) == CommissionView(4_000_000, 0, 0)
        clean()


class TestClawBack:
    def test_of_a_part_while_pending(self) -> None:
        affiliate, account = bound_pair()
        event = earn(affiliate, account, 20_000_000, matured=False)
        refund = reversal_event(event, 5_000_000)
        handlers.claw_back(refund)
        handlers.claw_back(refund)
        assert view(affiliate) == CommissionView(3_000_000, 0, 0)
        assert (of(event).reversed_micros, of(event).clawed_back_micros) == (5_000_000, 1_000_000)
        assert house_totals()["commission"] == -3_000_000
        assert f"commission:{event['depositId']}:back:{refund['reversalId']}" in references()
        clean()

    def test_below_zero_after_maturity_once_it_is_spent(self) -> None:
        affiliate, account = bound_pair()
        event = earn(affiliate, account, 20_000_000)
        handlers.claw_back(reversal_event(event, 20_000_000))
        assert view(affiliate) == CommissionView(0, 0, 0)
        clean()

    def test_rounding_never_drifts(self) -> None:
        affiliate, account = bound_pair(basis_points=3_333)
        event = earn(affiliate, account, 1_000, matured=False)
        assert of(event).amount_micros == 333
        for _ in range(18):
            handlers.claw_back(reversal_event(event, 53))
        assert of(event).reversed_micros == 954
        assert view(affiliate).pending == 15  # floor(46 × 0.3333); each step rounded by itself would leave 27
        handlers.claw_back(reversal_event(event, 46))
        assert view(affiliate) == CommissionView(0, 0, 0)
        assert house_totals()["commission"] == 0
        clean()

    @pytest.mark.parametrize("matured", [False, True])
    def test_a_dispute_that_is_won_gives_it_back_to_where_it_was(self, matured: bool) -> None:
        affiliate, account = bound_pair()
        event = earn(affiliate, account, 20_000_000, matured=matured)
        dispute = reversal_event(event, 20_000_000)
        handlers.claw_back(dispute)
        assert view(affiliate) == CommissionView(0, 0, 0)
        handlers.restore(dispute)
        handlers.restore(dispute)
        assert view(affiliate) == (CommissionView(0, 4_000_000, 0) if matured else CommissionView(4_000_000, 0, 0))
        assert (of(event).reversed_micros, of(event).clawed_back_micros) == (0, 0)
        clean()

    def test_lost_while_pending_and_won_after_it_would_have_matured(self) -> None:
        affiliate, account = bound_pair()
        event = earn(affiliate, account, 20_000_000, matured=False)
        dispute = reversal_event(event, 20_000_000)
        handlers.claw_back(dispute)
        assert mature_due(limit=10, now=MATURE) == 1
        handlers.restore(dispute)
        assert view(affiliate) == CommissionView(0, 4_000_000, 0)
        clean()

    def test_a_refund_and_a_dispute_of_the_same_money_take_no_more_than_all(self) -> None:
        affiliate, account = bound_pair()
        event = earn(affiliate, account, 20_000_000, matured=False)
        refund, dispute = reversal_event(event, 15_000_000), reversal_event(event, 20_000_000)
        handlers.claw_back(refund)
        handlers.claw_back(dispute)
        assert (view(affiliate), of(event).reversed_micros) == (CommissionView(0, 0, 0), 20_000_000)
        handlers.restore(dispute)
        assert (view(affiliate), of(event).reversed_micros) == (CommissionView(1_000_000, 0, 0), 15_000_000)
        clean()

    def test_any_order_ends_alike(self) -> None:
        """Settled, refunded in part, disputed, won: 24 orders, the first of each heard of again at the end."""
        ends = set()
        for order in itertools.permutations(range(4)):
            affiliate, account = bound_pair()
            event = deposit_event(account, 20_000_003)
            refund, dispute = reversal_event(event, 3_333_333), reversal_event(event, 10_000_000)
            heard: list[Callable[[], None]] = [
                partial(handlers.accrue, event),
                partial(handlers.claw_back, refund),
                partial(handlers.claw_back, dispute),
                partial(handlers.restore, dispute),
            ]
            for number in (*order, order[0]):
                heard[number]()
            made = of(event)
            ends.add((view(affiliate), made.amount_micros, made.reversed_micros, made.clawed_back_micros))
        # floor(20 000 003 / 5) = 4 000 000; floor((20 000 003 - 3 333 333) / 5) = 3 333 334.
        assert ends == {(CommissionView(3_333_334, 0, 0), 4_000_000, 3_333_333, 666_666)}
        clean()


@pytest.mark.django_db(transaction=True)
class TestRaces:
    def test_the_same_events_at_once_count_once(self) -> None:
        affiliate, account = bound_pair()
        event = deposit_event(account)
        refund = reversal_event(event, 5_000_000)
        calls = [partial(handlers.accrue, event), partial(handlers.claw_back, refund)] * 6
        results(race(calls))
        assert view(affiliate) == CommissionView(3_000_000, 0, 0)
        assert CommissionReversal.objects.count() == 1
        clean()

    def test_maturity_against_claw_back_and_restoration(self) -> None:
        affiliate, account = bound_pair()
        for _ in range(6):
            event = earn(affiliate, account, 20_000_000, matured=False)
            refund, dispute = reversal_event(event, 5_000_000), reversal_event(event, 10_000_000)
            results(
                race(
                    [
                        partial(mature_due, limit=10, now=MATURE),
                        partial(handlers.claw_back, refund),
                        partial(handlers.claw_back, dispute),
                        partial(handlers.restore, dispute),
                        partial(mature_due, limit=10, now=MATURE),
                    ]
                )
            )
            assert of(event).status == AVAILABLE
        assert view(affiliate) == CommissionView(0, 6 * 3_000_000, 0)
        clean()

    def test_a_code_against_the_first_deposit(self) -> None:
        """Whoever was first is seen by the accrual: commission exactly where the binding says that it was applied."""
        for _ in range(8):
            affiliate, account = new_affiliate(), new_account()
            code, event = new_code(affiliate), deposit_event(account)

            def settle(account: UUID = account, event: dict[str, Any] = event) -> None:
                with transaction.atomic():
                    close_attribution(account_id=account, now=NOW)
                    emit(topic=outbox_topics.DEPOSIT_SETTLED, payload=event)

            bound, _ = results(race([partial(bind_explicit, account_id=account, code=code, now=NOW), settle]))
            assert handle_due(limit=10, now=clock.now()) == 1
            assert view(affiliate).pending == (4_000_000 if bound.applied else 0)
            assert bound.reason in {"applied", "too_late"}
            assert Attribution.objects.get(account_id=account).affiliate_id == (affiliate.pk if bound.applied else None)
        clean()
