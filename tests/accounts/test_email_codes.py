"""One-time codes: judged at most five times, used once, and only so many."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import ApiKey, CountedAttempt, EmailCode, SecurityEvent, User
from accounts.services import email_codes
from accounts.services.attempts import forget_old_attempts
from accounts.services.email_codes import (
    CodeRefused,
    judge_guess,
    start_email_code,
    use_code,
)
from accounts.services.key_requests import AskedKey, key_for_email_code, key_for_google
from accounts.services.security_events import NOWHERE
from accounts.services.sign_in import AccountSuspended, sign_in_verified, sign_in_with_email_code
from accounts.services.users import create_account
from core.errors import RateLimited
from core.outbox.models import OutboxEvent
from tests import google
from tests.accounts.sign_ins import NOW, SOMEBODY, another, mailed, refusals
from tests.accounts.sign_ins import start_code as start
from tests.billing.racing import race

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("signing_in")]


def sign_in(digits: str, email: str = SOMEBODY, now: datetime = NOW) -> User:
    return sign_in_with_email_code(email=email, code=digits, origin=NOWHERE, now=now)


class TestLimits:
    def test_five_an_hour_for_an_address(self) -> None:
        for number in range(5):
            start(client=f"203.0.113.{number}", now=NOW + timedelta(minutes=number))
        codes, events = EmailCode.objects.count(), OutboxEvent.objects.count()
        counted = CountedAttempt.objects.count()
        with pytest.raises(RateLimited) as refused:
            start(client="203.0.113.99", now=NOW + timedelta(minutes=5))
        assert refused.value.retry_after == 55 * 60
        assert (EmailCode.objects.count(), OutboxEvent.objects.count()) == (codes, events)
        assert CountedAttempt.objects.count() == counted
        start("other@example.com", "203.0.113.99", now=NOW + timedelta(minutes=5))
        start(client="203.0.113.99", now=NOW + timedelta(minutes=60))

    def test_five_an_hour_from_a_client(self) -> None:
        for number in range(5):
            start(f"n{number}@example.com")
        with pytest.raises(RateLimited) as refused:
            start("n9@example.com")
        assert refused.value.retry_after == 3600
        assert not EmailCode.objects.filter(email="n9@example.com").exists()
        start("n9@example.com", "203.0.113.8")

    def test_the_addresses_of_one_ipv6_subscriber_are_one_client(self) -> None:
        for number in range(5):
            start(f"n{number}@example.com", f"2001:db8:0:1::{number}")
        with pytest.raises(RateLimited):
            start("n9@example.com", "2001:db8:0:1:ffff::1")
        start("n9@example.com", "2001:db8:0:2::1")

    def test_known_and_unknown_addresses_get_the_same(self) -> None:
        create_account(email=SOMEBODY)
        outcomes = []
        for email, client in ((SOMEBODY, "203.0.113.1"), ("nobody@example.com", "203.0.113.2")):
            statements: list[str] = []
            for _ in range(6):
                try:
                    with CaptureQueriesContext(connection) as captured:
                        start_email_code(email=email, client=client, now=NOW)
                except RateLimited as refused:
                    statements.append(f"{refused.message} {refused.retry_after}")
                statements += [kind(query["sql"]) for query in captured]
            outcomes.append(statements)
        assert outcomes[0] == outcomes[1]
        assert len(outcomes[0]) > 30
        assert not any("accounts_user" in statement for statement in outcomes[0])

    def test_old_rows_are_forgotten(self) -> None:
        start()
        assert email_codes.forget_old(now=NOW + timedelta(hours=23)) == 0
        assert email_codes.forget_old(now=NOW + timedelta(hours=24)) == 1
        assert forget_old_attempts(now=NOW + timedelta(hours=1)) == 2
        assert not EmailCode.objects.exists()
        assert not CountedAttempt.objects.exists()


def kind(sql: str) -> str:
    """A statement without its values."""
    return re.sub(r"'[^']*'|\bs\d+_x\d+\b| *-?\b\d+\b", "?", sql)


class TestGuesses:
    def test_the_right_one_signs_up_and_then_signs_in(self) -> None:
        user = sign_in(mailed(start()))
        assert (user.email, user.is_active, user.is_staff, user.has_usable_password()) == (SOMEBODY, True, False, False)
        again = sign_in(mailed(start(now=NOW + timedelta(seconds=1))), now=NOW + timedelta(seconds=1))
        assert again == user
        events = SecurityEvent.objects.filter(user=user).values_list("kind", "details", "at")
        assert sorted(events, key=lambda event: event[2]) == [
            ("signed_in", {"method": "email_code"}, NOW),
            ("signed_in", {"method": "email_code"}, NOW + timedelta(seconds=1)),
        ]
        assert OutboxEvent.objects.filter(topic="accounts.user_created").count() == 1

    def test_each_is_counted_and_five_are_judged(self) -> None:
        digits = mailed(start())
        for tries in range(1, 6):
            with pytest.raises(CodeRefused):
                sign_in(another(digits))
            assert EmailCode.objects.get().tries == tries
        with pytest.raises(CodeRefused):
            sign_in(digits)
        assert (EmailCode.objects.get().tries, EmailCode.objects.get().used_at) == (5, None)
        assert not User.objects.exists()
        assert not SecurityEvent.objects.exists()

    def test_the_fifth_may_be_right(self) -> None:
        digits = mailed(start())
        for _ in range(4):
            with pytest.raises(CodeRefused):
                sign_in(another(digits))
        assert sign_in(digits).email == SOMEBODY
        assert (EmailCode.objects.get().tries, EmailCode.objects.get().used_at) == (5, NOW)

    def test_all_refusals_are_one(self) -> None:
        digits = mailed(start())
        cases = [
            (another(digits), SOMEBODY, NOW),  # wrong
            (digits, "other@example.com", NOW),  # of another address
            (digits, SOMEBODY, NOW + timedelta(minutes=10)),  # expired
        ]
        found = []
        for code, email, now in cases:
            with pytest.raises(CodeRefused) as refused:
                sign_in(code, email, now)
            found.append((refused.value.http_status, refused.value.code, refused.value.message, refused.value.details))
        sign_in(digits)
        with pytest.raises(CodeRefused) as refused:
            sign_in(digits)  # used
        found.append((refused.value.http_status, refused.value.code, refused.value.message, refused.value.details))
        assert found == [(401, "unauthenticated", "The code is wrong, used or expired; ask for a new one.", {})] * 4
        assert list(User.objects.values_list("email", flat=True)) == [SOMEBODY]

    def test_it_is_good_until_the_last_moment(self) -> None:
        digits = mailed(start())
        assert sign_in(digits, now=NOW + timedelta(minutes=10, microseconds=-1)).email == SOMEBODY

    def test_only_the_newest_code_counts(self) -> None:
        older = mailed(start())
        newer = mailed(start(now=NOW + timedelta(seconds=1)))
        assert older != newer
        with pytest.raises(CodeRefused):
            sign_in(older, now=NOW + timedelta(seconds=1))
        assert list(EmailCode.objects.order_by("pk").values_list("tries", flat=True)) == [0, 1]
        assert sign_in(newer, now=NOW + timedelta(seconds=1)).email == SOMEBODY

    def test_a_used_newest_code_does_not_wake_an_older_one(self) -> None:
        older = mailed(start())
        sign_in(mailed(start(now=NOW + timedelta(seconds=1))), now=NOW + timedelta(seconds=1))
        with pytest.raises(CodeRefused):
            sign_in(older, now=NOW + timedelta(seconds=1))

    def test_a_suspended_account_stays_outside_and_the_code_is_used_up(self) -> None:
        user = create_account(email=SOMEBODY)
        User.objects.filter(pk=user.pk).update(is_active=False)
        digits = mailed(start())
        before = refusals("suspended")
        with pytest.raises(AccountSuspended):
            sign_in(digits)
        assert refusals("suspended") == before + 1
        assert EmailCode.objects.get().used_at == NOW
        assert not SecurityEvent.objects.exists()
        with pytest.raises(CodeRefused):
            sign_in(digits)


@pytest.mark.django_db(transaction=True)
class TestRaces:
    def test_of_a_hundred_guesses_at_once_five_are_judged(self) -> None:
        digits = mailed(start())
        wrong = [f"{(int(digits) + number) % 10**6:06}" for number in range(1, 101)]
        judged, unjudged = refusals("email_code_wrong"), refusals("email_code_none")

        def guess(codes: list[str]) -> int:
            refused = 0
            for code in codes:
                try:
                    sign_in(code)
                except CodeRefused:
                    refused += 1
            return refused

        outcomes = race([lambda part=wrong[n::25]: guess(part) for n in range(25)])
        assert [(result, error) for result, error in outcomes] == [(4, None)] * 25
        assert EmailCode.objects.get().tries == 5
        assert (refusals("email_code_wrong") - judged, refusals("email_code_none") - unjudged) == (5, 95)
        with pytest.raises(CodeRefused):
            sign_in(digits)
        assert not User.objects.exists()

    def test_of_two_right_guesses_at_once_one_succeeds(self) -> None:
        for number in range(5):
            email = f"n{number}@example.com"
            digits = mailed(start(email, f"203.0.113.{number}"))
            outcomes = race([lambda email=email, digits=digits: sign_in(digits, email)] * 4)
            assert [type(error) for _, error in outcomes if error is not None] == [CodeRefused] * 3
            assert [user.email for user, _ in outcomes if user is not None] == [email]
        assert (User.objects.count(), SecurityEvent.objects.count()) == (5, 5)

    def test_one_code_shown_at_once_makes_one_key(self) -> None:
        digits = mailed(start())
        asked = AskedKey(label="raced")

        def show() -> Any:
            return key_for_email_code(email=SOMEBODY, code=digits, asked=asked, origin=NOWHERE, now=NOW).key.pk

        outcomes = race([show] * 4)
        assert [type(error) for _, error in outcomes if error is not None] == [CodeRefused] * 3
        assert [pk for pk, _ in outcomes if pk is not None] == [ApiKey.objects.get().pk]
        kinds = SecurityEvent.objects.order_by("pk").values_list("kind", flat=True)
        assert list(kinds) == [SecurityEvent.SIGNED_IN, SecurityEvent.KEY_CREATED]

    def test_first_keys_at_once_are_one_accounts(self, issuer: google.Google) -> None:
        shown = google.token(SOMEBODY)
        asked = AskedKey(label="raced")

        def show() -> Any:
            return key_for_google(id_token=shown, asked=asked, origin=NOWHERE, now=NOW).key.user_id

        outcomes = race([show] * 6)
        assert outcomes == [(User.objects.get().pk, None)] * 6
        assert ApiKey.objects.count() == 6

    def test_first_sign_ins_at_once_make_one_account(self) -> None:
        def enter() -> Any:
            return sign_in_verified(email=SOMEBODY, method="google", origin=NOWHERE, now=NOW).pk

        outcomes = race([enter] * 8)
        assert [error for _, error in outcomes] == [None] * 8
        assert {pk for pk, _ in outcomes} == {User.objects.get().pk}
        assert OutboxEvent.objects.filter(topic="accounts.user_created").count() == 1
        assert SecurityEvent.objects.filter(kind="signed_in").count() == 8

    def test_a_used_code_cannot_be_used_by_whoever_judged_it_before(self) -> None:
        digits = mailed(start())
        code_id = judge_guess(email=SOMEBODY, code=digits, now=NOW)
        assert sign_in(digits).email == SOMEBODY
        with pytest.raises(CodeRefused), transaction.atomic():
            use_code(code_id=code_id, now=NOW)

    def test_a_guess_is_not_judged_where_a_rollback_would_forget_it(self) -> None:
        digits = mailed(start())
        with pytest.raises(RuntimeError), transaction.atomic():
            sign_in(digits)
        assert EmailCode.objects.get().tries == 0

    def test_codes_asked_for_at_once_are_five(self) -> None:
        outcomes = race([lambda number=number: start(client=f"203.0.113.{number}") for number in range(12)])
        assert [type(error) for _, error in outcomes if error is not None] == [RateLimited] * 7
        assert EmailCode.objects.count() == 5
        assert OutboxEvent.objects.count() == 5
