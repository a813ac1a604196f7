"""Where agents and programs look for themselves, from the site's root."""

from django.urls import path

from gateway.discovery import views
from gateway.discovery.release import (
    API_DOCS_PATH,
    LEGAL_PATH,
    LLMS_PATH,
    LOGO_PATH,
    OPENAPI_PATH,
    PLUGIN_PATH,
    SKILL_ROOT,
    SKILLS_PATH,
)

urlpatterns = [
    path(OPENAPI_PATH[1:], views.openapi),
    path(API_DOCS_PATH[1:], views.api_docs),
    path(LLMS_PATH[1:], views.llms),
    path(PLUGIN_PATH[1:], views.plugin),
    path(SKILLS_PATH[1:], views.skills),
    path(SKILL_ROOT[1:], views.skill_root),
    path(f"{SKILL_ROOT[1:]}<path:path>", views.skill_file),
    path(LOGO_PATH[1:], views.logo),
    path(LEGAL_PATH[1:], views.legal),
]
