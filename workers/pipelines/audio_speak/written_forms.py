"""The tables of written English that `verbalize` reads from: units, currencies, months, abbreviations, signs."""

MONTHS = {
    "january": "January", "jan": "January",
    "february": "February", "feb": "February",
    "march": "March", "mar": "March",
    "april": "April", "apr": "April",
    "may": "May",
    "june": "June", "jun": "June",
    "july": "July", "jul": "July",
    "august": "August", "aug": "August",
    "september": "September", "sept": "September", "sep": "September",
    "october": "October", "oct": "October",
    "november": "November", "nov": "November",
    "december": "December", "dec": "December",
}  # fmt: skip

CURRENCIES = {
    "$": ("dollar", "dollars", "cent", "cents"),
    "£": ("pound", "pounds", "penny", "pence"),
    "€": ("euro", "euros", "cent", "cents"),
    "¥": ("yen", "yen", "", ""),
    "₹": ("rupee", "rupees", "paisa", "paise"),
    "₩": ("won", "won", "", ""),
    "₽": ("ruble", "rubles", "kopeck", "kopecks"),
    "₿": ("bitcoin", "bitcoins", "", ""),
}
"""Sign → one, many, one part, many parts."""
CURRENCY_CODES = {"USD": "$", "GBP": "£", "EUR": "€", "JPY": "¥", "INR": "₹"}
MAGNITUDES = {
    "k": "thousand", "K": "thousand", "m": "million", "M": "million", "mn": "million", "B": "billion",
    "bn": "billion", "tn": "trillion",
}  # fmt: skip

UNITS = {
    "%": ("percent", "percent"),
    "°C": ("degree Celsius", "degrees Celsius"),
    "°F": ("degree Fahrenheit", "degrees Fahrenheit"),
    "°": ("degree", "degrees"),
    "km/h": ("kilometer per hour", "kilometers per hour"),
    "kph": ("kilometer per hour", "kilometers per hour"),
    "m/s": ("meter per second", "meters per second"),
    "mph": ("mile per hour", "miles per hour"),
    "km²": ("square kilometer", "square kilometers"),
    "m²": ("square meter", "square meters"),
    "m³": ("cubic meter", "cubic meters"),
    "sq ft": ("square foot", "square feet"),
    "km": ("kilometer", "kilometers"),
    "cm": ("centimeter", "centimeters"),
    "mm": ("millimeter", "millimeters"),
    "nm": ("nanometer", "nanometers"),
    "m": ("meter", "meters"),
    "mi": ("mile", "miles"),
    "ft": ("foot", "feet"),
    "yd": ("yard", "yards"),
    "kg": ("kilogram", "kilograms"),
    "mg": ("milligram", "milligrams"),
    "g": ("gram", "grams"),
    "lbs": ("pound", "pounds"),
    "lb": ("pound", "pounds"),
    "oz": ("ounce", "ounces"),
    "ml": ("milliliter", "milliliters"),
    "mL": ("milliliter", "milliliters"),
    "L": ("liter", "liters"),
    "ms": ("millisecond", "milliseconds"),
    "s": ("second", "seconds"),
    "sec": ("second", "seconds"),
    "min": ("minute", "minutes"),
    "h": ("hour", "hours"),
    "hr": ("hour", "hours"),
    "hrs": ("hour", "hours"),
    "yr": ("year", "years"),
    "yrs": ("year", "years"),
    "Hz": ("hertz", "hertz"),
    "kHz": ("kilohertz", "kilohertz"),
    "MHz": ("megahertz", "megahertz"),
    "GHz": ("gigahertz", "gigahertz"),
    "dB": ("decibel", "decibels"),
    "W": ("watt", "watts"),
    "kW": ("kilowatt", "kilowatts"),
    "kWh": ("kilowatt hour", "kilowatt hours"),
    "MW": ("megawatt", "megawatts"),
    "V": ("volt", "volts"),
    "mAh": ("milliamp hour", "milliamp hours"),
    "KB": ("kilobyte", "kilobytes"),
    "kB": ("kilobyte", "kilobytes"),
    "MB": ("megabyte", "megabytes"),
    "GB": ("gigabyte", "gigabytes"),
    "TB": ("terabyte", "terabytes"),
    "Mbps": ("megabit per second", "megabits per second"),
    "Gbps": ("gigabit per second", "gigabits per second"),
    "fps": ("frame per second", "frames per second"),
    "bpm": ("beat per minute", "beats per minute"),
    "px": ("pixel", "pixels"),
    "kcal": ("kilocalorie", "kilocalories"),
    "cal": ("calorie", "calories"),
    "ha": ("hectare", "hectares"),
}
"""What may follow a number → its one and its many."""

ABBREVIATIONS = {
    "e.g": "for example", "i.e": "that is", "cf": "compare", "vs": "versus", "etc": "et cetera",
    "approx": "approximately", "dr": "Doctor", "mr": "Mister", "mrs": "Misses", "ms": "Miz", "prof": "Professor",
    "rev": "Reverend", "gen": "General", "sen": "Senator", "rep": "Representative", "gov": "Governor",
    "capt": "Captain", "lt": "Lieutenant", "col": "Colonel", "sgt": "Sergeant", "hon": "Honorable", "jr": "Junior",
    "sr": "Senior", "inc": "Incorporated", "ltd": "Limited", "co": "Company", "corp": "Corporation",
    "bros": "Brothers", "dept": "department", "est": "established", "fig": "figure", "vol": "volume",
    "ch": "chapter", "pp": "pages", "ed": "edition", "min": "minimum", "max": "maximum", "avg": "average",
    "misc": "miscellaneous", "ave": "Avenue", "blvd": "Boulevard", "rd": "Road", "mt": "Mount", "ft": "Fort",
    "tel": "telephone", "ext": "extension", "a.k.a": "also known as", "aka": "also known as",
    "ph.d": "pee aitch dee", "w/o": "without",
    "mon": "Monday", "tue": "Tuesday", "tues": "Tuesday", "wed": "Wednesday", "thu": "Thursday", "thur": "Thursday",
    "thurs": "Thursday", "fri": "Friday", "sat": "Saturday", "sun": "Sunday",
}  # fmt: skip

_LETTER_NAMES = """
    ay bee see dee ee eff gee aitch eye jay kay ell em en oh pee queue ar ess tee yoo vee double-you ex why zee
""".split()  # noqa: SIM905
LETTERS = dict(zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", _LETTER_NAMES, strict=True))
"""The names of the letters, in a spelling that is itself read right."""

EXCEPTIONAL = {
    "US": "yoo ess", "USA": "yoo ess ay", "UK": "yoo kay", "EU": "ee yoo", "UN": "yoo en", "IT": "eye tee",
    "AM": "ay em", "PM": "pee em", "OK": "okay", "README": "read me", "SQL": "sequel", "IDs": "eye dees",
    "URLs": "yoo ar ells", "PDFs": "pee dee effs", "APIs": "ay pee eyes", "CEOs": "see ee ohs",
    "GPUs": "gee pee yoos", "CPUs": "see pee yoos", "TVs": "tee vees", "DVDs": "dee vee dees", "AIs": "ay eyes",
    "WiFi": "why fye", "Wi": "why", "Fi": "fye", "Kubernetes": "Koober netteez", "vs": "versus",
}  # fmt: skip
"""Words and capitals that would be read as another word."""

TITLES_BEFORE_NUMERALS = (
    "Chapter|Part|Act|Scene|Volume|Book|Section|World War|Phase|Type|Level|Rocky|Appendix|Super Bowl"
)
FRACTION_SIGNS = {
    "½": "a half", "⅓": "one third", "⅔": "two thirds", "¼": "a quarter", "¾": "three quarters", "⅛": "one eighth",
    "⅜": "three eighths", "⅝": "five eighths", "⅞": "seven eighths",
}  # fmt: skip
SYMBOLS = {
    "&": "and", "+": "plus", "@": "at", "%": "percent", "=": "equals", "×": "times", "÷": "divided by",
    "±": "plus or minus", "≈": "about", "≤": "at most", "≥": "at least", "≠": "is not", "<": "less than",
    ">": "greater than", "°": "degrees", "²": "squared", "³": "cubed", "√": "the square root of", "©": "copyright",
    "®": "registered", "™": "trademark", "→": "to", "$": "dollars", "£": "pounds", "€": "euros", "§": "section",
    "∞": "infinity",
}  # fmt: skip
GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "Δ": "delta", "ε": "epsilon", "ζ": "zeta", "η": "eta",
    "θ": "theta", "κ": "kappa", "λ": "lambda", "μ": "mu", "µ": "micro", "ν": "nu", "ξ": "xi", "π": "pi",
    "ρ": "rho", "σ": "sigma", "Σ": "sigma", "τ": "tau", "φ": "phi", "χ": "chi", "ψ": "psi", "ω": "omega",
    "Ω": "omega",
}  # fmt: skip
