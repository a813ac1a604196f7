"""Sign in with Google by redirect. allauth does the protocol: state, PKCE, the exchange of the code for an ID token.

Who the token proves is then decided by the same service that judges ID tokens from the API: signature, audience,
issuer, expiry, verified address. None of allauth's accounts, forms, mails or pages is used.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, NoReturn

import requests
from allauth.account.middleware import AccountMiddleware
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp, SocialToken
from allauth.socialaccount.providers.base.constants import AuthError, AuthProcess
from allauth.socialaccount.providers.google.provider import GoogleProvider
from allauth.socialaccount.providers.google.views import GoogleOAuth2Adapter
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from accounts.authentication import signed_in_user
from accounts.google import GoogleUnreachable
from accounts.refusals import note_refusal
from accounts.services.browser_sessions import open_session
from accounts.services.security_events import origin_of
from accounts.services.sign_in import sign_in_with_google
from accounts.web.sign_in import HOME, refused, sign_in_page
from core import clock
from core.errors import ApiError
from core.ui.pages import own_path, page

_NEXT = "google_sign_in_next"
"""Where in the session it is kept where to go afterwards."""
_WAY_SECONDS = 600
"""How long the way to Google and back may take."""
_CANCELLED = "You did not sign in with Google."
_FAILED = "Signing in with Google did not work. Please try again."


class GoogleRedirect(GoogleOAuth2Adapter):
    """Google's addresses from our settings, and our own end of the way."""

    @property
    def authorize_url(self) -> str:
        """Where people give their consent."""
        return str(settings.GOOGLE_AUTHORIZE_URL)

    @property
    def access_token_url(self) -> str:
        """Where a code becomes tokens."""
        return str(settings.GOOGLE_TOKEN_URL)

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        """As Google knows it: on SITE_URL, whatever the Host header says."""
        return f"{settings.SITE_URL}{reverse('google_callback')}"

    def parse_token(self, data: Any) -> SocialToken:
        """Nothing: we never call Google with the access token, so it is not looked at."""
        return SocialToken()

    def complete_login(self, request: HttpRequest, app: SocialApp, token: Any, **kwargs: Any) -> NoReturn:
        """Sign in whoever the ID token proves, and leave allauth's own way.

        Raises:
            ImmediateHttpResponse: always; the answer.
            OAuth2Error: Google gave no ID token.
        """
        answered = kwargs["response"]
        id_token = answered.get("id_token") if isinstance(answered, dict) else None
        if not isinstance(id_token, str):
            raise OAuth2Error("no ID token")
        raise ImmediateHttpResponse(_enter(request, id_token))


class Google(GoogleProvider):
    """The one provider: what the request asks for besides is not heard."""

    oauth2_adapter_class = GoogleRedirect
    pkce_enabled_default = True

    def get_redirect_from_request_kwargs(self, request: HttpRequest) -> dict[str, Any]:
        """Plain signing in: allauth would take scopes, parameters and purposes from the query."""
        return {"process": AuthProcess.LOGIN, "scope": ["openid", "email"], "auth_params": {}}


class SocialAccountAdapter(DefaultSocialAccountAdapter):
    """`SOCIALACCOUNT_ADAPTER`: the application is the environment's, never a database row; errors are our page."""

    def get_provider(self, request: HttpRequest, provider: str, client_id: str | None = None) -> Google:
        """Google, whichever was asked for."""
        app = SocialApp(
            provider="google", client_id=settings.GOOGLE_CLIENT_ID, secret=settings.GOOGLE_CLIENT_SECRET, settings={}
        )
        return Google(request, app=app)

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: str | None = None,
        exception: Exception | None = None,
        extra_context: dict[str, Any] | None = None,
    ) -> NoReturn:
        """Back to the sign-in page with a sentence. What Google answered is not shown, nor logged.

        Raises:
            ImmediateHttpResponse: always; the answer.
        """
        next_page = _next_page(request)
        if isinstance(exception, requests.RequestException):
            away = GoogleUnreachable("Google cannot be reached right now; please try again shortly.")
            raise ImmediateHttpResponse(
                refused(sign_in_page(request, next_page=next_page, error=away.message), away)
            ) from None
        cancelled = error == AuthError.CANCELLED
        note_refusal("google_cancelled" if cancelled else "google_redirect")
        raise ImmediateHttpResponse(
            sign_in_page(request, next_page=next_page, error=_CANCELLED if cancelled else _FAILED, status=401)
        )


def _enter(request: HttpRequest, id_token: str) -> HttpResponseBase:
    next_page, now = _next_page(request), clock.now()
    try:
        user = sign_in_with_google(id_token=id_token, origin=origin_of(request), now=now, browser=True)
    except ApiError as error:
        return refused(sign_in_page(request, next_page=next_page, error=error.message), error)
    request.session.pop(_NEXT, None)
    open_session(request, user=user, now=now)
    return redirect(next_page)


def _next_page(request: HttpRequest) -> str:
    return own_path(request.session.get(_NEXT), HOME)


def _configured(view: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """A view that exists where Google's credentials are set, inside allauth's middleware."""
    inside: Callable[[HttpRequest], HttpResponse] = AccountMiddleware(view)

    @wraps(view)
    def answer(request: HttpRequest) -> HttpResponse:
        if not (settings.GOOGLE_CLIENT_ID and settings.GOOGLE_CLIENT_SECRET):
            raise Http404
        return inside(request)

    return answer


_to_google = OAuth2LoginView.adapter_view(GoogleRedirect)
_from_google = OAuth2CallbackView.adapter_view(GoogleRedirect)


@page
@_configured
@require_POST
def login(request: HttpRequest) -> HttpResponse:
    """Send the browser to Google. By POST with a CSRF token only, so that no other site can begin it."""
    request.session[_NEXT] = own_path(request.POST.get("next"), HOME)
    if signed_in_user(request) is None:
        request.session.set_expiry(_WAY_SECONDS)  # a session that signs nobody in is not kept for weeks
    answer: HttpResponse = _to_google(request)
    return answer


@page
@_configured
@require_GET
def callback(request: HttpRequest) -> HttpResponse:
    """The browser comes back from Google with a code, or without."""
    answer: HttpResponse = _from_google(request)
    return answer
