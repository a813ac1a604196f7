"""The paths of this room's API, from the site's root."""

from django.urls import path

from core.webhooks import api

urlpatterns = [
    path("api/v1/account/webhook-secret", api.WebhookSecretView.as_view()),
    path("api/v1/account/webhook-secret/rotate", api.RotateWebhookSecretView.as_view()),
    path("api/v1/webhook-deliveries", api.WebhookDeliveriesView.as_view()),
    path("api/v1/webhook-deliveries/resend", api.ResendWebhookDeliveryView.as_view()),
    path("api/v1/webhook-deliveries/test", api.TestWebhookDeliveryView.as_view()),
]
