"""The room's tables in the admin: to look at, never to touch."""

from django.contrib import admin

from billing.models import Balance, LedgerAccount, PriceVersion, Transfer
from core.admin import ReadOnly


class ReadOnlyAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs alone
    """Money is moved by services and prices are published by command: the admin offers neither."""

    list_per_page = 50
    show_full_result_count = False


@admin.register(Transfer)
class TransferAdmin(ReadOnlyAdmin):
    """Every movement of money, newest first."""

    list_display = ("created_at", "reference", "leg", "kind", "amount", "debit", "credit", "available_after")
    list_select_related = ("debit", "credit")
    search_fields = ("reference__startswith",)
    ordering = ("-id",)


@admin.register(Balance)
class BalanceAdmin(ReadOnlyAdmin):
    """What each customer has."""

    list_display = ("owner", "bucket", "available", "held", "receivable")
    list_select_related = ("owner",)
    search_fields = ("owner__email",)


@admin.register(LedgerAccount)
class LedgerAccountAdmin(ReadOnlyAdmin):
    """The sides that transfers have."""

    list_display = ("id", "kind", "bucket", "owner")
    list_select_related = ("owner",)
    search_fields = ("owner__email", "kind")


@admin.register(PriceVersion)
class PriceVersionAdmin(ReadOnlyAdmin):
    """What each task has cost since when."""

    list_display = ("task", "active_from", "formula")
    list_filter = ("task",)
    ordering = ("task", "-active_from")
