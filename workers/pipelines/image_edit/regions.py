"""Which part of a picture a word means: soft masks from colour, place, saliency and grabCut. No recogniser."""

import re

import numpy as np

from workers.pipelines.image_edit import vocabulary as words
from workers.pipelines.image_edit.opencv import cv2
from workers.pipelines.image_edit.phrases import COLOR, color_of, region_of
from workers.pipelines.image_edit.picture import NotDone, Picture, Plane
from workers.pipelines.image_generate.canvas import smoothstep

SIDE = 288
"""The longer side that segmentation works at; masks are brought up along the picture's own edges."""
SMALLEST, LARGEST = 0.004, 0.9
"""Shares of the picture beyond which a found region is no find."""
FAINTEST = 0.05
"""Contrast to the rim below which nothing is a subject; grabCut would also run for minutes on one flat colour."""


def region(picture: Picture, said: str) -> Plane:
    """The mask (0..1) of what a noun phrase means, with its colour and side words taken into account.

    Raises:
        NotDone: it is a part this engine cannot tell apart, or nothing stands out that it could be.
    """
    parts = set(re.findall(r"[\w'-]+", said))
    if parts & words.PARTS:
        raise NotDone(f'"{said}" cannot be told apart from the rest: this engine has no recogniser for it.')
    kind = region_of(said)
    if kind == "background":
        return 1 - subject(picture)
    if kind == "sky":
        return sky(picture)
    color = re.search(COLOR, said)
    if color:
        return colored(picture, color_of(" ".join(color[0].split())), within=said)
    if kind == "foliage":
        return _checked(_upsampled(_hue_like(_small(picture), (0.28, 0.52, 0.2), 0.14), picture), said)
    if kind in {"water", "ground"}:
        return _lower(picture, said)
    return subject(picture, side=side_of(parts))


def side_of(parts: set[str]) -> str | None:
    """The side of the picture that words name."""
    return next((side for side in ("left", "right", "top", "bottom") if side in parts), None)


def subject(picture: Picture, *, side: str | None = None) -> Plane:
    """The main subject: its alpha where the picture has one, else grabCut started from saliency.

    Raises:
        NotDone: nothing stands out.
    """
    if picture.alpha is not None and 0.02 < (picture.alpha > 127).mean() < 0.97 and side is None:
        return picture.alpha.astype(np.float32) / 255
    small = _small(picture)
    salience = saliency(small, side=side)
    width = salience.shape[1]
    cut = float(np.clip(np.percentile(salience, 82), 0.22, 0.6))
    mask = np.full(salience.shape, cv2.GC_PR_BGD, np.uint8)
    mask[salience > cut] = cv2.GC_PR_FGD
    mask[salience > max(cut + 0.25, float(np.percentile(salience, 97)))] = cv2.GC_FGD
    mask[salience < cut * 0.3] = cv2.GC_BGD
    rim = max(2, width // 60)
    for edge in (mask[:rim], mask[:, :rim], mask[:, -rim:]):
        edge[edge != cv2.GC_FGD] = cv2.GC_BGD
    if not (mask == cv2.GC_FGD).any() or not (mask == cv2.GC_BGD).any():
        raise NotDone("No subject stands out from its background here.")
    found = _grab_cut(small, mask)
    found = closed(_largest_parts(found, salience), 0.14)
    return _checked(_upsampled(found.astype(np.float32), picture), "the subject", of_subject=True)


def saliency(small: np.ndarray, *, side: str | None = None) -> Plane:
    """How much each pixel differs from the picture's rim, favouring the middle: 0..1.

    The rim's colours are clustered in Lab; a pixel counts by its distance to the nearest cluster, after a smoothing
    over edges, so that a backdrop of several colours is no subject.

    Raises:
        NotDone: nothing differs.
    """
    lab = cv2.cvtColor(cv2.bilateralFilter(small, 7, 40, 7), cv2.COLOR_RGB2LAB).astype(np.float32)
    lab[..., 0] *= 0.7
    height, width = lab.shape[:2]
    band = max(3, round(0.045 * min(height, width)))
    rims = [lab[:band], lab[:, :band], lab[:, -band:], lab[-band:]]
    down, across = np.mgrid[0:height, 0:width].astype(np.float32)
    down, across = down / height, across / width
    total = np.zeros((height, width), np.float32)
    for number, rim in enumerate(rims):
        pixels = np.ascontiguousarray(rim.reshape(-1, 3))
        cv2.setRNGSeed(number + 1)
        stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 12, 0.5)
        _, labels, centers = cv2.kmeans(pixels, 4, None, stop, 1, cv2.KMEANS_PP_CENTERS)
        share = np.bincount(labels.ravel(), minlength=4) / len(pixels)
        kept = centers[share > 0.06]
        nearest = np.min([np.linalg.norm(lab - center, axis=-1) for center in kept], axis=0)
        # The bottom rim often holds the subject's own feet: it speaks with half a voice.
        total += (0.5 if number == 3 else 1.0) * np.minimum(nearest, 70)
    contrast = cv2.GaussianBlur(total / (3.5 * 70), (0, 0), max(1.0, width / 160))
    centre = {"left": (0.25, 0.55), "right": (0.75, 0.55), "top": (0.5, 0.28), "bottom": (0.5, 0.78)}
    x, y = centre.get(side or "", (0.5, 0.54))
    spread = 0.34 if side is None else 0.2
    prior = np.exp(-(((across - x) / spread) ** 2 + ((down - y) / (spread * 1.15)) ** 2) / 2)
    salience = contrast * prior
    peak = float(salience.max())
    if peak < FAINTEST:
        raise NotDone("No subject stands out from its background here.")
    return np.asarray(salience / peak, np.float32)


def sky(picture: Picture) -> Plane:
    """What reaches down from the top edge, smooth and alike in colour.

    Raises:
        NotDone: the top of the picture is not a sky.
    """
    small = _small(picture)
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB).astype(np.float32)
    height, width = lab.shape[:2]
    grey = cv2.GaussianBlur(lab[..., 0], (0, 0), 1.2)
    rough = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    rough = cv2.dilate(rough, np.ones((3, 3)))
    top = lab[: max(3, height // 14)].reshape(-1, 3)
    cv2.setRNGSeed(7)
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 12, 0.5)
    _, _, centers = cv2.kmeans(np.ascontiguousarray(top), 3, None, stop, 1, cv2.KMEANS_PP_CENTERS)
    far = np.min([np.linalg.norm((lab - c) * np.array([0.45, 1, 1], np.float32), axis=-1) for c in centers], axis=0)
    green = (lab[..., 1] < 118) & (lab[..., 2] > 132)
    like = ((far < 24) & (rough < 34) & ~green).astype(np.uint8)
    _, labels = cv2.connectedComponents(like, connectivity=4)
    reaching = set(np.unique(labels[: max(2, height // 40)])) - {0}
    seed = np.isin(labels, list(reaching)) if reaching else np.zeros_like(like, bool)
    if seed[: max(2, height // 20)].mean() < 0.3 or seed.mean() < 0.04 or seed[-max(2, height // 30) :].mean() > 0.5:
        raise NotDone("No sky was found in this picture.")
    mask = np.full((height, width), cv2.GC_PR_BGD, np.uint8)
    # Whatever is not next to the smooth part is land, however alike in colour: grey walls under a grey sky.
    mask[cv2.dilate(seed.astype(np.uint8), np.ones((7, 7), np.uint8)) == 0] = cv2.GC_BGD
    mask[seed] = cv2.GC_PR_FGD
    inner = cv2.erode(seed.astype(np.uint8), np.ones((5, 5))) > 0
    mask[inner] = cv2.GC_FGD
    mask[green & ~inner] = cv2.GC_BGD
    found = _grab_cut(small, mask) if (mask == cv2.GC_BGD).any() else seed.astype(np.uint8)
    _, labels = cv2.connectedComponents(found, connectivity=4)
    reaching = set(np.unique(labels[: max(2, height // 40)])) - {0}
    connected = np.isin(labels, list(reaching)).astype(np.uint8)
    # Clouds, sun and birds: whatever of the rest does not reach down to the land lies in the sky.
    _, labels = cv2.connectedComponents(1 - connected, connectivity=4)
    land = set(np.unique(labels[int(height * 0.9) :])) - {0}
    connected[(labels > 0) & ~np.isin(labels, list(land))] = 1
    whole = cv2.morphologyEx(connected, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    return _upsampled(whole.astype(np.float32), picture)


def colored(picture: Picture, color: tuple[float, float, float], *, within: str = "") -> Plane:
    """Where a colour's hue is; the largest connected parts only when a noun goes with it.

    Raises:
        NotDone: that colour is hardly there.
    """
    small = _small(picture)
    like = _hue_like(small, color, 0.09)
    nouns = re.sub(COLOR, "", within).split()
    if nouns and region_of(" ".join(nouns)) == "subject":
        parts = _largest_parts((like > 0.35).astype(np.uint8), saliency(small, side=side_of(set(nouns))))
        like = like * cv2.dilate(parts, np.ones((5, 5), np.uint8))
    return _checked(_upsampled(like, picture), within or "that colour")


def _lower(picture: Picture, said: str) -> Plane:
    """Ground or water: what lies below, alike to the bottom rim, and is neither sky nor subject."""
    small = _small(picture)
    height, width = small.shape[:2]
    mask = np.full((height, width), cv2.GC_PR_BGD, np.uint8)
    mask[int(height * 0.6) :] = cv2.GC_PR_FGD
    mask[int(height * 0.93) :] = cv2.GC_FGD
    mask[: int(height * 0.3)] = cv2.GC_BGD
    found = _grab_cut(small, mask)
    _, labels = cv2.connectedComponents(found)
    reaching = set(np.unique(labels[-3:])) - {0}
    return _checked(_upsampled(np.isin(labels, list(reaching)).astype(np.float32), picture), said)


def _small(picture: Picture) -> np.ndarray:
    scale = min(1.0, SIDE / max(picture.width, picture.height))
    size = (max(8, round(picture.width * scale)), max(8, round(picture.height * scale)))
    rgb = picture.rgb
    if picture.alpha is not None:
        share = picture.alpha[..., None].astype(np.float32) / 255
        rgb = (rgb * share + 128 * (1 - share)).astype(np.uint8)
    return cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)


def _hue_like(small: np.ndarray, color: tuple[float, float, float], reach: float) -> Plane:
    """Likeness to a colour: by hue where it has one, by brightness where it is a grey."""
    hsv = cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2HSV)
    goal = cv2.cvtColor(np.array([[color]], np.float32), cv2.COLOR_RGB2HSV)[0, 0]
    if goal[1] < 0.15:
        near = np.exp(-(((hsv[..., 2] - goal[2]) / 0.22) ** 2))
        return (near * smoothstep(0.32, 0.12, hsv[..., 1])).astype(np.float32)
    distance = np.abs((hsv[..., 0] - goal[0]) / 360)
    distance = np.minimum(distance, 1 - distance)
    return (
        smoothstep(reach, reach * 0.5, distance)
        * smoothstep(0.16, 0.34, hsv[..., 1])
        * smoothstep(0.08, 0.2, hsv[..., 2])
    ).astype(np.float32)


def _grab_cut(small: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """1 where grabCut sees foreground. Its colour models start from a fixed seed."""
    cv2.setRNGSeed(11)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(cv2.cvtColor(small, cv2.COLOR_RGB2BGR), mask, None, *models, 4, cv2.GC_INIT_WITH_MASK)
    return ((mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD)).astype(np.uint8)


def _largest_parts(found: np.ndarray, salience: Plane) -> np.ndarray:
    """The connected parts that carry most of the salience, their holes filled."""
    count, labels = cv2.connectedComponents(found)
    if count <= 1:
        return found
    weight = np.bincount(labels.ravel(), (salience * found).ravel().astype(np.float64), minlength=count)
    weight[0] = 0
    kept = np.isin(labels, np.flatnonzero(weight >= 0.18 * weight.max())).astype(np.uint8)
    kept = cv2.morphologyEx(kept, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    contours, _ = cv2.findContours(kept, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    filled = kept.copy()
    for contour in contours:
        if cv2.contourArea(contour) < 0.003 * kept.size:
            cv2.drawContours(filled, [contour], -1, 1, cv2.FILLED)
    return filled


def closed(found: np.ndarray, share: float) -> np.ndarray:
    """Small bays of the outline filled: wheels on a road of their own colour, the gap under an arm."""
    reach = max(3, round(share * float(np.sqrt(found.sum())))) | 1
    padded = cv2.copyMakeBorder(found, reach, reach, reach, reach, cv2.BORDER_CONSTANT)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    whole = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, kernel)
    return np.asarray(whole[reach:-reach, reach:-reach], np.uint8)


def _upsampled(mask: Plane, picture: Picture) -> Plane:
    """A small mask at the picture's size, drawn along the picture's edges by a guided filter (He et al. 2010)."""
    height, width = picture.height, picture.width
    guide = np.asarray(cv2.cvtColor(picture.rgb, cv2.COLOR_RGB2GRAY), np.float32) / 255
    large = cv2.resize(np.asarray(mask, np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    radius = max(2, round(1.6 * max(width, height) / SIDE))
    size = (2 * radius + 1, 2 * radius + 1)
    mean_guide, mean_mask = cv2.boxFilter(guide, -1, size), cv2.boxFilter(large, -1, size)
    variance = cv2.boxFilter(guide * guide, -1, size) - mean_guide**2
    slope = (cv2.boxFilter(guide * large, -1, size) - mean_guide * mean_mask) / (variance + 1e-4)
    offset = mean_mask - slope * mean_guide
    fine = cv2.boxFilter(slope, -1, size) * guide + cv2.boxFilter(offset, -1, size)
    return np.asarray(smoothstep(0.12, 0.88, fine), np.float32)


def _checked(mask: Plane, said: str, *, of_subject: bool = False) -> Plane:
    share = float(mask.mean())
    if not SMALLEST < share < LARGEST:
        if of_subject:
            raise NotDone("No subject stands out from its background here.")
        raise NotDone(f'"{said}" was not found in this picture.')
    return mask
