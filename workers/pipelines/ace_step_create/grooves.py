"""Drum patterns: four beats on a grid of sixteenths, two bars where one would tire, and how other metres take them.

Signs: `X` accent, `x` stroke, `o` soft, `g` ghost. Rows: K kick, S snare, R rim, C clap, H closed hat, O open hat,
D ride, P shaker, T low tom, M mid tom, B conga low, Q conga high, W cowbell/clave, Z taiko or timpani.
"""

from dataclasses import dataclass

VELOCITY = {"X": 112, "x": 92, "o": 68, "g": 42}


@dataclass(frozen=True)
class Groove:
    """Rows of signs; `light` plays in quiet sections, `full` in loud ones, `peak` adds to the loudest."""

    full: dict[str, str]
    light: dict[str, str]
    peak: dict[str, str]
    three: dict[str, str] | None = None
    """A cell of three beats where the style has one of its own."""


GROOVES: dict[str, Groove] = {
    "rock": Groove(
        {"K": "X.....x.x.......X.....x.x.x.....", "S": "....X.......X.......X.......X...", "H": "x.o.x.o.x.o.x.o."},
        {"K": "x.......x.......", "R": "....x.......x...", "H": "o.g.o.g.o.g.o.g."},
        {"D": "x...x...x...x...", "O": "......x.......x."},
    ),
    "punk": Groove(
        {"K": "X...x...X.x.x...", "S": "..X...X...X...X.", "H": "x.x.x.x.x.x.x.x."},
        {"K": "X.......x.......", "S": "....x.......x...", "H": "x.x.x.x.x.x.x.x."},
        {"O": "x...x...x...x..."},
    ),
    "metal": Groove(
        {"K": "XxxxX.xxX.xxXxxx", "S": "....X.......X...", "O": "x...x...x...x..."},
        {"K": "X.......x.x.....", "S": "........X.......", "H": "x...x...x...x..."},
        {"K": "XxxxXxxxXxxxXxxx", "D": "x.x.x.x.x.x.x.x."},
    ),
    "pop": Groove(
        {"K": "X......xX...x...X......xX.......", "S": "....X.......X...", "C": "....o.......o...",
        "H": "x.o.x.o.x.o.x.oo"},
        {"K": "x.......x.......", "R": "....o.......o...", "H": "o...o...o...o..."},
        {"O": "..............x.", "P": "o.g.o.g.o.g.o.g."},
    ),
    "electro-pop": Groove(
        {"K": "X...X...X...X...", "C": "....X.......X...", "S": "....x.......x...", "H": "..x...x...x...xo",
        "P": "gogogogogogogogo"},
        {"K": "X.......X.......", "H": "..o...o...o...o."},
        {"O": "..x...x...x...x."},
    ),
    "house": Groove(
        {"K": "X...X...X...X...", "C": "....X.......X...", "O": "..x...x...x...x.", "H": "ogogogogogogogog",
        "P": "..g..g..g..g.g.."},
        {"K": "X...X...X...X...", "H": "..o...o...o...o."},
        {"W": "...o..o....o..o.", "B": "......o..o....o."},
    ),
    "techno": Groove(
        {"K": "X...X...X...X...", "H": "..x...x...x...x.", "C": "............x...", "P": "xgogxgogxgogxgog",
        "T": "...o......o....."},
        {"K": "X...X...X...X..."},
        {"O": "..x...x...x...x.", "D": "x...x...x...x..."},
    ),
    "trap": Groove(
        {"K": "X.....x...X.....X..x......X.....", "C": "........X.......", "S": "........x.......",
        "H": "x.x.x.x.x.xxx.x.x.x.xxxxx.x.x.xo"},
        {"K": "X.........x.....", "R": "........x.......", "H": "o...o...o...o..."},
        {"O": "......x.......x.", "P": "..g...g...g...g."},
    ),
    "hip-hop": Groove(
        {"K": "X..x..x...x.....X.x....x..x.....", "S": "....X.......X..g", "H": "x.o.x.o.x.o.xoo."},
        {"K": "x.........x.....", "R": "....x.......x...", "H": "o...o...o...o..."},
        {"O": "..............o.", "P": "o.g.o.g.o.g.o.g."},
    ),
    "lo-fi": Groove(
        {"K": "X......x.xx.....X......x..x.....", "S": "....x..g....x...", "H": "o.g.o.g.o.g.o.gg"},
        {"K": "x.........x.....", "R": "....o.......o...", "H": "g...g...g...g..."},
        {"P": "g.g.g.g.g.g.g.g."},
    ),
    "drum and bass": Groove(
        {"K": "X.........x.....X.......g.x.....", "S": "....X.......X.......X..g....X.g.", "H": "x.o.x.o.x.o.x.o.",
        "D": "..g...g...g...g."},
        {"K": "X.........x.....", "H": "o.o.o.o.o.o.o.o."},
        {"O": "..x.......x....."},
    ),
    "swing": Groove(
        {"D": "x...X.o.x...X.o.", "H": "....x.......x...", "K": "o...g...o...g...", "S": "..........g....."},
        {"D": "o...x.g.o...x.g.", "H": "....o.......o..."},
        {"S": "......o...o....g", "K": "......o.......o."},
        {"D": "x...X.o.X.o.", "H": "....x...x...", "K": "o..........."},
    ),
    "shuffle": Groove(
        {"K": "X.....x.x.....o.", "S": "....X.......X...", "H": "x.o.x.o.x.o.x.o."},
        {"K": "x.......x.......", "R": "....o.......o...", "H": "o.g.o.g.o.g.o.g."},
        {"D": "x.o.x.o.x.o.x.o."},
    ),
    "funk": Groove(
        {"K": "X.x...g...x..x..X.x....x..x.....", "S": "....X..g.g..X..g", "H": "xoxoxoxoxoxoxoxo"},
        {"K": "X.........x.....", "S": "....x.......x...", "H": "o.o.o.o.o.o.o.o."},
        {"O": "..............x.", "W": "x...x...x...x..."},
    ),
    "disco": Groove(
        {"K": "X...X...X...X...", "S": "....X.......X...", "O": "..x...x...x...x.", "H": "x.x.x.x.x.x.x.x."},
        {"K": "x...x...x...x...", "H": "..o...o...o...o."},
        {"P": "xoxoxoxoxoxoxoxo", "B": "......o..o....oo"},
    ),
    "one drop": Groove(
        {"K": "........X.......", "R": "........X.......", "H": "x.o.x.o.x.o.x.oo"},
        {"K": "........x.......", "H": "o.g.o.g.o.g.o.g."},
        {"S": ".......g....o..g", "B": "......o.......oo"},
        {"K": "....X.......", "R": "....X.......", "H": "x.o.x.o.x.o."},
    ),
    "bossa": Groove(
        {"K": "x..ox..ox..ox..o", "R": "x..x..x...x..x..", "H": "ogogogogogogogog", "P": "ogxgogxgogxgogxg"},
        {"R": "o..o..o...o..o..", "P": "g.o.g.o.g.o.g.o."},
        {"B": "....o.o.....o.o."},
    ),
    "latin": Groove(
        {"K": "X..x..x.X..x..x.", "S": "............o...", "W": "x..x..x...x.x...", "Q": "..x...x...x...xx",
        "B": "......xx......xx", "P": "xoxoxoxoxoxoxoxo"},
        {"Q": "..o...o...o...o.", "P": "o.o.o.o.o.o.o.o."},
        {"H": "x.x.x.x.x.x.x.x.", "T": "..............x."},
    ),
    "reggaeton": Groove(
        {"K": "X...X...X...X...", "S": "...X..X....X..X.", "H": "x.x.x.x.x.x.x.x.", "C": "...o..o....o..o."},
        {"K": "x...x...x...x...", "R": "...o..o....o..o."},
        {"P": "oxoxoxoxoxoxoxox"},
    ),
    "country": Groove(
        {"K": "X.......X.......", "S": "....X.......X.o.", "H": "x.o.x.o.x.o.x.o."},
        {"K": "x.......x.......", "R": "....o.......o..."},
        {"S": "ooxoooxoooxoooxo"},
        {"K": "X...........", "S": "....x...x...", "H": "x.o.x.o.x.o."},
    ),
    "folk": Groove(
        {"K": "x.......x.......", "R": "....o.......o...", "P": "ogxgogxgogxgogxg"},
        {"P": "g.o.g.o.g.o.g.o."},
        {"S": "....o.......o..."},
        {"K": "x...........", "R": "....o...o...", "P": "xgogogxgogog"},
    ),
    "waltz": Groove(
        {"K": "X.......x.......", "R": "....o.......o...", "H": "....o.......o..."},
        {"H": "....g.......g..."},
        {"D": "x...o...x...o..."},
        {"K": "X...........", "R": "....x...x...", "H": "....o...o..."},
    ),
    "gospel": Groove(
        {"K": "X.....x...x.....X.....x.x.......", "S": "....X.......X...", "C": "....x.......x...",
        "H": "x.o.x.o.x.o.x.o."},
        {"K": "x.......x.......", "C": "....o.......o..."},
        {"P": "xoxoxoxoxoxoxoxo", "O": "..............x."},
    ),
    "cinematic": Groove(
        {"Z": "X.....o.x..o..o.X.....o.x.x.x.x.", "K": "X...............", "P": "..g...g...g...g."},
        {"Z": "o..............."},
        {"T": "..x..x..x..x..xx", "S": "....o..o....o.oo"},
        {"Z": "X...o.o.x.x.", "K": "X..........."},
    ),
    "synthwave": Groove(
        {"K": "X...X...X...X...", "S": "....X.......X...", "H": "x.x.x.x.x.x.x.x."},
        {"K": "X.......X.......", "H": "o.o.o.o.o.o.o.o."},
        {"O": "..............x.", "T": "..........x.x..."},
    ),
    "ambient": Groove({"P": "g...g...g...g..."}, {}, {"Z": "o..............."}),
    "none": Groove({}, {}, {}),
}  # fmt: skip


def cell(rows: dict[str, str], beats: int, *, bar: int) -> dict[str, str]:
    """`beats` (2, 3 or 4) of a four-beat pattern; of two-bar rows the half that `bar` falls on.

    Three beats are made of the first, with the backbeat moved to where three beats have it.
    """
    out = {}
    for row, signs in rows.items():
        half = signs[16 * (bar % 2) : 16 * (bar % 2) + 16] if len(signs) == 32 else signs
        if beats == 4:
            out[row] = half
        elif beats == 2:
            out[row] = half[:8]
        elif row in "SCR" and half[4] != ".":
            out[row] = half[:4] + half[4].replace("X", "o").replace("x", "o") + "..." + half[4] + "..."
        elif row == "K":
            out[row] = half[:4] + "." * 8 if half[4] in ".g" else half[:12]
        else:
            out[row] = half[:12]
    return out


def bar_of(groove: Groove, layer: str, beats: int, *, bar: int) -> dict[str, str]:
    """One bar of a layer (`full`, `light`, `peak`) in a metre of 2..7 beats."""
    rows: dict[str, str] = getattr(groove, layer)
    if beats in (2, 4):
        return cell(rows, beats, bar=bar)
    three = groove.three if groove.three is not None and layer == "full" else cell(rows, 3, bar=bar)
    if beats == 3:
        return three
    if beats == 6:
        backbeat = dict.fromkeys(three, "." * 12)
        snare = next((row for row in "SRC" if row in rows), None)
        for row, signs in three.items():
            backbeat[row] = signs if row not in "KSRC" else "." * 12
        if snare:
            backbeat[snare] = "o" + "." * 11
            three = {row: ("." * 12 if row in "SRC" else signs) for row, signs in three.items()}
        return _join(three, 12, backbeat, 12)
    if beats == 5:
        return _join(three, 12, _second(cell(rows, 2, bar=bar)), 8)
    return _join(cell(rows, 4, bar=bar), 16, _second(three), 12)


def _second(rows: dict[str, str]) -> dict[str, str]:
    """A cell that does not begin the bar has a lighter first kick."""
    return {row: (signs.replace("X", "x") if row in "KZ" else signs) for row, signs in rows.items()}


def _join(first: dict[str, str], size: int, second: dict[str, str], rest: int) -> dict[str, str]:
    return {row: first.get(row, "." * size) + second.get(row, "." * rest) for row in dict.fromkeys((*first, *second))}
