"""Money as integers: one US dollar is 1 000 000 micros. No float ever enters or leaves."""

from typing import TypeAlias

Micros: TypeAlias = int

MICROS_PER_USD = 1_000_000
MICROS_PER_CENT = MICROS_PER_USD // 100
LARGEST_AMOUNT = 900_719_925_474 * MICROS_PER_CENT
"""The contract's largest purchase in cents: the last whole cent whose micros a double still holds exactly."""


def positive(amount: Micros) -> Micros:
    """`amount` itself.

    Raises:
        TypeError: it is not an integer (a float or a bool is refused even when it is a whole number).
        ValueError: it is zero, negative or beyond `LARGEST_AMOUNT`.
    """
    if type(amount) is not int:
        raise TypeError(f"an amount is an integer number of micros, not {type(amount).__name__}")
    if not 0 < amount <= LARGEST_AMOUNT:
        raise ValueError(f"an amount is 1 to {LARGEST_AMOUNT} micros, not {amount}")
    return amount


def usd(amount: Micros) -> str:
    """The exact decimal text of `amount` in dollars, at least one digit before the point: 40 000 → `0.04`."""
    whole, part = divmod(abs(amount), MICROS_PER_USD)
    decimals = f"{part:06d}".rstrip("0")
    return f"{'-' if amount < 0 else ''}{whole}{'.' + decimals if decimals else ''}"
