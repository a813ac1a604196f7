"""Orders about backgrounds, colours, references, shape and objects: a pattern each, and what it gives."""

import re

from workers.pipelines.image_edit import vocabulary as words
from workers.pipelines.image_edit.phrases import (
    ARTICLE,
    COLOR,
    EFFECT,
    EFFECT_OF,
    END,
    IMAGE,
    NOUN,
    POSITION,
    REFERENCE,
    REGION_OF,
    color_of,
    either,
)
from workers.pipelines.image_edit.rulebook import Args, Rulebook
from workers.pipelines.image_generate import reading as scenes
from workers.pipelines.image_generate.lexicon import find
from workers.pipelines.image_generate.vocabulary import MAX_COUNT

BOOK = Rulebook()
FIXED_BACKGROUND = {"transparent", "transparency", "nothing", "alpha", "invisible"}


@BOOK.rule(
    "remove background",
    rf"(?:remove|erase|delete|cut\s+out|drop|clear|get\s+rid\s+of|take\s+(?:out|away)|eliminate)\s+{ARTICLE}"
    rf"(?:background|backdrop)\b|make\s+{ARTICLE}(?:background|backdrop)\s+(?:transparent|invisible)\b|"
    rf"(?:cut\s+out|isolate|extract)\s+{ARTICLE}(?!back){NOUN}{END}",
)
def _no_background(found: re.Match[str], quotes: list[str], original: str) -> Args:
    return {}


@BOOK.rule(
    "replace background",
    rf"(?:replace|change|swap|switch|set|make|turn)\s+(?:out\s+)?{ARTICLE}(?:background|backdrop)\s*"
    rf"(?:colou?r\s+)?(?:with|to|by|for|into|as|be|in)?\s+{ARTICLE}(?P<what>[^,.;\n]+?){END}",
)
def _new_background(found: re.Match[str], quotes: list[str], original: str) -> Args | None:
    what = " ".join(found["what"].split())
    if re.fullmatch(FIXED, what):
        return {"operation": "remove background"}
    if _is_effect(what) and not re.search(r"\b(?:with|to|by|for|into)\b", found[0][: -len(found["what"])]):
        return None
    if re.fullmatch(REFERENCE + r"|(?:the\s+)?(?:image|photo|picture)", what):
        return {"reference": True}
    return {"scene": what}


FIXED = "(?:" + "|".join(sorted(FIXED_BACKGROUND)) + ")"


@BOOK.rule("replace background", rf"(?:use|put|place|with)\s+{REFERENCE}\s+(?:as|for|in|into)\s+{ARTICLE}background")
def _reference_background(found: re.Match[str], quotes: list[str], original: str) -> Args:
    return {"reference": True}


@BOOK.rule(
    "replace background",
    rf"(?:with\s+|on\s+|against\s+|onto\s+|add\s+|give\s+it\s+|in\s+front\s+of\s+|use\s+)?{ARTICLE}"
    rf"(?:(?:plain|solid|pure|clean|simple)\s+)*(?P<what>(?:{COLOR}(?:\s+(?:and|to)\s+{COLOR})?\s+)?(?:gradient|studio)|"
    rf"{COLOR}(?:\s+(?:and|to)\s+{COLOR})?(?:\s+gradient)?)\s+(?:studio\s+)?(?:background|backdrop)\b"
    rf"(?P<more>\s+(?:from|of|in|with)\s+{COLOR}(?:\s+(?:and|to)\s+{COLOR})?)?",
)
def _colored_background(found: re.Match[str], quotes: list[str], original: str) -> Args:
    return {"scene": " ".join(f"{found['what']} {found['more'] or ''}".split())}


@BOOK.rule(
    "replace background",
    rf"(?:put|place|move|set|transport)\s+(?:it|him|her|them|me|us|{ARTICLE}(?:subject|object|{NOUN}))\s+"
    rf"(?:in|on|at|into|onto|inside|against|in\s+front\s+of|to)\s+{ARTICLE}(?P<what>[^,.;\n]+?){END}",
)
def _put_into(found: re.Match[str], quotes: list[str], original: str) -> Args | None:
    what = " ".join(found["what"].split())
    noun = re.match(r"\w+\s+(?:a|an|some|another|two|three|four|five|\d+)\s", found[0])
    scene = scenes.read(what)
    if noun or re.fullmatch(POSITION, what) or not (scene.setting or scene.weather or scene.hour):
        return None
    return {"scene": what}


@BOOK.rule(
    "replace background",
    rf"(?:with\s+|add\s+)?{ARTICLE}(?P<what>[\w' -]{{3,40}}?)\s+(?:in\s+the\s+background|(?:as\s+(?:the\s+)?)?"
    r"(?:background|backdrop))\b",
)
def _scene_behind(found: re.Match[str], quotes: list[str], original: str) -> Args | None:
    what = " ".join(found["what"].split())
    words_before = (
        r"(?:and|then|the|keep|make|change|replace|blur\w*|soft\w*|remove|behind|but|dark\w*|light\w*|bright\w*)"
    )
    if re.search(rf"\b{words_before}\b", what) or _is_effect(what):
        return None
    return {"scene": what} if scenes.read(what).setting else None


@BOOK.rule(
    "replace sky",
    rf"(?:replace|change|swap|switch|turn|make)\s+{ARTICLE}sky\s+(?:with|to|into|for|be|look\s+like)?\s*{ARTICLE}"
    rf"(?P<what>[^,.;\n]+?){END}",
)
def _new_sky(found: re.Match[str], quotes: list[str], original: str) -> Args | None:
    what = " ".join(found["what"].split())
    if re.fullmatch(rf"(?:to\s+be\s+)?{COLOR}", what):
        return {"operation": "recolor", "what": "sky", "color": color_of(what)}
    scene = scenes.read(what)
    if not (scene.hour or scene.weather or scene.heavens or scene.setting or scene.sky or scene.tints):
        return None
    return {"scene": what, "what": "sky"}


@BOOK.rule(
    "color splash",
    rf"(?:(?:everything|all|make\s+(?:it|everything))?\s*(?:in\s+)?(?:black\s+and\s+white|b&w|grayscale|monochrome)\s+)"
    rf"(?:except|but)\s+(?:for\s+)?{ARTICLE}(?P<what>{NOUN}){END}",
)
@BOOK.rule(
    "color splash",
    rf"(?:selective\s+colou?r|colou?r\s+(?:splash|pop))(?:\s+(?:on|of|for)\s+{ARTICLE}(?P<what>{NOUN}){END})?",
)
@BOOK.rule("color splash", rf"keep\s+only\s+{ARTICLE}(?P<what>{NOUN})\s+(?:in\s+)?colou?r(?:ed|ful)?\b")
def _splash(found: re.Match[str], quotes: list[str], original: str) -> Args:
    return {"what": found["what"] or "subject"}


@BOOK.rule(
    "swap color",
    rf"(?:replace|change|swap|turn)\s+(?:(?:all|the|everything)\s+)*(?P<old>{COLOR})(?:\s+(?:parts?|areas?|colou?r))?\s+"
    rf"(?:with|to|into|by|for)\s+(?P<new>{COLOR})(?!\s+and\s+white)",
)
def _swap(found: re.Match[str], quotes: list[str], original: str) -> Args:
    return {"old": color_of(" ".join(found["old"].split())), "new": color_of(" ".join(found["new"].split()))}


BE = r"(?:(?:colou?r\s+)?(?:to\s+be|to|into|in|be)\s+|colou?r\s+)?"
NOT_MONO = r"(?!\s*(?:and|&|-)\s*(?:-?white)|\s+(?:background|backdrop|border|frame|gradient))"


@BOOK.rule(
    "recolor",
    rf"(?:make|turn|paint|colou?r|change|recolou?r|dye|colou?ri[sz]e|tint)\s+(?:the\s+colou?r\s+of\s+)?{ARTICLE}"
    rf"(?P<what>{NOUN})\s+{BE}{ARTICLE}(?P<color>{COLOR}){NOT_MONO}",
)
def _recolor(found: re.Match[str], quotes: list[str], original: str) -> Args | None:
    what, color = " ".join(found["what"].split()), color_of(" ".join(found["color"].split()))
    if re.search(r"\b(?:and|with|more|less|a|the|look|background|border|frame)\b", what):
        return None
    if re.fullmatch(IMAGE, what):
        return {"operation": "tint", "color": color}
    return {"what": what, "color": color}


@BOOK.rule(
    "tint",
    rf"(?:make|turn|tint|wash|paint|colou?r)\s+(?:{IMAGE})\s+(?:all\s+)?(?:in\s+|to\s+)?(?P<color>{COLOR}){NOT_MONO}|"
    rf"(?P<other>{COLOR})\s+(?:tint|filter|overlay|tones?|wash|cast|hue|hues|tinted|monochrome)\b",
)
def _tint(found: re.Match[str], quotes: list[str], original: str) -> Args:
    return {"color": color_of(" ".join((found["color"] or found["other"]).split()))}


@BOOK.rule(
    "replace sky",
    r"add\s+(?:some\s+|more\s+|dramatic\s+|fluffy\s+|white\s+|dark\s+)*clouds?(?:\s+(?:to|in)\s+the\s+sky)?\b",
)
def _clouds(found: re.Match[str], quotes: list[str], original: str) -> Args:
    return {
        "scene": "stormy cloudy sky" if re.search("dramatic|dark", found[0]) else "cloudy sky",
        "what": "sky",
    }


@BOOK.rule("duotone", rf"duo-?tone\s+(?:in\s+|of\s+|with\s+)?(?P<a>{COLOR})\s+(?:and|&|to)\s+(?P<b>{COLOR})")
@BOOK.rule("duotone", rf"(?P<a>{COLOR})\s+(?:and|&)\s+(?P<b>{COLOR})\s+duo-?tone")
def _duotone(found: re.Match[str], quotes: list[str], original: str) -> Args:
    return {"colors": [color_of(" ".join(found[name].split())) for name in "ab"]}


@BOOK.rule(
    "reference palette",
    rf"(?:match|use|copy|transfer|apply|with|in)?\s*(?:the\s+)?(?:same\s+)?(?:colou?rs?|palette|tones|colou?r\s+(?:palette|scheme|grade|grading))"
    rf"\s+(?:of|from|to|as|like|in)\s+{REFERENCE}",
)
def _reference_palette(found: re.Match[str], quotes: list[str], original: str) -> Args:
    return {}


@BOOK.rule(
    "reference style",
    rf"(?:in|using|with|match|copy|apply|use|transfer)?\s*(?:the\s+)?(?:same\s+)?(?:\w+\s+)?(?:style|look|technique|feel)"
    rf"\s+(?:of|from|as|like)\s+{REFERENCE}|(?:neural\s+)?style\s+transfer|like\s+{REFERENCE}|(?:in\s+)?{REFERENCE}(?:'s)?\s+style",
)
def _reference_style(found: re.Match[str], quotes: list[str], original: str) -> Args:
    return {}


@BOOK.rule(
    "crop",
    rf"(?:square|portrait|landscape|widescreen)\s+crop\b|crop\w*\s*(?:{IMAGE}\s*)?"
    rf"(?:(?:to|into|as|in|around|on|down)\s+)*{ARTICLE}(?P<what>(?:{either(list(words.ASPECTS))})\b|"
    r"(?:left|right|top|bottom|upper|lower|middle|center|central)\s+(?:half|third|quarter|part)|\d{1,2}\s*%|"
    rf"(?:centre|center|middle)\b|{NOUN}(?={END}|\s+(?:format|shape)))?",
)
def _crop(found: re.Match[str], quotes: list[str], original: str) -> Args:
    said = " ".join((found["what"] or found[0].split()[0]).split())
    return {"what": "center" if said.startswith("crop") or re.fullmatch(IMAGE, said) else said}


@BOOK.rule(
    "rotate",
    rf"(?:rotate|turn|tilt|spin)\w*\s*(?:{IMAGE}\s*)?(?:by\s+)?(?P<degrees>-?\d{{1,3}})\s*(?:°|degrees?|deg)?"
    r"(?:\s*(?:to\s+the\s+)?(?P<way>clockwise|counter-?\s?clockwise|anti-?clockwise|left|right))?",
)
@BOOK.rule(
    "rotate",
    rf"(?:rotate|turn)\s+(?:{IMAGE}\s+)?(?:to\s+the\s+)?(?P<way>clockwise|counter-?clockwise|anti-?clockwise|left|right)\b(?P<degrees>)",
)
def _rotate(found: re.Match[str], quotes: list[str], original: str) -> Args:
    turn = int(found["degrees"] or 90)
    return {"degrees": -turn if re.match("counter|anti|left", found["way"] or "") else turn}


@BOOK.rule("mirror", rf"(?:flip|mirror)\s+(?:{IMAGE}\s*)(?P<way>(?:vertically|upside\s+down|horizontally)?)")
def _flip(found: re.Match[str], quotes: list[str], original: str) -> Args:
    return {"operation": "flip"} if found["way"].startswith(("v", "u")) else {}


@BOOK.rule(
    "zoom in",
    rf"zoom\w*\s+(?P<way>in|out)?\s*(?:(?:on|to|into)\s+{ARTICLE}(?P<what>{NOUN})(?={END}|\s+by\s|\s+\d))?\s*"
    r"(?:by\s+)?(?:(?P<times>\d(?:\.\d)?)\s*(?:x|×|times)|(?P<percent>\d{1,3})\s*%)?(?!\w)",
)
def _zoom(found: re.Match[str], quotes: list[str], original: str) -> Args | None:
    if re.match(r"zoom\w*\s+blur", found.string[found.start() :]):
        return None
    factor = float(found["times"]) if found["times"] else 1 + int(found["percent"]) / 100 if found["percent"] else 1.5
    args: Args = {"factor": min(max(factor, 1.05), 8.0)}
    if found["what"]:
        args["on"] = " ".join(found["what"].split())
    return {**args, "operation": "zoom out"} if found["way"] == "out" else args


@BOOK.rule(
    "border",
    rf"(?P<adjectives>(?:(?:thick|thin|wide|narrow|big|small|simple|elegant|wooden|{COLOR})\s+)+)(?:picture\s+|photo\s+)?"
    r"(?:border|frame)\b|(?:border|frame)\s+in\s+(?P<color>" + COLOR + ")",
)
def _border(found: re.Match[str], quotes: list[str], original: str) -> Args:
    said = found["adjectives"] or found["color"]
    color = re.search(COLOR, said)
    tone = (
        color_of(" ".join(color[0].split())) if color else ((0.45, 0.28, 0.15) if "wooden" in said else (1.0, 1.0, 1.0))
    )
    return {
        "color": tone,
        "width": 2.0 if re.search("thick|wide|big", said) else 0.5 if re.search("thin|narrow|small", said) else 1.0,
    }


@BOOK.rule(
    "remove object",
    rf"(?:remove|erase|delete|get\s+rid\s+of|take\s+(?:out|away)|eliminate|hide)\s+{ARTICLE}(?P<what>[^,.;\n«]+?)"
    rf"(?:\s+from\s+(?:{IMAGE}|the\s+background))?{END}",
)
def _remove(found: re.Match[str], quotes: list[str], original: str) -> Args | None:
    what = " ".join(found["what"].split())
    if _is_effect(what) or re.fullmatch(either(list(words.DIALS)), what) or re.fullmatch(rf"all|{IMAGE}", what):
        return None
    return {"what": what}


@BOOK.rule(
    "add object",
    rf"(?:(?:add|insert|put|place|include|draw|paste)|give\s+(?:it|him|her|them|the\s+\w+))\s+(?P<what>[^,.;\n«]+?){END}",
)
def _add(found: re.Match[str], quotes: list[str], original: str) -> Args | None:
    what = re.sub(rf"\s+(?:to|into)\s+(?:{IMAGE})$", "", " ".join(found["what"].split()))
    bare = re.sub(rf"^{ARTICLE}(?:more\s+|little\s+|touch\s+of\s+|bit\s+of\s+)*", "", what)
    if re.match(EFFECT, bare) and not find(bare) and not _names_object(bare):
        return None
    scene = scenes.read(what)
    if not scene.things and not scene.heavens:
        return None
    if re.match(rf"(?:{EFFECT})$", bare):
        return None
    return {"what": what, "count": min(sum(thing.count for thing in scene.things), MAX_COUNT)}


def _names_object(said: str) -> bool:
    """Whether an effect's word only describes an object: "a glowing lantern", "a wooden frame" is none."""
    found = re.match(rf"{EFFECT}\s+(?P<rest>.+)", said)
    first = found["rest"].split()[0] if found else ""
    return bool(first) and first not in words.FILLER and find(first) is not None


def _is_effect(said: str) -> bool:
    """Whether words are an effect with its intensity, not a thing or a scene."""
    bare = re.sub(rf"^(?:{either(words.WEAK + words.STRONG + words.UP + words.DOWN)}|the|a|be|look)\s+", "", said)
    return bare in EFFECT_OF or bare in words.DIALS or (bare in REGION_OF and bare in words.FILLER)
