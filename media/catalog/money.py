"""The one rounding of a price."""

from fractions import Fraction


def micros(amount: Fraction | int) -> int:
    """`amount` rounded up to a whole micro-dollar: the only rounding of a price, at its end."""
    amount = Fraction(amount)
    return -(-amount.numerator // amount.denominator)
