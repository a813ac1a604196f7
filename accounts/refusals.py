"""Sign-ins that were refused: counted and logged by their reason, never with what was shown."""

import structlog
from prometheus_client import Counter

from core.errors import ApiError

SIGN_IN_REFUSALS = Counter("killatamata_sign_in_refusals", "Sign-ins refused, by reason", ("reason",))
_log = structlog.get_logger(__name__)


class SignInRefused(ApiError):
    """What was shown does not prove who you are."""

    code = "unauthenticated"
    http_status = 401


def note_refusal(reason: str) -> None:
    """Count and log one refused sign-in. `reason` is one of a few fixed words, since it becomes a label."""
    SIGN_IN_REFUSALS.labels(reason).inc()
    _log.info("sign_in_refused", reason=reason)
