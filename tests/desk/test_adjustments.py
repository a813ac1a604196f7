"""Adjustments by hand: small ones at once, large ones by a second person, each once, and never half."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from billing.adjustments import AdjustmentRequest
from billing.ledger.models import Transfer
from billing.selectors import audit, balance, house_totals
from billing.services.adjustments import (
    AlreadyDecided,
    InsufficientBalance,
    NeedsSecondPerson,
    OwnAccount,
    approve_adjustment,
    reject_adjustment,
    request_adjustment,
)
from core import clock, ids
from core.errors import InvalidState, NotFound
from tests.billing.racing import race
from tests.desk.staff import desk, make_staff, signed_in
from tests.media.customers import new_customer

pytestmark = pytest.mark.django_db
THRESHOLD = 100_000_000


def ask(account_id: UUID, amount: int, by: UUID, **more: Any) -> AdjustmentRequest:
    given: dict[str, Any] = {
        "request_id": ids.new(),
        "account_id": account_id,
        "amount": amount,
        "reason": "an outage",
        "source": "adjustment",
        "requested_by": by,
        "now": clock.now(),
    }
    return request_adjustment(**(given | more))


def approve(request: AdjustmentRequest, by: UUID) -> AdjustmentRequest:
    return approve_adjustment(request_id=request.pk, decided_by=by, note="seen", now=clock.now())


def available(account_id: UUID) -> int:
    return balance(account_id=account_id).available


def lines(request: AdjustmentRequest) -> list[tuple[str, int, str, UUID | None]]:
    found = Transfer.objects.filter(reference=f"adjustment:{request.pk}").order_by("leg")
    return list(found.values_list("kind", "amount", "reason", "actor_id"))


@pytest.fixture
def account() -> UUID:
    return new_customer(10_000_000).id


@pytest.fixture
def first() -> UUID:
    return make_staff("finance").pk


@pytest.fixture
def second() -> UUID:
    return make_staff("finance").pk


class TestSmall:
    @pytest.mark.parametrize("amount", [1, THRESHOLD - 1, -10_000_000])
    def test_below_the_threshold_it_is_posted_at_once(self, account: UUID, first: UUID, amount: int) -> None:
        made = ask(account, amount, first)
        assert (made.status, made.decided_by_id, made.counted_micros) == ("posted", first, abs(amount))
        assert available(account) == 10_000_000 + amount
        assert lines(made) == [("adjustment", abs(amount), "an outage", first)]
        assert house_totals()["adjustment"] == -amount
        assert audit() == []

    def test_a_promotion_is_booked_as_one(self, account: UUID, first: UUID) -> None:
        ask(account, 5_000_000, first, source="promotion")
        assert house_totals()["promotion"] == -5_000_000
        assert "adjustment" not in house_totals()

    def test_more_than_there_is_is_refused_and_leaves_nothing(self, account: UUID, first: UUID) -> None:
        with pytest.raises(InsufficientBalance):
            ask(account, -10_000_001, first)
        assert available(account) == 10_000_000
        assert not AdjustmentRequest.objects.exists()
        assert not Transfer.objects.filter(kind="adjustment").exists()

    def test_the_same_request_twice_is_one(self, account: UUID, first: UUID) -> None:
        request_id = ids.new()
        made = ask(account, 1_000_000, first, request_id=request_id)
        assert ask(account, 1_000_000, first, request_id=request_id) == made
        assert available(account) == 11_000_000
        with pytest.raises(InvalidState):
            ask(account, 2_000_000, first, request_id=request_id)
        assert available(account) == 11_000_000

    @pytest.mark.parametrize("amount", [0, 1.5, True])
    def test_what_is_no_amount_is_refused(self, account: UUID, first: UUID, amount: Any) -> None:
        with pytest.raises((TypeError, ValueError)):
            ask(account, amount, first)
        assert not AdjustmentRequest.objects.exists()

    def test_a_reason_is_needed(self, account: UUID, first: UUID) -> None:
        with pytest.raises(ValueError, match="says why"):
            ask(account, 1, first, reason="  ")
        assert not AdjustmentRequest.objects.exists()


class TestLarge:
    def test_at_the_threshold_it_waits(self, account: UUID, first: UUID) -> None:
        made = ask(account, THRESHOLD, first)
        assert (made.status, made.decided_by_id, made.needs_second_person) == ("requested", None, True)
        assert lines(made) == []
        assert available(account) == 10_000_000

    def test_a_second_person_posts_it_under_the_firsts_name(self, account: UUID, first: UUID, second: UUID) -> None:
        made = approve(ask(account, THRESHOLD, first), second)
        assert (made.status, made.decided_by_id, made.decision_note) == ("posted", second, "seen")
        assert lines(made) == [("adjustment", THRESHOLD, "an outage", first)]
        assert available(account) == 110_000_000
        assert audit() == []

    def test_its_requester_does_not(self, account: UUID, first: UUID) -> None:
        made = ask(account, THRESHOLD, first)
        with pytest.raises(NeedsSecondPerson):
            approve(made, first)
        made.refresh_from_db()
        assert made.status == "requested"
        assert available(account) == 10_000_000

    def test_the_database_refuses_it_too(self, account: UUID, first: UUID) -> None:
        made = ask(account, THRESHOLD, first)
        row = AdjustmentRequest.objects.filter(pk=made.pk)
        with pytest.raises(IntegrityError, match="two_people"), transaction.atomic():
            row.update(status="posted", decided_by=first, decided_at=clock.now())

    def test_rejected_it_moves_nothing_and_stays_rejected(self, account: UUID, first: UUID, second: UUID) -> None:
        made = ask(account, THRESHOLD, first)
        reject_adjustment(request_id=made.pk, decided_by=second, note="no", now=clock.now())
        with pytest.raises(AlreadyDecided):
            approve(made, second)
        assert lines(made) == []
        assert available(account) == 10_000_000

    def test_taking_more_than_there_is_goes_on_waiting(self, account: UUID, first: UUID, second: UUID) -> None:
        made = ask(account, -THRESHOLD, first)
        with pytest.raises(InsufficientBalance):
            approve(made, second)
        made.refresh_from_db()
        assert (made.status, made.decided_by_id) == ("requested", None)
        ask(account, 95_000_000, second)
        assert approve(made, second).status == "posted"
        assert available(account) == 5_000_000
        assert audit() == []

    def test_what_is_unknown_is_not_found(self, first: UUID) -> None:
        with pytest.raises(NotFound):
            approve_adjustment(request_id=ids.new(), decided_by=first, note="", now=clock.now())


class TestOwnAccount:
    def test_nobody_asks_for_their_own(self, first: UUID) -> None:
        for amount in (1, -1, THRESHOLD):
            with pytest.raises(OwnAccount):
                ask(first, amount, first)
        assert not AdjustmentRequest.objects.exists()

    def test_nobody_decides_about_their_own(self, first: UUID, second: UUID) -> None:
        made = ask(second, THRESHOLD, first)
        with pytest.raises(OwnAccount):
            approve(made, second)
        with pytest.raises(OwnAccount):
            reject_adjustment(request_id=made.pk, decided_by=second, note="mine", now=clock.now())
        made.refresh_from_db()
        assert (made.status, lines(made)) == ("requested", [])
        assert approve(made, make_staff("finance").pk).status == "posted"
        assert available(second) == THRESHOLD


class TestSplitting:
    def test_steps_that_add_up_to_the_threshold_wait(self, account: UUID, first: UUID) -> None:
        assert ask(account, 60_000_000, first).status == "posted"
        made = ask(account, 40_000_000, first)
        assert (made.status, made.counted_micros) == ("requested", THRESHOLD)
        assert available(account) == 70_000_000

    def test_giving_and_taking_add_up(self, account: UUID, first: UUID) -> None:
        ask(account, 60_000_000, first)
        assert ask(account, -40_000_000, first).status == "requested"
        assert ask(account, -39_999_999, first).status == "posted"

    def test_steps_over_many_accounts_add_up(self, account: UUID, first: UUID) -> None:
        other = new_customer(0).id
        assert ask(account, 60_000_000, first).status == "posted"
        made = ask(other, 40_000_000, first)
        assert (made.status, made.counted_micros) == ("requested", THRESHOLD)
        assert ask(other, 39_999_999, first).status == "posted"
        assert (available(account), available(other)) == (70_000_000, 39_999_999)

    def test_other_persons_and_days_do_not_count(self, account: UUID, first: UUID, second: UUID) -> None:
        ask(account, 99_000_000, first, now=clock.now() - timedelta(hours=24))
        assert ask(account, 99_000_000, first).status == "posted"
        assert ask(account, 99_000_000, second).status == "posted"

    def test_what_a_second_person_saw_does_not_count(self, account: UUID, first: UUID, second: UUID) -> None:
        approve(ask(account, THRESHOLD, first), second)
        assert ask(account, 99_000_000, first).status == "posted"

    def test_the_setting_is_the_threshold(self, account: UUID, first: UUID, settings: Any) -> None:
        settings.ADJUSTMENT_APPROVAL_MICROS = 1_000_000
        assert ask(account, 999_999, first).status == "posted"
        assert ask(account, 1, first).status == "requested"


class TestForGood:
    @pytest.mark.parametrize(
        "change",
        ["amount_micros = 1", "reason = 'x'", "requested_by_id = account_id", "threshold_micros = 999999999999"],
    )
    def test_what_was_asked_for_never_changes(self, account: UUID, first: UUID, change: str) -> None:
        made = ask(account, THRESHOLD, first)
        with pytest.raises(DatabaseError, match="refused"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE billing_adjustmentrequest SET {change} WHERE id = %s", [made.pk])

    def test_a_decision_is_final_and_no_row_goes(self, account: UUID, first: UUID) -> None:
        made = ask(account, 1, first)
        row = AdjustmentRequest.objects.filter(pk=made.pk)
        with pytest.raises(DatabaseError, match="refused"), transaction.atomic():
            row.update(status="rejected")
        with pytest.raises(DatabaseError, match="refused"), transaction.atomic():
            row.delete()


@pytest.mark.django_db(transaction=True)
class TestRaces:
    def test_of_many_approvals_one_posts(self, account: UUID, first: UUID) -> None:
        made = ask(account, THRESHOLD, first)
        people = [make_staff("finance").pk for _ in range(6)]
        outcomes = race([lambda by=by: approve(made, by) for by in people])
        assert sum(error is None for _, error in outcomes) == 1
        assert {type(error) for _, error in outcomes} == {type(None), AlreadyDecided}
        assert available(account) == 110_000_000
        assert len(lines(made)) == 1

    def test_an_approval_and_a_rejection_agree(self, account: UUID, first: UUID, second: UUID) -> None:
        made = ask(account, THRESHOLD, first)
        outcomes = race(
            [
                lambda: approve(made, second),
                lambda: reject_adjustment(request_id=made.pk, decided_by=second, note="no", now=clock.now()),
            ]
        )
        assert sum(error is None for _, error in outcomes) == 1
        made.refresh_from_db()
        assert available(account) == {"posted": 110_000_000, "rejected": 10_000_000}[made.status]

    def test_small_steps_at_once_do_not_pass_the_threshold_together(self, account: UUID, first: UUID) -> None:
        outcomes = race([lambda: ask(account, 30_000_000, first) for _ in range(8)])
        statuses = sorted(made.status for made, _ in outcomes)
        assert statuses == ["posted"] * 3 + ["requested"] * 5
        assert available(account) == 100_000_000

    def test_small_steps_at_once_to_many_accounts_do_not_either(self, first: UUID) -> None:
        accounts = [new_customer(0).id for _ in range(5)]
        outcomes = race([lambda to=to: ask(to, 30_000_000, first) for to in accounts])
        assert sorted(made.status for made, _ in outcomes) == ["posted"] * 3 + ["requested"] * 2
        assert sum(available(to) for to in accounts) == 90_000_000

    def test_a_double_click_posts_once(self, account: UUID, first: UUID) -> None:
        request_id = ids.new()
        outcomes = race([lambda: ask(account, 1_000_000, first, request_id=request_id) for _ in range(5)])
        assert [error for _, error in outcomes] == [None] * 5
        assert available(account) == 11_000_000


class TestPages:
    def form(self, amount: str, **more: str) -> dict[str, str]:
        return {"amount": amount, "source": "promotion", "reason": "goodwill", **more}

    def path(self, account: UUID) -> str:
        return f"/admin/accounts/user/{account}/adjust/"

    def confirmed(self, browser: Any, account: UUID, amount: str) -> Any:
        text = browser.post(self.path(account), self.form(amount)).content.decode()
        request_id = text.partition('name="request_id" value="')[2].partition('"')[0]
        return browser.post(self.path(account), self.form(amount, confirmed="1", request_id=request_id))

    def test_the_first_step_posts_nothing_and_says_what_will_happen(self, account: UUID) -> None:
        browser = desk("finance")
        text = browser.post(self.path(account), self.form("12.345678")).content.decode()
        assert "$12.345678" in text
        assert "posted at once" in text
        assert not AdjustmentRequest.objects.exists()
        text = browser.post(self.path(account), self.form("100")).content.decode()
        assert "a second person decides" in text
        assert available(account) == 10_000_000

    def test_confirmed_it_is_posted_to_the_micro(self, account: UUID) -> None:
        browser = desk("finance")
        answer = self.confirmed(browser, account, "-0.000001")
        made = AdjustmentRequest.objects.get()
        assert answer["Location"] == f"/admin/billing/adjustmentrequest/{made.pk}/change/"
        assert (made.amount_micros, made.source, made.reason, made.status) == (-1, "promotion", "goodwill", "posted")
        assert available(account) == 9_999_999

    @pytest.mark.parametrize("amount", ["0", "1.2345678", "ten", "", "NaN", "1e30", "Infinity"])
    def test_what_is_no_amount_is_shown_as_an_error(self, account: UUID, amount: str) -> None:
        assert desk("finance").post(self.path(account), self.form(amount)).status_code == 400
        assert not AdjustmentRequest.objects.exists()

    def test_too_little_balance_is_shown(self, account: UUID) -> None:
        answer = self.confirmed(desk("finance"), account, "-10.000001")
        assert answer.status_code == 400
        assert "available balance is too low" in answer.content.decode()
        assert not AdjustmentRequest.objects.exists()

    def test_a_confirmation_without_its_id_posts_nothing(self, account: UUID) -> None:
        answer = desk("finance").post(self.path(account), self.form("5", confirmed="1", request_id="x"))
        assert answer.status_code == 400
        assert not AdjustmentRequest.objects.exists()

    def test_a_colleague_approves_on_the_requests_page(self, account: UUID) -> None:
        asker = make_staff("finance")
        self.confirmed(signed_in(asker), account, "250")
        made = AdjustmentRequest.objects.get()
        page = f"/admin/billing/adjustmentrequest/{made.pk}/"
        own = signed_in(asker).post(f"{page}approve/", {"note": ""})
        assert (own.status_code, "other than its requester" in own.content.decode()) == (400, True)
        assert available(account) == 10_000_000
        colleague = desk("finance")
        assert colleague.get(f"{page}approve/").status_code == 200
        assert available(account) == 10_000_000
        assert colleague.post(f"{page}approve/", {"note": "checked"}).status_code == 302
        assert available(account) == 260_000_000
        again = colleague.post(f"{page}approve/", {"note": "checked"})
        assert (again.status_code, "decided before" in again.content.decode()) == (400, True)
        assert available(account) == 260_000_000
        history = colleague.get(f"{page}history/").content.decode()
        assert "Approve adjustment: checked" in history

    def test_a_colleague_rejects_with_a_reason(self, account: UUID) -> None:
        self.confirmed(desk("finance"), account, "250")
        made = AdjustmentRequest.objects.get()
        page = f"/admin/billing/adjustmentrequest/{made.pk}/reject/"
        colleague = desk("finance")
        assert colleague.post(page, {"reason": ""}).status_code == 400
        assert colleague.post(page, {"reason": "not agreed"}).status_code == 302
        made.refresh_from_db()
        assert (made.status, made.decision_note) == ("rejected", "not agreed")
        assert available(account) == 10_000_000
