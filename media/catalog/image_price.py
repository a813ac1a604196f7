"""What an image costs, generated or edited: by its finished pixels."""

from fractions import Fraction

from media.catalog.money import micros
from media.catalog.task import Coefficients, Units

FORMULA = "image.v1"
COEFFICIENTS = {"floor": 10_000, "per_megapixel": 40_000, "high_detail_percent": 150}
EXPLANATION = "max(floor, per_megapixel × finished pixels / 1 048 576); highDetail × high_detail_percent / 100"
FLOOR = 10_000


def price_v1(units: Units, coefficients: Coefficients) -> int:
    """`EXPLANATION`, from the units finishedPixels and highDetail (0 or 1)."""
    amount = max(
        Fraction(coefficients["floor"]),
        Fraction(coefficients["per_megapixel"] * int(units["finishedPixels"]), 1_048_576),
    )
    if units["highDetail"]:
        amount *= Fraction(coefficients["high_detail_percent"], 100)
    return micros(amount)
