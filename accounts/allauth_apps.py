"""allauth's apps as we use them: the redirect to Google and back, and nothing else of theirs.

Their middleware is left out of `MIDDLEWARE`, on which their own configuration insists: two views of ours need what it
does (`accounts.web.google_redirect` wraps them in it), and every other request would pay for it.
"""

from allauth.account import apps as account
from allauth.account import checks  # noqa: F401 -- registers allauth's checks of its settings


class AllauthAccount(account.AccountConfig):
    """allauth.account: its models are needed by what does the redirect; its tables stay empty."""

    def ready(self) -> None:
        """Nothing more to do: see above."""
