"""Routes under /api/v1/ of the payments room."""

from django.urls import path

from payments.api import checkout, claim, deposits, packages, webhooks, x402

urlpatterns = [
    path("packages", packages.PackagesView.as_view()),
    path("checkout/stripe", checkout.StripeCheckoutView.as_view()),
    path("checkout/crypto", checkout.CryptoCheckoutView.as_view()),
    path("claim/stripe", claim.ClaimStripeView.as_view()),
    path("claim/crypto", claim.ClaimCryptoView.as_view()),
    path("webhooks/stripe", webhooks.StripeWebhookView.as_view()),
    path("webhooks/crypto", webhooks.CryptoWebhookView.as_view()),
    path("account/deposits", deposits.DepositsView.as_view()),
    path("account/deposits/receipt", deposits.DepositReceiptView.as_view()),
    path("credits/purchase/x402", x402.X402PurchaseView.as_view()),
    path("deposit/x402", x402.X402DepositView.as_view()),
]
