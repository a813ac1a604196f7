"""How near each part of a single picture seems, judged from its layout: no model, a good guess.

Three cues. Low in the picture is near (the ground runs away from us). Smooth bright stretches that hang from the top
edge are sky, infinitely far. What stands out in colour and detail around the middle is a subject: cut out with
GrabCut (Rother, Kolmogorov, Blake 2004), it stands upright at the nearness of its foot. The guess is then fitted to the
picture's edges with a guided filter (He, Sun, Tang 2010), so that parallax follows outlines.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.pipelines.video_generate.given_frames import Picture, Plane

WORKING_SIDE = 240
GROUND_LINE = 0.35
"""Above this share of the height, position alone says nothing of nearness."""
DISTINCT = 0.5
"""How unlike (Bhattacharyya, 0..1) a subject's colours must be to those around it to be believed."""
_GRABCUT_ROUNDS = 3


def nearness_of(picture: Picture) -> tuple[Plane, float]:
    """A small plane, 0 far to 1 near, and the share of the picture that was taken for a subject (0: none found)."""
    height, width = picture.shape[:2]
    scale = WORKING_SIDE / max(height, width)
    size = (max(16, round(width * scale)), max(16, round(height * scale)))
    small = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    rows = np.linspace(0, 1, size[1], dtype=np.float32)
    ground = np.clip((rows - GROUND_LINE) / (1 - GROUND_LINE), 0, 1) ** 1.2
    near = np.repeat((0.14 + 0.76 * ground)[:, None], size[0], axis=1).astype(np.float32)
    near *= 1 - _sky(small)
    subject = _subject(small)
    share = float(subject.mean())
    if share:
        feet = np.flatnonzero(subject.max(1) > 0.5)
        standing = float(np.clip(0.3 + 0.62 * ground[feet[-1]], 0.45, 0.92))
        near = np.asarray(near * (1 - subject) + np.maximum(near, standing) * subject, np.float32)
    guide = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    fitted = _guided(guide, near, radius=max(4, size[0] // 26), tolerance=2e-3)
    return np.clip(cv2.GaussianBlur(fitted, (0, 0), size[0] / 130), 0, 1).astype(np.float32), share


def _sky(small: Picture) -> Plane:
    """Soft mask of what is bright or blue, smooth, and joined to the top edge."""
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB).astype(np.float32)
    light, blue = lab[..., 0], lab[..., 2]
    rough = cv2.GaussianBlur(np.abs(cv2.Laplacian(cv2.GaussianBlur(light, (0, 0), 1.2), cv2.CV_32F)), (0, 0), 2)
    height = len(small)
    top = lab[: max(2, height // 12)].reshape(-1, 3)
    like_top = np.abs(lab - np.median(top, 0)).sum(-1) < 70
    airy = ((rough < 2.2) & like_top & ((light > 130) | (blue < 120))).astype(np.uint8)
    count, labels = cv2.connectedComponents(airy)
    hanging = np.isin(labels, [label for label in np.unique(labels[:2]) if label])
    if count < 2 or hanging.mean() < 0.03:
        return np.zeros(small.shape[:2], np.float32)
    lower = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    soft = cv2.GaussianBlur(hanging.astype(np.float32), (0, 0), 2)
    return np.asarray(soft * np.clip((0.8 - lower) / 0.2, 0, 1), np.float32)


def _subject(small: Picture) -> Plane:
    """Soft mask of what stands out; all zero where nothing does or the cut cannot be trusted."""
    height, width = small.shape[:2]
    nothing = np.zeros((height, width), np.float32)
    if float(small.std(axis=(0, 1)).max()) < 4:
        return nothing
    # A breath of grain: GrabCut's mixtures of Gaussians take seconds to find no spread in perfectly flat colours.
    grain = np.random.default_rng(0).normal(0, 2.5, small.shape)
    small = np.clip(small + grain, 0, 255).astype(np.uint8)
    standing_out = _saliency(small)
    eight_bits = (standing_out * (255 / max(float(standing_out.max()), 1e-6))).astype(np.uint8)
    split, _ = cv2.threshold(eight_bits, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    likely, sure = split / 255 * standing_out.max(), (split / 255 + 1) / 2 * standing_out.max()
    mask = np.full((height, width), cv2.GC_PR_BGD, np.uint8)
    mask[standing_out < 0.5 * likely] = cv2.GC_BGD
    mask[standing_out > likely] = cv2.GC_PR_FGD
    mask[standing_out > sure] = cv2.GC_FGD
    edge = max(2, width // 60)
    mask[:edge] = mask[:, :edge] = mask[:, -edge:] = cv2.GC_BGD
    cv2.setRNGSeed(1)  # GrabCut's clusters start from this thread's generator: the same cut every time
    try:
        cv2.grabCut(
            small, mask, (0, 0, 0, 0), np.zeros((1, 65)), np.zeros((1, 65)), _GRABCUT_ROUNDS, cv2.GC_INIT_WITH_MASK
        )
    except cv2.error:
        return nothing  # a picture of a single colour has no two sides to cut between
    inside = np.isin(mask, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    inside = np.asarray(cv2.morphologyEx(inside, cv2.MORPH_OPEN, _disc(width // 34)), np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(inside)
    if count < 2:
        return nothing
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    kept = (labels == largest).astype(np.uint8)
    kept = np.asarray(cv2.morphologyEx(kept, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8)), np.uint8)
    share = float(kept.mean())
    box = stats[largest]
    fill = box[cv2.CC_STAT_AREA] / max(1, box[cv2.CC_STAT_WIDTH] * box[cv2.CC_STAT_HEIGHT])
    if not 0.03 <= share <= 0.42 or fill < 0.3 or _palette_distance(small, kept) < DISTINCT:
        return nothing
    return np.asarray(cv2.GaussianBlur(kept.astype(np.float32), (0, 0), 1.5), np.float32)


def _disc(radius: int) -> NDArray[np.uint8]:
    side = 2 * max(1, radius) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)


def _palette_distance(small: Picture, inside: NDArray[np.uint8]) -> float:
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB)
    around = (1 - inside).astype(np.uint8)
    tables = [
        cv2.normalize(cv2.calcHist([lab], [0, 1, 2], mask, [8, 12, 12], [0, 256] * 3), np.empty(0), 1, 0, cv2.NORM_L1)
        for mask in (inside, around)
    ]
    return float(cv2.compareHist(tables[0], tables[1], cv2.HISTCMP_BHATTACHARYYA))


def _saliency(small: Picture) -> Plane:
    """Colour far from most of the picture's other colours (Cheng 2011, histogram contrast), favouring the middle.

    Hue counts more than lightness: shade is everywhere.
    """
    lab = cv2.GaussianBlur(cv2.cvtColor(small, cv2.COLOR_RGB2LAB), (0, 0), 1.2).astype(np.float32)
    lab *= np.array([0.4, 1.0, 1.0], np.float32)
    height, width = lab.shape[:2]
    bins, which, counts = np.unique((lab // 9).reshape(-1, 3), axis=0, return_inverse=True, return_counts=True)
    frequent = np.argsort(-counts, kind="stable")[:256]
    apart = np.linalg.norm(bins[:, None] - bins[None, frequent], axis=-1) @ (counts[frequent] / counts.sum())
    rare = apart[which.ravel()].reshape(height, width).astype(np.float32)
    rare = (rare - rare.min()) / (float(np.ptp(rare)) + 1e-6)
    across = np.linspace(-1, 1, width, dtype=np.float32)[None]
    down = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    middle = np.exp(-((across / 0.7) ** 2) - ((down - 0.12) / 0.8) ** 2)
    return np.asarray(cv2.GaussianBlur(rare * middle, (0, 0), 2), np.float32)


def _guided(guide: Plane, plane: Plane, *, radius: int, tolerance: float) -> Plane:
    """`plane` smoothed along, never across, the edges of `guide`."""

    def mean(values: Plane) -> Plane:
        return np.asarray(cv2.blur(values, (2 * radius + 1, 2 * radius + 1)), np.float32)

    guide_mean, plane_mean = mean(guide), mean(plane)
    slope = (mean(guide * plane) - guide_mean * plane_mean) / (mean(guide * guide) - guide_mean**2 + tolerance)
    return np.asarray(mean(slope) * guide + mean(plane_mean - slope * guide_mean), np.float32)
