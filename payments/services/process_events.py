"""Judge stored events of providers: find the purchase each is about, and reconcile that."""

from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db.models import F

from core import ids
from core.errors import InvalidRequest, NotFound, Unavailable
from payments.models import HOSTED, Checkout, Deposit, ProviderEvent
from payments.providers.registry import provider_of
from payments.services.reconcile_deposit import Result, reconcile_deposit
from payments.transitions import EVENT, FLAGGED, RECEIVED

MAX_TRIES = 10
"""After so many failures that are not the provider's absence an operator must look."""
LONGEST_PAUSE = timedelta(hours=1)
_ENDS = {Result.IN_LINE: "process", Result.NOT_OURS: "ignore", Result.FLAGGED: "flag"}
_log = structlog.get_logger(__name__)


class EventNotFound(NotFound):
    """There is no such event, or it waits to be judged already."""


class EventNotFlagged(NotFound):
    """No such event waits for an operator."""


def process_due_events(*, limit: int, now: datetime) -> int:
    """Judge up to `limit` due events of each provider, oldest first; how many came to an end.

    An event ends after its effect is committed: a crash in between repeats a reconciliation, which changes nothing.
    A provider that cannot be reached is spared for the rest of the round; its events wait, however long.
    """
    return sum(_process(provider, limit, now) for provider in HOSTED)


def _process(provider: str, limit: int, now: datetime) -> int:
    ended = 0
    due = ProviderEvent.objects.filter(provider=provider, status=RECEIVED, due_at__lte=now).order_by("due_at", "id")
    for event in list(due[:limit]):
        try:
            end, note = _judge(event, now)
        except Unavailable as error:
            _log.warning("provider_unavailable", provider=provider, error=repr(error.__cause__ or error))
            _postpone(event, error, now)
            break
        except Exception as error:
            _log.exception("provider_event_failed", provider=provider, event_id=event.event_id)
            if event.tries + 1 >= MAX_TRIES:
                ended += _end(event, "flag", f"It failed {MAX_TRIES} times: {error!r}", now)
            else:
                _postpone(event, error, now)
        else:
            ended += _end(event, end, note, now)
    return ended


def replay_event(*, event_id: UUID, actor_id: UUID, now: datetime) -> None:
    """Have an event that came to an end judged again: an operator wants it.

    Raises:
        EventNotFound: there is none of this id, or it waits already.
    """
    event = ProviderEvent.objects.filter(pk=event_id)
    if not EVENT.apply("replay", event, due_at=now, tries=0, finished_at=None):
        raise EventNotFound
    _log.info("provider_event_replayed", event_id=str(event_id), actor_id=str(actor_id))


def dismiss_event(*, event_id: UUID, reason: str, actor_id: UUID, now: datetime) -> None:
    """Close a flagged event: an operator saw to it. Nothing is posted; its note keeps who and why.

    Raises:
        InvalidRequest: no reason.
        EventNotFlagged: there is none of this id that waits for an operator.
    """
    if not reason.strip():
        raise InvalidRequest({"reason": "must say why"})
    flagged = ProviderEvent.objects.filter(pk=event_id, status=FLAGGED)
    note = f"closed_by_operator: {ids.encode(ids.ACCOUNT, actor_id)}: {reason.strip()}"
    found = flagged.values_list("note", flat=True).first()
    if not EVENT.apply("ignore", flagged, note=f"{note} | {found}"[:1000], finished_at=now):
        raise EventNotFlagged
    _log.info("provider_event_dismissed", event_id=str(event_id), actor_id=str(actor_id))


def _judge(event: ProviderEvent, now: datetime) -> tuple[str, str]:
    """How the event ends, and why."""
    provider = provider_of(event.provider)
    hint = provider.hint(event.payload)
    if hint.flag or hint.ignore:
        return ("flag", hint.flag) if hint.flag else ("ignore", hint.ignore)
    purchase_id = hint.purchase_id or _purchase_of(event.provider, hint.payment_id)
    if not purchase_id:
        return "ignore", "No hosted page of ours took this payment."
    found = reconcile_deposit(provider=event.provider, provider_id=purchase_id, now=now)
    return _ENDS[found.result], found.note


def _purchase_of(provider: str, payment_id: str) -> str | None:
    """The purchase that a payment paid, from our books or from the provider."""
    deposits = Deposit.objects.filter(provider=provider, provider_id=payment_id).values("pk")
    known = Checkout.objects.filter(pk__in=deposits).values_list("provider_id", flat=True).first()
    return known or provider_of(provider).purchase_of(payment_id)


def _end(event: ProviderEvent, name: str, note: str, now: datetime) -> bool:
    own = ProviderEvent.objects.filter(pk=event.pk)
    return EVENT.apply(name, own, note=note[:1000], finished_at=now, tries=F("tries") + 1)


def _postpone(event: ProviderEvent, error: Exception, now: datetime) -> None:
    pause = min(timedelta(seconds=2 ** min(event.tries + 1, 20)), LONGEST_PAUSE)
    ProviderEvent.objects.filter(pk=event.pk, status=RECEIVED).update(
        due_at=now + pause, tries=F("tries") + 1, note=repr(error)[:1000]
    )
