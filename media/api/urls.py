"""Routes under /api/v1/media/."""

from django.urls import path

from media.api import views

urlpatterns = [
    path("jobs", views.JobsView.as_view()),
    path("jobs/cancel", views.CancelView.as_view()),
    path("estimate", views.EstimateView.as_view()),
    path("tasks", views.TasksView.as_view()),
]
