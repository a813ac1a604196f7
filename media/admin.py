"""Jobs, attempts and nodes for the operator: to look at. What may be changed is changed by services."""

from django.contrib import admin

from core.admin import ReadOnly
from media.models import Attempt, Job, JobEvent, JobInput, Node


class AttemptsOfJob(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]  # generic in the stubs alone
    """The tries of a job."""

    model = Attempt
    extra = 0
    fields = ("number", "status", "pool", "node_id", "claimed_at", "finished_at", "error_code", "error_message")


class InputsOfJob(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]  # generic in the stubs alone
    """The media a job was given."""

    model = JobInput
    extra = 0
    fields = ("field", "index", "kind", "status", "bytes", "media_type", "tries")


class EventsOfJob(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]  # generic in the stubs alone
    """A job's history."""

    model = JobEvent
    extra = 0
    fields = ("seq", "type", "data", "at")
    ordering = ("seq",)


@admin.register(Job)
class JobAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs alone
    """One job with its attempts, inputs and history."""

    list_display = ("id", "task", "status", "account", "price_micros", "created_at", "duration_ms", "error_code")
    list_filter = ("status", "task")
    list_select_related = ("account",)
    search_fields = ("id__exact", "account__email")
    show_full_result_count = False
    inlines = (AttemptsOfJob, InputsOfJob, EventsOfJob)


@admin.register(Node)
class NodeAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs alone
    """The nodes and when they were last heard."""

    list_display = ("id", "pools", "slots", "last_seen_at", "memory_bytes", "drain_requested_at", "disabled_at")
