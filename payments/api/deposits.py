"""GET /api/v1/account/deposits and /api/v1/account/deposits/receipt"""

from django.http import HttpResponse, HttpResponseBase
from django.template.loader import render_to_string
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import caller_of
from core import ids
from core.messages import read_query
from core.operations import Scope, operation, query_parameter
from payments.api.deposits_messages import DEFAULT_LIMIT, MOST, DepositList, DepositsQuery, ReceiptQuery, shown
from payments.receipt_pdf import receipt_pdf
from payments.receipts import DepositNotFound, deposits, receipt

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"


class DepositsView(APIView):
    """The credit that the account bought."""

    @operation(
        id="listDeposits",
        tag="payments",
        summary="List deposits",
        description="The account's purchases of credit, newest first, each with its refunds and disputes.",
        scope=Scope.BILLING_READ,
        answers={200: DepositList},
        parameters=[
            query_parameter("cursor", "A page's `nextCursor`.", schema={"type": "string", "pattern": "^dep_"}),
            query_parameter(
                "limit",
                "How many a page has at most.",
                schema={"type": "integer", "minimum": 1, "maximum": MOST, "default": DEFAULT_LIMIT},
            ),
        ],
    )
    def get(self, request: Request) -> Response:
        """One page."""
        asked = read_query(request, DepositsQuery)
        page = deposits(
            account_id=caller_of(request).id,
            limit=asked.limit,
            cursor=ids.decode(ids.DEPOSIT, asked.cursor) if asked.cursor else None,
        )
        return Response(
            DepositList(
                deposits=[shown(deposit) for deposit in page.deposits],
                next_cursor=ids.encode(ids.DEPOSIT, page.following) if page.following else None,
            ).wire()
        )


class DepositReceiptView(APIView):
    """The receipt of one deposit."""

    @operation(
        id="getDepositReceipt",
        tag="payments",
        summary="A deposit's receipt",
        description="The receipt as it stands now, refunds and disputes included: an HTML page, or a PDF file.",
        scope=Scope.BILLING_READ,
        answers={200: "The receipt, text/html or application/pdf."},
        errors=[DepositNotFound],
        parameters=[
            query_parameter(
                "depositId", "Which deposit.", required=True, schema={"type": "string", "pattern": "^dep_"}
            ),
            query_parameter(
                "format", "Its form.", schema={"type": "string", "enum": ["html", "pdf"], "default": "html"}
            ),
        ],
    )
    def get(self, request: Request) -> HttpResponseBase:
        """The document."""
        asked = read_query(request, ReceiptQuery)
        found = receipt(account_id=caller_of(request).id, public_id=asked.deposit_id)
        headers = {
            "Cache-Control": "no-store",
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
        }
        if asked.format == "pdf":
            headers["Content-Disposition"] = f'attachment; filename="{found.number}.pdf"'
            return HttpResponse(receipt_pdf(found), content_type="application/pdf", headers=headers)
        return HttpResponse(render_to_string("payments/receipt_document.html", {"receipt": found}), headers=headers)
