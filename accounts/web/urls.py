"""The room's pages."""

from django.urls import path

from accounts.web import account, device_link, google_redirect, sign_in

urlpatterns = [
    path("sign-in", sign_in.sign_in, name="sign-in"),
    path("sign-in/code", sign_in.sign_in_code, name="sign-in-code"),
    path("sign-out", sign_in.sign_out, name="sign-out"),
    path("account", account.account, name="account"),
    path("account/keys/revoke", account.revoke, name="account-revoke-key"),
    path("account/keys/revoke-all", account.revoke_all, name="account-revoke-all-keys"),
    path("link", device_link.link, name="device-link"),
    path("accounts/google/login/", google_redirect.login, name="google_login"),  # these two names are allauth's
    path("accounts/google/login/callback/", google_redirect.callback, name="google_callback"),
]
