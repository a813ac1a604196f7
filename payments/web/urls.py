"""The room's pages."""

from django.urls import path

from payments.web import billing, landing, receipts

urlpatterns = [
    path("billing", billing.billing, name="billing"),
    path("account/receipts/<str:deposit_id>", receipts.receipt, name="receipt"),
    path("account/receipts/<str:deposit_id>/receipt.pdf", receipts.pdf, name="receipt-pdf"),
    path("billing/done", landing.done, name="billing-done"),
    path("billing/canceled", landing.canceled, name="billing-canceled"),
]
