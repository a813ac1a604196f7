"""Who brought an account: decided once, before the first deposit, by the right one, and never by itself."""

from datetime import timedelta
from functools import partial
from threading import Event
from uuid import UUID

import pytest
from django.contrib.auth import get_user_model
from django.core import signing
from django.db import transaction

from affiliates.capture import LIFETIME, capture
from affiliates.models import Affiliate, AffiliateCode, Attribution, PayoutRequest
from affiliates.self_referral import is_self, mailbox
from affiliates.services.attribution import BindOutcome, bind_explicit, bind_passive, close_attribution
from affiliates.transitions import PAID, PENDING, REJECTED, SUSPENDED
from tests.affiliates.partners import DAY, NOW, new_affiliate, new_code
from tests.billing.conftest import new_account
from tests.billing.racing import race, results, wait_until_blocked

pytestmark = pytest.mark.django_db


def token(code: str) -> str:
    return capture(code=code, now=NOW).token


def refused(reason: str, code: str = "") -> BindOutcome:
    return BindOutcome(applied=False, reason=reason, code=code)  # type: ignore[arg-type]


def address(email: str) -> UUID:
    return get_user_model().objects.create_user(email).pk


@pytest.fixture
def affiliate(db: None) -> Affiliate:
    affiliate = new_affiliate()
    new_code(affiliate, "GOOD-CODE")
    return affiliate


class TestBinding:
    def test_an_explicit_code_binds_whatever_its_case(self, affiliate: Affiliate) -> None:
        account = new_account()
        outcome = bind_explicit(account_id=account, code="good-Code", now=NOW)
        assert outcome == BindOutcome(applied=True, reason="applied", code="GOOD-CODE")
        bound = Attribution.objects.get(account_id=account)
        assert (bound.affiliate_id, bound.source, bound.at) == (affiliate.pk, "code", NOW)
        assert bound.code is not None
        assert bound.code.code == "GOOD-CODE"

    def test_a_cookie_binds_passively(self, affiliate: Affiliate) -> None:
        account = new_account()
        assert bind_passive(account_id=account, token=token("GOOD-CODE"), now=NOW).applied
        assert Attribution.objects.get(account_id=account).source == "cookie"

    def test_the_first_stays(self, affiliate: Affiliate) -> None:
        account, other = new_account(), new_code(new_affiliate(), "OTHER")
        assert bind_explicit(account_id=account, code="GOOD-CODE", now=NOW).applied
        for again in (other, "GOOD-CODE"):
            assert bind_explicit(account_id=account, code=again, now=NOW) == refused("already_bound", "GOOD-CODE")
        assert bind_passive(account_id=account, token=token(other), now=NOW) == refused("already_bound", "GOOD-CODE")
        assert Attribution.objects.get().affiliate_id == affiliate.pk

    def test_after_a_deposit_it_is_too_late(self, affiliate: Affiliate) -> None:
        account = new_account()
        close_attribution(account_id=account, now=NOW)
        close_attribution(account_id=account, now=NOW + DAY)
        assert bind_explicit(account_id=account, code="GOOD-CODE", now=NOW) == refused("too_late")
        assert bind_passive(account_id=account, token=token("GOOD-CODE"), now=NOW) == refused("too_late")
        bound = Attribution.objects.get()
        assert (bound.affiliate_id, bound.code_id, bound.source, bound.at) == (None, None, "deposit", NOW)

    def test_a_deposit_leaves_a_binding_alone(self, affiliate: Affiliate) -> None:
        account = new_account()
        bind_explicit(account_id=account, code="GOOD-CODE", now=NOW)
        close_attribution(account_id=account, now=NOW)
        assert Attribution.objects.get().affiliate_id == affiliate.pk

    @pytest.mark.parametrize(
        "code", ["NO-SUCH-CODE", "", "abc", "A" * 33, "GOOD CODE", " GOOD-CODE", "GOOD-CODE\n", "GOOD-CODE\0", "ſALE-1"]
    )
    def test_what_is_no_code_binds_nothing(self, affiliate: Affiliate, code: str) -> None:
        new_code(new_affiliate(), "SALE-1")
        assert bind_explicit(account_id=new_account(), code=code, now=NOW) == refused("unknown_code")
        assert not Attribution.objects.exists()

    @pytest.mark.parametrize("status", [PENDING, REJECTED, SUSPENDED])
    def test_only_an_approved_affiliates_code_counts(self, affiliate: Affiliate, status: str) -> None:
        Affiliate.objects.update(status=status)
        assert bind_explicit(account_id=new_account(), code="GOOD-CODE", now=NOW) == refused("unknown_code")
        assert bind_passive(account_id=new_account(), token=token("GOOD-CODE"), now=NOW) == refused("unknown_code")
        assert not Attribution.objects.exists()

    def test_the_code_of_a_suspended_account_counts_no_more(self, affiliate: Affiliate) -> None:
        get_user_model().objects.filter(pk=affiliate.account_id).update(is_active=False)
        assert bind_explicit(account_id=new_account(), code="GOOD-CODE", now=NOW) == refused("unknown_code")
        assert bind_passive(account_id=new_account(), token=token("GOOD-CODE"), now=NOW) == refused("unknown_code")
        assert not Attribution.objects.exists()

    def test_a_retired_code_counts_no_more(self, affiliate: Affiliate) -> None:
        AffiliateCode.objects.update(retired_at=NOW)
        assert bind_explicit(account_id=new_account(), code="GOOD-CODE", now=NOW) == refused("unknown_code")


class TestTokens:
    def test_the_code_goes_before_the_token(self, affiliate: Affiliate) -> None:
        other, account = new_code(new_affiliate(), "OTHER"), new_account()
        assert bind_explicit(account_id=account, code="GOOD-CODE", token=token(other), now=NOW).code == "GOOD-CODE"
        assert Attribution.objects.get().source == "code"

    def test_the_token_binds_where_the_code_is_nobodys(self, affiliate: Affiliate) -> None:
        account = new_account()
        outcome = bind_explicit(account_id=account, code="NOBODYS", token=token("GOOD-CODE"), now=NOW)
        assert outcome == BindOutcome(applied=True, reason="applied", code="GOOD-CODE")
        assert Attribution.objects.get().source == "token"

    def test_lives_for_thirty_days_to_the_second(self, affiliate: Affiliate) -> None:
        captured = capture(code="GOOD-CODE", now=NOW + timedelta(microseconds=500))
        assert captured.expires_at == NOW + timedelta(days=30) == NOW + LIFETIME
        late = captured.expires_at
        assert bind_passive(account_id=new_account(), token=captured.token, now=late) == refused("invalid_token")
        assert not Attribution.objects.exists()
        assert bind_passive(account_id=new_account(), token=captured.token, now=late - timedelta(seconds=1)).applied

    def test_a_changed_or_foreign_token_binds_nothing(self, affiliate: Affiliate) -> None:
        good = token("GOOD-CODE")
        body, stamp, signature = good.split(":")
        forged = [
            f"{signing.b64_encode(b'[%22GOOD-CODE%22, 9999999999]').decode()}:{stamp}:{signature}",
            f"{body}:{stamp}:{signature[:-2]}xx",
            signing.dumps(["GOOD-CODE", 9_999_999_999], salt="another.salt"),
            signing.dumps(["GOOD-CODE", 9_999_999_999], salt="affiliates.capture", key="another key"),
            good[:-1],
            f"{good}é",
            "\ud800" * 30,
            "x",
            "",
            f"{good}{'x' * 4096}",
        ]
        for wrong in forged:
            assert bind_passive(account_id=new_account(), token=wrong, now=NOW) == refused("invalid_token")
            # Also beside a good code: whoever sends it must learn that it is none.
            outcome = bind_explicit(account_id=new_account(), code="GOOD-CODE", token=wrong, now=NOW)
            assert outcome == refused("invalid_token")
        assert not Attribution.objects.exists()


class TestSelfReferral:
    def test_by_the_account(self, affiliate: Affiliate) -> None:
        assert bind_explicit(account_id=affiliate.account_id, code="GOOD-CODE", now=NOW) == refused("own_code")
        outcome = bind_passive(account_id=affiliate.account_id, token=token("GOOD-CODE"), now=NOW)
        assert outcome == refused("own_code")
        assert not Attribution.objects.exists()

    @pytest.mark.parametrize(
        ("affiliates", "buyers"),
        [
            ("jane.doe@gmail.com", "janedoe@gmail.com"),
            ("janedoe@gmail.com", "j.a.n.e.doe+shop@googlemail.com"),
            ("jane@company.example", "jane+1@company.example"),
            ("jane+partner@company.example", "jane+buyer@company.example"),
        ],
    )
    def test_by_an_alias_of_the_mailbox(self, affiliates: str, buyers: str) -> None:
        new_code(new_affiliate(address(affiliates)), "BY-ACCOUNT")
        new_code(new_affiliate(contact_email=affiliates.upper()), "BY-CONTACT")
        new_code(new_affiliate(payout_address=affiliates), "BY-PAYOUT")
        buyer = address(buyers)
        for code in ("BY-ACCOUNT", "BY-CONTACT", "BY-PAYOUT"):
            assert bind_explicit(account_id=buyer, code=code, now=NOW) == refused("own_code"), code
        assert not Attribution.objects.exists()

    def test_dots_count_where_they_are_not_googles(self) -> None:
        new_code(new_affiliate(address("jane.doe@company.example")), "OTHERS")
        assert bind_explicit(account_id=address("janedoe@company.example"), code="OTHERS", now=NOW).applied

    def test_by_a_payout_address(self, affiliate: Affiliate) -> None:
        Affiliate.objects.update(payout_address="0xABC")
        second = new_affiliate(payout_address=" 0xabc ")
        assert bind_explicit(account_id=second.account_id, code="GOOD-CODE", now=NOW) == refused("own_code")
        assert not Attribution.objects.exists()

    @pytest.mark.parametrize("status", [PENDING, REJECTED, SUSPENDED])
    @pytest.mark.parametrize("mark", ["contact_email", "payout_address"])
    def test_what_a_buyer_only_claims_proves_nothing(self, affiliate: Affiliate, mark: str, status: str) -> None:
        second = new_affiliate(status=status, **{mark: getattr(affiliate, mark)})
        PayoutRequest.objects.create(affiliate=second, amount_micros=1, payout_address=affiliate.payout_address)
        assert bind_explicit(account_id=second.account_id, code="GOOD-CODE", now=NOW).applied
        assert not is_self(affiliate=affiliate, account_id=second.account_id)

    @pytest.mark.parametrize("mark", ["contact_email", "payout_address"])
    def test_who_was_paid_has_proven_it(self, affiliate: Affiliate, mark: str) -> None:
        second = new_affiliate(status=SUSPENDED, **{mark: getattr(affiliate, mark)})
        PayoutRequest.objects.create(affiliate=second, amount_micros=1, payout_address="0xother", status=PAID)
        assert is_self(affiliate=affiliate, account_id=second.account_id)

    def test_by_the_wallet_that_paid(self, affiliate: Affiliate) -> None:
        Affiliate.objects.update(payout_address="0xNow")
        PayoutRequest.objects.create(affiliate=affiliate, amount_micros=1, payout_address="0xEarlier")
        affiliate.refresh_from_db()
        for payer, same in {"0xnow": True, "0xEARLIER": True, "0xother": False, "": False}.items():
            assert is_self(affiliate=affiliate, account_id=new_account(), payer=payer) == same, payer

    def test_by_the_payout_address_of_an_earlier_payout(self, affiliate: Affiliate) -> None:
        PayoutRequest.objects.create(affiliate=affiliate, amount_micros=1, payout_address="0xearlier", status=PAID)
        second = new_affiliate(payout_address="0xEARLIER")
        assert is_self(affiliate=affiliate, account_id=second.account_id)
        assert is_self(affiliate=second, account_id=affiliate.account_id)

    def test_affiliates_without_a_payout_address_are_strangers(self, affiliate: Affiliate) -> None:
        Affiliate.objects.update(payout_address="")
        second = new_affiliate(payout_address="")
        assert bind_explicit(account_id=second.account_id, code="GOOD-CODE", now=NOW).applied

    @pytest.mark.parametrize(
        ("text", "normal"),
        [("+tag@x.example", "+tag@x.example"), ("...@gmail.com", "...@gmail.com"), (" 0xAB ", "0xab"), ("", "")],
    )
    def test_what_would_leave_nothing_is_left_as_it_is(self, text: str, normal: str) -> None:
        assert mailbox(text) == normal


@pytest.mark.django_db(transaction=True)
class TestRaces:
    def test_twelve_codes_at_once_bind_one(self) -> None:
        codes = [new_code(new_affiliate(), f"CODE-{number:02}") for number in range(12)]
        account = new_account()
        outcomes = results(race([partial(bind_explicit, account_id=account, code=code, now=NOW) for code in codes]))
        applied = [outcome.code for outcome in outcomes if outcome.applied]
        assert len(applied) == 1
        assert [outcome.reason for outcome in outcomes].count("already_bound") == 11
        assert {outcome.code for outcome in outcomes} == set(applied)
        bound = Attribution.objects.select_related("code").get()
        assert bound.code is not None
        assert bound.code.code == applied[0]

    def test_a_binding_waits_for_a_deposit_that_is_settling(self) -> None:
        new_code(new_affiliate(), "GOOD-CODE")
        account, closed = new_account(), Event()

        def settle() -> None:
            with transaction.atomic():
                close_attribution(account_id=account, now=NOW)
                closed.set()
                wait_until_blocked()

        def bind() -> BindOutcome:
            assert closed.wait(30)
            return bind_explicit(account_id=account, code="GOOD-CODE", now=NOW)

        assert results(race([settle, bind]))[1] == refused("too_late")
        assert Attribution.objects.get().source == "deposit"

    def test_a_deposit_waits_for_a_binding_and_leaves_it(self) -> None:
        new_code(new_affiliate(), "GOOD-CODE")
        account, bound = new_account(), Event()

        def bind() -> BindOutcome:
            with transaction.atomic():
                outcome = bind_explicit(account_id=account, code="GOOD-CODE", now=NOW)
                bound.set()
                wait_until_blocked()
            return outcome

        def settle() -> None:
            assert bound.wait(30)
            close_attribution(account_id=account, now=NOW)

        assert results(race([bind, settle]))[0].applied
        assert Attribution.objects.get().source == "code"
