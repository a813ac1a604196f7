"""Who may see and do what, table by table and action by action; and that nobody edits anything."""

import json
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import models
from django.test import Client

from accounts.models import User
from accounts.services.staff import UnknownPermission, set_staff, sync_groups, unset_staff
from accounts.services.users import create_account
from affiliates.models import Affiliate, PayoutRequest
from billing.adjustments import AdjustmentRequest
from billing.ledger.models import Transfer
from billing.services.adjustments import request_adjustment
from core import clock, ids
from core.outbox.models import DeadEvent
from core.webhooks.models import WebhookDelivery
from gateway.desk.groups import GROUPS, POWERS
from media.models import Job, Node
from payments.models import Checkout, Package, ProviderEvent, X402Payment
from tests.desk.staff import desk, make_staff, signed_in
from tests.media.customers import Customer, new_customer

pytestmark = pytest.mark.django_db

SUPPORT, FINANCE, REVIEWER, OPERATOR = "support", "finance", "reviewer", "operator"
EVERYBODY = {SUPPORT, FINANCE, REVIEWER, OPERATOR}

TABLES: dict[str, set[str]] = {
    "accounts.User": {SUPPORT, FINANCE, OPERATOR},
    "accounts.ApiKey": {SUPPORT, OPERATOR},
    "accounts.SecurityEvent": {SUPPORT, OPERATOR},
    "accounts.DeviceLink": {SUPPORT, OPERATOR},
    "accounts.EmailCode": {SUPPORT, OPERATOR},
    "admin.LogEntry": {OPERATOR},
    "affiliates.Affiliate": {FINANCE, REVIEWER},
    "affiliates.Attribution": {REVIEWER},
    "affiliates.Commission": {FINANCE, REVIEWER},
    "affiliates.Decision": {FINANCE, REVIEWER},
    "affiliates.PayoutRequest": {FINANCE, REVIEWER},
    "auth.Group": {OPERATOR},
    "billing.AdjustmentRequest": {FINANCE},
    "billing.Balance": {SUPPORT, FINANCE, OPERATOR},
    "billing.LedgerAccount": {FINANCE},
    "billing.PriceVersion": {FINANCE},
    "billing.Transfer": {FINANCE},
    "core.DeadEvent": {OPERATOR},
    "core.OutboxEvent": {OPERATOR},
    "core.WebhookDelivery": {SUPPORT, OPERATOR},
    "media.Job": {SUPPORT, OPERATOR},
    "media.Node": {OPERATOR},
    "payments.Checkout": {FINANCE},
    "payments.Deposit": {FINANCE},
    "payments.Package": {FINANCE},
    "payments.ProviderEvent": {FINANCE, OPERATOR},
    "payments.Reversal": {FINANCE},
    "payments.X402Payment": {FINANCE},
}
"""Table → the groups that see it."""

ACTIONS: dict[str, set[str]] = {
    "accounts/user/{account}/adjust": {FINANCE},
    "accounts/user/{account}/suspend": {OPERATOR},
    "accounts/user/{account}/reinstate": {OPERATOR},
    "accounts/user/{account}/revoke_keys": {OPERATOR},
    "billing/adjustmentrequest/{adjustment}/approve": {FINANCE},
    "billing/adjustmentrequest/{adjustment}/reject": {FINANCE},
    "payments/checkout/{checkout}/credit_received": {FINANCE},
    "payments/checkout/{checkout}/close": {FINANCE},
    "payments/providerevent/{event}/replay": {OPERATOR},
    "payments/providerevent/{event}/dismiss": {FINANCE},
    "payments/x402payment/{x402}/credit": {FINANCE},
    "payments/x402payment/{x402}/give_up": {FINANCE},
    "affiliates/affiliate/{affiliate}/approve": {REVIEWER},
    "affiliates/affiliate/{affiliate}/reject": {REVIEWER},
    "affiliates/affiliate/{affiliate}/suspend": {REVIEWER},
    "affiliates/affiliate/{affiliate}/reinstate": {REVIEWER},
    "affiliates/affiliate/{affiliate}/terms": {FINANCE},
    "affiliates/payoutrequest/{payout}/approve": {REVIEWER},
    "affiliates/payoutrequest/{payout}/reject": {REVIEWER},
    "affiliates/payoutrequest/{payout}/pay": {FINANCE},
    "media/job/{job}/terminate": {OPERATOR},
    "media/node/{node}/drain": {OPERATOR},
    "media/node/{node}/disable": {OPERATOR},
    "media/node/{node}/enable": {OPERATOR},
    "core/webhookdelivery/{delivery}/resend_one": {SUPPORT, OPERATOR},
}
"""A row's action → the groups that may do it."""

BULK: dict[str, set[str]] = {
    "affiliates.Affiliate:approve_selected": {REVIEWER},
    "affiliates.Affiliate:reject_selected": {REVIEWER},
    "affiliates.PayoutRequest:approve_selected": {REVIEWER},
    "affiliates.PayoutRequest:reject_selected": {REVIEWER},
    "affiliates.PayoutRequest:pay_selected": {FINANCE},
    "core.DeadEvent:replay_selected": {OPERATOR},
    "core.WebhookDelivery:resend_selected": {SUPPORT, OPERATOR},
    "media.Job:terminate_selected": {OPERATOR},
    "payments.ProviderEvent:replay_selected": {OPERATOR},
}
"""An action on chosen rows → the groups that may do it."""


@dataclass(frozen=True)
class Rows:
    """One row of every kind that something can be done to."""

    names: dict[str, Any]

    def path(self, action: str) -> str:
        return "/admin/" + action.format(**self.names) + "/"


@pytest.fixture
def rows(customer: Customer, job: Job) -> Rows:
    now = clock.now()
    asker = make_staff(superuser=True)
    adjustment = request_adjustment(
        request_id=ids.new(),
        account_id=customer.id,
        amount=500_000_000,
        reason="an outage",
        source="adjustment",
        requested_by=asker.pk,
        now=now,
    )
    affiliate = Affiliate.objects.create(account_id=new_customer().id, display_name="Blog", contact_email="a@b.example")
    payout = PayoutRequest.objects.create(affiliate=affiliate, amount_micros=60_000_000, payout_address="bank")
    event = ProviderEvent.objects.create(
        provider="stripe", event_id="evt_1", type="charge.refunded", payload={}, status="flagged"
    )
    checkout = Checkout.objects.create(
        account_id=customer.id, provider="coinbase", package_code="starter", usd_cents=500, status="review"
    )
    x402 = X402Payment.objects.create(
        account_id=customer.id,
        network="eip155:8453",
        asset="0xa",
        payer="0xb",
        nonce="0xc",
        pay_to="0xd",
        atomic_units=1_000_000,
        usd_cents=100,
        valid_before=now,
        payload={},
        requirements={},
        status="review",
    )
    delivery = WebhookDelivery.objects.create(
        account_id=customer.id,
        topic="media_job_terminal",
        subject_id=job.pk,
        url="https://client.example/",
        body="{}",
        status="failed",
        finished_at=now,
    )
    return Rows(
        {
            "account": customer.id,
            "adjustment": adjustment.pk,
            "affiliate": affiliate.pk,
            "payout": payout.pk,
            "checkout": checkout.pk,
            "event": event.pk,
            "x402": x402.pk,
            "job": job.pk,
            "node": "node-1",
            "delivery": delivery.pk,
        }
    )


def registered() -> dict[str, Any]:
    return {model._meta.label: page for model, page in admin.site._registry.items()}


def list_path(label: str) -> str:
    app, model = label.lower().split(".")
    return f"/admin/{app}/{model}/"


def test_the_tables_here_are_all_there_are() -> None:
    assert set(registered()) == set(TABLES)


def test_the_actions_here_are_all_there_are() -> None:
    detail = {
        f"{list_path(label)[7:]}{{}}/{name}" for label, page in registered().items() for name in page.actions_detail
    }
    assert {action.replace(action[action.index("{") : action.index("}") + 1], "{}") for action in ACTIONS} == detail
    assert {f"{label}:{name}" for label, page in registered().items() for name in page.actions} == set(BULK)
    for page in registered().values():
        assert not page.actions_list
        assert not page.actions_row
        assert not page.actions_submit_line


@pytest.mark.parametrize("group", sorted(EVERYBODY))
def test_each_group_sees_its_tables_and_no_other(rows: Rows, group: str) -> None:
    browser = desk(group)
    seen = {label for label in TABLES if browser.get(list_path(label)).status_code == 200}
    assert seen == {label for label, groups in TABLES.items() if group in groups}
    refused = {browser.get(list_path(label)).status_code for label in set(TABLES) - seen}
    assert refused == {403}
    front = browser.get("/admin/").content.decode()
    assert {label for label in TABLES if f'href="{list_path(label)}"' in front} == seen - {"billing.LedgerAccount"}


@pytest.mark.parametrize("group", sorted(EVERYBODY))
def test_each_group_may_do_its_actions_and_no_other(rows: Rows, group: str) -> None:
    browser = desk(group)
    before = _state()
    answers = {action: browser.get(rows.path(action)).status_code for action in ACTIONS}
    assert answers == {action: 200 if group in groups else 403 for action, groups in ACTIONS.items()}
    refused = [action for action, groups in ACTIONS.items() if group not in groups]
    assert {browser.post(rows.path(action), {"reason": "because"}).status_code for action in refused} == {403}
    assert _state() == before


@pytest.mark.parametrize("group", sorted(EVERYBODY))
def test_each_group_is_offered_its_bulk_actions_and_no_other(rows: Rows, group: str) -> None:
    browser = desk(group)
    DeadEvent.objects.create(
        id=ids.new(), topic="t", handler="h", payload={}, tries=10, last_error="", created_at=clock.now()
    )
    before = _state()
    for name, groups in BULK.items():
        label, action = name.split(":")
        model = next(model for model in admin.site._registry if model._meta.label == label)
        chosen = {"action": action, "_selected_action": str(model._default_manager.latest("pk").pk)}
        answer = browser.post(list_path(label), chosen)
        asked = 'id="chosen"' in answer.content.decode()
        assert asked == (group in groups), name
        if not asked:
            more = {"confirmed": "1", "reason": "because", "payment_reference": "wire 1"}
            browser.post(list_path(label), chosen | more)
    assert _state() == before


def _state() -> dict[str, Any]:
    """What any of the actions would change."""
    return {
        "accounts.User": list(User.objects.order_by("pk").values_list("is_active")),
        "affiliates.Affiliate": list(Affiliate.objects.values_list("status", "basis_points")),
        "affiliates.PayoutRequest": list(PayoutRequest.objects.values_list("status")),
        "billing.AdjustmentRequest": list(AdjustmentRequest.objects.values_list("status")),
        "billing.Transfer": Transfer.objects.count(),
        "core.DeadEvent": DeadEvent.objects.count(),
        "core.WebhookDelivery": list(WebhookDelivery.objects.order_by("pk").values_list("status")),
        "media.Job": list(Job.objects.order_by("pk").values_list("status")),
        "media.Node": list(Node.objects.values_list("drain_requested_at", "disabled_at")),
        "payments.Checkout": list(Checkout.objects.values_list("status")),
        "payments.ProviderEvent": list(ProviderEvent.objects.values_list("status")),
        "payments.X402Payment": list(X402Payment.objects.values_list("status")),
    }


def test_staff_without_a_group_see_an_empty_desk(rows: Rows) -> None:
    browser = signed_in(make_staff())
    answer = browser.get("/admin/")
    assert answer.status_code == 200
    assert "Nothing here is yours to see yet" in answer.content.decode()
    assert {browser.get(list_path(label)).status_code for label in TABLES} == {403}


@pytest.mark.parametrize("label", sorted(set(TABLES) - {"payments.Package"}))
def test_not_even_a_superuser_adds_changes_or_deletes(rows: Rows, label: str) -> None:
    browser = desk(superuser=True)
    model: type[models.Model] = next(model for model in admin.site._registry if model._meta.label == label)
    row = model._default_manager.first()
    assert browser.get(f"{list_path(label)}add/").status_code == 403
    assert browser.post(f"{list_path(label)}add/", {"amount": "1"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": str(row.pk) if row else "1", "post": "yes"}
    before = model._default_manager.count()
    if label != "admin.LogEntry":
        browser.post(list_path(label), chosen)
        assert model._default_manager.count() == before
    if row is not None:
        kept = model._default_manager.filter(pk=row.pk).values().get()
        assert browser.get(f"{list_path(label)}{row.pk}/change/").status_code == 200
        fields = {field.name: "1" for field in model._meta.fields}
        assert browser.post(f"{list_path(label)}{row.pk}/change/", fields).status_code == 403
        assert browser.get(f"{list_path(label)}{row.pk}/delete/").status_code == 403
        assert browser.post(f"{list_path(label)}{row.pk}/delete/", {"post": "yes"}).status_code == 403
        assert model._default_manager.filter(pk=row.pk).values().get() == kept


class TestPackages:
    FORM: ClassVar = {"code": "mega", "name": "Mega", "usd_cents": "100000", "position": "9"}

    def test_finance_adds_and_edits_one_but_not_its_code(self) -> None:
        browser = desk(FINANCE)
        assert browser.post("/admin/payments/package/add/", self.FORM).status_code == 302
        package = Package.objects.get(pk="mega")
        assert package.usd_cents == 100_000
        change = {"code": "other", "name": "Mega!", "usd_cents": "90000", "position": "1"}
        assert browser.post("/admin/payments/package/mega/change/", change).status_code == 302
        package.refresh_from_db()
        assert (package.pk, package.name, package.usd_cents, package.retired_at) == ("mega", "Mega!", 90_000, None)
        assert not Package.objects.filter(pk="other").exists()

    def test_nobody_deletes_one(self) -> None:
        Package.objects.get_or_create(code="mega", defaults={"name": "Mega", "usd_cents": 100_000})
        for browser in (desk(FINANCE), desk(superuser=True)):
            assert browser.post("/admin/payments/package/mega/delete/", {"post": "yes"}).status_code == 403
        assert Package.objects.filter(pk="mega").exists()

    @pytest.mark.parametrize("group", sorted(EVERYBODY - {FINANCE}))
    def test_no_other_group_does(self, group: str) -> None:
        assert desk(group).post("/admin/payments/package/add/", self.FORM).status_code == 403
        assert not Package.objects.filter(pk="mega").exists()

    def test_one_too_cheap_is_refused_on_the_form(self) -> None:
        answer = desk(FINANCE).post("/admin/payments/package/add/", self.FORM | {"usd_cents": "49"})
        assert answer.status_code == 200
        assert not Package.objects.filter(pk="mega").exists()


class TestGroups:
    def test_syncing_makes_exactly_what_is_written_however_often(self) -> None:
        call_command("sync_groups")
        group = Group.objects.get(name=SUPPORT)
        group.permissions.add(Permission.objects.get(codename="view_transfer"))
        group.permissions.remove(Permission.objects.get(codename="view_job"))
        call_command("sync_groups")
        call_command("sync_groups")
        for name, labels in GROUPS.items():
            has = Group.objects.get(name=name).permissions.values_list("content_type__app_label", "codename")
            assert {f"{app}.{codename}" for app, codename in has} == labels
        assert Permission.objects.filter(codename__in=[power.codename for power in POWERS]).count() == len(POWERS)

    def test_a_mistyped_permission_changes_nothing(self) -> None:
        with pytest.raises(UnknownPermission, match=r"media\.view_jobs"):
            sync_groups(groups={SUPPORT: {"media.view_job"}, "new": {"media.view_jobs"}}, powers=POWERS)
        assert not Group.objects.filter(name__in=(SUPPORT, "new")).exists()

    def test_a_new_installation_has_them(self, capsys: pytest.CaptureFixture[str]) -> None:
        call_command("bootstrap")
        assert json.loads(capsys.readouterr().out)["email"] == "developer@localhost.localdomain"
        assert set(Group.objects.values_list("name", flat=True)) == EVERYBODY

    def test_every_power_is_used_by_a_group(self) -> None:
        assert {power.label for power in POWERS} <= set().union(*GROUPS.values())


class TestSettingStaff:
    def test_the_command_lets_somebody_in_and_out(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        call_command("sync_groups")
        monkeypatch.setenv("STAFF_PASSWORD", "correct horse battery")
        call_command("set_staff", "New@staff.example", "--group", FINANCE, "--group", SUPPORT, "--password")
        user = User.objects.get(email="new@staff.example")
        assert (user.is_staff, user.is_superuser) == (True, False)
        assert set(user.groups.values_list("name", flat=True)) == {FINANCE, SUPPORT}
        assert user.check_password("correct horse battery")
        browser = signed_in(user)
        assert browser.get("/admin/").status_code == 200
        call_command("set_staff", "new@staff.example", "--remove")
        assert "staff no longer" in capsys.readouterr().out
        assert browser.get("/admin/").status_code == 302
        user.refresh_from_db()
        assert (user.is_staff, user.groups.count()) == (False, 0)

    def test_it_refuses_an_unknown_group_and_staff_without_a_password(self) -> None:
        sync_groups(groups=GROUPS, powers=POWERS)
        with pytest.raises(CommandError, match="no such group: finances"):
            call_command("set_staff", "a@staff.example", "--group", "finances")
        with pytest.raises(ValueError, match="password"):
            set_staff(email="a@staff.example", groups=[FINANCE], superuser=False, password=None)
        assert not User.objects.filter(email="a@staff.example").exists()
        assert unset_staff(email="a@staff.example") is False

    def test_a_weak_password_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("STAFF_PASSWORD", "short")
        with pytest.raises(CommandError, match="too short"):
            call_command("set_staff", "a@staff.example", "--password")
        assert not User.objects.filter(email="a@staff.example").exists()


def test_a_customer_is_led_to_the_sign_in(customer: Customer) -> None:
    browser = Client()
    browser.force_login(User.objects.get(pk=customer.id), backend="accounts.backends.ProvenAddress")
    for label in TABLES:
        answer = browser.get(list_path(label))
        assert (answer.status_code, answer["Location"].startswith("/admin/login/")) == (302, True)


def test_ids_people_see_find_their_rows(customer: Customer, job: Job) -> None:
    browser = desk(superuser=True)
    other = create_account(email="somebody-else@example.com")
    public = ids.encode(ids.JOB, job.pk)
    assert public in browser.get("/admin/media/job/", {"q": public}).content.decode()
    assert public not in browser.get("/admin/media/job/", {"q": ids.encode(ids.JOB, ids.new())}).content.decode()
    found = browser.get("/admin/accounts/user/", {"q": customer.public_id}).content.decode()
    assert f"/{customer.id}/change/" in found
    assert f"/{other.pk}/change/" not in found
    assert isinstance(other.pk, UUID)
