"""Telling a subject from what is behind it, without a model: the background is grown inward from the picture's edge."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

_SMALL = 320
"""The longest side at which subject and background are told apart; the edge is found again at full size."""
_ROUNDS = 4
_GAP = 5
_CLUTTER = 0.12
"""With more than this beside the subject, in shares of it, the background is not plain enough for an estimate alone."""
_SOFT_STEP = 3.0
"""Colour difference from pixel to pixel (CIE Lab) below which a darkening is a shadow's, not an edge."""


@dataclass(frozen=True)
class Cutout:
    """`mask` (height, width) float32, 1 on the subject; `method` says how it was found."""

    mask: Any
    method: str


def cut_out(color: Any, *, iterations: int) -> Cutout:
    """Find the subject of an opaque picture, `color` (height, width, 3) float32 in 0..1.

    The mask is empty where nothing stands out from the background.
    """
    height, width = color.shape[:2]
    scale = min(1.0, _SMALL / max(height, width))
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    small = cv2.resize(color, size, interpolation=cv2.INTER_AREA)
    small = cv2.bilateralFilter(small, 5, 0.06, 2.0)
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB)
    background, difference, plain = _grow_background(lab)
    candidates = ~background
    subject = _subject(candidates, difference)
    method = "background-estimate"
    clutter = (candidates & ~subject).sum() / max(1, subject.sum())
    if subject.any() and (not plain or clutter > _CLUTTER):
        subject = _grab_cut(small, subject, difference, iterations=iterations)
        method = "grab-cut"
    if not subject.any():
        return Cutout(mask=np.zeros((height, width), np.float32), method=method)
    return Cutout(mask=_refine(color, subject), method=method)


def _grow_background(lab: Any) -> tuple[Any, Any, bool]:
    """The background (bool), each pixel's difference from its estimate, and whether the background is a plain one.

    What can be reached from the picture's edge without meeting another colour is background. Its own colours,
    spread sideways (backdrops vary less along the horizon than across it), then predict what lies further in.
    """
    height, width = lab.shape[:2]
    frame = np.zeros((height, width), bool)
    rim = max(2, round(0.015 * max(height, width)))
    frame[:rim], frame[-rim:], frame[:, :rim], frame[:, -rim:] = True, True, True, True
    gradient = _gradient(lab)
    known = frame & _common(lab, frame)
    predicted = _spread(lab, known)
    noise = 4.0
    background = known
    difference = np.zeros((height, width), np.float32)
    for _ in range(_ROUNDS):
        difference, shadow = _differ(lab, predicted)
        noise = float(np.clip(np.percentile(difference[background], 90), 2.0, 9.0))
        similar = difference < _tolerance(noise)
        passable = (similar & (gradient < 9 + 1.5 * noise)) | (shadow & (gradient < _SOFT_STEP + noise))
        background = _reached(passable, frame & similar)
        if not background.any():
            background = known
            break
        predicted = _spread(lab, background)
    difference, _ = _differ(lab, predicted)
    # One step further, since the gradient is also high on the background's side of an edge, and on into narrow bays.
    background = _crept(background, difference < _tolerance(noise), pixels=1)
    background = _crept(background, difference < 0.55 * _tolerance(noise), pixels=4)
    enclosed = ~background & (difference < 0.55 * _tolerance(noise))
    background |= _patches(enclosed, smallest=max(12, round(0.0004 * height * width)))
    plain = noise < 7.5 and background[frame].mean() > 0.75
    return background, difference, bool(plain)


def _tolerance(noise: float) -> float:
    """The difference (CIE Lab) up to which a pixel passes for background that varies by `noise`."""
    return 6 + 1.6 * noise


def _common(lab: Any, frame: Any) -> Any:
    """Where a colour is one that the frame often has: a subject cut off by the edge is not background."""
    pixels = lab[frame]
    bins = np.floor(lab / np.array([12, 8, 8], np.float32)).astype(np.int64)
    keys = (bins[..., 0] + 64) * 1_000_000 + (bins[..., 1] + 64) * 1000 + (bins[..., 2] + 64)
    values, counts = np.unique(keys[frame], return_counts=True)
    share = np.zeros(keys.shape, np.float32)
    position = np.clip(np.searchsorted(values, keys), 0, len(values) - 1)
    found = values[position] == keys
    share[found] = counts[position][found] / len(pixels)
    blurred = cv2.GaussianBlur(share, (0, 0), 2.0)
    common = blurred > 0.02
    return common if (common & frame).mean() > 0.2 * frame.mean() else np.ones_like(frame)


def _spread(lab: Any, known: Any) -> Any:
    """The known pixels' colours carried on to all others, further sideways than up and down."""
    height, width = lab.shape[:2]
    weight = known.astype(np.float32)
    total = np.full(lab.shape, 0, np.float32)
    shares = np.zeros((height, width), np.float32)
    for reach, trust in ((0.02, 1.0), (0.08, 1e-2), (0.3, 1e-4), (1.0, 1e-6)):
        sigmas = reach * width, 0.12 * reach * height + 0.8
        total += trust * _blur(lab * weight[..., None], *sigmas)
        shares += trust * _blur(weight, *sigmas)
    return total / np.maximum(shares, 1e-20)[..., None]


def _blur(values: Any, across: float, down: float) -> Any:
    """A Gaussian of these deviations as three boxes, which cost the same whatever their reach."""
    size = (max(1, round(across) | 1), max(1, round(down) | 1))
    for _ in range(3):
        values = cv2.blur(values, size, borderType=cv2.BORDER_CONSTANT)
    return values


def _gradient(lab: Any) -> Any:
    down = np.zeros(lab.shape[:2], np.float32)
    across = np.zeros(lab.shape[:2], np.float32)
    down[1:-1] = np.linalg.norm(lab[2:] - lab[:-2], axis=2) / 2
    across[:, 1:-1] = np.linalg.norm(lab[:, 2:] - lab[:, :-2], axis=2) / 2
    return np.maximum(down, across)


def _differ(lab: Any, predicted: Any) -> tuple[Any, Any]:
    """The difference in Lab, and where it is only a darkening of the same hue, as a shadow makes."""
    delta = lab - predicted
    difference = np.sqrt((delta**2).sum(axis=2))
    chroma = np.hypot(delta[..., 1], delta[..., 2])
    light = lab[..., 0] / np.maximum(predicted[..., 0], 1)
    return difference, (light > 0.3) & (light < 1.02) & (chroma < 10)


def _reached(passable: Any, seeds: Any) -> Any:
    """What is connected with the seeds; a gap of a few pixels, as between two strokes, lets nothing through."""
    wide = cv2.morphologyEx(passable.astype(np.uint8), cv2.MORPH_OPEN, np.ones((_GAP, _GAP), np.uint8))
    count, labels = cv2.connectedComponents(wide, connectivity=4)
    wanted = np.zeros(count, bool)
    wanted[np.unique(labels[seeds & (wide > 0)])] = True
    wanted[0] = False
    return _crept(wanted[labels], passable, pixels=_GAP // 2)


def _crept(mask: Any, allowed: Any, *, pixels: int) -> Any:
    """The mask grown by some pixels, through allowed ones only."""
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    for _ in range(pixels):
        mask = mask | ((cv2.dilate(mask.astype(np.uint8), cross) > 0) & allowed)
    return mask


def _patches(mask: Any, *, smallest: int) -> Any:
    """The connected parts of a mask that are large enough to be meant, once hairlines are gone."""
    opened = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    count, labels, facts, _ = cv2.connectedComponentsWithStats(opened, connectivity=4)
    wanted = facts[:, cv2.CC_STAT_AREA] >= smallest
    wanted[0] = False
    return wanted[labels] if count > 1 else np.zeros_like(mask)


def _subject(candidates: Any, difference: Any) -> Any:
    """The parts that stand out most and lie nearest the middle; stray marks and what hangs on the edge are left."""
    height, width = candidates.shape
    opened = cv2.morphologyEx(candidates.astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
    count, labels, facts, centres = cv2.connectedComponentsWithStats(opened, connectivity=8)
    if count == 1:
        return np.zeros_like(candidates)
    mean = _mean_of_each(difference, labels, count)
    area = facts[:, cv2.CC_STAT_AREA].astype(np.float64)
    apart = np.hypot((centres[:, 0] / width - 0.5) * 1.6, (centres[:, 1] / height - 0.52) * 1.4)
    score = area * np.clip(mean / 20, 0.1, 2) * np.exp(-4 * apart**2)
    score[0] = 0
    score[area < max(9, 0.0002 * height * width)] = 0
    if score.max() <= 0:
        return np.zeros_like(candidates)
    return (score >= 0.01 * score.max())[labels]


def _mean_of_each(values: Any, labels: Any, count: int) -> Any:
    """The mean of `values` in each of `count` labelled parts."""
    totals = np.bincount(labels.ravel(), weights=values.ravel(), minlength=count)
    return totals / np.maximum(np.bincount(labels.ravel(), minlength=count), 1)


def _grab_cut(small: Any, subject: Any, difference: Any, *, iterations: int) -> Any:
    """GrabCut (Rother et al. 2004) from the estimate: its sure parts are held, its edge is argued over."""
    reach = max(3, round(0.02 * max(subject.shape)))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    inner = cv2.erode(subject.astype(np.uint8), kernel, borderValue=0) > 0
    outer = cv2.dilate(subject.astype(np.uint8), kernel) > 0
    central = _central(subject, difference)
    marks = np.full(subject.shape, cv2.GC_BGD, np.uint8)
    marks[outer] = cv2.GC_PR_BGD
    marks[subject & central] = cv2.GC_PR_FGD
    core = inner & central
    strong = core & (difference > np.median(difference[subject]))
    marks[strong if strong.sum() > 40 else core] = cv2.GC_FGD
    if not (marks == cv2.GC_BGD).any() or not (marks == cv2.GC_FGD).any():
        return subject
    cv2.setRNGSeed(1)  # this thread's own generator; grabCut draws its first clusters from it
    models = np.zeros((2, 65))
    pixels = np.ascontiguousarray((small[..., ::-1] * 255).round().astype(np.uint8))
    whole = (0, 0, 0, 0)  # unused: the marks say it all
    cv2.grabCut(pixels, marks, whole, models[:1], models[1:], iterations, cv2.GC_INIT_WITH_MASK)
    found = (marks == cv2.GC_FGD) | (marks == cv2.GC_PR_FGD)
    found = cv2.morphologyEx(found.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)) > 0
    if found.sum() < 0.15 * subject.sum():
        return subject
    return _subject(found, difference)


def _central(subject: Any, difference: Any) -> Any:
    """An ellipse around where most of the difference lies: what hangs on the subject far from it is doubtful."""
    height, width = subject.shape
    ys, xs = np.indices(subject.shape, dtype=np.float32)
    weight = subject * difference * np.exp(-3 * (((xs / width - 0.5) * 1.6) ** 2 + ((ys / height - 0.52) * 1.4) ** 2))
    inside = np.ones(subject.shape, bool)
    for _ in range(4):
        mass = weight * inside
        total = max(float(mass.sum()), 1e-6)
        x, y = float((mass * xs).sum()) / total, float((mass * ys).sum()) / total
        spread_x = np.sqrt(float((mass * (xs - x) ** 2).sum()) / total) + 1
        spread_y = np.sqrt(float((mass * (ys - y) ** 2).sum()) / total) + 1
        inside = ((xs - x) / (2.1 * spread_x)) ** 2 + ((ys - y) / (2.1 * spread_y)) ** 2 < 1
    return inside


def _refine(color: Any, subject: Any) -> Any:
    """The edge at full size: each pixel near it is weighed between the colours on its two sides.

    Alpha is the projection of the pixel onto the line from the nearby background's colour to the nearby subject's,
    the compositing equation solved for two known colours.
    """
    height, width = color.shape[:2]
    step = max(1.0, max(height, width) / _SMALL)
    soft = cv2.resize(subject.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    soft = np.clip(cv2.GaussianBlur(soft, (0, 0), 0.5 * step), 0, 1)
    reach = round(1.6 * step) | 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    solid = (soft > 0.5).astype(np.uint8)
    inside = cv2.erode(solid, kernel, borderType=cv2.BORDER_REPLICATE)
    outside = 1 - cv2.dilate(solid, kernel, borderType=cv2.BORDER_REPLICATE)
    near = 2.2 * step
    ours, our_weight = _local_mean(color, inside.astype(np.float32), near)
    theirs, their_weight = _local_mean(color, outside.astype(np.float32), near)
    axis = ours - theirs
    length = (axis**2).sum(axis=2)
    projected = ((color - theirs) * axis).sum(axis=2) / np.maximum(length, 1e-6)
    # An outline drawn darker than both sides belongs to the subject, whatever its projection says.
    off_line = ((color - theirs) ** 2).sum(axis=2) - np.clip(projected, 0, None) ** 2 * length
    apart = np.sqrt(np.maximum(off_line, 0)) + np.abs(np.minimum(projected, 0)) * np.sqrt(length)
    alpha = np.clip(np.maximum(projected, (apart - 0.1) / 0.2), 0, 1)
    told = (our_weight > 1e-3) & (their_weight > 1e-3) & (length > 0.08**2) & (inside == 0) & (outside == 0)
    trust = np.clip((np.sqrt(length) - 0.08) / 0.1, 0, 1) * told
    return (soft * (1 - trust) + alpha * trust).astype(np.float32)


def _local_mean(color: Any, weight: Any, sigma: float) -> tuple[Any, Any]:
    """The weighted mean colour around each pixel, and how much weight there is. It is smooth: half size will do."""
    height, width = weight.shape
    half = ((width + 1) // 2, (height + 1) // 2)
    known = cv2.resize(weight, half, interpolation=cv2.INTER_AREA)
    colors = cv2.resize(color * weight[..., None], half, interpolation=cv2.INTER_AREA)
    summed = cv2.GaussianBlur(known, (0, 0), sigma / 2)
    mean = cv2.GaussianBlur(colors, (0, 0), sigma / 2) / np.maximum(summed, 1e-6)[..., None]
    return cv2.resize(mean, (width, height)), cv2.resize(summed, (width, height))
