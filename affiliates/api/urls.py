"""Routes under /api/v1/affiliates/."""

from django.urls import path

from affiliates.api import earnings, profile, public

urlpatterns = [
    path("r", public.ReferralView.as_view()),
    path("validate-code", public.ValidateCodeView.as_view()),
    path("capture", public.CaptureView.as_view()),
    path("me", profile.ProfileView.as_view()),
    path("me/apply", profile.ApplyView.as_view()),
    path("me/code", profile.CodeView.as_view()),
    path("me/bind-code", profile.BindCodeView.as_view()),
    path("me/dashboard", profile.DashboardView.as_view()),
    path("me/commissions", earnings.CommissionsView.as_view()),
    path("me/payouts", earnings.PayoutsView.as_view()),
    path("me/payout-requests", earnings.PayoutRequestsView.as_view()),
    path("me/payout-requests/cancel", earnings.CancelPayoutRequestView.as_view()),
]
