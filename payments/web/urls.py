"""The room's pages."""

from django.urls import path

from payments.web import landing

urlpatterns = [
    path("billing/done", landing.done, name="billing-done"),
    path("billing/canceled", landing.canceled, name="billing-canceled"),
]
