"""Lettering: words set into a picture with the typefaces that come inside OpenCV (Rubik, and WenQuanYi for Chinese)."""

import re
import threading
from typing import Any

import numpy as np

from workers.pipelines.image_edit.opencv import cv2
from workers.pipelines.image_edit.picture import Bench, Edit, NotDone, Operation, Picture, Pixels, Plane, by_rows, luma

FONT = "Rubik (SIL OFL 1.1), as built into OpenCV 5; other scripts in WenQuanYi Micro Hei (Apache-2.0)"
ROLE_SIZE = {
    "title": 0.115, "headline": 0.115, "heading": 0.1, "banner": 0.12, "caption": 0.05, "subtitle": 0.052,
    "label": 0.045, "watermark": 0.042, "signature": 0.042, "slogan": 0.075, "tagline": 0.06, "quote": 0.065,
}  # fmt: skip
"""Type size of each kind of lettering, a share of the canvas's height at most."""
ROLE_PLACE = {
    "title": "top", "headline": "top", "heading": "top", "banner": "top", "watermark": "bottom right",
    "signature": "bottom right", "caption": "bottom", "subtitle": "bottom", "label": "bottom", "logo": "top left",
}  # fmt: skip
WEIGHTS = {"regular": 400, "bold": 700, "thin": 300}
MARGIN = 0.055
_FACES: dict[str, Any] = {}
_TYPESETTING = threading.Lock()
"""A face caches glyphs while it sets type, so one thread at a time does."""


def text(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """Words at their place, in lines that fit, with what makes them readable on any ground: a shadow or an outline."""
    words = " ".join(edit.args["text"].split())
    role, looks = edit.args.get("role", "text"), edit.args.get("looks", "")
    if edit.args.get("role") in {"title", "headline", "banner"} and len(words) <= 40 and words == words.lower():
        words = words.title()
    place = edit.args.get("position") or ROLE_PLACE.get(role, "center")
    lines, size, weight, slanted = _broken(words, picture, role, looks)
    planes = [_set(line, size, weight, slanted) for line in lines]
    if not any(plane.max() > 0 for plane in planes):
        raise NotDone("The text has no character that the typefaces at hand can draw.")
    mask = _stacked(planes, size)
    top, left = _corner(mask.shape, place, picture)
    full = np.zeros((picture.height, picture.width), np.float32)
    height, width = min(mask.shape[0], picture.height - top), min(mask.shape[1], picture.width - left)
    full[top : top + height, left : left + width] = mask[:height, :width]
    ground = picture.rgb[top : top + height, left : left + width]
    color = np.array(edit.args.get("color") or _readable(ground), np.float32)
    bench.notes["font"] = FONT
    opacity = 0.55 if role == "watermark" else 1.0
    return _inked(picture, full, color, size, opacity)


def _broken(words: str, picture: Picture, role: str, looks: str) -> tuple[list[str], int, int, bool]:
    """Lines, type size, weight and slant: the largest of the role's size that fits in few lines."""
    share = ROLE_SIZE.get(role, 0.08)
    if re.search(r"\b(big|large|huge|giant)\b", looks):
        share *= 1.8
    elif re.search(r"\b(small|tiny|little)\b", looks):
        share *= 0.55
    weight = WEIGHTS[
        "thin"
        if re.search(r"\b(thin|light|elegant)\b", looks)
        else "regular"
        if role in {"caption", "watermark", "signature", "subtitle"}
        else "bold"
    ]
    slanted = "italic" in looks or role in {"quote", "signature"}
    size = max(8, round(share * min(picture.height, picture.width * 1.2)))
    room = picture.width * (1 - 2 * MARGIN)
    while size > 8:
        lines = _wrapped(words, room, size, weight, slanted)
        if (
            lines
            and len(lines) * size * 1.3 <= picture.height * 0.8
            and (len(lines) <= 3 or size < 0.05 * picture.height)
        ):
            return lines, size, weight, slanted
        size = int(size * 0.9)
    lines = _wrapped(words, room, 8, weight, slanted) or [words]
    return lines[: max(1, int(picture.height * 0.8 / 10))], 8, weight, slanted


def _wrapped(words: str, room: float, size: int, weight: int, slanted: bool) -> list[str]:
    """Words broken into lines no wider than `room`; empty when a single word is too wide."""
    lines: list[str] = []
    pieces = words.split()
    if len(pieces) == 1 and len(words) > 12 and _width(words, size, weight, slanted) > room and not words.isascii():
        pieces = list(words)  # Chinese and Japanese break anywhere
        joint = ""
    else:
        joint = " "
    for piece in pieces:
        if _width(piece, size, weight, slanted) > room:
            return []
        longer = f"{lines[-1]}{joint}{piece}" if lines else piece
        if lines and _width(longer, size, weight, slanted) <= room:
            lines[-1] = longer
        else:
            lines.append(piece)
    return lines


def _face(slanted: bool) -> Any:
    name = "italic" if slanted else "sans"
    if name not in _FACES:
        _FACES[name] = cv2.FontFace(name)
    return _FACES[name]


def _width(words: str, size: int, weight: int, slanted: bool) -> float:
    with _TYPESETTING:
        box = cv2.getTextSize((10, 10), words, (0, 0), _face(slanted), size, weight)
    return float(box[2])


def _set(words: str, size: int, weight: int, slanted: bool) -> Plane:
    """One line as a mask cut to its ink across, and to a fixed line height down."""
    width = round(_width(words, size, weight, slanted)) + 2 * size
    page = np.zeros((size * 2, width, 3), np.uint8)
    with _TYPESETTING:
        cv2.putText(page, words, (size, round(size * 1.35)), (255, 255, 255), _face(slanted), size, weight)
    ink = page[..., 0]
    columns = np.flatnonzero(ink.max(0))
    if not len(columns):
        return np.zeros((size * 2, 1), np.float32)
    return ink[:, columns[0] : columns[-1] + 1].astype(np.float32) / 255


def _stacked(planes: list[Plane], size: int) -> Plane:
    """Centred lines under one another, cut to their ink."""
    width = max(plane.shape[1] for plane in planes)
    pitch = round(size * 1.22)
    page = np.zeros((pitch * (len(planes) - 1) + size * 2, width), np.float32)
    for number, plane in enumerate(planes):
        left = (width - plane.shape[1]) // 2
        view = page[number * pitch : number * pitch + len(plane), left : left + plane.shape[1]]
        np.maximum(view, plane, out=view)
    rows = np.flatnonzero(page.max(1))
    return page[rows[0] : rows[-1] + 1]


def _corner(shape: tuple[int, ...], place: str, picture: Picture) -> tuple[int, int]:
    """Where the upper left of the lettering goes."""
    height, width = shape[:2]
    margin = round(MARGIN * min(picture.width, picture.height))
    top = (
        margin
        if "top" in place
        else picture.height - margin - height
        if "bottom" in place
        else (picture.height - height) // 2
    )
    left = (
        margin
        if "left" in place
        else picture.width - margin - width
        if "right" in place
        else (picture.width - width) // 2
    )
    return max(0, top), max(0, left)


def _readable(ground: Pixels) -> tuple[float, float, float]:
    """White unless the ground is very light."""
    return (1.0, 1.0, 1.0) if float(luma(ground).mean()) < 190 else (0.09, 0.09, 0.12)


def _inked(picture: Picture, mask: Plane, color: Plane, size: int, opacity: float) -> Picture:
    """Letters over a soft shadow of the opposite brightness; nothing farther than the shadow's reach is touched."""
    radius = max(1.0, 0.07 * size)
    rows, columns = np.flatnonzero(mask.max(1)), np.flatnonzero(mask.max(0))
    reach = round(radius * 3) + 2
    box = (
        slice(max(0, int(rows[0]) - reach), int(rows[-1]) + 1 + reach),
        slice(max(0, int(columns[0]) - reach), int(columns[-1]) + 1 + reach),
    )
    part = mask[box]
    shadow = np.clip(cv2.GaussianBlur(part, (0, 0), radius) * 1.5, 0, 1) * 0.6 * opacity
    shadow[shadow < 0.004] = 0
    under = np.zeros(3, np.float32) if float(luma(color)) > 0.35 else np.ones(3, np.float32)

    def lettered(band: Plane, at: slice) -> Plane:
        ground = band + (under - band) * shadow[at][..., None]
        return ground + (color - ground) * (part[at] * opacity)[..., None]

    inked = by_rows(Picture(np.ascontiguousarray(picture.rgb[box])), lettered)
    rgb = picture.rgb.copy()
    rgb[box] = inked.rgb
    if picture.alpha is None:
        return Picture(rgb)
    alpha = picture.alpha.copy()
    alpha[box] = np.maximum(alpha[box], (np.clip(part + shadow, 0, 1) * 255 * opacity).astype(np.uint8))
    return Picture(rgb, alpha)


OPERATIONS: dict[str, Operation] = {"text": text}
