"""What an affiliate earned, and how it is paid."""

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import caller_of
from affiliates import selectors
from affiliates.answers import payout_of
from affiliates.api import messages
from affiliates.eligibility import MINIMUM_PAYOUT, Eligibility, payout_eligibility
from affiliates.models import Commission
from affiliates.selectors import MOST_LISTED
from affiliates.services.payouts import NoOpenRequest, NotEligible, cancel_payout, request_payout
from core import clock, ids
from core.idempotency import services as idempotency
from core.messages import read_body, read_query
from core.operations import Parameter, Scope, header_parameter, operation, query_parameter

COMMISSIONS_LISTED = 100
PAYOUTS_LISTED = 20
_KEY_SCHEMA = {"type": "string", "minLength": 1, "maxLength": 200}


def _limit(default: int) -> Parameter:
    return query_parameter(
        "limit",
        f"How many at most; more than {MOST_LISTED} reads as {MOST_LISTED}.",
        schema={"type": "integer", "minimum": 1, "default": default},
    )


class CommissionsView(APIView):
    """GET /api/v1/affiliates/me/commissions"""

    @operation(
        tag="affiliates",
        summary="List commissions",
        description="What each deposit of a bound account earned, newest first. A commission is pending for 30 days, "
        "then available; a refund or a dispute takes its share back, also after a payout.",
        scope=Scope.AFFILIATES,
        answers={200: messages.CommissionList},
        parameters=[_limit(COMMISSIONS_LISTED)],
    )
    def get(self, request: Request) -> Response:
        """The newest."""
        limit = read_query(request, messages.LimitQuery).limit or COMMISSIONS_LISTED
        found = selectors.list_commissions(account_id=caller_of(request).id, limit=limit)
        return Response(messages.CommissionList(commissions=[_commission(one) for one in found]).wire())


class PayoutsView(APIView):
    """GET /api/v1/affiliates/me/payouts"""

    @operation(
        tag="affiliates",
        summary="List payouts",
        description="What was paid out, newest first.",
        scope=Scope.AFFILIATES,
        answers={200: messages.PayoutHistory},
        parameters=[_limit(PAYOUTS_LISTED)],
    )
    def get(self, request: Request) -> Response:
        """The newest."""
        limit = read_query(request, messages.LimitQuery).limit or PAYOUTS_LISTED
        found = selectors.list_payout_requests(account_id=caller_of(request).id, limit=limit, paid_only=True)
        return Response(messages.PayoutHistory(payouts=[payout_of(one) for one in found]).wire())


class PayoutRequestsView(APIView):
    """/api/v1/affiliates/me/payout-requests"""

    @operation(
        tag="affiliates",
        summary="List payout requests",
        description="Whatever became of them, newest first; and whether another may be made, or why not.",
        scope=Scope.AFFILIATES,
        answers={200: messages.PayoutRequestList},
        parameters=[_limit(PAYOUTS_LISTED)],
    )
    def get(self, request: Request) -> Response:
        """The newest, and the eligibility."""
        limit = read_query(request, messages.LimitQuery).limit or PAYOUTS_LISTED
        account_id = caller_of(request).id
        found = selectors.list_payout_requests(account_id=account_id, limit=limit)
        eligibility = payout_eligibility(affiliate=selectors.find_affiliate(account_id=account_id))
        answer = messages.PayoutRequestList(
            payout_requests=[payout_of(one) for one in found], eligibility=_eligibility(eligibility)
        )
        return Response(answer.wire())

    @operation(
        tag="affiliates",
        summary="Ask for a payout",
        description="Of all that is available, at least $50, to the payout address of this moment; one at a time. "
        "Where it cannot be asked for, `details.reasons` of the 409 says why. With an idempotency key a repetition "
        "answers 200 with the first answer and reserves nothing again.",
        scope=Scope.AFFILIATES,
        body=messages.AskPayout,
        body_required=False,
        answers={201: messages.PayoutAsked, 200: messages.PayoutAsked},
        headers={200: ["Idempotent-Replay"]},
        errors=[NotEligible, idempotency.IdempotencyConflict],
        parameters=[
            header_parameter(name, "Makes a repetition of this request harmless.", schema=_KEY_SCHEMA)
            for name in idempotency.HEADERS
        ],
    )
    def post(self, request: Request) -> Response:
        """The request, with what it reserved."""
        body = read_body(request, messages.AskPayout)
        asked = request_payout(
            account_id=caller_of(request).id,
            note=body.note,
            idempotency_key=idempotency.one_key(header=idempotency.header_of(request.headers)),
            now=clock.now(),
        )
        answer = {"ok": True, "payoutRequest": asked.body}
        if asked.replayed:
            return Response(answer, headers={"Idempotent-Replay": "true"})
        return Response(answer, status=201)


class CancelPayoutRequestView(APIView):
    """POST /api/v1/affiliates/me/payout-requests/cancel"""

    @operation(
        tag="affiliates",
        summary="Cancel the open payout request",
        description="What it reserved is available again.",
        scope=Scope.AFFILIATES,
        body=messages.CancelPayout,
        body_required=False,
        answers={200: messages.PayoutAsked},
        errors=[NoOpenRequest],
    )
    def post(self, request: Request) -> Response:
        """The request as it ended."""
        read_body(request, messages.CancelPayout)
        canceled = cancel_payout(account_id=caller_of(request).id, now=clock.now())
        return Response(messages.PayoutAsked(payout_request=payout_of(canceled)).wire())


def _commission(one: Commission) -> messages.Commission:
    return messages.Commission(
        id=ids.encode(ids.COMMISSION, one.pk),
        status=one.status,
        deposit_usd_micros=one.deposit_micros,
        basis_points=one.basis_points,
        amount_usd_micros=one.amount_micros,
        clawed_back_usd_micros=one.clawed_back_micros,
        net_usd_micros=one.amount_micros - one.clawed_back_micros,
        withheld=one.withheld or None,
        settled_at=clock.rfc3339(one.settled_at),
        matures_at=clock.rfc3339(one.matures_at),
        matured_at=clock.rfc3339(one.matured_at) if one.matured_at else None,
    )


def _eligibility(found: Eligibility) -> messages.PayoutEligibility:
    return messages.PayoutEligibility(
        eligible=found.eligible,
        reasons=found.reasons,
        minimum_usd_micros=MINIMUM_PAYOUT,
        available_usd_micros=found.available,
    )
