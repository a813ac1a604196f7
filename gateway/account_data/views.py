"""/api/v1/account/export and /api/v1/account/delete."""

from django.http import HttpResponseBase, StreamingHttpResponse
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import Caller, caller_of
from accounts.google import GoogleNotConfigured, GoogleUnreachable, IdTokenRefused
from accounts.services.attempts import count_attempt
from accounts.services.deletion import AnotherPerson, StaffAccount
from accounts.services.email_codes import CodeRefused
from accounts.services.key_requests import NoLongerValid
from accounts.services.keys import MissingScope
from accounts.services.security_events import origin_of
from core import clock, ids
from core.messages import read_body
from core.operations import Scope, operation
from gateway.account_data.deletion import NotDeletable, Proof, delete_account
from gateway.account_data.export import EXPORTS, export
from gateway.account_data.messages import AccountExport, DeleteAccountRequest, DeletedAccount


class ExportView(APIView):
    """GET /api/v1/account/export"""

    @operation(
        id="exportAccount",
        tag="account",
        summary="Export the account",
        description="Everything that is kept of the account as one JSON document, streamed. Needs a session or a key "
        "with every scope. Ten an hour.",
        scope=Scope.KEYS,
        answers={200: AccountExport},
    )
    def get(self, request: Request) -> HttpResponseBase:
        """The document."""
        caller = caller_of(request)
        _require_every_scope(caller)
        now = clock.now()
        count_attempt(subjects=[(EXPORTS, str(caller.id))], now=now)
        name = f"killatamata-{ids.encode(ids.ACCOUNT, caller.id)}.json"
        return StreamingHttpResponse(
            export(account_id=caller.id, now=now),
            content_type="application/json",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )


class DeleteView(APIView):
    """POST /api/v1/account/delete"""

    @operation(
        id="deleteAccount",
        tag="account",
        summary="Delete the account",
        description="For good. Needs a session or a key with every scope, and a fresh proof of the account's address. "
        "Keys and sessions end at once; address, labels, inputs and callback URLs are erased, files and what payment "
        "providers told of the buyer are deleted within minutes; transfers, deposits, security events and what jobs "
        "cost are kept without a name. The address may sign up anew. Refused while jobs, purchases, a debt or a "
        "payout request are open.",
        scope=Scope.KEYS,
        body=DeleteAccountRequest,
        answers={200: DeletedAccount},
        errors=[
            CodeRefused,
            IdTokenRefused,
            GoogleNotConfigured,
            GoogleUnreachable,
            AnotherPerson,
            StaffAccount,
            NotDeletable,
            NoLongerValid,
        ],
    )
    def post(self, request: Request) -> Response:
        """Delete it."""
        caller = caller_of(request)
        _require_every_scope(caller)
        asked = read_body(request, DeleteAccountRequest)
        now = clock.now()
        forfeited = delete_account(
            account_id=caller.id,
            proof=Proof(code=asked.code, id_token=asked.id_token),
            forfeit_balance=asked.forfeit_balance,
            origin=origin_of(request),
            now=now,
        )
        answer = DeletedAccount(
            account_id=ids.encode(ids.ACCOUNT, caller.id),
            deleted_at=clock.rfc3339(now),
            forfeited_usd_micros=forfeited.credit,
            forfeited_commission_usd_micros=forfeited.commission,
        )
        return Response(answer.wire())


def _require_every_scope(caller: Caller) -> None:
    lacking = [scope for scope in Scope if not caller.may(scope)]
    if lacking:
        raise MissingScope(*lacking)
