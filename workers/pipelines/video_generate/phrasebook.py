"""How people say things to a director: regular expressions for moves, paces, effects and what figures do."""

import re

_CAMERA = r"(?:the |a )?(?:camera|shot|view|frame|lens)"
_ADVERB = r"(?:slow(?:ly)?|gentl[ey]|smooth(?:ly)?|gradual(?:ly)?|fast|quick(?:ly)?|rapid(?:ly)?|steadily|subtl[ey])"
_ENDING = r"(?:s|es|ing|ning|ting)?"
_TOWARDS = r"[ -](?:to(?:wards?)? (?:the |it'?s )?)?"

_IN, _OUT = r"in(?:to)?|forwards?|closer|nearer|through", r"out|back(?:wards?)?|away"
_UP, _DOWN = r"up(?:wards?)?|higher", r"down(?:wards?)?|lower"
_LEFT, _RIGHT = r"left(?:wards?)?", r"right(?:wards?)?|across"
_ALONG = "mov|move|glid|glide|travel|drift|float|slid|slide"


def _goes(where: str, verbs: str, *, said_of_cameras: str = "") -> str:
    """`verbs` are what only cameras do; those `said_of_cameras` need the word: "a bird flies away" moves no camera."""
    rest = rf"{_ENDING}(?: {_CAMERA})?(?: {_ADVERB})?{_TOWARDS}(?:{where})\b"
    alone = rf"\b(?:{_CAMERA} )?(?:{_ADVERB} )?(?:{verbs}){rest}"
    if not said_of_cameras:
        return alone
    return rf"{alone}|\b{_CAMERA} (?:{_ADVERB} )?(?:{said_of_cameras}){rest}"


def _said(*phrases: str) -> str:
    return rf"\b(?:{'|'.join(phrases)})\b"


_UNMOVED = r"(?:static|locked(?:[ -]?(?:off|down))?|fixed|still|stationary|motionless|unmoving)"

MOVES: tuple[tuple[str, str], ...] = (
    ("dolly-zoom", _said(r"dolly[ -]zoom", r"vertigo(?: effect| shot)?", "zolly")),
    ("static", _said(rf"{_UNMOVED} {_CAMERA}", rf"{_CAMERA} (?:is |stays |remains |holds )?{_UNMOVED}")),
    ("static", _said(r"tripod(?: shot)?", r"no camera (?:movement|motion)", "static")),
    ("zoom-in", _goes("in(?:to)?|closer", "zoom")),
    ("zoom-out", _goes("out|away|back", "zoom")),
    ("push-in", _goes(_IN, "push|dolly|dollie|truck", said_of_cameras=f"{_ALONG}|track|creep|fly|flie|rush|go")),
    ("pull-out", _goes(_OUT, "pull|dolly|dollie", said_of_cameras=f"{_ALONG}|track|back|fly|flie|retreat")),
    ("crane-up", _goes(_UP, "crane|boom|pedestal|jib", said_of_cameras=f"{_ALONG}|ris|rise|lift|ascend|fly|flie")),
    ("crane-up", _said("crane shot", "rising (?:camera|shot)", "camera (?:slowly )?(?:rises|ascends)", "drone rises")),
    ("crane-down", _goes(_DOWN, "crane|boom|pedestal|jib", said_of_cameras=f"{_ALONG}|descend|sink|com|come")),
    ("crane-down", _said("descending (?:camera|shot)", "camera (?:slowly )?(?:descends|lowers|sinks)")),
    ("pan-left", _goes(_LEFT, "pan|whip[ -]pan", said_of_cameras="turn|swing|look")),
    ("pan-left", _said("left(?:ward)? pan")),
    ("pan-right", _goes(_RIGHT, "pan|whip[ -]pan", said_of_cameras="turn|swing|look")),
    ("pan-right", _said("right(?:ward)? pan")),
    ("truck-left", _goes(_LEFT, "truck|dolly|dollie|crab", said_of_cameras=f"{_ALONG}|track|fly|flie")),
    ("truck-right", _goes(_RIGHT, "truck|dolly|dollie|crab", said_of_cameras=f"{_ALONG}|track|fly|flie")),
    ("tilt-up", _goes(_UP, "tilt|pan", said_of_cameras="look|turn")),
    ("tilt-up", _said("upward tilt")),
    ("tilt-down", _goes(_DOWN, "tilt|pan", said_of_cameras="look|turn")),
    ("tilt-down", _said("downward tilt")),
    ("orbit-left", _goes("left|(?:counter|anti)-?clockwise", "orbit|arc", said_of_cameras="circl|circle|revolv")),
    ("orbit-right", _goes("right|clockwise|around(?: the| an?| it)?", "arc", said_of_cameras="orbit|circl|circle|mov")),
    ("orbit-right", _said(r"orbit(?:al|ing)? (?:shot|camera|move(?:ment)?)", "arc shot", rf"{_ADVERB} orbit",
                          r"(?<!\bin )orbits? (?:around|right)", "orbiting(?: around)?",
                          r"360(?: degree)? (?:shot|view|turn)",
                          rf"camera (?:{_ADVERB} )?(?:orbits|circles|arcs)")),
    ("roll", _said("camera roll(?:s|ing)?", "barrel roll", "dutch (?:angle|tilt|roll)", "camera (?:spins|rotates)")),
    ("handheld", _said(r"hand[ -]?held(?: camera| shot| footage| feel)?", "found footage", "documentary style",
                       r"shak[yi](?:ng)? (?:cam(?:era)?|footage)")),
    ("push-in", _said(r"push[ -]?in", r"dolly[ -]?in", rf"(?:{_ADVERB} )?zoom(?:s|ing)? (?:on|at)", r"close[ -]in",
                      r"ken burns(?: effect)?", "dolly shot", rf"{_ADVERB} (?:push|dolly)")),
    ("pull-out", _said(r"pull[ -]?(?:out|back)", r"dolly[ -]?out", "reveal(?:ing)? shot")),
    ("zoom-in", _said(rf"(?:{_ADVERB} )?zoom(?:s|ing)?")),
    ("pan-right", _said(rf"(?:{_ADVERB} )?panning(?: shot)?", rf"camera (?:{_ADVERB} )?pans", rf"{_ADVERB} pan",
                        "pan shot")),
    ("tilt-up", _said("tilting(?: shot)?", "camera tilts")),
    ("truck-right", _said("tracking(?: shot)?", "trucking(?: shot)?", r"sideways (?:dolly|slide)", "slider shot",
                          r"parallax(?: shot| effect)?")),
)  # fmt: skip
"""Moves and how people ask for them, more particular ones first: what one has read the next ones do not see."""

PACE: dict[str, str] = {
    "slow": (
        r"\b(?:(?:very |ultra )?slow(?:ly)?(?: motion|-motion)?|slow-?mo|gentl[ey]|gradual(?:ly)?"
        r"|subtl[ey]|calm(?:ly)?|leisurely|creeping)\b"
    ),
    "fast": (
        r"\b(?:(?:very )?fast|quick(?:ly)?|rapid(?:ly)?|swift(?:ly)?|speed(?:s|ing|ily)?|rush(?:es"
        r"|ing)?|dramatic(?:ally)? zoom|whip|hectic|frantic|energetic|dynamic)\b"
    ),
}

EFFECTS: dict[str, str] = {
    "rain": r"rain|rains|raining|rainy|raindrops?|drizzl(?:e|ing)|downpour",
    "snow": r"snow(?:s|ing|fall|flakes?)|falling snow|blizzard|snowstorm|snow falls",
    "fog": r"fog|foggy|mist|misty|haze|hazy|smoke|smoky|smoking|steam|steaming",
    "storm": r"thunderstorm|lightning|thunder|stormy|storm|tempest",
    "dust": (
        r"dust(?:y)?(?: motes| particles)?|motes|floating particles|particles|pollen|spores"
        r"|floating specks"
    ),
    "sparks": r"sparks?|embers?|cinders|sparkler|bonfire|campfire|flames?|fire|burning|blazing|forge",
    "fireflies": (
        r"fireflies|firefly|glow(?:ing)? ?worms?|magic(?:al)? (?:particles|dust|sparkles?)"
        r"|fairy dust|pixie dust|sparkl(?:es?|ing)|glitter(?:ing)?|twinkling lights"
    ),
    "petals": r"petals?|(?:cherry )?blossoms?|confetti|rose petals",
    "leaves": (
        r"(?:falling |autumn |swirling |drifting )leaves|leaves (?:fall|falling|drift|swirl"
        r"|blow)\w*"
    ),
    "bubbles": (
        r"bubbles?|underwater|under ?water|undersea|deep sea|aquarium|coral reef"
        r"|beneath the (?:sea|waves)"
    ),
    "bokeh": r"bokeh(?: lights)?|dreamy|ethereal",
    "light-leaks": (
        r"light leaks?|lens flares?|film burn|sun ?flares?|anamorphic flares?|golden light"
        r"|sunbeams?|sun rays|god rays"
    ),
    "flicker": (
        r"flicker(?:s|ing)?|candle(?:s|light|lit)?|torch(?:es|light)?|lantern(?:s)?|fireplace|neon"
        r"|strobe|bonfire|campfire|flames?|fire"
    ),
    "water": (
        r"water|waves?|waving sea|ocean|sea|lake|river|ripples?|rippling|pond|pool|stream|surf"
        r"|tide|shimmer(?:s|ing)?"
    ),
    "clouds": r"clouds?(?: drift(?:ing)?)?|cloudy|drifting clouds|time-?lapse|windy sky|overcast",
    "wind": (
        r"wind|windy|breeze|breezy|sway(?:s|ing)?|rustl(?:e|es|ing)|blowing|gust(?:s|y)?"
        r"|flutter(?:s|ing)?"
    ),
    "twinkle": r"twinkl(?:e|es|ing)|stars|starry|starlight|milky way|galaxy|nebula",
    "pulse": r"puls(?:e|es|ing)|throb(?:s|bing)?|heartbeat|breathing light|glow(?:s|ing)?",
}
"""What moves in the air, in the light or on the picture, and its words."""

ACTIONS: dict[str, str] = {
    "walk": (
        r"walk(?:s|ing)?|stroll(?:s|ing)?|march(?:es|ing)?|wander(?:s|ing)?|strut(?:s|ting)?"
        r"|crawl(?:s|ing)?|trot(?:s|ting)?"
    ),
    "run": (
        r"runs?|running|sprint(?:s|ing)?|gallop(?:s|ing)?|chas(?:e|es|ing)|rac(?:es|ing)|dash(?:es"
        r"|ing)?|jog(?:s|ging)?"
    ),
    "drive": (
        r"driv(?:e|es|ing)|roll(?:s|ing)?|rid(?:e|es|ing)|skat(?:e|es|ing)|cycl(?:e|es|ing)"
        r"|speed(?:s|ing)"
    ),
    "fly": (
        r"fl(?:y|ies|ying)|soar(?:s|ing)?|glid(?:e|es|ing)|hover(?:s|ing)?|zoom(?:s|ing)? past"
        r"|flap(?:s|ping)?"
    ),
    "launch": (
        r"launch(?:es|ing)?|lift(?:s|ing)? off|tak(?:es|ing) off|blast(?:s|ing)? off|ris(?:es|ing)"
        r"|ascend(?:s|ing)?"
    ),
    "jump": r"jump(?:s|ing)?|hop(?:s|ping)?|bounc(?:e|es|ing)|leap(?:s|ing)?|skip(?:s|ping)?",
    "dance": (
        r"danc(?:e|es|ing)|groov(?:e|es|ing)|party(?:ing)?|celebrat(?:e|es|ing)|play(?:s|ing)?"
        r"|cheer(?:s|ing)?"
    ),
    "swim": r"swim(?:s|ming)?|div(?:e|es|ing)|paddl(?:e|es|ing)|surf(?:s|ing)",
    "sail": (
        r"sail(?:s|ing)?|row(?:s|ing)?|float(?:s|ing)?|drift(?:s|ing)?|bob(?:s|bing)?|cruis(?:e|es"
        r"|ing)"
    ),
    "spin": (
        r"spin(?:s|ning)?|rotat(?:e|es|ing)|twirl(?:s|ing)?|turn(?:s|ing)? around|tumbl(?:e|es"
        r"|ing)|whirl(?:s|ing)?"
    ),
    "fall": r"fall(?:s|ing)?|drop(?:s|ping)?|descend(?:s|ing)?|land(?:s|ing)?",
    "grow": r"grow(?:s|ing)?|bloom(?:s|ing)?|blossom(?:s|ing)?|swell(?:s|ing)?|inflat(?:es|ing)",
    "sway": r"sway(?:s|ing)?|wav(?:es|ing)|swing(?:s|ing)?|rock(?:s|ing)?|flutter(?:s|ing)?",
    "rest": (
        r"sleep(?:s|ing)?|rest(?:s|ing)?|sit(?:s|ting)?|stand(?:s|ing)?|wait(?:s|ing)?|lying"
        r"|meditat(?:es|ing)"
    ),
}

WEATHER_ACTS = re.compile(
    r"\b(?:(?:falling|drifting|floating|flying|swirling|rolling|crashing|rising) )?(?:rain|snow\w*|leaves|petals"
    r"|dust|sparks|embers|particles|confetti|bubbles|clouds?|fog|mist|smoke|waves|wind|blossoms|water)"
    r"(?: (?:is |are )?(?:fall|drift|float|fl[yi]|swirl|blow|crash|ris|roll|sway|danc|glid)\w*)?\b"
)
"""What the weather does is no figure's doing: in "a dog, rain falling" the dog does not fall."""
IN_THE_AIR_ONLY = re.compile(
    r"\b(?:(?:falling|drifting|swirling) leaves|leaves(?= (?:fall|drift|swirl|blow))|(?<=autumn )leaves"
    r"|(?:falling |drifting |rose )?petals?|confetti|sparks?|embers?|fireflies|fairy dust|pixie dust|dust motes|motes"
    r"|(?:floating |magical? |dust |glowing )?particles|dust|light leaks?|lens flares?|bokeh(?: lights)?|bubbles?"
    r"|sunbeams?|sun rays|god rays|flicker(?:s|ing)?|twinkl(?:es?|ing)|parallax)\b"
)
"""What is drawn in the air: to the composer a falling leaf would be one more thing to put on the ground."""
SAID_FOR_NOTHING = frozenset(
    """
    camera shot shots video clip footage movie film scene cinematic motion movement moves moving move slow slowly fast
    quickly gently smooth smoothly gradually then while as during second seconds loop looping seamless frame frames
    animate animated animation effect effects left right up down forward backward towards away its past starts start
    ends end begins finally first next continues continue parallax depth effect slight slightly subtle subtly follows
    following follow lens angle timelapse fps
    """.split()  # noqa: SIM905
)
