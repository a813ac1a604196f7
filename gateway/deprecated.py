"""Routes of former times. They answer 410 and name their successor, with a key and without."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.errors import ApiError
from core.operations import PUBLIC, operation


class RouteGone(ApiError):
    """This route is gone; details.replacement names the one to use."""

    code = "gone"
    http_status = 410

    def __init__(self, replacement: str) -> None:
        super().__init__(f"This route is gone: use {replacement}.", details={"replacement": replacement})


class _GoneView(APIView):
    """Whatever is sent with it is not looked at, a key neither."""

    authentication_classes: Any = ()

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        """Every answer says that the route is deprecated."""
        answer: Response = super().finalize_response(request, response, *args, **kwargs)
        answer["Deprecation"] = "true"
        return answer


class CreditsBalanceView(_GoneView):
    """GET /api/v1/credits/balance"""

    @operation(
        tag="credits",
        summary="Gone: read the balance",
        description="Always 410: use `GET /api/v1/balance`.",
        scope=PUBLIC,
        answers={},
        errors=[RouteGone],
        deprecated=True,
    )
    def get(self, request: Request) -> Response:
        """Always 410."""
        raise RouteGone("GET /api/v1/balance")


class CreditsConsumeView(_GoneView):
    """POST /api/v1/credits/consume"""

    @operation(
        tag="credits",
        summary="Gone: spend credits",
        description="Always 410: use `POST /api/v1/media/jobs`, which charges by itself.",
        scope=PUBLIC,
        answers={},
        errors=[RouteGone],
        deprecated=True,
    )
    def post(self, request: Request) -> Response:
        """Always 410."""
        raise RouteGone("POST /api/v1/media/jobs")
