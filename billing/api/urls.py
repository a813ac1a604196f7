"""Routes under /api/v1/."""

from django.urls import path

from billing.api import transactions

urlpatterns = [
    path("account/transactions", transactions.TransactionsView.as_view()),
]
