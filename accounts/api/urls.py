"""Routes under /api/v1/ of the accounts room."""

from django.urls import path

from accounts.api import auth

urlpatterns = [
    path("auth/google", auth.GoogleKeyView.as_view()),
    path("auth/browser/google", auth.GoogleSessionView.as_view()),
    path("auth/email/start", auth.EmailStartView.as_view()),
    path("auth/email/verify", auth.EmailKeyView.as_view()),
    path("auth/browser/email/verify", auth.EmailSessionView.as_view()),
    path("auth/browser/session", auth.SessionView.as_view()),
]
