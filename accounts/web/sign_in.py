"""Sign in with a mailed code, and out. Between its two steps the address is in a signed cookie of this browser."""

from dataclasses import dataclass

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts.authentication import signed_in_user
from accounts.services.browser_sessions import close_session, open_session
from accounts.services.email_codes import LIFETIME, start_email_code
from accounts.services.security_events import origin_of
from accounts.services.sign_in import sign_in_with_email_code
from accounts.web.forms import AddressForm, CodeForm, first_error
from core import clock
from core.errors import ApiError
from core.ui.pages import allow_form_target, own_path, page

HOME = "/account"
_STEP_COOKIE = "killa_tamata_sign_in"
_SALT = "accounts.web.sign_in"


@dataclass(frozen=True)
class _Step:
    """A code was asked for: whose, and where to go afterwards."""

    email: str
    next_page: str


@page
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponseBase:
    """Ask for the address; mail a code to it."""
    given = request.POST if request.method == "POST" else request.GET
    next_page = own_path(given.get("next"), HOME)
    if request.method != "POST":
        if signed_in_user(request) is not None:
            return redirect(next_page)
        return sign_in_page(request, next_page=next_page)
    form = AddressForm(request.POST)
    if not form.is_valid():
        return sign_in_page(
            request, next_page=next_page, email=request.POST.get("email", ""), error=first_error(form), status=400
        )
    email = form.cleaned_data["email"]
    try:
        start_email_code(email=email, client=origin_of(request).address, now=clock.now())
    except ApiError as error:
        return refused(sign_in_page(request, next_page=next_page, email=email, error=error.message), error)
    answer = redirect("sign-in-code")
    _remember(answer, _Step(email=email, next_page=next_page))
    return answer


@page
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in_code(request: HttpRequest) -> HttpResponseBase:
    """Ask for the code; open the session. The page is the same whether the address has an account or not."""
    step = _remembered(request)
    if step is None:
        return redirect("sign-in")
    if request.method != "POST":
        return _code_page(request, step)
    form = CodeForm(request.POST)
    if not form.is_valid():
        return _code_page(request, step, error=first_error(form), status=400)
    now = clock.now()
    try:
        user = sign_in_with_email_code(
            email=step.email, code=form.cleaned_data["code"], origin=origin_of(request), now=now, browser=True
        )
    except ApiError as error:
        return refused(_code_page(request, step, error=error.message), error)
    open_session(request, user=user, now=now)
    answer = redirect(step.next_page)
    answer.delete_cookie(_STEP_COOKIE, path="/sign-in", samesite="Lax")
    return answer


@page
@require_POST
def sign_out(request: HttpRequest) -> HttpResponseBase:
    """End the session."""
    close_session(request, user=signed_in_user(request), now=clock.now())
    return redirect("sign-in")


def sign_in_page(
    request: HttpRequest, *, next_page: str, email: str = "", error: str | None = None, status: int = 200
) -> HttpResponse:
    """The first page of signing in, with what went wrong before."""
    with_google = bool(settings.GOOGLE_CLIENT_ID and settings.GOOGLE_CLIENT_SECRET)
    shown = {"next": next_page, "email": email, "error": error, "with_google": with_google, "invalid": status == 400}
    answer = render(request, "accounts/sign_in.html", shown, status=status)
    if with_google:
        allow_form_target(answer, settings.GOOGLE_AUTHORIZE_URL)
    return answer


def refused(answer: HttpResponse, error: ApiError) -> HttpResponse:
    """The page with the status of an error that it tells of."""
    answer.status_code = error.http_status
    if error.retry_after is not None:
        answer["Retry-After"] = str(error.retry_after)
    return answer


def _code_page(request: HttpRequest, step: _Step, *, error: str | None = None, status: int = 200) -> HttpResponse:
    shown = {"email": step.email, "next": step.next_page, "error": error, "minutes": _minutes()}
    return render(request, "accounts/sign_in_code.html", shown, status=status)


def _minutes() -> int:
    return round(LIFETIME.total_seconds() / 60)


def _remember(answer: HttpResponseBase, step: _Step) -> None:
    answer.set_cookie(
        _STEP_COOKIE,
        signing.dumps([step.email, step.next_page], salt=_SALT),
        max_age=LIFETIME,
        path="/sign-in",
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _remembered(request: HttpRequest) -> _Step | None:
    try:
        email, next_page = signing.loads(request.COOKIES.get(_STEP_COOKIE, ""), salt=_SALT, max_age=LIFETIME)
    except signing.BadSignature:
        return None
    return _Step(email=email, next_page=own_path(next_page, HOME))
