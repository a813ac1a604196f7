"""Give back what was held for work that will not be charged."""

from billing.ledger.holds import AlreadySettled, HeldAmount, Settlement, UnknownHold, settle

__all__ = ["AlreadySettled", "HeldAmount", "Settlement", "UnknownHold", "release_hold"]


def release_hold(*, hold: HeldAmount) -> Settlement:
    """Give the whole hold back: its one settlement. Debt is repaid from it first.

    The same call again returns the first settlement.

    Raises:
        AlreadySettled: something was captured from the hold; nothing moved.
        UnknownHold: no such hold was placed; nothing moved.
    """
    return settle(hold, 0)
