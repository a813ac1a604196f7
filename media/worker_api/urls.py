"""Routes under /workers/v1/."""

from django.urls import path

from media.worker_api import views

urlpatterns = [
    path("node", views.GreetingView.as_view()),
    path("heartbeat", views.HeartbeatView.as_view()),
    path("attempts/<uuid:attempt_id>/claim", views.ClaimView.as_view()),
    path("attempts/<uuid:attempt_id>/progress", views.ProgressView.as_view()),
    path("attempts/<uuid:attempt_id>/uploads", views.UploadsView.as_view()),
    path("attempts/<uuid:attempt_id>/complete", views.CompleteView.as_view()),
    path("attempts/<uuid:attempt_id>/fail", views.FailView.as_view()),
]
