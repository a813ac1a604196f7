"""The room's tables, where Django looks for them. The ledger's are private to this room."""

from billing.adjustments import AdjustmentRequest
from billing.key_spend import KeySpend, KeySpendHold
from billing.ledger.models import Balance, CommissionBalance, LedgerAccount, Transfer
from billing.price_versions import PriceVersion

__all__ = [
    "AdjustmentRequest",
    "Balance",
    "CommissionBalance",
    "KeySpend",
    "KeySpendHold",
    "LedgerAccount",
    "PriceVersion",
    "Transfer",
]
