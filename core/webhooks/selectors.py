"""Reading deliveries."""

from uuid import UUID

from core.webhooks.models import WebhookDelivery


def list_deliveries(
    *,
    account_id: UUID,
    limit: int,
    before: UUID | None = None,
    subject_id: UUID | None = None,
    status: str | None = None,
) -> tuple[list[WebhookDelivery], UUID | None]:
    """The account's deliveries, newest first, with their tries, and the id to continue `before`; None at the end."""
    found = WebhookDelivery.objects.filter(account_id=account_id).order_by("-id").prefetch_related("recorded_tries")
    if before is not None:
        found = found.filter(id__lt=before)
    if subject_id is not None:
        found = found.filter(subject_id=subject_id)
    if status is not None:
        found = found.filter(status=status)
    page = list(found[: limit + 1])
    return page[:limit], page[limit - 1].id if len(page) > limit else None


def pending_deliveries() -> int:
    """How many deliveries, of all accounts, are not over yet."""
    return WebhookDelivery.objects.filter(status="pending").count()
