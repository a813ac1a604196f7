"""What the operator sees of this room, and the manner in which every room shows its rows: to look at."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from core import clock
from core.models import DeadEvent, OutboxEvent, WebhookDelivery, WebhookTry
from core.outbox.services import replay


class ReadOnly:
    """Nothing can be added, changed or deleted in the admin: services do that, with their rules."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False


@admin.register(OutboxEvent)
class OutboxEventAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs alone
    """Control events that wait for their handlers."""

    list_display = ("topic", "handler", "due_at", "tries", "last_error")


@admin.register(DeadEvent)
class DeadEventAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs alone
    """Control events whose handlers failed too often."""

    list_display = ("topic", "handler", "tries", "died_at", "last_error")
    actions = ("replay_selected",)

    @admin.action(description="Replay", permissions=["view"])
    def replay_selected(self, request: HttpRequest, queryset: QuerySet[DeadEvent]) -> None:
        """Put the chosen events back into the queue."""
        replayed = sum(replay(event_id=event_id, now=clock.now()) for event_id in queryset.values_list("pk", flat=True))
        self.message_user(request, f"{replayed} events wait for their handlers again.", messages.SUCCESS)


class TriesOfDelivery(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]  # generic in the stubs alone
    """What came of each try."""

    model = WebhookTry
    extra = 0
    fields = ("at", "http_status", "error", "elapsed_ms")


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs alone
    """Outgoing callbacks and their tries."""

    list_display = ("id", "topic", "status", "tries", "next_try_at", "created_at", "finished_at")
    list_filter = ("status", "topic")
    search_fields = ("subject_id__exact",)
    inlines = (TriesOfDelivery,)
