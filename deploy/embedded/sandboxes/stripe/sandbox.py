"""The Stripe sandbox: an account with its API and its hosted page."""

from collections.abc import Sequence

from deploy.embedded.sandboxes.faults import Faults
from deploy.embedded.sandboxes.store import Store
from deploy.embedded.sandboxes.stripe.account import StripeAccount
from deploy.embedded.sandboxes.stripe.api import Api
from deploy.embedded.sandboxes.stripe.page import hosted_page
from deploy.embedded.sandboxes.webhooks import RETRY_PAUSES, Target
from deploy.embedded.sandboxes.wire import Answer, Request


class StripeSandbox(StripeAccount):
    """What stands behind the prefix `/stripe`.

    Tests drive it by `pay`, `decline`, `pay_later`, `expire`, `refund`, `dispute` … with the ids that the API answered;
    each returns the object that changed. `webhooks` and `faults` order trouble.
    """

    def __init__(
        self,
        *,
        store: Store,
        url: str,
        key: str,
        webhook_secrets: Sequence[str],
        targets: Sequence[Target] = (),
        pauses: Sequence[float] = RETRY_PAUSES,
    ) -> None:
        super().__init__(store=store, url=url, key=key, webhook_secrets=webhook_secrets, targets=targets, pauses=pauses)
        self.faults = Faults()
        self._api = Api(self)

    def handle(self, request: Request) -> Answer:
        """A request under our prefix: the hosted page or the API."""
        if request.path.startswith("/pay/"):
            return hosted_page(self, request)
        return self._api.handle(request)
