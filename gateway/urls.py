"""Every route of the platform."""

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import include, path
from django.views import defaults

from gateway import deprecated, health
from gateway.account_data.views import DeleteView, ExportView
from gateway.api_errors import BadRequest, InternalError, RouteNotFound, json_error
from gateway.balance import BalanceView
from gateway.pages import MACHINE_PATHS

urlpatterns = [
    path("api/v1/health", health.HealthView.as_view()),
    path("api/v1/balance", BalanceView.as_view()),
    path("api/v1/account/export", ExportView.as_view()),
    path("api/v1/account/delete", DeleteView.as_view()),
    path("api/v1/", include("accounts.api.urls")),
    path("api/v1/", include("billing.api.urls")),
    path("api/v1/credits/balance", deprecated.CreditsBalanceView.as_view()),
    path("api/v1/credits/consume", deprecated.CreditsConsumeView.as_view()),
    path("api/v1/", include("payments.api.urls")),
    path("api/v1/affiliates/", include("affiliates.api.urls")),
    path("api/v1/media/", include("media.api.urls")),
    path("", include("core.webhooks.urls")),
    path("", include("gateway.discovery.urls")),
    path("workers/v1/", include("media.worker_api.urls")),
    path("readyz", health.readyz),
    path("metrics", health.metrics_page),
    path("admin/", admin.site.urls),
    path("", include("accounts.web.urls")),
    path("", include("payments.web.urls")),
]


def handler400(request: HttpRequest, exception: Exception) -> HttpResponse:
    """JSON for machines (an unknown Host header, say), Django's page for people."""
    if request.path.startswith(MACHINE_PATHS):
        return json_error(request, BadRequest())
    return defaults.bad_request(request, exception)


def handler404(request: HttpRequest, exception: Http404) -> HttpResponse:
    """JSON for machines, Django's page for people."""
    if request.path.startswith(MACHINE_PATHS):
        return json_error(request, RouteNotFound())
    return defaults.page_not_found(request, exception)


def handler500(request: HttpRequest) -> HttpResponse:
    """JSON for machines, Django's page for people."""
    if request.path.startswith(MACHINE_PATHS):
        return json_error(request, InternalError())
    return defaults.server_error(request)
