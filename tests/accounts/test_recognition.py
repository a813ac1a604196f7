"""What a key's lookup says of it, and what it notes: once for each address, only for the whole key, in one query."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import recognition
from accounts.models import KeyAddress, SecurityEvent, User
from accounts.recognition import SpendLimit, recognise
from accounts.services.keys import MissingScope, NewKey, TooManyKeys, mint_key, revoke_key
from accounts.services.users import create_account
from core.operations import Scope
from tests.billing.racing import race

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def user(db: None) -> User:
    return create_account(email="somebody@example.com")


@pytest.fixture
def minted(user: User) -> NewKey:
    return mint_key(user=user, label="laptop", now=NOW)


def kinds(user: User) -> list[str]:
    return list(SecurityEvent.objects.filter(user=user).order_by("id").values_list("kind", flat=True))


class TestNewAddress:
    def test_the_first_use_from_an_address_is_an_event_and_the_second_is_not(self, user: User, minted: NewKey) -> None:
        for address in ("192.0.2.1", "192.0.2.1", "2001:db8::1", "192.0.2.1"):
            recognition.forget()
            assert recognise(minted.plain, address=address, user_agent="curl/8") is not None
        assert kinds(user) == ["key_created", "key_used_from_new_address", "key_used_from_new_address"]
        first = SecurityEvent.objects.filter(kind="key_used_from_new_address").order_by("id")[0]
        assert (first.address, first.user_agent, first.key_prefix) == ("192.0.2.1", "curl/8", minted.key.prefix)
        assert first.details == {}
        assert sorted(KeyAddress.objects.values_list("address", flat=True)) == ["192.0.2.1", "2001:db8::1"]

    def test_it_costs_no_query_of_its_own(self, minted: NewKey) -> None:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            recognise(minted.plain, address="192.0.2.1")
        assert len(asked) == 1
        with CaptureQueriesContext(connection) as asked:
            recognise(minted.plain, address="192.0.2.1")
        assert len(asked) == 0
        with CaptureQueriesContext(connection) as asked:
            recognise(minted.plain, address="192.0.2.2")
        assert len(asked) == 1

    def test_a_right_prefix_with_a_wrong_rest_notes_nothing(self, user: User, minted: NewKey) -> None:
        wrong = minted.plain[:-1] + ("A" if minted.plain[-1] != "A" else "B")
        assert recognise(wrong, address="192.0.2.9") is None
        assert kinds(user) == ["key_created"]
        assert not KeyAddress.objects.exists()

    def test_a_wrong_key_does_not_let_the_right_one_pass_unnoted(self, user: User, minted: NewKey) -> None:
        wrong = minted.plain[:-1] + ("A" if minted.plain[-1] != "A" else "B")
        assert recognise(wrong, address="192.0.2.9") is None
        assert recognise(minted.plain, address="192.0.2.9") is not None
        assert kinds(user) == ["key_created", "key_used_from_new_address"]

    def test_only_so_many_addresses_are_noted(
        self, user: User, minted: NewKey, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(recognition, "MOST_ADDRESSES", 2)
        for number in range(4):
            assert recognise(minted.plain, address=f"192.0.2.{number}") is not None
        assert kinds(user) == ["key_created", "key_used_from_new_address", "key_used_from_new_address"]
        assert KeyAddress.objects.count() == 2

    def test_neither_does_a_revoked_key_or_one_of_a_suspended_account(self, user: User, minted: NewKey) -> None:
        other = mint_key(user=user, label="other", now=NOW)
        revoke_key(account_id=user.pk, prefix=other.key.prefix, now=NOW)
        assert recognise(other.plain, address="192.0.2.9") is None
        User.objects.filter(pk=user.pk).update(is_active=False)
        assert recognise(minted.plain, address="192.0.2.9") is None
        assert not KeyAddress.objects.exists()

    def test_a_request_without_a_usable_address_is_served(self, minted: NewKey) -> None:
        assert recognise(minted.plain, address=None) is not None
        assert not KeyAddress.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_twenty_first_uses_at_once_are_one_event() -> None:
    user = create_account(email="racer@example.com")
    minted = mint_key(user=user, label="raced", now=NOW)
    shown = [bytes(minted.key.digest)]
    outcomes = race([lambda: recognition._look_up(minted.key.prefix, shown, "192.0.2.1", "")] * 20)
    assert [error for _, error in outcomes if error is not None] == []
    assert kinds(user) == ["key_created", "key_used_from_new_address"]
    assert KeyAddress.objects.count() == 1


class TestChildren:
    def test_a_child_has_its_parents_scopes_and_limits(self, user: User) -> None:
        parent = mint_key(
            user=user,
            label="parent",
            now=NOW,
            scopes=[Scope.MEDIA_READ, Scope.KEYS],
            monthly_spend_limit=5_000_000,
        )
        child = mint_key(user=user, label="child", now=NOW, parent_id=parent.key.pk, monthly_spend_limit=7_000_000)
        grandchild = mint_key(user=user, label="g", now=NOW, parent_id=child.key.pk, scopes=[Scope.MEDIA_READ])
        identity = recognise(grandchild.plain)
        assert identity is not None
        assert identity.scopes == {"media:read"}
        assert identity.spend_limits == (
            SpendLimit(child.key.pk, 7_000_000),
            SpendLimit(parent.key.pk, 5_000_000),
        )
        assert child.key.scopes == ["keys", "media:read"]

    def test_it_gets_no_scope_its_parent_lacks(self, user: User) -> None:
        parent = mint_key(user=user, label="parent", now=NOW, scopes=[Scope.KEYS])
        with pytest.raises(MissingScope) as refused:
            mint_key(user=user, label="child", now=NOW, parent_id=parent.key.pk, scopes=["keys", "studio", "arcade"])
        assert refused.value.details == {"scopes": ["arcade", "studio"]}
        assert user.api_keys.count() == 1

    def test_a_key_without_scopes_may_everything_and_so_may_its_child(self, user: User, minted: NewKey) -> None:
        child = mint_key(user=user, label="child", now=NOW, parent_id=minted.key.pk)
        identity = recognise(child.plain)
        assert identity is not None
        assert (identity.scopes, identity.spend_limits) == (None, ())

    def test_another_accounts_key_is_no_parent(self, user: User, minted: NewKey) -> None:
        stranger = create_account(email="stranger@example.com")
        with pytest.raises(minted.key.DoesNotExist):
            mint_key(user=stranger, label="stolen", now=NOW, parent_id=minted.key.pk)


class TestHowMany:
    def test_twenty_five_usable_keys_and_no_more(self, user: User) -> None:
        made = [mint_key(user=user, label=str(number), now=NOW) for number in range(25)]
        with pytest.raises(TooManyKeys) as refused:
            mint_key(user=user, label="26", now=NOW)
        assert refused.value.details == {"limit": 25}
        assert user.api_keys.count() == 25
        revoke_key(account_id=user.pk, prefix=made[3].key.prefix, now=NOW)
        mint_key(user=user, label="26", now=NOW)


@pytest.mark.django_db(transaction=True)
def test_two_at_once_are_not_both_the_last_one() -> None:
    user = create_account(email="many@example.com")
    for number in range(24):
        mint_key(user=user, label=str(number), now=NOW)
    outcomes = race([lambda: mint_key(user=user, label="last", now=NOW)] * 6)
    assert sorted(type(error).__name__ for _, error in outcomes) == ["NoneType"] + ["TooManyKeys"] * 5
    assert user.api_keys.count() == 25
