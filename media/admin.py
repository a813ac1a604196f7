"""Jobs, attempts and nodes at the operator's desk. What may be done is done by services."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from billing.micros import usd
from billing.statements import Filters, page
from core import clock, ids
from core.desk import Answers, BigTableAdmin, DeskAdmin, DeskInline, Question, action, display, one_of, staff_id
from core.webhooks.selectors import list_deliveries
from media.catalog.registry import all_tasks
from media.fleet.selectors import ALIVE_FOR
from media.fleet.services import disable_node, drain_node, enable_node
from media.models import Attempt, Job, JobEvent, JobInput, Node
from media.services.terminate_job import terminate_job
from media.transitions import JOB_STATUSES

TERMINATE = Question(
    title="Terminate job",
    sentence="The job ends now as terminated: its hold is released, nothing is billed, its callback is sent. A worker "
    "that runs it is told to stop, and what it delivers afterwards is refused.",
    button="Terminate",
    dangerous=True,
)
DRAIN = Question(
    title="Drain node",
    sentence="The node gets no new work; what it runs is finished. Enable it to give it work again.",
    button="Drain",
)
DISABLE = Question(
    title="Disable node",
    sentence="Within a second nothing the node says is heard any more. What it runs is lost and tried again "
    "elsewhere once its lease ends. Its secret works again when it is enabled.",
    button="Disable",
    dangerous=True,
)
ENABLE = Question(
    title="Enable node",
    sentence="The node is heard again and gets work.",
    button="Enable",
)


class AttemptsOfJob(DeskInline):
    """The tries of a job."""

    model = Attempt
    verbose_name_plural = "Attempts"
    fields = ("number", "status", "pool", "node_id", "claimed_at", "finished_at", "error_code", "error_message")
    readonly_fields = fields
    ordering = ("number",)


class InputsOfJob(DeskInline):
    """The media a job was given."""

    model = JobInput
    verbose_name_plural = "Inputs"
    fields = ("field", "index", "kind", "status", "bytes", "media_type", "tries")
    readonly_fields = fields
    ordering = ("field", "index")


class EventsOfJob(DeskInline):
    """A job's history."""

    model = JobEvent
    verbose_name_plural = "Timeline"
    fields = ("seq", "type", "data", "at")
    readonly_fields = fields
    ordering = ("seq",)


@admin.register(Job)
class JobAdmin(BigTableAdmin):
    """One job with its attempts, history and inputs, its money and its callbacks."""

    id_prefix = ids.JOB
    list_display = ("public_id", "task", "state", "account", "price", "created_at", "duration_ms", "error_code")
    list_filter = (one_of("status", JOB_STATUSES), one_of("task", sorted(all_tasks())))
    list_select_related = ("account",)
    search_fields = ("account__email__exact",)
    search_help_text = "A job's id, or an account's whole email address"
    ordering = ("-id",)
    fields = (
        "public_id",
        "account",
        "api_key_id",
        "task",
        "state",
        "price",
        "charged",
        "created_at",
        "started_at",
        "finished_at",
        "cancel_requested_at",
        "duration_ms",
        "error_code",
        "error_message",
        "callback_url",
        "effective_input",
        "adjustments",
        "pricing_meta",
        "outputs",
        "swept_at",
    )
    readonly_fields = ("public_id", "state", "price", "charged")
    inlines = (AttemptsOfJob, EventsOfJob, InputsOfJob)
    change_form_outer_after_template = "desk/job.html"
    actions = ("terminate_selected",)
    actions_detail = ("terminate",)

    @display(description="Id", ordering="id")
    def public_id(self, job: Job) -> str:
        """As clients see it."""
        return ids.encode(ids.JOB, job.pk)

    @display(
        description="Status",
        label={
            "completed": "success",
            "failed": "danger",
            "terminated": "danger",
            "canceled": "warning",
            "processing": "info",
        },
    )
    def state(self, job: Job) -> str:
        """Coloured."""
        return job.status

    @display(description="Price", ordering="price_micros")
    def price(self, job: Job) -> str:
        """The hold, in dollars."""
        return f"${usd(job.price_micros)}"

    @display(description="Charged")
    def charged(self, job: Job) -> str:
        """Where the task settles by its outputs."""
        return f"${usd(job.charged_micros)}" if job.charged_micros is not None else "the price, once completed"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page, with the job's ledger lines and callbacks, each to whoever may see their tables."""
        job = self.get_object(request, unquote(object_id))
        more = _around(request, job) if job is not None else {}
        answer: HttpResponse = super().change_view(request, object_id, form_url, {**(extra_context or {}), **more})
        return answer

    def has_terminate_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Who may end jobs."""
        return bool(request.user.has_perm("media.terminate_job"))

    @action(description="Terminate", permissions=["terminate"], icon="stop_circle")
    def terminate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """End this job."""
        return self.ask(request, object_id, TERMINATE, lambda job, answers: _terminate(job, answers, request))

    @admin.action(description="Terminate", permissions=["terminate"])
    def terminate_selected(self, request: HttpRequest, queryset: "QuerySet[Job]") -> HttpResponse | None:
        """End the chosen jobs."""
        return self.ask_for_all(
            request, queryset, "terminate_selected", TERMINATE, lambda job, answers: _terminate(job, answers, request)
        )


def _around(request: HttpRequest, job: Job) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    user: Any = request.user
    if user.has_perm("billing.view_transfer"):
        found = page(account_id=job.account_id, filters=Filters(job_id=job.pk))
        shown["ledger"] = [
            {
                "at": entry.line.at,
                "label": entry.line.label,
                "reference": entry.line.reference,
                "available": _change(entry.line.available_change),
                "held": _change(entry.line.held_change),
            }
            for entry in reversed(found.entries)
        ]
    if user.has_perm("core.view_webhookdelivery"):
        deliveries, _ = list_deliveries(account_id=job.account_id, subject_id=job.pk, limit=20)
        shown["deliveries"] = [
            {
                "id": ids.encode(ids.WEBHOOK_DELIVERY, delivery.pk),
                "link": reverse("admin:core_webhookdelivery_change", args=[delivery.pk]),
                "status": delivery.status,
                "url": delivery.url,
                "tries": [
                    {"at": one.at, "said": one.http_status or one.error, "ms": one.elapsed_ms}
                    for one in delivery.recorded_tries.all()
                ],
            }
            for delivery in deliveries
        ]
    return shown


def _change(amount: int) -> str:
    return f"{'+' if amount > 0 else '-'}${usd(abs(amount))}" if amount else ""


def _terminate(job: Job, answers: Answers, request: HttpRequest) -> str:
    ended = terminate_job(job_id=job.pk, actor_id=staff_id(request), reason=answers["reason"], now=clock.now())
    return "The job is terminated; nothing is billed." if ended else "The job was terminated before."


@admin.register(Node)
class NodeAdmin(DeskAdmin):
    """The nodes and when they were last heard."""

    list_display = ("id", "standing", "pools", "slots", "last_seen_at", "memory_bytes", "version")
    ordering = ("id",)
    fields = (
        "id",
        "standing",
        "pools",
        "slots",
        "memory_bytes",
        "version",
        "secret_version",
        "created_at",
        "last_seen_at",
        "drain_requested_at",
        "disabled_at",
    )
    readonly_fields = ("standing",)
    actions_detail = ("drain", "disable", "enable")

    @display(
        description="Standing",
        label={"alive": "success", "silent": "danger", "draining": "warning", "disabled": "danger"},
    )
    def standing(self, node: Node) -> str:
        """In one word."""
        if node.disabled_at is not None:
            return "disabled"
        if node.drain_requested_at is not None:
            return "draining"
        alive = node.last_seen_at is not None and clock.now() - node.last_seen_at <= ALIVE_FOR
        return "alive" if alive else "silent"

    def has_manage_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Who may manage nodes."""
        return bool(request.user.has_perm("media.manage_node"))

    @action(description="Drain", permissions=["manage"], icon="hourglass_bottom")
    def drain(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """No new work."""

        def do(node: Node, answers: Answers) -> str:
            drain_node(node_id=node.pk, now=clock.now())
            return f"{node} gets no new work."

        return self.ask(request, object_id, DRAIN, do)

    @action(description="Disable", permissions=["manage"], icon="block")
    def disable(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Not heard any more."""

        def do(node: Node, answers: Answers) -> str:
            disable_node(node_id=node.pk, now=clock.now())
            return f"{node} is not heard any more."

        return self.ask(request, object_id, DISABLE, do)

    @action(description="Enable", permissions=["manage"], icon="play_arrow")
    def enable(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Heard, and given work."""

        def do(node: Node, answers: Answers) -> str:
            enable_node(node_id=node.pk)
            return f"{node} is heard and gets work."

        return self.ask(request, object_id, ENABLE, do)
