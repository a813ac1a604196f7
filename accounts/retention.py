"""What the accounts room keeps no longer than it is of use."""

from datetime import datetime

from django.contrib.sessions.models import Session

from accounts.services import attempts, device_links, email_codes

BATCH = 5000


def sweep(*, now: datetime) -> int:
    """Delete codes and device links older than a day, attempts that count no longer, ended sessions; how many rows."""
    return (
        email_codes.forget_old(now=now, limit=BATCH)
        + device_links.forget_old(now=now, limit=BATCH)
        + attempts.forget_old_attempts(now=now, limit=BATCH)
        + _forget_ended_sessions(now)
    )


def _forget_ended_sessions(now: datetime) -> int:
    ended = Session.objects.filter(expire_date__lte=now).order_by("expire_date").values("pk")[:BATCH]
    return Session.objects.filter(pk__in=ended).delete()[0]
