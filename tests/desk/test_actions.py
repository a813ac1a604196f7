"""What is done at the desk: the page asks first, the service does it once, the history keeps who and why."""

import html
import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry

from accounts.models import SecurityEvent, User
from affiliates.models import Affiliate, Decision, PayoutRequest
from billing.selectors import audit, commission
from billing.services.accrue_commission import accrue_commission
from billing.services.mature_commission import mature_commission
from billing.services.reserve_payout import reserve_payout
from core import clock, ids
from core.outbox.models import DeadEvent, OutboxEvent
from core.webhooks.models import WebhookDelivery
from media.models import Job, JobEvent, Node
from payments.models import ProviderEvent
from tests.desk.staff import make_staff, signed_in
from tests.media.customers import IMAGE_MICROS, Customer, new_customer
from tests.media.standin import StandIn

pytestmark = pytest.mark.django_db
REASON = {"reason": "seen in ticket 12"}


class Operator:
    """Somebody at the desk."""

    def __init__(self, *groups: str) -> None:
        self.user = make_staff(*groups)
        self.http = signed_in(self.user)

    def asks(self, path: str) -> str:
        answer = self.http.get(f"/admin/{path}/")
        assert answer.status_code == 200
        text: str = answer.content.decode()
        return text

    def does(self, path: str, answers: dict[str, Any] | None = None) -> Any:
        """Send the form; the page that follows."""
        return self.http.post(f"/admin/{path}/", REASON if answers is None else answers, follow=True)

    def chooses(self, table: str, action: str, rows: list[Any], answers: dict[str, Any] | None = None) -> Any:
        """An action on several rows: asked, then confirmed."""
        form = {"action": action, "_selected_action": [str(row.pk) for row in rows]}
        assert 'id="chosen"' in self.http.post(f"/admin/{table}/", form).content.decode()
        form |= {"confirmed": "1", **(REASON if answers is None else answers)}
        return self.http.post(f"/admin/{table}/", form, follow=True)

    def noted(self) -> list[str]:
        return list(LogEntry.objects.filter(user=self.user).order_by("id").values_list("change_message", flat=True))


class TestAccounts:
    def test_suspended_and_let_in_again(self, customer: Customer) -> None:
        operator = Operator("operator")
        page = f"accounts/user/{customer.id}"
        assert "Nothing is deleted" in operator.asks(f"{page}/suspend")
        assert customer.get("/api/v1/balance").status_code == 200
        assert "is suspended" in operator.does(f"{page}/suspend").content.decode()
        assert customer.get("/api/v1/balance").status_code == 401
        event = SecurityEvent.objects.get(kind="account_suspended")
        assert (event.user_id, event.actor, event.reason) == (customer.id, operator.user, REASON["reason"])
        operator.does(f"{page}/reinstate")
        assert User.objects.get(pk=customer.id).is_active
        assert operator.noted() == [
            "Suspend account: seen in ticket 12",
            "Reinstate account: seen in ticket 12",
        ]

    @pytest.mark.parametrize("staff", [{"superuser": True}, {}])
    def test_staff_and_oneself_are_not_suspended_here(self, staff: dict[str, bool]) -> None:
        operator, colleague = Operator("operator"), make_staff(**staff)
        for user in (colleague, operator.user):
            answer = operator.does(f"accounts/user/{user.pk}/suspend")
            assert (answer.status_code, "Staff are suspended with" in answer.content.decode()) == (400, True)
            assert User.objects.get(pk=user.pk).is_active
        assert not SecurityEvent.objects.filter(kind="account_suspended").exists()
        assert operator.noted() == []

    def test_without_a_reason_nothing_happens(self, customer: Customer) -> None:
        operator = Operator("operator")
        assert operator.does(f"accounts/user/{customer.id}/suspend", {"reason": " "}).status_code == 400
        assert User.objects.get(pk=customer.id).is_active
        assert operator.noted() == []

    def test_all_keys_revoked(self, customer: Customer, other: Customer) -> None:
        operator = Operator("operator")
        answer = operator.does(f"accounts/user/{customer.id}/revoke_keys")
        assert "1 keys revoked" in answer.content.decode()
        assert customer.get("/api/v1/balance").status_code == 401
        assert other.get("/api/v1/balance").status_code == 200
        event = SecurityEvent.objects.get(kind="key_revoked")
        assert (event.actor, event.reason) == (operator.user, REASON["reason"])

    def test_an_unknown_account_is_a_404(self) -> None:
        assert Operator("operator").does(f"accounts/user/{ids.new()}/suspend").status_code == 404

    def test_the_page_shows_balance_and_statement_page_by_page(self, customer: Customer) -> None:
        for _ in range(26):
            customer.accepted()
        finance = Operator("finance")
        text = finance.asks(f"accounts/user/{customer.id}/change")
        assert "$8.96" in text  # 10 - 26 x 0.04
        assert "$1.04" in text
        assert text.count("Held for work") == 25
        older = text.partition('href="?before=')[2].partition("#")[0]
        answer = finance.http.get(f"/admin/accounts/user/{customer.id}/change/", {"before": older})
        text = answer.content.decode()
        assert text.count("Held for work") == 1
        assert ">Deposit" in text
        assert finance.http.get(f"/admin/accounts/user/{customer.id}/change/", {"before": "x"}).status_code == 404

    def test_its_links_lead_to_its_rows_alone(self, customer: Customer, other: Customer, job: Job) -> None:
        theirs = other.accepted()
        staff = make_staff(superuser=True)
        browser = signed_in(staff)
        text = browser.get(f"/admin/accounts/user/{customer.id}/change/").content.decode()
        links = re.findall(rf'href="(/admin/[a-z0-9/]+/\?[^"]*{customer.id}[^"]*)"', text)
        assert len(links) == 8
        for link in links:
            shown = browser.get(html.unescape(link))
            assert shown.status_code == 200, link
            content = shown.content.decode()
            assert ids.encode(ids.JOB, theirs.pk) not in content
            assert (ids.encode(ids.JOB, job.pk) in content) == ("/media/job/" in link)

    def test_support_sees_the_balance_and_no_statement(self, customer: Customer) -> None:
        text = Operator("support").asks(f"accounts/user/{customer.id}/change")
        assert "$10.00" in text
        assert 'id="statement"' not in text
        assert f"deposit:{customer.id}:paid" not in text


class TestJobs:
    def test_terminated_it_costs_nothing(self, customer: Customer, job: Job) -> None:
        operator = Operator("operator")
        assert customer.money() == (10_000_000 - IMAGE_MICROS, IMAGE_MICROS)
        assert "nothing is billed" in operator.asks(f"media/job/{job.pk}/terminate")
        operator.does(f"media/job/{job.pk}/terminate")
        job.refresh_from_db()
        assert job.status == "terminated"
        assert customer.money() == (10_000_000, 0)
        asked = JobEvent.objects.get(job=job, type="terminate_asked")
        assert asked.data == {"actor": str(operator.user.pk), "reason": REASON["reason"]}

    def test_of_several_one_that_is_over_holds_up_no_other(self, customer: Customer, job: Job) -> None:
        over = customer.accepted()
        customer.cancel(over)
        operator = Operator("operator")
        text = operator.chooses("media/job", "terminate_selected", [job, over]).content.decode()
        assert "done for 1 of 2" in text
        assert "already canceled" in text
        job.refresh_from_db()
        over.refresh_from_db()
        assert (job.status, over.status) == ("terminated", "canceled")

    def test_a_callback_is_sent_again(self, customer: Customer, job: Job) -> None:
        delivery = WebhookDelivery.objects.create(
            account_id=customer.id,
            topic="media_job_terminal",
            subject_id=job.pk,
            url="https://client.example/",
            body="{}",
            status="failed",
            tries=6,
            finished_at=clock.now(),
        )
        support = Operator("support")
        support.does(f"core/webhookdelivery/{delivery.pk}/resend_one")
        delivery.refresh_from_db()
        assert (delivery.status, delivery.tries, delivery.finished_at) == ("pending", 0, None)
        again = support.does(f"core/webhookdelivery/{delivery.pk}/resend_one")
        assert (again.status_code, "still being tried" in again.content.decode()) == (400, True)
        assert support.noted() == ["Send callbacks again: seen in ticket 12"]


class TestNodes:
    def test_drained_disabled_and_enabled(self, node: StandIn) -> None:
        operator = Operator("operator")
        row = Node.objects.filter(pk="node-1")
        operator.does("media/node/node-1/drain")
        assert row.get().drain_requested_at is not None
        assert node.heartbeat(slots=2).drain is True
        operator.does("media/node/node-1/disable")
        assert row.get().disabled_at is not None
        operator.does("media/node/node-1/enable")
        assert (row.get().disabled_at, row.get().drain_requested_at) == (None, None)
        assert node.heartbeat(slots=2).drain is False

    def test_a_disabled_one_is_not_drained(self, node: StandIn) -> None:
        operator = Operator("operator")
        operator.does("media/node/node-1/disable")
        refused = operator.does("media/node/node-1/drain")
        assert (refused.status_code, "enable it first" in refused.content.decode()) == (400, True)
        assert Node.objects.get(pk="node-1").drain_requested_at is None


class TestEvents:
    def test_dead_events_go_back_into_the_queue(self) -> None:
        dead = DeadEvent.objects.create(
            id=ids.new(),
            topic="accounts.user_created",
            handler="billing.handlers.x",
            payload={"accountId": "1"},
            tries=10,
            last_error="boom",
            created_at=clock.now(),
        )
        operator = Operator("operator")
        before = OutboxEvent.objects.count()
        operator.chooses("core/deadevent", "replay_selected", [dead])
        assert not DeadEvent.objects.exists()
        assert OutboxEvent.objects.count() == before + 1
        assert OutboxEvent.objects.get(pk=dead.pk).payload == {"accountId": "1"}

    def test_a_flagged_event_is_judged_again(self) -> None:
        event = ProviderEvent.objects.create(
            provider="stripe",
            event_id="evt_1",
            type="t",
            payload={},
            status="flagged",
            tries=3,
            finished_at=clock.now(),
        )
        operator = Operator("operator")
        operator.does(f"payments/providerevent/{event.pk}/replay", {})
        event.refresh_from_db()
        assert (event.status, event.tries, event.finished_at) == ("received", 0, None)


class TestAffiliates:
    @pytest.fixture
    def affiliate(self) -> Affiliate:
        return Affiliate.objects.create(account_id=new_customer(0).id, display_name="Blog", contact_email="a@b.example")

    @pytest.fixture
    def payout(self, affiliate: Affiliate) -> PayoutRequest:
        """Sixty dollars, earned, available, and reserved."""
        Affiliate.objects.update(status="approved")
        owner = affiliate.account_id
        accrue_commission(affiliate_id=owner, amount=60_000_000, reference="commission:1:accrued")
        mature_commission(affiliate_id=owner, amount=60_000_000, reference="commission:1:matured")
        asked = PayoutRequest.objects.create(affiliate=affiliate, amount_micros=60_000_000, payout_address="bank")
        reserve_payout(affiliate_id=owner, amount=60_000_000, reference=f"payout:{asked.pk}:reserve")
        return asked

    def figures(self, payout: PayoutRequest) -> tuple[int, int, int]:
        view = commission(affiliate_id=payout.affiliate.account_id)
        return view.pending, view.available, view.reserved

    def test_approved_in_bulk_with_a_decision_each(self, affiliate: Affiliate) -> None:
        other = Affiliate.objects.create(
            account_id=new_customer(0).id, display_name="Vlog", contact_email="c@b.example"
        )
        reviewer = Operator("reviewer")
        reviewer.chooses("affiliates/affiliate", "approve_selected", [affiliate, other], {"reason": ""})
        assert set(Affiliate.objects.values_list("status", flat=True)) == {"approved"}
        assert list(Decision.objects.values_list("action", "actor")) == [("approve", reviewer.user.pk)] * 2

    def test_suspended_with_a_reason_and_given_other_terms(self, affiliate: Affiliate) -> None:
        reviewer, finance = Operator("reviewer"), Operator("finance")
        page = f"affiliates/affiliate/{affiliate.pk}"
        refused = reviewer.does(f"{page}/suspend")
        assert refused.status_code == 400  # it is not approved
        reviewer.does(f"{page}/approve", {"reason": ""})
        reviewer.does(f"{page}/suspend")
        assert reviewer.does(f"{page}/terms", {"percent": "12.34", **REASON}).status_code == 403
        for wrong in ("12.345", "-1", "50.01", "100"):
            assert finance.does(f"{page}/terms", {"percent": wrong, **REASON}).status_code == 400
        affiliate.refresh_from_db()
        assert affiliate.basis_points == 2_000
        finance.does(f"{page}/terms", {"percent": "12.34", **REASON})
        affiliate.refresh_from_db()
        assert (affiliate.status, affiliate.basis_points) == ("suspended", 1234)
        assert list(Decision.objects.order_by("id").values_list("action", "reason")) == [
            ("approve", ""),
            ("suspend", REASON["reason"]),
            ("terms", REASON["reason"]),
        ]
        assert REASON["reason"] in reviewer.asks(f"{page}/change")

    def test_a_payout_is_approved_by_one_and_paid_by_another(self, payout: PayoutRequest) -> None:
        reviewer, finance = Operator("reviewer"), Operator("finance")
        page = f"affiliates/payoutrequest/{payout.pk}"
        assert finance.does(f"{page}/pay", {"payment_reference": "wire 7", "reason": ""}).status_code == 400
        reviewer.does(f"{page}/approve", {"reason": ""})
        assert self.figures(payout) == (0, 0, 60_000_000)
        assert finance.does(f"{page}/pay", {"payment_reference": "", "reason": ""}).status_code == 400
        finance.does(f"{page}/pay", {"payment_reference": "wire 7", "reason": ""})
        payout.refresh_from_db()
        assert (payout.status, payout.payment_reference) == ("paid", "wire 7")
        assert self.figures(payout) == (0, 0, 0)
        again = finance.does(f"{page}/pay", {"payment_reference": "wire 8", "reason": ""})
        assert again.status_code == 400
        payout.refresh_from_db()
        assert payout.payment_reference == "wire 7"
        assert list(Decision.objects.order_by("id").values_list("action", "actor")) == [
            ("approve", reviewer.user.pk),
            ("pay", finance.user.pk),
        ]
        assert audit() == []

    def test_rejected_the_money_is_available_again(self, payout: PayoutRequest) -> None:
        reviewer = Operator("reviewer")
        assert reviewer.does(f"affiliates/payoutrequest/{payout.pk}/reject", {"reason": ""}).status_code == 400
        assert self.figures(payout) == (0, 0, 60_000_000)
        reviewer.chooses("affiliates/payoutrequest", "reject_selected", [payout])
        payout.refresh_from_db()
        assert payout.status == "rejected"
        assert self.figures(payout) == (0, 60_000_000, 0)

    def test_nobody_decides_about_their_own(self) -> None:
        reviewer = Operator("reviewer")
        own = Affiliate.objects.create(account=reviewer.user, display_name="Me", contact_email="a@b.example")
        answer = reviewer.does(f"affiliates/affiliate/{own.pk}/approve", {"reason": ""})
        assert (answer.status_code, "their own" in answer.content.decode()) == (400, True)
        own.refresh_from_db()
        assert own.status == "pending"


def test_more_than_a_hundred_rows_are_refused(customer: Customer) -> None:
    WebhookDelivery.objects.bulk_create(
        WebhookDelivery(
            account_id=customer.id,
            topic="webhook_test",
            subject_id=ids.new(),
            url="https://client.example/",
            body="{}",
            status="failed",
            finished_at=clock.now(),
        )
        for _ in range(101)
    )
    support = Operator("support")
    chosen = [str(pk) for pk in WebhookDelivery.objects.values_list("pk", flat=True)]
    form = {"action": "resend_selected", "_selected_action": chosen, "confirmed": "1", **REASON}
    assert "at most 100" in support.http.post("/admin/core/webhookdelivery/", form, follow=True).content.decode()
    assert not WebhookDelivery.objects.exclude(status="failed").exists()
