"""Written English as the words a reader says: numbers, dates, times, money, units, abbreviations, addresses.

`verbalize` is a row of rewriting rules, the particular before the general; each leaves plain words behind, so that
no later rule meets its work again.
"""

import re
import unicodedata
from collections.abc import Callable

from workers.pipelines.audio_speak.number_words import cardinal, decimal, digits, ordinal, plural, year
from workers.pipelines.audio_speak.written_forms import (
    ABBREVIATIONS,
    CURRENCIES,
    CURRENCY_CODES,
    EXCEPTIONAL,
    FRACTION_SIGNS,
    GREEK,
    LETTERS,
    MAGNITUDES,
    MONTHS,
    SYMBOLS,
    TITLES_BEFORE_NUMERALS,
    UNITS,
)

_MONTH = "|".join(sorted((name.capitalize() for name in MONTHS), key=len, reverse=True))
_NUMBER = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
_UNIT = "|".join(re.escape(unit) for unit in sorted(UNITS, key=len, reverse=True))
_SIGN = "".join(re.escape(sign) for sign in CURRENCIES)
_CODE = "|".join(CURRENCY_CODES)
_MAGNITUDE = "thousand|million|billion|trillion|[kKMB]|bn|mn|tn|m"
_WEEKDAY = r"(?:Mon|Tues?|Wed|Thu(?:rs?)?|Fri|Sat|Sun)"


def verbalize(text: str) -> str:
    """The text in plain words and the punctuation a reader needs (`. , ; : ? ! —`); lines end as they did."""
    text = _plain_signs(text)
    for pattern, spoken in _RULES:
        text = pattern.sub(spoken, text)
    return re.sub(r"[ \t]+", " ", re.sub(r"[ \t]+([.,;:?!])", r"\1", text)).strip()


def unspoken(text: str) -> list[str]:
    """The signs of `text` that have no English reading (other scripts, emoji), each once, in order."""
    readable = {"—", "…", "¢", *SYMBOLS, *CURRENCIES, *GREEK, *FRACTION_SIGNS}
    return list(
        dict.fromkeys(
            sign
            for sign in _plain_signs(text)
            if not sign.isascii() and sign not in readable and unicodedata.category(sign)[0] in "LNS"
        )
    )


def spell(letters: str) -> str:
    """'FBI' as the names of its letters; figures among them as numbers."""
    return " ".join(LETTERS.get(sign.upper(), sign) if sign.isalpha() else digits(sign) for sign in letters)


_LETTERS_OF_OWN: dict[str, str | int | None] = {"ß": "ss", "æ": "ae", "Æ": "Ae", "œ": "oe", "Œ": "Oe"}
_LETTERS_OF_OWN |= {"ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d"}
_LIGATURES = str.maketrans(_LETTERS_OF_OWN)


def _plain_signs(text: str) -> str:
    """Typographic variants as one sign each; Latin letters without marks."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    for variants, plain in (
        ("‘’‚‛ʼ′`´", "'"),
        ("“”„‟«»″", '"'),
        ("‐‑‒−", "-"),
        ("–", "–"),
        ("—―", "—"),
        ("\u00a0\u2007\u202f\u2009", " "),
    ):
        text = re.sub(f"[{variants}]", plain, text)
    text = text.replace("...", "…")
    text = text.translate(_LIGATURES)
    parts = []
    for sign in text:
        base = unicodedata.normalize("NFD", sign)
        latin = len(base) > 1 and base[0].isascii() and base[0].isalpha()
        parts.append(base[0] if latin else sign)
    return unicodedata.normalize("NFC", "".join(parts))


def _address(match: re.Match[str]) -> str:
    """A URL, host or mail address, read sign by sign where it is not words."""
    address = re.sub(r"^[a-z]+://", "", match[0], flags=re.I).rstrip("/")
    end = re.search(r"[.,;:!?)\]]+$", address)
    tail = end[0] if end else ""
    address = address[: len(address) - len(tail)].rstrip("/")
    spoken = []
    for piece in re.findall(r"[A-Za-z]+|\d+|[^A-Za-z\d]", address):
        if piece.isdigit():
            spoken.append(cardinal(int(piece)) if len(piece) < 3 and piece[0] != "0" else digits(piece))
        elif not piece.isalpha():
            spoken.append(_ADDRESS_SIGNS.get(piece, ""))
        elif piece.lower() == "www" or (len(piece) < 3 and piece.lower() not in _SHORT_WORDS):
            spoken.append(spell(piece))
        else:
            spoken.append(piece)
    return " ".join(filter(None, spoken)) + tail


_ADDRESS_SIGNS = {
    ".": "dot",
    "/": "slash",
    "@": "at",
    "-": "dash",
    "_": "underscore",
    ":": "colon",
    "?": "question mark",
    "=": "equals",
    "&": "and",
    "#": "hash",
    "+": "plus",
    "%": "percent",
    "~": "tilde",
}
_SHORT_WORDS = {
    "me",
    "my",
    "go",
    "no",
    "to",
    "in",
    "on",
    "at",
    "is",
    "it",
    "by",
    "we",
    "us",
    "so",
    "do",
    "be",
    "or",
    "up",
}


def _money(sign: str, amount: str, magnitude: str | None) -> str:
    one, many, part, parts = CURRENCIES[sign]
    if magnitude:
        return f"{decimal(amount)} {MAGNITUDES.get(magnitude, magnitude)} {many}"
    whole, _, cents = amount.replace(",", "").partition(".")
    units, fraction = int(whole or 0), cents.ljust(2, "0") if cents else ""
    if len(fraction) > 2:
        return f"{decimal(amount)} {many}"
    pieces = []
    if units or not int(fraction or 0):
        pieces.append(f"{cardinal(units)} {one if units == 1 else many}")
    if fraction and int(fraction) and part:
        pieces.append(f"{cardinal(int(fraction))} {part if int(fraction) == 1 else parts}")
    return " and ".join(pieces)


def _time(match: re.Match[str]) -> str:
    hour, minute, second = int(match["hour"]), match["minute"], match["second"]
    half = match["half"]
    if minute is None:
        spoken = cardinal(hour)
    elif minute == "00":
        spoken = f"{cardinal(hour)} o'clock" if not half and 0 < hour <= 12 else cardinal(hour)
        if hour == 0 or hour > 12:
            spoken = f"{cardinal(hour)} hundred"
    else:
        spoken = f"{cardinal(hour)} {'oh ' if minute[0] == '0' else ''}{cardinal(int(minute))}"
    if second:
        spoken += f" and {cardinal(int(second))} seconds"
    return f"{spoken} {_half_of_day(match)}" if half else spoken


def _day(month: str, day: str, year_figures: str | None) -> str:
    name = MONTHS[month.lower().rstrip(".")]
    return f"{name} {ordinal(int(day))}" + (f", {year(int(year_figures))}" if year_figures else "")


def _numeric_date(match: re.Match[str]) -> str:
    """Month first, as Americans write it, unless the first number cannot be a month."""
    first, second, written = int(match[1]), int(match[2]), match[3]
    month, day = (first, second) if first <= 12 else (second, first)
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return match[0].replace("/", " ")
    full = int(written) if len(written) == 4 else 2000 + int(written) if int(written) < 50 else 1900 + int(written)
    return f"{_MONTH_NAMES[month - 1]} {ordinal(day)}, {year(full)}"


def _iso_date(match: re.Match[str]) -> str:
    month, day = int(match[2]), int(match[3])
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return f"{digits(match[1])}, {digits(match[2])}, {digits(match[3])}"
    return f"{_MONTH_NAMES[month - 1]} {ordinal(day)}, {year(int(match[1]))}{' at ' if match[4] else ''}"


_MONTH_NAMES = list(dict.fromkeys(MONTHS.values()))


def _fraction(match: re.Match[str]) -> str:
    whole, top, bottom = match["whole"], int(match["top"]), int(match["bottom"])
    named = {2: ("half", "halves"), 4: ("quarter", "quarters")}
    one, many = named.get(bottom, (ordinal(bottom), ordinal(bottom) + "s"))
    spoken = f"{cardinal(top)} {one if top == 1 else many}"
    return (
        f"{cardinal(int(whole))} and {'a' if top == 1 else cardinal(top)} {one if top == 1 else many}"
        if whole
        else spoken
    )


def _unit(match: re.Match[str]) -> str:
    one, many = UNITS[match["unit"]]
    singular = match["amount"] in ("1", "1.0") or match.group(0).startswith("-1 ")
    return f"{_signed(match['amount'])} {one if singular else many}"


def _signed(figures: str) -> str:
    return f"minus {decimal(figures[1:])}" if figures.startswith("-") else decimal(figures)


def _plain_number(match: re.Match[str]) -> str:
    figures = match[0]
    if "," in figures or "." in figures:
        return f" {decimal(figures)} "
    if (len(figures) > 1 and figures[0] == "0") or len(figures) > 15:
        return f" {digits(figures)} "
    number = int(figures)
    if len(figures) == 4 and 1100 <= number <= 2099:
        return f" {year(number)} "
    return f" {cardinal(number)} "


def _version(match: re.Match[str]) -> str:
    return " point ".join(cardinal(int(part)) for part in match[0].split("."))


def _roman(numeral: str) -> int:
    values = [{"I": 1, "V": 5, "X": 10, "L": 50}[sign] for sign in numeral]
    return sum(-v if v < following else v for v, following in zip(values, [*values[1:], 0], strict=True))


def _phone(match: re.Match[str]) -> str:
    groups = re.findall(r"\d+", match[0])
    return ("plus " if match[0].startswith("+") else "") + ", ".join(digits(group) for group in groups)


def _capitals(match: re.Match[str]) -> str:
    return EXCEPTIONAL.get(match[0], match[0])


def _abbreviation(match: re.Match[str]) -> str:
    """Its words; the full stop stays where it also ended a sentence."""
    spoken = ABBREVIATIONS[match["short"].lower()]
    ends = match["stop"] and re.match(r"\s*(?:$|\n|[\"')\]]*\s+[A-Z])", match.string[match.end() :])
    can_end = match["short"].lower() in ("etc", "inc", "ltd", "co", "corp", "jr", "sr", "dept", "ave", "a.m", "p.m")
    return spoken + ("." if ends and can_end else "")


def _letters_with_stops(match: re.Match[str]) -> str:
    following = match.string[match.end() :]
    ends = re.match(r"\s*(?:$|\n)|\s+[A-Z][a-z]", following) is not None
    spoken = spell(match[0].replace(".", ""))
    # "J.R.R. Tolkien": capitals before a name are initials; "the U.S.A. We" cannot be told apart from it.
    return spoken + ("." if ends and re.match(r"\s*(?:$|\n)", following) else "")


def _half_of_day(match: re.Match[str]) -> str:
    ends = re.match(r"\s*(?:$|\n)|\s+[A-Z][a-z]", match.string[match.end() :])
    return spell(match["half"] + "m") + ("." if ends and match[0].endswith(".") else "")


def _saint_or_street(match: re.Match[str]) -> str:
    before, after = match.string[: match.start()], match.string[match.end() :]
    named = re.match(r"\s+[A-Z]", after) and not re.search(
        r"(?:\d+(?:st|nd|rd|th)?|(?!Near|In|At|The|To|From|By|Of|And|On)[A-Z][a-z]+)\s+$", before
    )
    if named:
        return "Saint"
    return "Street" + ("." if not after.strip() or re.match(r"\s+[A-Z]", after) else "")


Rule = tuple[re.Pattern[str], Callable[[re.Match[str]], str] | str]


def _rule(pattern: str, spoken: Callable[[re.Match[str]], str] | str, flags: int = 0) -> Rule:
    return re.compile(pattern, flags), spoken


_RULES: list[Rule] = [
    # What readers do not say.
    _rule(r"\d{41,}", lambda m: f"a number of {cardinal(len(m[0]))} digits"),
    _rule(r"^[ \t]*(?:[-*•‣▪]|#{1,6})[ \t]+", "", re.M),
    _rule(r"(?<!\w)([*_]{1,2})(\S(?:[^*_\n]*\S)?)\1(?!\w)", r"\2"),
    # Addresses.
    _rule(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", _address),
    _rule(r"\b(?:https?|ftp)://\S+", _address, re.I),
    _rule(r"\bwww\.[\w-]+(?:\.[\w-]+)+(?:/\S*)?", _address, re.I),
    _rule(
        r"\b[A-Za-z][\w-]*(?:\.[\w-]+)*\.(?:com|org|net|io|dev|edu|gov|co\.uk|ai|app|tv|info)\b(?:/[\w./?=&%#-]*)?",
        _address,
    ),
    # Dates.
    _rule(r"\b(\d{4})-(\d{2})-(\d{2})(?:(T)(?=\d)|(?=\D|$))", _iso_date),
    _rule(r"\b(\d{1,2})/(\d{1,2})/(\d{4}|\d{2})\b", _numeric_date),
    _rule(
        rf"\b({_MONTH})\b\.?\s+(\d{{1,2}})(?:st|nd|rd|th)?\b(?!\s*:\d|%)(?:,?\s+(\d{{4}})\b)?",
        lambda m: _day(m[1], m[2], m[3]),
    ),
    _rule(
        rf"\b(?:[Tt]he\s+)?(\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?({_MONTH})\b\.?(?:,?\s+(\d{{4}})\b)?",
        lambda m: f"the {ordinal(int(m[1]))} of {MONTHS[m[2].lower()]}" + (f", {year(int(m[3]))}" if m[3] else ""),
    ),
    _rule(r"\b(Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\.?(?=\s+\d{4}\b)", lambda m: MONTHS[m[1].lower()]),
    _rule(rf"\b({_WEEKDAY})\.(?=,?\s)", lambda m: ABBREVIATIONS[m[1].lower()]),
    _rule(r"(?<![\d'])'?(\d{2})s\b(?!\w)", lambda m: plural(cardinal(int(m[1]))) if m[1][1] == "0" else m[0]),
    _rule(r"\b(\d{3}0)'?s\b", lambda m: plural(year(int(m[1])))),
    # Times.
    _rule(
        r"\b(?P<hour>1[0-2]|0?[1-9])\.(?P<minute>[0-5]\d)(?P<second>(?!))?\s?(?P<half>[AaPp])(?:\.[Mm]\b\.?|[Mm]\b)",
        _time,
    ),
    _rule(
        r"\b(?P<hour>[01]?\d|2[0-4]):(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d))?\s*(?:(?P<half>[AaPp])(?:\.[Mm]\b\.?|[Mm]\b))?",
        lambda m: _time(m) + " ",
    ),
    _rule(
        r"\b(?P<hour>1[0-2]|0?[1-9])(?P<minute>(?!))?(?P<second>(?!))?\s?(?P<half>[AaPp])(?:\.[Mm]\b\.?|[Mm]\b)",
        _time,
    ),
    _rule(r"\b(?P<half>[AaPp])\.[Mm]\b\.?", _half_of_day),
    # Money.
    _rule(
        rf"([{_SIGN}])({_NUMBER})\s?[–-]\s?({_NUMBER})(?![\d-])",
        lambda m: f"{decimal(m[2])} to {_money(m[1], m[3], None)}",
    ),
    _rule(
        rf"([{_SIGN}])\s?(\.\d+|{_NUMBER})(?:\s?({_MAGNITUDE})\b)?",
        lambda m: _money(m[1], m[2], m[3]),
    ),
    _rule(rf"\b({_CODE})\s?({_NUMBER})(?:\s({_MAGNITUDE})\b)?", lambda m: _money(CURRENCY_CODES[m[1]], m[2], m[3])),
    _rule(rf"\b({_NUMBER})\s?({_CODE})\b", lambda m: _money(CURRENCY_CODES[m[2]], m[1], None)),
    _rule(rf"\b({_NUMBER})\s?([{_SIGN}])", lambda m: _money(m[2], m[1], None)),
    _rule(r"\b(\d+)\s?¢", lambda m: f"{cardinal(int(m[1]))} {'cent' if m[1] == '1' else 'cents'}"),
    # Telephone numbers.
    _rule(r"(?<![\w.-])(?:\+\d{1,3}[ -])?\(?\d{3}\)?[ -]\d{3}[ -]\d{4}\b|(?<![\w.-])\d{3}-\d{4}\b", _phone),
    _rule(r"(?<!\w)\+\d{1,3}(?: \d{2,4}){2,5}\b", _phone),
    # Numbers with a form of their own.
    _rule(r"\b(\d+(?:,\d{3})*)(?:st|nd|rd|th)\b", lambda m: ordinal(int(m[1].replace(",", "")))),
    _rule(r"\b[vV](?=\d)", "version "),
    _rule(r"\b\d+(?:\.\d+){2,}\b", _version),
    _rule(
        rf"(\d*)([{''.join(FRACTION_SIGNS)}])",
        lambda m: f"{m[1]} and {FRACTION_SIGNS[m[2]]}" if m[1] else FRACTION_SIGNS[m[2]],
    ),
    _rule(r"\b24/7\b", "twenty four seven"),
    _rule(r"\b(\d)'\s?(\d{1,2})\"", lambda m: f"{cardinal(int(m[1]))} feet {cardinal(int(m[2]))} inches"),
    _rule(r"\b(?:(?P<whole>\d+)\s+)?(?P<top>[1-9]|1\d)/(?P<bottom>[2-9]|1[0-9]|20|32|64)\b(?!/)", _fraction),
    _rule(rf"(?<=\d)\s?[–-]\s?(?=[{_SIGN}]?\d)", " to "),
    _rule(r"(?i)\b(?:No|Nr|Nos)\.\s?(?=\d)", "number "),
    _rule(r"#(?=\d)", "number "),
    _rule(rf"(?P<amount>(?<!\w)-?{_NUMBER})\s?(?P<unit>{_UNIT})(?![\w°])", _unit),
    _rule(
        rf"(?P<amount>(?<!\w)-?{_NUMBER})\s?(?P<size>[kKMB]|bn)\b",
        lambda m: f"{_signed(m['amount'])} {MAGNITUDES[m['size']]}",
    ),
    _rule(r"(?<=\d)\s?[x×]\s?(?=\d)", " by "),
    _rule(rf"\b({_NUMBER})x\b", lambda m: f"{decimal(m[1])} times"),
    _rule(
        rf"\b({TITLES_BEFORE_NUMERALS})\s+([IVXL]+)\b",
        lambda m: f"{m[1]} {cardinal(_roman(m[2]))}",
    ),
    _rule(
        r"\b(Henry|Louis|George|Edward|William|Charles|James|Philip|Pius|Elizabeth|Richard|Napoleon|Catherine|Alexander|Nicholas|Frederick|Gregory|John Paul|Benedict)\s+([IVX]+)\b(?!')",  # noqa: E501
        lambda m: f"{m[1]} the {ordinal(_roman(m[2]))}",
    ),
    # Abbreviations and letters.
    _rule(r"\bSt\.", _saint_or_street),
    _rule(
        r"\b(?P<short>e\.g|i\.e|cf|vs|etc|approx|Dr|Mr|Mrs|Ms|Prof|Rev|Gen|Sen|Rep|Gov|Capt|Lt|Col|Sgt|Hon|Jr|Sr|Inc|Ltd|Co|Corp|Bros|dept|Dept|est|fig|Fig|vol|Vol|ch|pp|ed|min|max|avg|misc|Ave|Blvd|Rd|Mt|Ft|tel|Tel|ext|a\.k\.a|Ph\.D|w/o)(?P<stop>\.)",
        _abbreviation,
    ),
    _rule(r"\b(?P<short>vs|Mr|Mrs|Dr|Ms|aka|approx)(?P<stop>)\b(?=\s)", _abbreviation),
    _rule(r"\b(?:[A-Za-z]\.){2,}", _letters_with_stops),
    _rule(r"\b([A-Z])\.(?=\s+[A-Z][a-z])", lambda m: LETTERS[m[1]]),
    _rule(r"\band/or\b", "and or"),
    _rule(r"\bw/o\b", "without"),
    _rule(r"\bw/(?=\s)", "with"),
    _rule(r"\b[A-Z]{2,}\b|\b[A-Za-z]+\b", _capitals),
    # What is left of figures and signs.
    _rule(r"(?<![\w.])-(?=\.?\d)", "minus "),
    _rule(r"(?<=[A-Za-z])-(?=\d)", " "),
    _rule(rf"(?<![\d.]){_NUMBER}|\.\d+", _plain_number),
    _rule(r"(?<=[A-Za-z])/(?=[A-Za-z])", " slash "),
    _rule(rf"[{re.escape(''.join(SYMBOLS))}]", lambda m: f" {SYMBOLS[m[0]]} "),
    _rule(rf"[{''.join(GREEK)}]", lambda m: f" {GREEK[m[0]]} "),
    _rule(r"\s*(?:–|--+|\s-\s)\s*", " — "),
    _rule(r"[\[{]", "("),
    _rule(r"[\]}]", ")"),
    _rule(r"[^\x00-\x7f—…]|[\\^~|<>_*#/`]", " "),
    _rule(r"([!?.,;:])(?:\s*[,;:.])+", r"\1"),
    _rule(r"([!?])[!?]+", r"\1"),
]
