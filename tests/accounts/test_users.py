"""An account and the event that other rooms hear of it by."""

from functools import partial

import pytest
from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction

from accounts.services.users import create_account
from billing.ledger.models import LedgerAccount
from billing.selectors import balance
from core import clock
from core.outbox.models import OutboxEvent
from core.outbox.services import handle_due
from tests.billing.racing import race

User = get_user_model()


@pytest.mark.django_db
def test_a_new_account_is_announced_and_gets_its_ledger_accounts() -> None:
    user = create_account(email="somebody@example.com", password="correct horse")
    announced = OutboxEvent.objects.get()
    assert (announced.topic, announced.payload) == ("accounts.user_created", {"accountId": str(user.pk)})
    assert not LedgerAccount.objects.filter(owner=user).exists()

    assert handle_due(limit=10, now=clock.now()) == 1
    assert sorted(LedgerAccount.objects.filter(owner=user).values_list("kind", "bucket")) == [
        ("available", "prepaid"),
        ("held", "prepaid"),
        ("receivable", "prepaid"),
    ]
    assert balance(account_id=user.pk).total == 0
    assert not OutboxEvent.objects.exists()


@pytest.mark.django_db
def test_what_is_stored_of_it() -> None:
    user = create_account(email="Some.Body@EXAMPLE.com", password="correct horse")
    user.refresh_from_db()
    assert user.email == "some.body@example.com"
    assert (user.is_active, user.is_staff, user.is_superuser) == (True, False, False)
    assert "correct horse" not in user.password
    assert user.check_password("correct horse")
    assert user.pk.version == 7
    assert not create_account(email="other@example.com").has_usable_password()
    operator = create_account(email="op@example.com", is_staff=True, is_superuser=True)
    assert (operator.is_staff, operator.is_superuser) == (True, True)


@pytest.mark.django_db
def test_an_address_has_one_account_however_it_is_written() -> None:
    first = create_account(email="somebody@example.com")
    for same in ("somebody@example.com", "SOMEBODY@example.com", "somebody@EXAMPLE.COM"):
        with pytest.raises(IntegrityError), transaction.atomic():
            create_account(email=same)
    assert [user.pk for user in User.objects.all()] == [first.pk]
    assert OutboxEvent.objects.count() == 1


@pytest.mark.django_db
def test_the_database_itself_refuses_capitals() -> None:
    user = create_account(email="somebody@example.com")
    with pytest.raises(IntegrityError, match="accounts_user_email_is_lower_case"), transaction.atomic():
        User.objects.filter(pk=user.pk).update(email="Somebody@example.com")


@pytest.mark.django_db(transaction=True)
def test_of_racing_sign_ups_one_makes_the_account() -> None:
    outcomes = race([partial(create_account, email=f"{'aA'[n % 2]}nn@example.com") for n in range(6)])
    assert sum(error is None for _, error in outcomes) == 1
    assert all(isinstance(error, IntegrityError) for _, error in outcomes if error is not None)
    assert User.objects.get().email == "ann@example.com"
    assert OutboxEvent.objects.get().payload == {"accountId": str(User.objects.get().pk)}
