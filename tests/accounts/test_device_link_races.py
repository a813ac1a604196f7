"""Polls, decisions and guesses that really race."""

from typing import Any

import pytest

from accounts.models import ApiKey, CountedAttempt, DeviceLink, SecurityEvent
from core.idempotency.models import IdempotencyRecord
from tests.accounts.linking import APPROVE, DENY, NO_SUCH, approve, decisions, granted, look, poll, start
from tests.billing.racing import race, results
from tests.media.customers import Customer, error, new_customer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("signing_in")]


def again(customer: Customer) -> Customer:
    """The same customer with an HTTP client of their own."""
    return Customer(id=customer.id, key_id=customer.key_id, key=customer.key)


def test_thirty_polls_of_an_approved_link_get_one_key(customer: Customer) -> None:
    started = start(keyLabel="raced")
    assert approve(customer, started).status_code == 200
    answers = results(race([lambda: poll(started)] * 30))
    got = [answer for answer in answers if answer.status_code == 200]
    assert len(got) == 1
    for answer in answers:
        if answer is not got[0]:
            error(answer, 400, "expired_token")
    assert ApiKey.objects.get(label="raced").prefix == granted(got[0])["keyPrefix"]
    assert SecurityEvent.objects.filter(kind=SecurityEvent.KEY_CREATED, details__label="raced").count() == 1
    assert DeviceLink.objects.get().status == DeviceLink.CONSUMED
    assert not IdempotencyRecord.objects.exists()


def test_an_approval_among_polls_is_handed_over_once(customer: Customer) -> None:
    """Polls before it are pending or too fast; after it one gets the key; and the next poll of all finds it gone."""
    started = start(keyLabel="raced")
    answers = results(race([lambda: approve(customer, started), *[lambda: poll(started)] * 15]))
    assert answers[0].status_code == 200
    got = [answer for answer in answers[1:] if answer.status_code == 200]
    last = poll(started)
    if not got:
        granted(last)
    else:
        error(last, 400, "expired_token")
    assert len(got) <= 1
    codes = {answer.json()["code"] for answer in answers[1:] if answer.status_code != 200}
    assert codes <= {"authorization_pending", "slow_down", "expired_token"}
    assert ApiKey.objects.filter(label="raced").count() == 1


def test_of_ten_accounts_that_decide_one_has_decided() -> None:
    accounts = [new_customer() for _ in range(10)]
    started = start(keyLabel="raced")

    def decide(number: int) -> Any:
        path = APPROVE if number % 2 else DENY
        return accounts[number].post(path, {"userCode": started["userCode"]})

    answers = results(race([lambda number=number: decide(number) for number in range(10)]))  # type: ignore[misc]
    winners = [number for number, answer in enumerate(answers) if answer.status_code == 200]
    assert len(winners) == 1
    link, winner = DeviceLink.objects.get(), winners[0]
    for number, answer in enumerate(answers):
        if number != winner:
            assert error(answer, 409, "invalid_state")["details"] == {"status": link.status}
    assert len(decisions()) == 1
    if winner % 2:
        assert link.approved_by_id == accounts[winner].id
        assert granted(poll(started))["account"]["id"] == accounts[winner].public_id
    else:
        error(poll(started), 400, "access_denied")
        assert not ApiKey.objects.filter(label="raced").exists()


def test_approving_twice_at_once_is_approving_once(customer: Customer) -> None:
    started = start()
    answers = results(race([lambda: approve(again(customer), started)] * 6))
    assert [answer.status_code for answer in answers] == [200] * 6
    assert decisions() == [SecurityEvent.DEVICE_APPROVED]


def test_of_a_hundred_guesses_at_once_twenty_are_answered() -> None:
    outcomes = [look_at_many(NO_SUCH) for _ in range(4)]
    codes = [answer.json()["code"] for answers in outcomes for answer in answers]
    assert (codes.count("not_found"), codes.count("rate_limited")) == (20, 80)
    assert CountedAttempt.objects.filter(kind="device_code_by_address").count() == 20


def look_at_many(code: str) -> list[Any]:
    return results(race([lambda: look(code)] * 25))


def test_right_codes_among_guesses_cost_nothing_and_let_none_slip(customer: Customer) -> None:
    started = start()

    def guess(number: int) -> Any:
        code = started["userCode"] if number % 3 == 0 else NO_SUCH
        return again(customer).post(APPROVE, {"userCode": code})

    answers = results(race([lambda number=number: guess(number) for number in range(30)]))  # type: ignore[misc]
    wrong = [answer.json()["code"] for number, answer in enumerate(answers) if number % 3]
    assert (wrong.count("not_found"), wrong.count("rate_limited")) == (10, 10)
    right = {answer.status_code for number, answer in enumerate(answers) if number % 3 == 0}
    assert right <= {200, 429}
    assert CountedAttempt.objects.filter(kind="device_code_by_account").count() == 10
