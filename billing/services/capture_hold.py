"""Charge for finished work."""

from billing.ledger.holds import AlreadySettled, HeldAmount, Settlement, UnknownHold, settle
from billing.micros import Micros, positive

__all__ = ["AlreadySettled", "HeldAmount", "Settlement", "UnknownHold", "capture_hold"]


def capture_hold(*, hold: HeldAmount, amount: Micros) -> Settlement:
    """Charge `amount` of the hold and give back the rest: its one settlement.

    An amount of 0 gives everything back. What is given back repays debt first. The same call again returns the
    first settlement. Capture and release share one reference, so the database lets only one of them happen.

    Raises:
        AlreadySettled: the hold was released, or captured with another amount; nothing moved.
        UnknownHold: no such hold was placed; nothing moved.
        TypeError, ValueError: `amount` is no integer, is negative or more than was held.
    """
    if amount != 0 and positive(amount) > hold.amount:
        raise ValueError(f"{hold.reference} holds {hold.amount} micros; {amount} cannot be captured")
    return settle(hold, amount)
