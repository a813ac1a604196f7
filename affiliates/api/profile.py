"""An affiliate's application, profile, code and figures; and whose customer an account is."""

from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import caller_of
from affiliates import selectors
from affiliates.api import messages
from affiliates.api.messages import MOST_DAYS, NEVER_APPLIED
from affiliates.models import Affiliate
from affiliates.services import bind_code as binding
from affiliates.services.application import AlreadyApplied, Application, NeverApplied, apply, update_profile
from affiliates.services.bind_code import bind_code
from affiliates.services.codes import AffiliateNotApproved, own_code
from core import clock, ids
from core.messages import read_body, read_query
from core.operations import Scope, operation, query_parameter


class ApplyView(APIView):
    """POST /api/v1/affiliates/me/apply"""

    @operation(
        tag="affiliates",
        summary="Apply to be an affiliate",
        description="The operator decides. A rejected account may apply again, with everything anew; any other that "
        "has applied already gets a 409 whose `details.status` says how it stands.",
        scope=Scope.AFFILIATES,
        body=messages.AffiliateApplication,
        answers={201: messages.AffiliateProfile},
        errors=[AlreadyApplied],
    )
    def post(self, request: Request) -> Response:
        """The profile, pending."""
        body = read_body(request, messages.AffiliateApplication)
        application = Application(
            display_name=body.display_name,
            contact_email=body.contact_email,
            country_code=body.country_code or "",
            payout_address=body.payout_address or "",
            terms_version=body.terms_version or "",
        )
        affiliate = apply(account_id=caller_of(request).id, application=application, now=clock.now())
        return Response(_profile(affiliate).wire(), status=201)


class ProfileView(APIView):
    """/api/v1/affiliates/me"""

    @operation(
        tag="affiliates",
        summary="Read the affiliate profile",
        description="Before the account has applied: `status` is `none`, and the rest is null.",
        scope=Scope.AFFILIATES,
        answers={200: messages.AffiliateProfile},
    )
    def get(self, request: Request) -> Response:
        """As it stands."""
        return Response(_profile(selectors.find_affiliate(account_id=caller_of(request).id)).wire())

    @operation(
        tag="affiliates",
        summary="Change the affiliate profile",
        description="What is left out stays as it is. A new payout address counts for later payouts; one that was "
        "asked for before keeps its own.",
        scope=Scope.AFFILIATES,
        body=messages.AffiliateProfileChange,
        answers={200: messages.AffiliateProfile},
        errors=[NeverApplied],
    )
    def patch(self, request: Request) -> Response:
        """The changed profile."""
        changes = read_body(request, messages.AffiliateProfileChange).model_dump(exclude_none=True)
        affiliate = update_profile(account_id=caller_of(request).id, changes=changes, now=clock.now())
        return Response(_profile(affiliate).wire())


class CodeView(APIView):
    """GET /api/v1/affiliates/me/code"""

    @operation(
        tag="affiliates",
        summary="Get the referral code",
        description="The active code of an approved affiliate, made at the first time.",
        scope=Scope.AFFILIATES,
        answers={200: messages.ReferralCode},
        errors=[AffiliateNotApproved],
    )
    def get(self, request: Request) -> Response:
        """The code and the link that it stands in."""
        code = own_code(account_id=caller_of(request).id, now=clock.now())
        answer = messages.ReferralCode(
            code=code.code,
            # On the site's own host: sign-in and checkout pages there see the cookie.
            url=f"{settings.SITE_URL}/api/v1/affiliates/r?code={code.code}",
            created_at=clock.rfc3339(code.created_at),
        )
        return Response(answer.wire())


class DashboardView(APIView):
    """GET /api/v1/affiliates/me/dashboard"""

    @operation(
        tag="affiliates",
        summary="See what a referral code brings",
        description="Clicks, captures, bound accounts, their deposits, and commission: of all time and by day. Nothing "
        "tells who those accounts are.",
        scope=Scope.AFFILIATES,
        answers={200: messages.AffiliateDashboard},
        parameters=[
            query_parameter(
                "days",
                "How many days, today the last.",
                schema={"type": "integer", "minimum": 1, "maximum": MOST_DAYS, "default": 30},
            )
        ],
    )
    def get(self, request: Request) -> Response:
        """The figures."""
        asked = read_query(request, messages.DashboardQuery)
        account_id = caller_of(request).id
        figures = selectors.dashboard(account_id=account_id, days=asked.days, now=clock.now())
        return Response(_dashboard(selectors.find_affiliate(account_id=account_id), figures).wire())


class BindCodeView(APIView):
    """POST /api/v1/affiliates/me/bind-code"""

    rate_class = "referral"

    @operation(
        tag="affiliates",
        summary="Bind this account to an affiliate",
        description="Once, before the first deposit, and for good. The code goes before the token; the token counts "
        "where the code is nobody's. Nobody is bound to themselves: the same account, mailbox or payout address.",
        scope=Scope.AFFILIATES,
        body=messages.BindCode,
        answers={200: messages.BoundCode},
        errors=[binding.UnknownCode, binding.AlreadyBound, binding.TooLate, binding.OwnCode],
    )
    def post(self, request: Request) -> Response:
        """By which code it is bound now."""
        body = read_body(request, messages.BindCode)
        outcome = bind_code(account_id=caller_of(request).id, code=body.code, token=body.capture_token, now=clock.now())
        return Response(messages.BoundCode(code=outcome.code).wire())


def _profile(affiliate: Affiliate | None) -> messages.AffiliateProfile:
    if affiliate is None:
        return messages.AffiliateProfile(status=NEVER_APPLIED)
    return messages.AffiliateProfile(
        status=affiliate.status,
        id=ids.encode(ids.AFFILIATE, affiliate.pk),
        display_name=affiliate.display_name,
        contact_email=affiliate.contact_email,
        country_code=affiliate.country_code or None,
        payout_address=affiliate.payout_address or None,
        terms_version=affiliate.terms_version or None,
        commission_basis_points=affiliate.basis_points,
        code=_code(affiliate),
        applied_at=clock.rfc3339(affiliate.applied_at),
        updated_at=clock.rfc3339(affiliate.updated_at),
    )


def _dashboard(affiliate: Affiliate | None, figures: selectors.Dashboard) -> messages.AffiliateDashboard:
    return messages.AffiliateDashboard(
        status=affiliate.status if affiliate is not None else NEVER_APPLIED,
        code=_code(affiliate) if affiliate is not None else None,
        clicks=figures.clicks,
        captures=figures.captures,
        bound_accounts=figures.bound_accounts,
        conversion=figures.conversion,
        deposits=figures.deposits,
        deposits_usd_micros=figures.deposit_micros,
        commission=messages.AffiliateCommission(
            earned_usd_micros=figures.earned,
            clawed_back_usd_micros=figures.clawed_back,
            pending_usd_micros=figures.balance.pending,
            available_usd_micros=figures.balance.available,
            reserved_usd_micros=figures.balance.reserved,
            paid_usd_micros=figures.paid,
        ),
        days=[
            messages.AffiliateDay(
                day=day.day.isoformat(),
                clicks=day.clicks,
                captures=day.captures,
                bound_accounts=day.bound_accounts,
                deposits=day.deposits,
                deposits_usd_micros=day.deposit_micros,
                commission_usd_micros=day.commission_micros,
            )
            for day in figures.days
        ],
    )


def _code(affiliate: Affiliate) -> str | None:
    active = selectors.active_code_of(affiliate=affiliate)
    return active.code if active is not None else None
