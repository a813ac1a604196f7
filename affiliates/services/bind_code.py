"""Bind a code by the account's own request, and say why where it cannot be bound."""

from datetime import datetime
from uuid import UUID

from affiliates.services.attribution import BindOutcome, bind_explicit
from core.errors import ApiError, InvalidRequest, NotFound


class UnknownCode(NotFound):
    """There is no such referral code in use."""

    code = "unknown_code"


class AlreadyBound(ApiError):
    """This account is bound already, for good; details.code says by which code."""

    code = "already_bound"
    http_status = 409


class TooLate(ApiError):
    """A code must be bound before the account's first deposit."""

    code = "too_late"
    http_status = 409


class OwnCode(ApiError):
    """An account cannot be bound to itself: this code's affiliate has the same account, mailbox or payout address."""

    code = "own_code"
    http_status = 409


def bind_code(*, account_id: UUID, code: str, token: str | None, now: datetime) -> BindOutcome:
    """Bind the account to a code's affiliate, once and for all; a token counts where the code is nobody's.

    Raises:
        InvalidRequest: the token is not ours or has expired; nothing was bound.
        UnknownCode, AlreadyBound, TooLate, OwnCode: nothing was bound.
    """
    outcome = bind_explicit(account_id=account_id, code=code, token=token, now=now)
    match outcome.reason:
        case "applied":
            return outcome
        case "invalid_token":
            raise InvalidRequest({"captureToken": "is not one of ours, or has expired"})
        case "unknown_code":
            raise UnknownCode
        case "already_bound":
            raise AlreadyBound(details={"code": outcome.code})
        case "too_late":
            raise TooLate
        case "own_code":
            raise OwnCode
