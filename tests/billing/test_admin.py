"""The admin shows money and moves none."""

from uuid import UUID

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.test import RequestFactory

from billing.models import Balance, LedgerAccount, PriceVersion, Transfer


@pytest.mark.parametrize("model", [Balance, LedgerAccount, PriceVersion, Transfer])
def test_even_a_superuser_only_looks(account: UUID, model: type) -> None:
    request = RequestFactory().get("/")
    request.user = get_user_model().objects.create_superuser("root@example.com")
    page = admin.site.get_model_admin(model)

    assert page.has_view_permission(request)
    assert not page.has_add_permission(request)
    assert not page.has_change_permission(request)
    assert not page.has_delete_permission(request)
    assert "delete_selected" not in page.get_actions(request)
    shown = page.get_changelist_instance(request).get_queryset(request)
    assert list(shown.values_list("pk", flat=True).order_by("pk")) == list(
        model.objects.values_list("pk", flat=True).order_by("pk")
    )
