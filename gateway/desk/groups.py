"""Who may do what at the desk, as data: `manage.py sync_groups` makes the database follow."""

from typing import NamedTuple

SUPPORT, FINANCE, REVIEWER, OPERATOR = "support", "finance", "reviewer", "operator"


class Power(NamedTuple):
    """A permission for something that is done, not looked at."""

    app: str
    model: str
    codename: str
    name: str

    @property
    def label(self) -> str:
        """As `User.has_perm` wants it."""
        return f"{self.app}.{self.codename}"


POWERS = (
    Power("accounts", "user", "suspend_user", "Can suspend and reinstate accounts"),
    Power("accounts", "user", "revoke_keys", "Can revoke all keys of an account"),
    Power("billing", "adjustmentrequest", "request_adjustment", "Can ask for adjustments, and post small ones"),
    Power("billing", "adjustmentrequest", "approve_adjustment", "Can approve and reject others' adjustments"),
    Power("payments", "providerevent", "replay_event", "Can have provider events judged again"),
    Power("payments", "checkout", "decide_checkout", "Can decide purchases in review, and close flagged events"),
    Power("payments", "x402payment", "decide_x402payment", "Can decide x402 payments in review"),
    Power("affiliates", "affiliate", "decide_affiliate", "Can approve, reject, suspend and reinstate affiliates"),
    Power("affiliates", "affiliate", "set_terms", "Can change the shares of affiliates"),
    Power("affiliates", "payoutrequest", "decide_payout", "Can approve and reject payouts"),
    Power("affiliates", "payoutrequest", "pay_payout", "Can mark payouts as paid"),
    Power("media", "job", "terminate_job", "Can terminate jobs"),
    Power("media", "node", "manage_node", "Can drain, disable and enable nodes"),
    Power("core", "webhookdelivery", "resend_delivery", "Can send callbacks again"),
    Power("core", "deadevent", "replay_deadevent", "Can put dead events back into the queue"),
)

_ACCOUNTS = {
    "accounts.view_user",
    "accounts.view_apikey",
    "accounts.view_securityevent",
    "accounts.view_devicelink",
    "accounts.view_emailcode",
    "billing.view_balance",
}
_JOBS = {
    "media.view_job",
    "media.view_attempt",
    "media.view_jobinput",
    "media.view_jobevent",
    "core.view_webhookdelivery",
    "core.view_webhooktry",
}

GROUPS: dict[str, frozenset[str]] = {
    SUPPORT: frozenset(_ACCOUNTS | _JOBS | {"core.resend_delivery"}),
    FINANCE: frozenset(
        {
            "accounts.view_user",
            "billing.view_balance",
            "billing.view_commissionbalance",
            "billing.view_transfer",
            "billing.view_ledgeraccount",
            "billing.view_priceversion",
            "billing.view_adjustmentrequest",
            "billing.request_adjustment",
            "billing.approve_adjustment",
            "payments.view_package",
            "payments.add_package",
            "payments.change_package",
            "payments.view_checkout",
            "payments.view_x402payment",
            "payments.view_deposit",
            "payments.view_reversal",
            "payments.view_providerevent",
            "payments.decide_checkout",
            "payments.decide_x402payment",
            "affiliates.view_affiliate",
            "affiliates.view_commission",
            "affiliates.view_payoutrequest",
            "affiliates.view_decision",
            "affiliates.set_terms",
            "affiliates.pay_payout",
        }
    ),
    REVIEWER: frozenset(
        {
            "affiliates.view_affiliate",
            "affiliates.view_affiliatecode",
            "affiliates.view_attribution",
            "affiliates.view_commission",
            "affiliates.view_payoutrequest",
            "affiliates.view_decision",
            "affiliates.decide_affiliate",
            "affiliates.decide_payout",
        }
    ),
    OPERATOR: frozenset(
        _ACCOUNTS
        | _JOBS
        | {
            "accounts.suspend_user",
            "accounts.revoke_keys",
            "media.terminate_job",
            "media.view_node",
            "media.manage_node",
            "core.view_outboxevent",
            "core.view_deadevent",
            "core.replay_deadevent",
            "core.resend_delivery",
            "payments.view_providerevent",
            "payments.replay_event",
            "admin.view_logentry",
            "auth.view_group",
        }
    ),
}
