"""Both header forms over the real URL, and every way to be nobody."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from accounts.authentication import ApiKeyAuthentication, Caller, Unauthenticated
from accounts.models import User
from accounts.services.keys import NewKey, mint_key, revoke_key

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> User:
    return get_user_model().objects.create_user("somebody@example.com")


@pytest.fixture
def minted(user: User) -> NewKey:
    return mint_key(user=user, label="laptop", now=NOW)


def authenticate(**headers: str) -> Caller | None:
    found = ApiKeyAuthentication().authenticate(Request(APIRequestFactory().get("/", headers=headers)))
    return found[0] if found else None


@pytest.mark.parametrize(
    "form",
    [
        {"Authorization": "Bearer {key}"},
        {"Authorization": "bearer {key}"},
        {"Authorization": "BEARER   {key}  "},
        {"X-Api-Key": "{key}"},
        {"x-api-key": "{key}", "authorization": "Bearer {key}"},
    ],
    ids=str,
)
def test_both_headers_name_the_caller(user: User, minted: NewKey, form: dict[str, str]) -> None:
    headers = {name: value.format(key=minted.plain) for name, value in form.items()}
    assert authenticate(**headers) == Caller(id=user.pk, key_id=minted.key.pk)


def test_a_request_without_any_is_left_to_the_permission() -> None:
    assert authenticate() is None


@pytest.mark.parametrize(
    "form",
    [
        {"Authorization": "Bearer {key}", "X-Api-Key": "{other}"},
        {"Authorization": "Bearer {key}", "X-Api-Key": ""},
        {"Authorization": "Bearer", "X-Api-Key": "{key}"},
        {"Authorization": "Basic {key}"},
        {"Authorization": "Basic {key}", "X-Api-Key": "{key}"},
        {"Authorization": "Token {key}"},
        {"Authorization": "{key}"},
        {"Authorization": "Bearer{key}"},
        {"Authorization": "Bearer\t{key}"},
        {"Authorization": "Bearer Bearer {key}"},
        {"Authorization": "Bearer {key} {key}"},
        {"Authorization": "Bearer {key},"},
        {"Authorization": "Bearer"},
        {"Authorization": ""},
        {"X-Api-Key": ""},
        {"X-Api-Key": "Bearer {key}"},
        {"X-Api-Key": "{key}x"},
        {"X-Api-Key": "é"},
    ],
    ids=str,
)
def test_a_wrong_credential_is_refused_never_ignored(user: User, minted: NewKey, form: dict[str, str]) -> None:
    other = mint_key(user=user, label="other", now=NOW)
    headers = {name: value.format(key=minted.plain, other=other.plain) for name, value in form.items()}
    with pytest.raises(Unauthenticated):
        authenticate(**headers)


def test_over_http(client: Client, user: User, minted: NewKey) -> None:
    url = "/api/v1/balance"
    assert client.get(url, headers={"x-api-key": minted.plain}).status_code == 200
    assert client.get(url, headers={"authorization": f"Bearer {minted.plain}"}).status_code == 200
    wrong: list[dict[str, Any]] = [
        {},
        {"x-api-key": minted.plain[:-1]},
        {"authorization": f"Basic {minted.plain}"},
        {"authorization": f"Bearer {minted.plain}", "x-api-key": "another"},
    ]
    for headers in wrong:
        answer = client.get(url, headers=headers)
        assert answer.status_code == 401
        assert answer.json()["code"] == "unauthenticated"
        assert answer["WWW-Authenticate"] == 'Bearer realm="api"'
        assert minted.plain[17:] not in answer.content.decode()
    revoke_key(account_id=user.pk, prefix=minted.key.prefix, now=NOW)
    assert client.get(url, headers={"x-api-key": minted.plain}).status_code == 401
    assert client.get(f"{url}?api_key={minted.plain}").status_code == 401
