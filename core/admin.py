"""What the operator sees of this room: events under way, and callbacks with their tries."""

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from core import clock, ids
from core.desk import BigTableAdmin, DeskAdmin, DeskInline, Question, action, display, one_of
from core.models import DeadEvent, OutboxEvent, WebhookDelivery, WebhookTry
from core.outbox.services import replay
from core.webhooks.models import STATUSES
from core.webhooks.services import resend

REPLAY = Question(
    title="Replay events",
    sentence="The events go back into the queue, and their handlers see them again within a second. Do it once the "
    "cause is mended: an event that fails ten times more is dead again.",
    button="Replay",
)
RESEND = Question(
    title="Send callbacks again",
    sentence="Each message is sent again with the same id and body and a fresh signature, and the schedule of tries "
    "starts anew. Earlier tries stay on record. One that is still being tried is left alone.",
    button="Send again",
)


@admin.register(OutboxEvent)
class OutboxEventAdmin(BigTableAdmin):
    """Control events that wait for their handlers."""

    list_display = ("topic", "handler", "due_at", "tries", "created_at", "last_error")
    ordering = ("due_at",)


@admin.register(DeadEvent)
class DeadEventAdmin(DeskAdmin):
    """Control events whose handlers failed too often."""

    list_display = ("topic", "handler", "tries", "died_at", "last_error")
    list_filter = ("topic",)
    ordering = ("-died_at",)
    actions = ("replay_selected",)

    def has_replay_permission(self, request: HttpRequest) -> bool:
        """Who may put events back."""
        return bool(request.user.has_perm("core.replay_deadevent"))

    @admin.action(description="Replay", permissions=["replay"])
    def replay_selected(self, request: HttpRequest, queryset: "QuerySet[DeadEvent]") -> HttpResponse | None:
        """Put the chosen events back into the queue."""

        def do(event: DeadEvent, answers: dict[str, object]) -> str:
            replay(event_id=event.pk, now=clock.now())
            return "It waits for its handler again."

        return self.ask_for_all(request, queryset, "replay_selected", REPLAY, do)


class TriesOfDelivery(DeskInline):
    """What came of each try."""

    model = WebhookTry
    verbose_name_plural = "Tries"
    fields = ("at", "http_status", "error", "elapsed_ms")
    readonly_fields = fields
    ordering = ("at",)


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(BigTableAdmin):
    """Outgoing callbacks and their tries."""

    id_prefix = ids.WEBHOOK_DELIVERY
    list_display = ("public_id", "topic", "state", "tries", "next_try_at", "created_at", "finished_at")
    list_filter = (one_of("status", STATUSES),)
    search_fields = ("subject_id__exact",)
    search_help_text = "A delivery's id, or the id of the job (a UUID) it is about"
    ordering = ("-id",)
    fields = (
        "id",
        "account_id",
        "topic",
        "subject_id",
        "url",
        "status",
        "tries",
        "next_try_at",
        "created_at",
        "finished_at",
        "body",
    )
    inlines = (TriesOfDelivery,)
    actions = ("resend_selected",)
    actions_detail = ("resend_one",)

    @display(description="Id", ordering="id")
    def public_id(self, delivery: WebhookDelivery) -> str:
        """As clients see it."""
        return ids.encode(ids.WEBHOOK_DELIVERY, delivery.pk)

    @display(description="Status", label={"delivered": "success", "pending": "info", "failed": "danger"})
    def state(self, delivery: WebhookDelivery) -> str:
        """Coloured."""
        return delivery.status

    def has_resend_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Who may send again."""
        return bool(request.user.has_perm("core.resend_delivery"))

    @admin.action(description="Send again", permissions=["resend"])
    def resend_selected(self, request: HttpRequest, queryset: "QuerySet[WebhookDelivery]") -> HttpResponse | None:
        """Start the schedules of the chosen ones again."""
        return self.ask_for_all(request, queryset, "resend_selected", RESEND, _resend)

    @action(description="Send again", permissions=["resend"], icon="replay")
    def resend_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Start this one's schedule again."""
        return self.ask(request, object_id, RESEND, _resend)


def _resend(delivery: WebhookDelivery, answers: dict[str, object]) -> str:
    resend(account_id=delivery.account_id, delivery_id=delivery.pk, now=clock.now())
    return "It is sent again within a second."


@admin.register(LogEntry)
class LogEntryAdmin(BigTableAdmin):
    """What staff did at the desk, and why."""

    list_display = ("action_time", "user", "content_type", "object_repr", "change_message")
    list_select_related = ("user", "content_type")
    search_fields = ("user__email__exact", "object_id__exact")
    ordering = ("-id",)
    fields = ("action_time", "user", "content_type", "object_id", "object_repr", "change_message")
