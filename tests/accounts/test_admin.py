"""The admin shows credentials' histories, changes nothing, and holds no secret."""

import re
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.test import Client, RequestFactory

from accounts.models import ApiKey, DeviceLink, EmailCode, SecurityEvent, User
from accounts.services.device_links import start_link
from accounts.services.keys import mint_key
from accounts.services.security_events import NOWHERE, Origin
from core import clock
from tests.desk.staff import desk

pytestmark = pytest.mark.django_db
MODELS = [User, ApiKey, SecurityEvent, DeviceLink, EmailCode]


@pytest.fixture
def rows() -> dict[str, Any]:
    """One row of each; the secrets among them."""
    user = get_user_model().objects.create_user("somebody@example.com")
    now = clock.now()
    parent = mint_key(user=user, label="parent", now=now, monthly_spend_limit=5_000_000)
    child = mint_key(
        user=user,
        label="child",
        now=now,
        parent_id=parent.key.pk,
        scopes=["media:read"],
        origin=Origin(address="203.0.113.9", user_agent="probe/1"),
    )
    started = start_link(label="laptop", origin=NOWHERE, now=now)
    code = EmailCode.objects.create(email="somebody@example.com", expires_at=now)
    return {"user": user, "parent": parent, "child": child, "started": started, "code": code}


@pytest.fixture
def operator() -> Client:
    return desk(superuser=True)


def page(client: Client, path: str) -> str:
    answer = client.get(f"/admin/accounts/{path}")
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


@pytest.mark.parametrize("model", MODELS)
def test_even_a_superuser_only_looks(rows: dict[str, Any], model: Any) -> None:
    request = RequestFactory().get("/")
    request.user = get_user_model().objects.create_superuser("root@example.com")
    shown = admin.site.get_model_admin(model)
    assert shown.has_view_permission(request)
    assert not shown.has_add_permission(request)
    assert not shown.has_change_permission(request)
    assert not shown.has_delete_permission(request)
    assert "delete_selected" not in shown.get_actions(request)


def test_no_page_holds_a_secret_or_its_digest(rows: dict[str, Any], operator: Client) -> None:
    pages = [page(operator, f"{model._meta.model_name}/") for model in MODELS]
    pages += [
        page(operator, f"{model._meta.model_name}/{row.pk}/change/") for model in MODELS for row in model.objects.all()
    ]
    secrets = [rows["parent"].plain[17:], rows["child"].plain[17:], rows["started"].device_code[4:]]
    secrets += [bytes(key.digest).hex() for key in ApiKey.objects.all()]
    secrets += [bytes(DeviceLink.objects.get().device_digest).hex()]
    for text in pages:
        assert "digest" not in text
        assert not [secret for secret in secrets if secret in text]


def test_keys_are_shown_with_scopes_limits_and_parents(rows: dict[str, Any], operator: Client) -> None:
    text = page(operator, "apikey/")
    assert rows["child"].key.prefix in text
    assert "media:read" in text
    assert re.search(r"5,?000,?000", text)
    text = page(operator, f"apikey/{rows['child'].key.pk}/change/")
    assert rows["parent"].key.prefix in text
    found = page(operator, f"apikey/?q={rows['parent'].key.prefix}")
    assert "1 api key" in found


def test_events_are_filtered_and_found(rows: dict[str, Any], operator: Client) -> None:
    other = get_user_model().objects.create_user("other@example.com")
    mint_key(user=other, label="theirs", now=clock.now())
    assert "3 security events" in page(operator, "securityevent/?kind=key_created")
    assert "0 security events" in page(operator, "securityevent/?kind=key_revoked")
    assert "2 security events" in page(operator, "securityevent/?q=somebody@example.com")
    text = page(operator, f"securityevent/?q={rows['child'].key.prefix}")
    assert "1 security event" in text
    assert "203.0.113.9" in text
    event = SecurityEvent.objects.get(key_prefix=rows["child"].key.prefix)
    assert "probe/1" in page(operator, f"securityevent/{event.pk}/change/")


def test_device_links_and_codes_are_listed(rows: dict[str, Any], operator: Client) -> None:
    assert rows["started"].link.user_code in page(operator, "devicelink/")
    assert "somebody@example.com" in page(operator, "emailcode/")
    assert str(rows["code"].pk) not in page(operator, f"emailcode/{rows['code'].pk}/change/").replace(
        f"/{rows['code'].pk}/", ""
    )


@pytest.mark.parametrize("model", MODELS)
def test_who_is_no_operator_sees_nothing(rows: dict[str, Any], client: Client, model: Any) -> None:
    client.force_login(rows["user"])
    answer = client.get(f"/admin/accounts/{model._meta.model_name}/")
    assert answer.status_code == 302
    assert answer["Location"].startswith("/admin/login/")
