"""What anybody may do with a referral code. Nothing here tells whether a code exists."""

from typing import Any

from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from affiliates.api.messages import CapturedCode, CheckedCode, CodeQuery, ReferralCodeShown
from affiliates.capture import LIFETIME, Capture
from affiliates.codes import LONGEST, SHORTEST, normal_code
from affiliates.services.visits import capture_code, follow
from core import clock
from core.messages import read_body, read_query
from core.operations import PUBLIC, operation, query_parameter


class _PublicView(APIView):
    """Whatever credential comes along is not looked at."""

    authentication_classes: Any = ()
    rate_class = "referral"


class ReferralView(_PublicView):
    """GET /api/v1/affiliates/r"""

    @operation(
        tag="affiliates",
        summary="Follow a referral link",
        description="Remembers the code in this browser's signed cookie for 30 days and leads to the site's front "
        "page, whether or not there is such a code.",
        scope=PUBLIC,
        answers={302: "To the site's front page, with the cookie."},
        headers={302: ["Location", "Set-Cookie"]},
        parameters=[
            query_parameter(
                "code",
                "An affiliate's code.",
                required=True,
                schema={"type": "string", "minLength": SHORTEST, "maxLength": LONGEST},
            )
        ],
    )
    def get(self, request: Request) -> Response:
        """To our own site, and never elsewhere."""
        asked = read_query(request, CodeQuery)
        return _remember(
            Response(status=302, headers={"Location": settings.SITE_URL}), follow(code=asked.code, now=clock.now())
        )


class ValidateCodeView(_PublicView):
    """POST /api/v1/affiliates/validate-code"""

    @operation(
        tag="affiliates",
        summary="Check the form of a referral code",
        description="Says how the code is written and whether it could be one. Whether it exists is not told, so that "
        "codes cannot be found by trying.",
        scope=PUBLIC,
        body=ReferralCodeShown,
        answers={200: CheckedCode},
    )
    def post(self, request: Request) -> Response:
        """What anybody could find out from the text alone."""
        code = read_body(request, ReferralCodeShown).code
        normal = normal_code(code)
        return Response(CheckedCode(code=normal or code, well_formed=normal is not None).wire())


class CaptureView(_PublicView):
    """POST /api/v1/affiliates/capture"""

    @operation(
        tag="affiliates",
        summary="Capture a referral code",
        description="A signed token for the code, good for 30 days, also in this browser's cookie. A later capture "
        "takes the place of an earlier one. The account that signs up with the cookie, buys with it first, or binds "
        "the token is the affiliate's customer, if there is such a code.",
        scope=PUBLIC,
        body=ReferralCodeShown,
        answers={200: CapturedCode},
        headers={200: ["Set-Cookie"]},
    )
    def post(self, request: Request) -> Response:
        """The token, and the same in the cookie."""
        captured = capture_code(code=read_body(request, ReferralCodeShown).code, now=clock.now())
        answer = CapturedCode(capture_token=captured.token, expires_at=clock.rfc3339(captured.expires_at))
        return _remember(Response(answer.wire()), captured)


def _remember(answer: Response, captured: Capture) -> Response:
    answer.set_cookie(
        settings.REFERRAL_COOKIE_NAME,
        captured.token,
        max_age=LIFETIME,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return answer
