"""The admin site itself: who may come in, and what stands beside the tables."""

from typing import Any

from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.views.decorators.cache import never_cache
from unfold.sites import UnfoldAdminSite

from accounts.services.second_factor import is_verified
from gateway.desk import front_page, sign_in


class Desk(UnfoldAdminSite):
    """Staff alone, whose session has been through the second factor."""

    index_template = "desk/front_page.html"
    index_title = "Today"
    enable_nav_sidebar = True

    def has_permission(self, request: HttpRequest) -> bool:
        """Active staff with a verified session."""
        return bool(super().has_permission(request)) and is_verified(request, request.user)

    def get_urls(self) -> list[URLPattern]:
        """The second step of the sign-in, before everything that needs it."""
        own = [path("second-factor/", self.second_factor, name="second_factor")]
        inherited: list[URLPattern] = super().get_urls()
        return own + inherited

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
        """The password's page."""
        if request.method == "GET" and self.has_permission(request):
            return redirect("admin:index")
        context = {**self._outside(request), "title": "Sign in", "app_path": request.get_full_path()}
        if REDIRECT_FIELD_NAME not in request.GET and REDIRECT_FIELD_NAME not in request.POST:
            context[REDIRECT_FIELD_NAME] = reverse("admin:index")
        request.current_app = self.name
        view = sign_in.PasswordStep.as_view(
            extra_context={**context, **(extra_context or {})},
            authentication_form=self.login_form,
            template_name="admin/login.html",
        )
        return never_cache(view)(request)

    def second_factor(self, request: HttpRequest) -> HttpResponse:
        """The second factor's page."""
        answer: HttpResponse = never_cache(sign_in.second_factor)(request, self._outside(request))
        return answer

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The front page: figures, each to whoever may see its table."""
        answer: HttpResponse = super().index(request, {**front_page.context(request), **(extra_context or {})})
        return answer

    def _outside(self, request: HttpRequest) -> dict[str, Any]:
        context: dict[str, Any] = self.each_context(request)
        return context
