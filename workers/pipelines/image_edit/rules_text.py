"""Orders to write something: the words in quotes or after "saying", then place, colour and size in any order."""

import re

from workers.pipelines.image_edit.phrases import ARTICLE, COLOR, PLACE, POSITION_OF, color_of
from workers.pipelines.image_edit.rulebook import Args, Rulebook

BOOK = Rulebook()
LOOKS = "big|large|huge|giant|small|tiny|little|bold|thin|light|italic|elegant|centered|bright|nice|simple"
ROLES = (
    "text|title|caption|headline|words|word|heading|subtitle|label|watermark|slogan|quote|sign|name|message|lettering"
    "|letters|banner|logo|tagline|signature"
)
WRITE = r"(?:(?:add|write|put|insert|place|overlay|include|print|show|with|create|draw|type|stamp)\s+)?"
HAS_ROLE = rf"(?P<role>{ROLES})\s+"
SAYS = r"(?:(?:that\s+)?(?:says?|saying|reads?|reading|with\s+(?:the\s+)?(?:text|words?)|called|of)\s*:?\s*|:\s*)?"
LOOK_TAIL = re.compile(
    rf"\s*,?\s*(?:in|with|using)\s+(?:an?\s+|the\s+)?(?P<looks>(?:(?:{LOOKS})\s+)*)(?P<color>{COLOR})?\s*"
    rf"(?P<more>(?:(?:{LOOKS})\s+)*)(?P<what>letters|text|font|colou?r|lettering|type|serif|characters)?|"
    rf"\s*,\s*(?P<looks2>(?:(?:{LOOKS})\s+)*)(?P<color2>{COLOR})?\s*(?P<what2>letters|text|font|lettering)\b"
)
PLACE_TAIL = re.compile(rf"\s*,?\s*(?:{PLACE}|(?P<bare>below|underneath|above|centered)\b)")


def _tails(text: str, end: int, args: Args) -> Args:
    """Place and look said after the words to write."""
    while True:
        if (found := PLACE_TAIL.match(text, end)) and found.end() > end:
            args.setdefault("position", POSITION_OF[" ".join((found["position"] or found["bare"]).split())])
        elif (found := LOOK_TAIL.match(text, end)) and any((group or "").strip() for group in found.groups()):
            said = [found[name] or "" for name in ("looks", "more", "looks2")]
            args["looks"] = " ".join(f"{args.get('looks', '')} {' '.join(said)}".split())
            if color := found["color"] or found["color2"]:
                args["color"] = color_of(" ".join(color.split()))
        else:
            return {**args, "end": end}
        end = found.end()


@BOOK.rule("text", rf"{WRITE}{ARTICLE}(?P<looks>(?:(?:{LOOKS}|{COLOR})\s+)*)(?:{HAS_ROLE})?{SAYS}«(?P<quote>\d+)»")
def _quoted_text(found: re.Match[str], quotes: list[str], original: str) -> Args | None:
    text = quotes[int(found["quote"])]
    if not text:
        return None
    args: Args = {"text": text, "role": found["role"] or "text", "looks": found["looks"].strip()}
    if color := re.search(COLOR, found["looks"]):
        args["color"] = color_of(" ".join(color[0].split()))
    return _tails(found.string, found.end(), args)


@BOOK.rule(
    "text",
    rf"(?:add|write|put|insert|place|overlay)\s+{ARTICLE}(?P<looks>(?:(?:{LOOKS}|{COLOR})\s+)*){HAS_ROLE}{SAYS}"
    rf"(?P<words>(?!at\b|in\b|on\b|to\b)[^,.;\n«]{{1,80}}?)(?=\s+(?:{PLACE.replace('?P<position>', '?:')})|"
    rf"\s+in\s+{COLOR}|\s*[.;,\n]|$|\s+and\s)",
)
def _plain_text(found: re.Match[str], quotes: list[str], original: str) -> Args | None:
    text = original[found.start("words") : found.end("words")].strip()
    args: Args = {"text": text, "role": found["role"], "looks": found["looks"].strip()}
    if color := re.search(COLOR, found["looks"]):
        args["color"] = color_of(" ".join(color[0].split()))
    return _tails(found.string, found.end(), args)
