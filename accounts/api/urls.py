"""Routes under /api/v1/ of the accounts room."""

from django.urls import path

from accounts.api import auth, device, events, keys, notifications

urlpatterns = [
    path("auth/google", auth.GoogleKeyView.as_view()),
    path("auth/browser/google", auth.GoogleSessionView.as_view()),
    path("auth/email/start", auth.EmailStartView.as_view()),
    path("auth/email/verify", auth.EmailKeyView.as_view()),
    path("auth/browser/email/verify", auth.EmailSessionView.as_view()),
    path("auth/browser/session", auth.SessionView.as_view()),
    path("keys", keys.KeysView.as_view()),
    path("keys/revoke", keys.RevokeKeyView.as_view()),
    path("keys/revoke-all", keys.RevokeAllKeysView.as_view()),
    path("device/link/start", device.StartLinkView.as_view()),
    path("device/link/request", device.LinkRequestView.as_view()),
    path("device/link/approve", device.ApproveLinkView.as_view()),
    path("device/link/deny", device.DenyLinkView.as_view()),
    path("device/link/poll", device.PollLinkView.as_view()),
    path("account/notifications", notifications.NotificationsView.as_view()),
    path("account/events", events.EventsView.as_view()),
]
