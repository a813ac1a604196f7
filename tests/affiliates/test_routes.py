"""/api/v1/affiliates/me over HTTP: the application, the profile, the code, the figures, the lists, payouts, binding."""

from datetime import UTC, timedelta
from functools import partial
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from accounts.services.keys import mint_key
from affiliates import handlers, selectors
from affiliates.models import Affiliate, AffiliateCode, Attribution, CodeDay, Commission, PayoutRequest
from affiliates.services import codes
from affiliates.services.attribution import bind_explicit, close_attribution
from affiliates.services.commissions import mature_due
from affiliates.services.decisions import decide_affiliate, decide_payout
from billing.selectors import CommissionView, commission
from core import clock, ids
from tests.accounts.credentials import browser_of
from tests.affiliates.partners import DAY, NOW, deposit_event, new_affiliate, new_code, reversal_event
from tests.billing.conftest import new_account
from tests.billing.racing import race, results
from tests.media.customers import Customer, error, new_customer

pytestmark = pytest.mark.django_db
BASE = "/api/v1/affiliates"
ME = f"{BASE}/me"
APPLY, CODE, DASHBOARD, BIND = f"{ME}/apply", f"{ME}/code", f"{ME}/dashboard", f"{ME}/bind-code"
COMMISSIONS, PAYOUTS, REQUESTS = f"{ME}/commissions", f"{ME}/payouts", f"{ME}/payout-requests"
CANCEL = f"{REQUESTS}/cancel"
APPLICATION = {
    "displayName": "Jane's Tutorials",
    "contactEmail": "Jane@Company.Example",
    "countryCode": "nz",
    "payoutAddress": "0x52908400098527886E0F7030069857D2E4169EE7",
    "termsVersion": "2026-11",
}
NOBODY: dict[str, Any] = {
    "ok": True,
    "status": "none",
    **dict.fromkeys(
        [
            "id",
            "displayName",
            "contactEmail",
            "countryCode",
            "payoutAddress",
            "termsVersion",
            "commissionBasisPoints",
            "code",
            "appliedAt",
            "updatedAt",
        ]
    ),
}


def fields(answer: Any) -> dict[str, str]:
    found: dict[str, str] = error(answer, 400, "invalid_request")["details"]["fields"]
    return found


def patch(customer: Customer, body: Any) -> Any:
    headers = {"Authorization": f"Bearer {customer.key}"}
    return customer.http.patch(ME, body, content_type="application/json", headers=headers)


def approved(customer: Customer, **more: Any) -> Affiliate:
    """The customer as an affiliate of old, with a code."""
    affiliate = new_affiliate(customer.id, **more)
    new_code(affiliate, "MY-CODE")
    return affiliate


def brings(affiliate: Affiliate, micros: int, *, age: timedelta = timedelta(0), matured: bool = True) -> dict[str, Any]:
    """A new account bound to the affiliate's code, and its deposit, so long ago."""
    account, settled_at = new_account(), clock.now() - age
    code = AffiliateCode.objects.get(affiliate=affiliate).code
    assert bind_explicit(account_id=account, code=code, now=settled_at).applied
    event = deposit_event(account, micros, settled_at=settled_at)
    handlers.accrue(event)
    if matured:
        mature_due(limit=100, now=settled_at + 30 * DAY)
    return event


class TestWhoMayCall:
    ROUTES = (
        ("get", ME),
        ("patch", ME),
        ("post", APPLY),
        ("get", CODE),
        ("get", DASHBOARD),
        ("get", COMMISSIONS),
        ("get", PAYOUTS),
        ("get", REQUESTS),
        ("post", REQUESTS),
        ("post", CANCEL),
        ("post", BIND),
    )

    @pytest.mark.parametrize(("method", "path"), ROUTES)
    def test_nobody_without_a_credential_or_the_scope(self, customer: Customer, method: str, path: str) -> None:
        call = partial(getattr(Client(), method), path, content_type="application/json")
        error(call(), 401, "unauthenticated")
        user = get_user_model().objects.get(pk=customer.id)
        narrow = mint_key(user=user, label="n", now=NOW, scopes=["billing:write", "billing:read", "keys"])
        error(call(headers={"Authorization": f"Bearer {narrow.plain}"}), 403, "missing_scope")
        assert not Affiliate.objects.exists()

    def test_a_browsers_session_may(self, customer: Customer) -> None:
        assert browser_of(customer).get(ME).json() == NOBODY


class TestApplication:
    def test_before_it_there_is_nothing(self, customer: Customer) -> None:
        assert customer.get(ME).json() == NOBODY
        body = error(customer.get(CODE), 403, "affiliate_not_approved")
        assert body["details"] == {"status": "none"}
        error(patch(customer, {"displayName": "Jane"}), 404, "not_found")
        assert customer.get(COMMISSIONS).json() == {"ok": True, "commissions": []}
        assert customer.get(PAYOUTS).json() == {"ok": True, "payouts": []}
        assert customer.get(REQUESTS).json() == {
            "ok": True,
            "payoutRequests": [],
            "eligibility": {
                "eligible": False,
                "reasons": ["not_approved", "no_payout_address", "below_minimum"],
                "minimumUsdMicros": 50_000_000,
                "availableUsdMicros": 0,
            },
        }
        figures = customer.get(DASHBOARD).json()
        assert (figures["status"], figures["code"], figures["conversion"]) == ("none", None, None)
        assert len(figures["days"]) == 30
        assert not Affiliate.objects.exists()

    def test_is_pending_until_it_is_decided(self, customer: Customer, other: Customer) -> None:
        answer = customer.post(APPLY, APPLICATION)
        assert answer.status_code == 201
        affiliate = Affiliate.objects.get()
        profile = answer.json()
        assert profile == {
            "ok": True,
            "status": "pending",
            "id": ids.encode(ids.AFFILIATE, affiliate.pk),
            "displayName": "Jane's Tutorials",
            "contactEmail": "jane@company.example",
            "countryCode": "NZ",
            "payoutAddress": "0x52908400098527886E0F7030069857D2E4169EE7",
            "termsVersion": "2026-11",
            "commissionBasisPoints": 2_000,
            "code": None,
            "appliedAt": clock.rfc3339(affiliate.applied_at),
            "updatedAt": clock.rfc3339(affiliate.applied_at),
        }
        assert customer.get(ME).json() == profile
        assert other.get(ME).json() == NOBODY
        assert error(customer.get(CODE), 403, "affiliate_not_approved")["details"] == {"status": "pending"}
        again = error(customer.post(APPLY, APPLICATION | {"displayName": "Another"}), 409, "invalid_state")
        assert again["details"] == {"status": "pending"}
        assert customer.get(ME).json() == profile

    def test_the_least_that_is_needed(self, customer: Customer) -> None:
        profile = customer.post(APPLY, {"displayName": "JD", "contactEmail": "j@d.example"}).json()
        assert {profile[name] for name in ("countryCode", "payoutAddress", "termsVersion")} == {None}

    def test_a_rejected_account_may_apply_again_and_no_other(self, customer: Customer, other: Customer) -> None:
        customer.post(APPLY, APPLICATION)
        affiliate = Affiliate.objects.get()
        decide = partial(decide_affiliate, affiliate_id=affiliate.pk, actor_id=other.id, reason="why", now=clock.now())
        decide(action="reject")
        again = customer.post(APPLY, {"displayName": "Second try", "contactEmail": "j@d.example"})
        assert (again.status_code, again.json()["status"]) == (201, "pending")
        assert (again.json()["displayName"], again.json()["payoutAddress"]) == ("Second try", None)
        for action, status in (("approve", "approved"), ("suspend", "suspended")):
            decide(action=action)
            assert error(customer.post(APPLY, APPLICATION), 409, "invalid_state")["details"] == {"status": status}
        assert Affiliate.objects.get().display_name == "Second try"

    @pytest.mark.parametrize(
        ("wrong", "field"),
        [
            ({"displayName": "J"}, "displayName"),
            ({"displayName": "x" * 121}, "displayName"),
            ({"displayName": "   "}, "displayName"),
            ({"displayName": "Jane\0"}, "displayName"),
            ({"displayName": "Jane\n<b>"}, "displayName"),
            ({"displayName": 12}, "displayName"),
            ({"contactEmail": "jane"}, "contactEmail"),
            ({"contactEmail": None}, "contactEmail"),
            ({"countryCode": "N"}, "countryCode"),
            ({"countryCode": "NZL"}, "countryCode"),
            ({"countryCode": "6x"}, "countryCode"),
            ({"countryCode": None}, "countryCode"),
            ({"payoutAddress": "0x"}, "payoutAddress"),
            ({"payoutAddress": "x" * 321}, "payoutAddress"),
            ({"payoutAddress": ""}, "payoutAddress"),
            ({"termsVersion": ""}, "termsVersion"),
            ({"termsVersion": "x" * 65}, "termsVersion"),
            ({"commissionBasisPoints": 9_000}, "commissionBasisPoints"),
            ({"status": "approved"}, "status"),
        ],
    )
    def test_what_is_wrong_is_named(self, customer: Customer, wrong: dict[str, Any], field: str) -> None:
        assert fields(customer.post(APPLY, APPLICATION | wrong)).keys() == {field}
        assert not Affiliate.objects.exists()
        new_affiliate(customer.id, display_name="As before")
        assert fields(patch(customer, wrong)).keys() == {field}
        assert Affiliate.objects.get().display_name == "As before"

    def test_what_is_required(self, customer: Customer) -> None:
        assert fields(customer.post(APPLY, {})).keys() == {"displayName", "contactEmail"}


class TestProfile:
    def test_a_patch_changes_what_it_names(self, customer: Customer) -> None:
        affiliate = approved(customer, country_code="NZ")
        before = customer.get(ME).json()
        assert patch(customer, {}).json() == before
        changed = patch(customer, {"payoutAddress": " 0xnew ", "countryCode": "fr"}).json()
        affiliate.refresh_from_db()
        assert affiliate.updated_at > affiliate.applied_at
        assert changed == before | {
            "payoutAddress": "0xnew",
            "countryCode": "FR",
            "updatedAt": clock.rfc3339(affiliate.updated_at),
        }

    def test_a_patch_of_terms_or_status_is_refused(self, customer: Customer) -> None:
        approved(customer)
        for name, value in (("termsVersion", "2"), ("status", "approved"), ("code", "MINE"), ("id", "aff_1")):
            assert fields(patch(customer, {name: value})).keys() == {name}


class TestCode:
    def test_is_made_once(self, customer: Customer) -> None:
        new_affiliate(customer.id)
        answer = customer.get(CODE)
        code = AffiliateCode.objects.get()
        assert answer.json() == {
            "ok": True,
            "code": code.code,
            "url": f"http://127.0.0.1:8000/api/v1/affiliates/r?code={code.code}",
            "createdAt": clock.rfc3339(code.created_at),
        }
        assert len(code.code) == 8
        assert set(code.code) <= set("23456789ABCDEFGHJKMNPQRSTVWXYZ")
        assert customer.get(CODE).json() == answer.json()
        assert customer.get(ME).json()["code"] == code.code
        assert AffiliateCode.objects.count() == 1

    def test_another_one_is_drawn_when_it_is_taken(self, customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
        approved(new_customer())
        new_affiliate(customer.id)
        drawn = iter(["MY-CODE", "FREE"])
        monkeypatch.setattr(codes, "random_code", lambda: next(drawn))
        assert customer.get(CODE).json()["code"] == "FREE"

    def test_a_retired_code_is_replaced(self, customer: Customer) -> None:
        approved(customer)
        AffiliateCode.objects.update(retired_at=NOW)
        assert customer.get(CODE).json()["code"] != "MY-CODE"
        assert AffiliateCode.objects.count() == 2

    @pytest.mark.parametrize("status", ["pending", "rejected", "suspended"])
    def test_only_for_the_approved(self, customer: Customer, status: str) -> None:
        new_affiliate(customer.id, status=status)
        assert error(customer.get(CODE), 403, "affiliate_not_approved")["details"] == {"status": status}
        assert not AffiliateCode.objects.exists()


class TestDashboard:
    def test_tells_what_happened_and_nothing_about_whom(self, customer: Customer, other: Customer) -> None:
        affiliate = approved(customer)
        today = clock.now().astimezone(UTC).date()
        code = AffiliateCode.objects.get()
        for days, clicks in ((0, 3), (2, 5), (40, 1)):
            CodeDay.objects.create(code=code, day=today - days * DAY, clicks=clicks, captures=1)
        brings(affiliate, 300_000_000, age=2 * DAY)
        event = brings(affiliate, 20_000_000, matured=False)
        handlers.claw_back(reversal_event(event, 5_000_000))
        brings(affiliate, 10_000_000, age=40 * DAY, matured=False)
        assert customer.post(REQUESTS).status_code == 201
        answer = customer.get(DASHBOARD, days=3)
        figures = answer.json()
        days = figures.pop("days")
        assert figures == {
            "ok": True,
            "status": "approved",
            "code": "MY-CODE",
            "clicks": 9,
            "captures": 3,
            "boundAccounts": 3,
            "conversion": "0.3333",
            "deposits": 3,
            "depositsUsdMicros": 330_000_000,
            "commission": {
                "earnedUsdMicros": 66_000_000,
                "clawedBackUsdMicros": 1_000_000,
                "pendingUsdMicros": 5_000_000,
                "availableUsdMicros": 0,
                "reservedUsdMicros": 60_000_000,
                "paidUsdMicros": 0,
            },
        }
        names = ("clicks", "captures", "boundAccounts", "deposits", "depositsUsdMicros", "commissionUsdMicros")
        assert [(day["day"], *(day[name] for name in names)) for day in days] == [
            ((today - 2 * DAY).isoformat(), 5, 1, 1, 1, 300_000_000, 60_000_000),
            ((today - DAY).isoformat(), 0, 0, 0, 0, 0, 0),
            (today.isoformat(), 3, 1, 1, 1, 20_000_000, 4_000_000),
        ]
        for told in (answer, customer.get(COMMISSIONS), customer.get(REQUESTS)):
            for account in Attribution.objects.select_related("account"):
                assert account.account.email not in told.content.decode()
                assert str(account.account_id) not in told.content.decode()
                assert ids.encode(ids.ACCOUNT, account.account_id) not in told.content.decode()
        theirs = other.get(DASHBOARD).json()
        assert (theirs["clicks"], theirs["boundAccounts"], theirs["deposits"]) == (0, 0, 0)

    def test_what_was_paid_is_counted(self, customer: Customer, other: Customer) -> None:
        brings(approved(customer), 300_000_000)
        customer.post(REQUESTS)
        payout = PayoutRequest.objects.get()
        for action in ("approve", "pay"):
            decide_payout(payout_id=payout.pk, action=action, actor_id=other.id, payment_reference="w", now=clock.now())  # type: ignore[arg-type]
        figures = customer.get(DASHBOARD).json()["commission"]
        assert figures["paidUsdMicros"] == figures["earnedUsdMicros"] == 60_000_000
        [paid] = customer.get(PAYOUTS).json()["payouts"]
        assert (paid["id"], paid["status"]) == (ids.encode(ids.PAYOUT, payout.pk), "paid")
        assert (paid["paymentReference"], paid["amountUsdMicros"]) == ("w", 60_000_000)

    def test_withheld_commission_counts_nowhere(self, customer: Customer) -> None:
        affiliate = approved(customer)
        account = new_account()
        bind_explicit(account_id=account, code="MY-CODE", now=clock.now())
        Affiliate.objects.update(status="suspended")
        handlers.accrue(deposit_event(account, settled_at=clock.now()))
        figures = customer.get(DASHBOARD).json()
        assert (figures["status"], figures["boundAccounts"], figures["deposits"]) == ("suspended", 1, 0)
        assert figures["commission"]["earnedUsdMicros"] == 0
        [listed] = customer.get(COMMISSIONS).json()["commissions"]
        assert (listed["withheld"], listed["amountUsdMicros"]) == ("not_approved", 0)
        assert affiliate.pk == Commission.objects.get().affiliate_id

    @pytest.mark.parametrize(("days", "shown"), [(None, 30), (1, 1), (365, 365)])
    def test_as_many_days_as_asked_for(self, customer: Customer, days: int | None, shown: int) -> None:
        answer = customer.get(DASHBOARD, **({"days": days} if days else {}))
        found = [day["day"] for day in answer.json()["days"]]
        assert len(found) == len(set(found)) == shown
        assert found == sorted(found)
        assert found[-1] == clock.now().astimezone(UTC).date().isoformat()

    @pytest.mark.parametrize("days", ["0", "366", "-1", "x", "1.5", ""])
    def test_other_numbers_of_days_are_refused(self, customer: Customer, days: str) -> None:
        assert fields(customer.get(DASHBOARD, days=days)).keys() == {"days"}


class TestLists:
    def test_a_commission_as_it_is_shown(self, customer: Customer, other: Customer) -> None:
        affiliate = approved(customer, basis_points=2_500)
        event = brings(affiliate, 20_000_000, age=31 * DAY)
        handlers.claw_back(reversal_event(event, 4_000_000))
        made = Commission.objects.get()
        assert made.matured_at is not None
        assert customer.get(COMMISSIONS).json()["commissions"] == [
            {
                "id": ids.encode(ids.COMMISSION, made.pk),
                "status": "available",
                "depositUsdMicros": 20_000_000,
                "basisPoints": 2_500,
                "amountUsdMicros": 5_000_000,
                "clawedBackUsdMicros": 1_000_000,
                "netUsdMicros": 4_000_000,
                "withheld": None,
                "settledAt": clock.rfc3339(made.settled_at),
                "maturesAt": clock.rfc3339(made.settled_at + 30 * DAY),
                "maturedAt": clock.rfc3339(made.matured_at),
            }
        ]
        assert other.get(COMMISSIONS).json()["commissions"] == []

    @pytest.mark.parametrize(("path", "default"), [(COMMISSIONS, 100), (PAYOUTS, 20), (REQUESTS, 20)])
    def test_limits(self, customer: Customer, monkeypatch: pytest.MonkeyPatch, path: str, default: int) -> None:
        affiliate = approved(customer)
        buyer = new_account()
        Commission.objects.bulk_create(
            Commission(
                deposit_id=ids.new(),
                affiliate=affiliate,
                account_id=buyer,
                deposit_micros=number,
                basis_points=0,
                amount_micros=0,
                settled_at=NOW + timedelta(seconds=number),
                matures_at=NOW,
            )
            for number in range(1, 131)
        )
        PayoutRequest.objects.bulk_create(
            PayoutRequest(affiliate=affiliate, amount_micros=number, payout_address="x", status="paid")
            for number in range(1, 131)
        )

        def listed(**query: Any) -> list[int]:
            body = customer.get(path, **query).json()
            [entries] = [value for value in body.values() if isinstance(value, list)]
            return [entry.get("amountUsdMicros") or entry["depositUsdMicros"] for entry in entries]

        newest = list(range(130, 0, -1))
        assert listed() == newest[:default]
        assert listed(limit=1) == [130]
        assert listed(limit=130) == newest
        monkeypatch.setattr(selectors, "MOST_LISTED", 7)
        assert listed(limit=501) == listed(limit=10**30) == newest[:7]
        for wrong in ("0", "-1", "x", "1.5", ""):
            assert fields(customer.get(path, limit=wrong)).keys() == {"limit"}
        assert fields(customer.get(path, offset=1)).keys() == {"offset"}

    def test_no_more_than_five_hundred(self) -> None:
        assert selectors.MOST_LISTED == 500


class TestPayoutRequests:
    def test_asked_for_listed_and_canceled(self, customer: Customer, other: Customer) -> None:
        affiliate = approved(customer)
        brings(affiliate, 300_000_000)
        eligibility = customer.get(REQUESTS).json()["eligibility"]
        assert eligibility == {
            "eligible": True,
            "reasons": [],
            "minimumUsdMicros": 50_000_000,
            "availableUsdMicros": 60_000_000,
        }
        answer = customer.post(REQUESTS, {"note": "please"})
        assert answer.status_code == 201
        body = answer.json()
        assert (body["ok"], body["payoutRequest"]["amountUsdMicros"]) == (True, 60_000_000)
        listed = customer.get(REQUESTS).json()
        assert listed["payoutRequests"] == [body["payoutRequest"]]
        assert listed["eligibility"]["reasons"] == ["open_request", "below_minimum"]
        assert other.get(REQUESTS).json()["payoutRequests"] == []
        refused = error(customer.post(REQUESTS), 409, "invalid_state")
        assert refused["details"] == {
            "reasons": ["open_request", "below_minimum"],
            "minimumUsdMicros": 50_000_000,
            "availableUsdMicros": 0,
        }
        error(other.post(CANCEL), 409, "invalid_state")
        canceled = customer.post(CANCEL, {}).json()["payoutRequest"]
        assert (canceled["id"], canceled["status"]) == (body["payoutRequest"]["id"], "canceled")
        error(customer.post(CANCEL), 409, "invalid_state")
        assert commission(affiliate_id=customer.id) == CommissionView(0, 60_000_000, 0)
        assert customer.get(PAYOUTS).json()["payouts"] == []

    def test_a_body_is_optional_and_closed(self, customer: Customer) -> None:
        brings(approved(customer), 300_000_000)
        for wrong, field in (
            ({"note": ""}, "note"),
            ({"note": "x" * 513}, "note"),
            ({"note": None}, "note"),
            ({"amount": 1}, "amount"),
        ):
            assert fields(customer.post(REQUESTS, wrong)).keys() == {field}
        assert fields(customer.post(CANCEL, {"id": "pay_1"})).keys() == {"id"}
        assert not PayoutRequest.objects.exists()
        assert customer.post(REQUESTS).status_code == 201

    @pytest.mark.parametrize("header", ["Idempotency-Key", "X-Idempotency-Key"])
    def test_a_repetition_gets_the_first_answer(self, customer: Customer, header: str) -> None:
        brings(approved(customer), 300_000_000)
        first = customer.post(REQUESTS, {"note": "n"}, headers={header: "once"})
        assert (first.status_code, "Idempotent-Replay" in first) == (201, False)
        customer.post(CANCEL)
        again = customer.post(REQUESTS, {"note": "n"}, headers={header: "once"})
        assert (again.status_code, again["Idempotent-Replay"], again.json()) == (200, "true", first.json())
        error(customer.post(REQUESTS, {"note": "m"}, headers={header: "once"}), 409, "idempotency_conflict")
        assert fields(customer.post(REQUESTS, {}, headers={header: "x" * 201})).keys() == {"idempotencyKey"}
        assert PayoutRequest.objects.count() == 1

    def test_another_accounts_key_is_another_key(self, customer: Customer, other: Customer) -> None:
        brings(approved(customer), 300_000_000)
        customer.post(REQUESTS, headers={"Idempotency-Key": "k"})
        error(other.post(REQUESTS, headers={"Idempotency-Key": "k"}), 409, "invalid_state")


class TestBinding:
    def test_a_code(self, customer: Customer, other: Customer) -> None:
        affiliate = approved(other)
        answer = customer.post(BIND, {"code": "my-code"})
        assert (answer.status_code, answer.json()) == (200, {"ok": True, "applied": True, "code": "MY-CODE"})
        assert Attribution.objects.get().affiliate_id == affiliate.pk
        again = error(customer.post(BIND, {"code": "MY-CODE"}), 409, "already_bound")
        assert again["details"] == {"code": "MY-CODE"}

    def test_a_captured_code_where_the_named_one_is_nobodys(self, customer: Customer, other: Customer) -> None:
        approved(other)
        token = customer.post(f"{BASE}/capture", {"code": "MY-CODE"}).json()["captureToken"]
        answer = customer.post(BIND, {"code": "NOBODYS", "captureToken": token})
        assert (answer.status_code, answer.json()["code"]) == (200, "MY-CODE")
        assert Attribution.objects.get().source == "token"

    def test_each_refusal_has_its_code(self, customer: Customer, other: Customer) -> None:
        approved(other)
        error(customer.post(BIND, {"code": "NOBODYS"}), 404, "unknown_code")
        error(other.post(BIND, {"code": "MY-CODE"}), 409, "own_code")
        forged = {"code": "MY-CODE", "captureToken": "x" * 24}
        assert fields(customer.post(BIND, forged)).keys() == {"captureToken"}
        close_attribution(account_id=customer.id, now=NOW)
        error(customer.post(BIND, {"code": "MY-CODE"}), 409, "too_late")
        assert Attribution.objects.get().source == "deposit"

    def test_once_decided_no_code_is_told_from_another(self, customer: Customer, other: Customer) -> None:
        approved(other)
        close_attribution(account_id=customer.id, now=NOW)
        for code in ("MY-CODE", "NOBODYS", "no code!"):
            error(customer.post(BIND, {"code": code}), 409, "too_late")
        late = new_customer()
        assert late.post(BIND, {"code": "MY-CODE"}).status_code == 200
        told = [error(late.post(BIND, {"code": code}), 409, "already_bound") for code in ("MY-CODE", "NOBODYS")]
        assert told[0] == told[1]

    @pytest.mark.parametrize(
        ("body", "named"),
        [
            ({}, {"code"}),
            ({"code": "abc"}, {"code"}),
            ({"code": "MY-CODE", "captureToken": "x" * 23}, {"captureToken"}),
            ({"code": "MY-CODE", "captureToken": "x" * 4_097}, {"captureToken"}),
            ({"code": "MY-CODE", "captureToken": None}, {"captureToken"}),
            ({"code": "MY-CODE", "affiliate": "x"}, {"affiliate"}),
        ],
    )
    def test_what_is_wrong_is_named(self, customer: Customer, body: Any, named: set[str]) -> None:
        assert fields(customer.post(BIND, body)).keys() == named


@pytest.mark.django_db(transaction=True)
class TestRaces:
    def test_applications_at_once_are_one(self, customer: Customer) -> None:
        answers = results(race([partial(customer.post, APPLY, APPLICATION)] * 8))
        assert sorted(answer.status_code for answer in answers) == [201, *[409] * 7]
        assert Affiliate.objects.count() == 1

    def test_codes_asked_for_at_once_are_one(self, customer: Customer) -> None:
        new_affiliate(customer.id)
        answers = results(race([partial(customer.get, CODE)] * 8))
        assert {answer.status_code for answer in answers} == {200}
        assert {answer.json()["code"] for answer in answers} == {AffiliateCode.objects.get().code}

    def test_clicks_at_once_are_all_counted(self, customer: Customer, settings: Any) -> None:
        settings.RATE_LIMITS = {**settings.RATE_LIMITS, "referral": 1_000}
        approved(customer)
        follow = partial(Client().get, f"{BASE}/r", {"code": "MY-CODE"})
        capture = partial(customer.post, f"{BASE}/capture", {"code": "MY-CODE"})
        results(race([follow, capture] * 8))
        assert list(CodeDay.objects.values_list("clicks", "captures")) == [(8, 8)]
