"""By what the desk's tables can be filtered: their filters and its own links, and nothing that could be guessed at."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.hashers import make_password

from accounts.models import User
from core.desk import OWNERS, DeskAdmin
from tests.desk.staff import desk
from tests.media.customers import Customer

pytestmark = pytest.mark.django_db
TRANSFORMS = ("", "__exact", "__startswith", "__regex", "__gt", "__contains", "__in")
SECRETS = {"password", "digest", "secret", "payload", "requirements", "body", "key", "code_digest", "payout_address"}


def _models() -> list[type]:
    return sorted(admin.site._registry, key=lambda model: model._meta.label)


def _list(model: Any) -> str:
    return f"/admin/{model._meta.app_label}/{model._meta.model_name}/"


def _filtered(page: Any) -> set[str]:
    """The columns this table's filters are about."""
    names = set()
    for wanted in page.list_filter:
        if isinstance(wanted, str):
            names.add(wanted)
        else:
            names.add(wanted[0] if isinstance(wanted, tuple) else wanted.parameter_name)
    return names


@pytest.mark.parametrize("model", _models(), ids=lambda model: model._meta.label)
def test_no_column_can_be_guessed_letter_by_letter(model: Any) -> None:
    page = admin.site._registry[model]
    assert isinstance(page, DeskAdmin)
    assert not _filtered(page) & SECRETS
    for field in model._meta.get_fields():
        inner = [one.name for one in field.related_model._meta.fields] if field.is_relation else []
        paths = [field.name, *(f"{field.name}__{name}" for name in inner)]
        allowed = {
            f"{path}{transform}"
            for path in paths
            for transform in TRANSFORMS
            if page.lookup_allowed(f"{path}{transform}", "a")
        }
        mine = {f"{field.name}{end}" for end in ("", "__exact", "__in")} if field.name in _filtered(page) else set()
        assert allowed <= mine | OWNERS
    browser = desk(superuser=True)
    for path in ("pk__gt", "id__gt", "account__password__startswith", "nothing__startswith"):
        assert browser.get(_list(model), {path: "1"}).status_code == 400


def test_a_password_or_a_digest_is_no_filter(customer: Customer) -> None:
    User.objects.filter(pk=customer.id).update(password=make_password("a long password"))
    browser = desk("support")
    for lookup in ("password__startswith", "apikey__digest__startswith", "apikey__digest__gt", "email__startswith"):
        for value in ("pbkdf2", "x"):
            assert browser.get("/admin/accounts/user/", {lookup: value}).status_code == 400
    assert browser.get("/admin/accounts/apikey/", {"digest__startswith": "a"}).status_code == 400
    assert browser.get("/admin/accounts/apikey/", {"user__password__startswith": "a"}).status_code == 400


def test_filters_and_links_work(customer: Customer) -> None:
    browser = desk(superuser=True)
    for query, shown in (
        ({"is_active__exact": "1", "is_staff__exact": "0"}, True),
        ({"is_active__exact": "0"}, False),
    ):
        text = browser.get("/admin/accounts/user/", query).content.decode()
        assert (f"/{customer.id}/change/" in text) == shown
    for path in (
        "accounts/apikey/?revoked_at__isempty=1",
        "accounts/securityevent/?kind__exact=signed_in",
        "accounts/devicelink/?status__exact=pending",
        "billing/priceversion/?task=image.generate",
        "core/deadevent/?topic=accounts.user_created",
        "media/job/?status__in=queued,processing",
        "media/job/?status=failed&task=image.generate",
        "billing/balance/?owes=yes",
    ):
        assert browser.get(f"/admin/{path}").status_code == 200, path


@pytest.mark.parametrize(
    "model",
    [model for model in _models() if admin.site._registry[model].list_filter],
    ids=lambda model: model._meta.label,
)
def test_each_filter_offers_what_is_allowed(model: Any) -> None:
    """Whatever a filter puts into an address, the table takes."""
    page = admin.site._registry[model]
    browser = desk(superuser=True)
    shown = browser.get(_list(model)).context["cl"]
    for spec in shown.filter_specs:
        assert all(page.lookup_allowed(name, "1") for name in spec.expected_parameters())
