"""GET /api/v1/account/transactions: the account's statement."""

from django.http import HttpResponseBase, StreamingHttpResponse
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import caller_of
from billing import statements
from billing.api.transactions_messages import TransactionList, TransactionsQuery, shown
from core import ids
from core.errors import InvalidRequest
from core.messages import read_query
from core.operations import Scope, operation, query_parameter

_MOMENT = {"type": "string", "format": "date-time"}


class TransactionsView(APIView):
    """How the account's money moved."""

    @operation(
        id="listTransactions",
        tag="balance",
        summary="The statement",
        description="Every movement of the account's money, newest first: deposits, holds, charges, releases, "
        "reversals, adjustments. With `format=csv`, or `Accept: text/csv`, every wanted line is answered as one CSV "
        "file instead of a page. Within one account the order is the order in which the money moved.",
        scope=Scope.BILLING_READ,
        answers={200: TransactionList},
        parameters=[
            query_parameter("kind", "Only this kind.", schema={"type": "string", "enum": list(statements.KINDS)}),
            query_parameter("jobId", "Only what this job moved.", schema={"type": "string", "pattern": "^job_"}),
            query_parameter(
                "depositId",
                "Only what this deposit moved: its credit, refunds and disputes.",
                schema={"type": "string", "pattern": "^dep_"},
            ),
            query_parameter("after", "Only later than this moment.", schema=_MOMENT),
            query_parameter("before", "Only earlier than this moment.", schema=_MOMENT),
            query_parameter("cursor", "A page's `nextCursor`.", schema={"type": "string", "pattern": "^txn_"}),
            query_parameter(
                "limit",
                "How many a page has at most.",
                schema={
                    "type": "integer",
                    "minimum": 1,
                    "maximum": statements.MOST,
                    "default": statements.DEFAULT_LIMIT,
                },
            ),
            query_parameter(
                "format",
                "`csv`: one file with every wanted line, without `cursor` and `limit`.",
                schema={"type": "string", "enum": ["json", "csv"], "default": "json"},
            ),
        ],
    )
    def get(self, request: Request) -> HttpResponseBase:
        """One page, or the whole as CSV."""
        asked = read_query(request, TransactionsQuery)
        account_id, filters = caller_of(request).id, asked.filters()
        if asked.format == "csv" or (asked.format is None and _prefers_csv(request)):
            paging = {"cursor": asked.cursor, "limit": asked.limit}
            wrong = {name: "is for pages, not for CSV" for name, value in paging.items() if value is not None}
            if wrong:
                raise InvalidRequest(wrong)
            return StreamingHttpResponse(
                statements.csv_file(account_id=account_id, filters=filters),
                content_type="text/csv; charset=utf-8",
                headers={
                    "Content-Disposition": 'attachment; filename="transactions.csv"',
                    "Cache-Control": "no-store",
                },
            )
        page = statements.page(
            account_id=account_id,
            filters=filters,
            limit=asked.limit or statements.DEFAULT_LIMIT,
            cursor=asked.before_line(),
        )
        return Response(
            TransactionList(
                transactions=[shown(entry) for entry in page.entries],
                next_cursor=ids.encode(ids.TRANSFER, page.following) if page.following else None,
            ).wire()
        )


def _prefers_csv(request: Request) -> bool:
    types = [part.partition(";")[0].strip().lower() for part in request.headers.get("Accept", "").split(",")]
    return "text/csv" in types and "application/json" not in types
