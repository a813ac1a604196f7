"""The front page's figures, exact on a small set, each to whoever may see them; few queries however much there is."""

import html
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from affiliates.figures import Payouts
from affiliates.models import Affiliate, PayoutRequest
from billing.services.adjustments import request_adjustment
from billing.services.capture_hold import capture_hold
from billing.services.credit_deposit import credit_deposit
from billing.services.place_hold import place_hold
from billing.services.reverse_deposit import reverse_deposit
from core import clock, ids
from gateway.desk import figures
from media.models import Attempt, Job
from payments.models import Checkout, Deposit, ProviderEvent, X402Payment
from tests.desk.staff import desk, make_staff
from tests.media.customers import Customer, new_customer

pytestmark = pytest.mark.django_db


def make_job(customer: Customer, status: str, *, task: str = "image.generate", age: timedelta = timedelta()) -> Job:
    moment = clock.now() - age
    job_id = ids.earliest(moment) if age else ids.new()
    return Job.objects.create(
        id=job_id,
        account_id=customer.id,
        task=task,
        status=status,
        effective_input={},
        params={},
        seed=1,
        price_version_id=uuid4(),
        price_micros=40_000,
        pricing_meta={},
        estimated_seconds=1,
        run_limit_seconds=60,
        created_at=moment,
    )


def capture(customer: Customer, hold: int, captured: int) -> None:
    placed = place_hold(account_id=customer.id, amount=hold, reference=f"job:{ids.new()}:hold")
    capture_hold(hold=placed, amount=captured)


def deposit(customer: Customer, provider: str, cents: int, settled_at: datetime) -> None:
    deposit_id = ids.new()
    Deposit.objects.create(
        id=deposit_id,
        account_id=customer.id,
        provider=provider,
        provider_id=str(deposit_id),
        usd_cents=cents,
        amount_micros=cents * 10_000,
        settled_at=settled_at,
    )


class TestMoney:
    def test_revenue_is_what_was_captured_not_what_was_held(self) -> None:
        customer = new_customer()
        capture(customer, 50_000, 40_000)
        capture(customer, 30_000, 30_000)
        place_hold(account_id=customer.id, amount=99_000, reference=f"job:{ids.new()}:hold")
        assert figures.money().revenue == {datetime.now(UTC).date(): 70_000}

    def test_deposits_are_counted_by_day_and_provider_within_thirty_days(self) -> None:
        customer = new_customer()
        today = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
        deposit(customer, "stripe", 500, today)
        deposit(customer, "stripe", 2000, today + timedelta(seconds=1))
        deposit(customer, "x402", 100, today)
        deposit(customer, "coinbase", 5000, today - timedelta(days=29))
        deposit(customer, "coinbase", 5000, today - timedelta(days=29, microseconds=1))
        money = figures.money()
        assert money.deposits == {
            (today.date(), "stripe"): 25_000_000,
            (today.date(), "x402"): 1_000_000,
            ((today - timedelta(days=29)).date(), "coinbase"): 50_000_000,
        }
        assert (len(money.days), money.days[0], money.days[-1]) == (
            30,
            (today - timedelta(days=29)).date(),
            today.date(),
        )

    def test_waiting_adjustments_and_debts(self) -> None:
        customer, other = new_customer(1_000_000), new_customer(2_000_000)
        staff = make_staff(superuser=True)
        for amount in (200_000_000, 300_000_000, 5):
            request_adjustment(
                request_id=ids.new(),
                account_id=other.id,
                amount=amount,
                reason="x",
                source="adjustment",
                requested_by=staff.pk,
                now=clock.now(),
            )
        credit_deposit(account_id=customer.id, amount=9_000_000, provider="stripe", reference="deposit:d:paid")
        capture(customer, 9_500_000, 9_500_000)
        reverse_deposit(account_id=customer.id, amount=9_000_000, provider="stripe", reference="deposit:d:refund:r")
        money = figures.money()
        assert money.adjustments == 2
        assert money.debts == (1, 8_500_000)


def test_jobs_of_a_day_by_task_and_state_and_how_many_failed() -> None:
    customer = new_customer()
    for status in ("completed", "completed", "completed", "failed", "canceled", "queued"):
        make_job(customer, status)
    make_job(customer, "terminated", task="video.generate")
    make_job(customer, "failed", age=timedelta(hours=25))
    running = make_job(customer, "processing", task="video.generate", age=timedelta(hours=23))
    Attempt.objects.create(
        job=running, account_id=customer.id, number=1, task=running.task, pool="video", status="running"
    )
    work = figures.work()
    assert work.jobs.by_task == {
        "image.generate": {"completed": 3, "failed": 1, "canceled": 1, "queued": 1},
        "video.generate": {"terminated": 1, "processing": 1},
    }
    assert work.jobs.failure_rate == 0.25
    assert work.queues == {"video": {"staging": 0, "ready": 0, "published": 0, "running": 1}}


def test_no_jobs_have_no_failure_rate() -> None:
    assert figures.work().jobs.failure_rate is None


def test_what_waits_for_a_review() -> None:
    for number, status in enumerate(("requested", "requested", "approved", "paid", "rejected")):
        affiliate = Affiliate.objects.create(
            account_id=new_customer(0).id, status="approved", display_name="A", contact_email="a@b.example"
        )
        PayoutRequest.objects.create(
            affiliate=affiliate, amount_micros=50_000_000 + number, payout_address="bank", status=status
        )
    Affiliate.objects.create(account_id=new_customer(0).id, display_name="B", contact_email="a@b.example")
    waiting = figures.reviews()
    assert waiting.payouts == {"requested": Payouts(2, 100_000_001), "approved": Payouts(1, 50_000_002)}
    assert waiting.applications == 1


def test_what_is_flagged() -> None:
    customer = new_customer()
    for number, status in enumerate(("flagged", "processed", "flagged")):
        ProviderEvent.objects.create(provider="stripe", event_id=str(number), type="t", payload={}, status=status)
    for status in ("review", "open"):
        Checkout.objects.create(
            account_id=customer.id, provider="stripe", package_code="starter", usd_cents=500, status=status
        )
    X402Payment.objects.create(
        account_id=customer.id,
        network="n",
        asset="a",
        payer="p",
        nonce="1",
        pay_to="t",
        atomic_units=1,
        usd_cents=100,
        valid_before=clock.now(),
        payload={},
        requirements={},
        status="review",
    )
    assert figures.payments_flagged() == (2, 1, 1)


def test_figures_are_remembered_for_less_than_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    assert figures.REMEMBERED_SECONDS < 60
    customer = new_customer()
    assert figures.money().revenue == {}
    capture(customer, 40_000, 40_000)
    assert figures.money().revenue == {}
    real = figures.time.monotonic()
    monkeypatch.setattr(figures.time, "monotonic", lambda: real + figures.REMEMBERED_SECONDS + 1)
    assert sum(figures.money().revenue.values()) == 40_000


class TestPage:
    def charts(self, text: str) -> dict[str, Any]:
        found = re.findall(r'aria-label="([^"]+); the numbers[^"]*"[^>]*data-value="([^"]+)"', text)
        return {title: json.loads(html.unescape(value)) for title, value in found}

    def test_charts_and_tables_tell_the_same(self) -> None:
        customer = new_customer()
        capture(customer, 1_230_000, 1_230_000)
        deposit(customer, "stripe", 2000, clock.now())
        make_job(customer, "completed")
        text = desk(superuser=True).get("/admin/").content.decode()
        charts = self.charts(text)
        assert charts["Revenue by day"]["datasets"][0]["data"] == [0] * 29 + [1.23]
        assert charts["Deposits by day"]["datasets"][0]["data"] == [0] * 29 + [20]
        jobs = {one["label"]: one["data"] for one in charts["Jobs by task and state"]["datasets"]}
        assert jobs["completed"] == [1]
        assert ">$1.23<" in text
        assert ">$20.00<" in text
        assert charts.keys() == {"Revenue by day", "Deposits by day", "Jobs by task and state"}  # nothing is queued

    @pytest.mark.parametrize(
        ("group", "titles"),
        [
            ("support", ["Failure rate, 24 h", "Waiting jobs"]),
            (
                "finance",
                [
                    "Revenue today",
                    "Deposits today",
                    "Adjustments waiting",
                    "Debts",
                    "Flagged payments",
                    "Payouts waiting",
                    "Affiliates to review",
                ],
            ),
            ("reviewer", ["Payouts waiting", "Affiliates to review"]),
            ("operator", ["Flagged payments", "Failure rate, 24 h", "Waiting jobs", "Dead events"]),
        ],
    )
    def test_each_group_sees_its_own_figures(self, group: str, titles: list[str]) -> None:
        text = desk(group).get("/admin/").content.decode()
        assert re.findall(r'<div class="text-sm mb-2">([^<]+)</div>', text) == titles

    def test_it_takes_as_many_queries_for_much_as_for_little(self) -> None:
        browser = desk(superuser=True)
        browser.get("/admin/")  # content types are looked up once
        assert self.queries(browser) == 18
        customer = new_customer()
        for number in range(20):
            capture(customer, 1000, 1000)
            make_job(customer, "failed", task=f"task.{number % 4}")
            deposit(customer, "stripe", 100, clock.now())
        assert self.queries(browser) == 18

    def queries(self, browser: Any) -> int:
        figures.forget()
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert browser.get("/admin/").status_code == 200
        return len(queries)

    @pytest.mark.parametrize(
        ("path", "most"),
        [("/admin/media/job/", 7), ("/admin/billing/transfer/", 7), ("/admin/accounts/user/", 9)],
    )
    def test_a_list_takes_as_many_queries_for_fifty_rows_as_for_one(self, path: str, most: int) -> None:
        browser = desk(superuser=True)
        for _ in range(12):
            customer = new_customer()
            capture(customer, 1000, 1000)
            make_job(customer, "failed")
        browser.get(path)
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(path).status_code == 200
        assert len(queries) <= most, [one["sql"][:120] for one in queries]

    @pytest.mark.parametrize(
        "path",
        [
            "media/job",
            "billing/transfer",
            "core/webhookdelivery",
            "core/outboxevent",
            "payments/deposit",
            "payments/checkout",
            "payments/providerevent",
            "affiliates/commission",
            "admin/logentry",
        ],
    )
    def test_no_long_table_is_counted_or_looked_through(self, path: str) -> None:
        browser = desk(superuser=True)
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(f"/admin/{path}/").status_code == 200
        table = path.replace("/", "_") if path != "admin/logentry" else "django_admin_log"
        about = [one["sql"] for one in queries if f'FROM "{table}"' in one["sql"]]
        assert len(about) == 1
        assert "DISTINCT" not in about[0]
        assert "LIMIT" in about[0]

    def test_no_script_style_or_picture_comes_from_elsewhere(self) -> None:
        answer = desk(superuser=True).get("/admin/")
        policy = answer["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "http" not in policy
        assert "'unsafe-inline'" not in policy.partition("script-src")[2].partition(";")[0]
        assert answer["Cache-Control"] == "no-store"
        text = answer.content.decode()
        assert not re.findall(r'(?:src|href)="(?:https?:)?//', text)
        assert not re.findall(r"<script(?![^>]*src=)", text)

    def test_sandboxes_are_named_on_every_page(self, settings: Any) -> None:
        browser = desk(superuser=True)
        settings.PAYMENTS_SANDBOX = []
        assert "Sandbox payments" not in browser.get("/admin/").content.decode()
        settings.PAYMENTS_SANDBOX = ["stripe"]
        for path in ("/admin/", "/admin/payments/deposit/"):
            assert "Sandbox payments" in browser.get(path).content.decode()
