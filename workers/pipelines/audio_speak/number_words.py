"""Numbers as an American reader says them: cardinals, ordinals, years, decimals, digits one by one."""

_ONES = """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
    eighteen nineteen
""".split()  # noqa: SIM905
_TENS = ["_", "_", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_SCALES = ("", "thousand", "million", "billion", "trillion", "quadrillion", "quintillion")
_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}


def digits(figures: str) -> str:
    """'90210' as 'nine zero two one zero'."""
    return " ".join(_ONES[int(figure)] for figure in figures)


def cardinal(number: int) -> str:
    """1234 as 'one thousand two hundred thirty four'; beyond the quintillions digit by digit."""
    if number < 0:
        return f"minus {cardinal(-number)}"
    if number >= 1000 ** len(_SCALES):
        return digits(str(number))
    groups = []
    scale = 0
    while number:
        number, group = divmod(number, 1000)
        if group:
            groups.append(f"{_under_thousand(group)} {_SCALES[scale]}".strip())
        scale += 1
    return " ".join(reversed(groups)) or "zero"


def ordinal(number: int) -> str:
    """21 as 'twenty first'."""
    head, _, last = cardinal(number).rpartition(" ")
    last = _ORDINALS[last] if last in _ORDINALS else last[:-1] + "ieth" if last.endswith("y") else last + "th"
    return f"{head} {last}".strip()


def year(number: int) -> str:
    """1984 as 'nineteen eighty four', 1905 as 'nineteen oh five', 2007 as 'two thousand seven'."""
    high, low = divmod(number, 100)
    if not 10 <= high <= 99 or (high % 10 == 0 and low < 10):
        return cardinal(number)
    if low == 0:
        return f"{cardinal(high)} hundred"
    return f"{cardinal(high)} {'oh ' if low < 10 else ''}{cardinal(low)}"


def decimal(figures: str) -> str:
    """'3.05' as 'three point zero five', '1,200' as 'one thousand two hundred', '.5' as 'point five'."""
    whole, point, fraction = figures.replace(",", "").partition(".")
    words = cardinal(int(whole)) if whole else ""
    return f"{words} point {digits(fraction)}".strip() if point and fraction else words


def plural(words: str) -> str:
    """'nineteen eighty' as 'nineteen eighties', 'seven' as 'sevens', 'six' as 'sixes'."""
    if words.endswith("y"):
        return words[:-1] + "ies"
    return words + ("es" if words.endswith("x") else "s")


def _under_thousand(number: int) -> str:
    hundreds, rest = divmod(number, 100)
    tens, ones = divmod(rest, 10)
    small = _ONES[rest] if rest < 20 else f"{_TENS[tens]} {_ONES[ones] if ones else ''}".strip()
    if not hundreds:
        return small
    return f"{_ONES[hundreds]} hundred {small if rest else ''}".strip()
