"""Every page of the desk opens, for a superuser and with a row in it where one is easily made."""

import pytest
from django.contrib import admin
from django.urls import reverse

from tests.desk.staff import desk
from tests.media.customers import new_customer

pytestmark = pytest.mark.django_db


def _models() -> list[type]:
    return sorted(admin.site._registry, key=lambda model: model._meta.label)


@pytest.mark.parametrize("model", _models(), ids=lambda model: model._meta.label)
def test_every_table_opens(model: type) -> None:
    new_customer()
    browser = desk(superuser=True)
    opts = model._meta  # type: ignore[attr-defined]
    answer = browser.get(reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist"))
    assert answer.status_code == 200
    answer = browser.get(reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist"), {"q": "abc"})
    assert answer.status_code in (200, 302)
    row = model.objects.first()  # type: ignore[attr-defined]
    if row is not None:
        answer = browser.get(reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[row.pk]))
        assert answer.status_code == 200


def test_the_front_page_opens() -> None:
    assert desk(superuser=True).get("/admin/").status_code == 200
