"""Focus: blurs, bokeh, tilt-shift, sharpening, noise taken away and put on, and the lens's own faults."""

import numpy as np

from workers.pipelines.image_edit.opencv import cv2
from workers.pipelines.image_edit.picture import Bench, Edit, Operation, Picture, Pixels, Plane, by_rows, mixed
from workers.pipelines.image_edit.regions import subject
from workers.pipelines.image_edit.tone import edge_kept
from workers.pipelines.image_generate.canvas import smoothstep


def gaussian(pixels: Pixels, radius: float) -> Pixels:
    """A Gaussian blur; wide ones are computed small."""
    if radius < 0.3:
        return pixels
    shrink = max(1, int(radius / 4))
    if shrink == 1:
        return np.asarray(cv2.GaussianBlur(pixels, (0, 0), radius, borderType=cv2.BORDER_REFLECT), np.uint8)
    height, width = pixels.shape[:2]
    small = cv2.resize(pixels, (max(2, width // shrink), max(2, height // shrink)), interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(small, (0, 0), radius / shrink, borderType=cv2.BORDER_REFLECT)
    return np.asarray(cv2.resize(soft, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def blur(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """The whole picture out of focus."""
    return picture.with_rgb(gaussian(picture.rgb, 5.5 * edit.amount * picture.unit))


def blur_background(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """A lens wide open: the subject stays to the bit, what is behind melts, bright points become discs."""
    mask = subject(picture)
    bench.step()
    radius = max(1.5, 11 * edit.amount * picture.unit)
    near = cv2.dilate(mask, np.ones((3, 3), np.uint8), iterations=max(1, round(0.6 * radius)))
    # The subject's colours must not bleed outwards: they are filled from behind before the blur.
    behind = _filled_behind(picture.rgb, near)
    bench.step()
    return mixed(picture, _discs(behind, radius), np.clip(1 - mask, 0, 1))


def _filled_behind(pixels: Pixels, mask: Plane) -> Pixels:
    """The picture without its subject: a normalised blur of what is outside, at a quarter size."""
    height, width = pixels.shape[:2]
    size = (max(8, width // 4), max(8, height // 4))
    weight = np.clip(1 - cv2.resize(mask, size, interpolation=cv2.INTER_AREA), 0, 1) ** 4 + 1e-5
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    total, norm = np.zeros_like(small), np.zeros_like(weight)
    for radius in (2, 6, 18, 54):
        share = cv2.GaussianBlur(weight, (0, 0), radius) * (0.02 ** np.log2(radius))
        total += cv2.GaussianBlur(small * weight[..., None], (0, 0), radius) * (0.02 ** np.log2(radius))
        norm += share
    fill = cv2.resize(np.clip(total / norm[..., None], 0, 255).astype(np.uint8), (width, height))
    return mixed(Picture(pixels), fill, np.clip(mask * 1.6, 0, 1)).rgb


def _discs(pixels: Pixels, radius: float) -> Pixels:
    """A disc-shaped blur in about linear light, so that lamps bloom as they do through a lens."""
    shrink = max(1, int(radius / 7))
    height, width = pixels.shape[:2]
    small = cv2.resize(pixels, (max(4, width // shrink), max(4, height // shrink)), interpolation=cv2.INTER_AREA)
    reach = max(1, round(radius / shrink))
    axis = np.arange(-reach, reach + 1, dtype=np.float32)
    kernel = np.clip(reach + 0.5 - np.hypot(axis[:, None], axis[None]), 0, 1)
    kernel /= kernel.sum()
    light = (small.astype(np.float32) / 255) ** 2.6
    soft = np.clip(cv2.filter2D(light, -1, kernel, borderType=cv2.BORDER_REFLECT), 0, 1) ** (1 / 2.6)
    return np.asarray(cv2.resize((soft * 255).astype(np.uint8), (width, height), interpolation=cv2.INTER_CUBIC))


def motion_blur(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """A camera swept sideways during the exposure."""
    reach = max(3, round(46 * edit.amount * picture.unit)) | 1
    kernel = np.zeros((3, reach), np.float32)
    kernel[1] = np.hanning(reach + 2)[1:-1]
    kernel /= kernel.sum()
    rushed = np.asarray(cv2.filter2D(picture.rgb, -1, kernel, borderType=cv2.BORDER_REFLECT), np.uint8)
    return picture.with_rgb(rushed)


def radial_blur(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """A zoom during the exposure."""
    height, width = picture.height, picture.width
    total = np.zeros(picture.rgb.shape, np.uint16)
    count = 12
    for number in range(count):
        scale = 1 + 0.13 * edit.amount * number / count
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), 0, scale)
        total += cv2.warpAffine(picture.rgb, turn, (width, height), borderMode=cv2.BORDER_REFLECT)
        bench.step()
    across = np.linspace(-1, 1, width, dtype=np.float32)[None]
    down = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    return mixed(picture, (total // count).astype(np.uint8), smoothstep(0.05, 0.5, np.hypot(across, down)))


def tilt_shift(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """A band in focus, the rest falling off, colours as of painted models."""
    down = np.linspace(0, 1, picture.height, dtype=np.float32)[:, None]
    away = np.abs(down - 0.58)
    fall = np.repeat(smoothstep(0.08, 0.34, away), picture.width, 1)
    half = gaussian(picture.rgb, 4 * edit.amount * picture.unit)
    wide = gaussian(picture.rgb, 11 * edit.amount * picture.unit)
    soft = mixed(mixed(picture, half, np.clip(fall * 2, 0, 1)), wide, np.clip(fall * 2 - 1, 0, 1))

    def painted(band: Plane, rows: slice) -> Plane:
        grey = band.mean(-1, keepdims=True)
        return (grey + (band - grey) * 1.3 - 0.5) * 1.08 + 0.52

    return by_rows(soft, painted)


def sharpen(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """Unsharp masking on two scales, held back where there is only noise."""
    fine = picture.rgb.astype(np.int16) - gaussian(picture.rgb, max(0.8, 0.9 * picture.unit))
    wide = picture.rgb.astype(np.int16) - gaussian(picture.rgb, max(1.6, 3 * picture.unit))
    detail = fine * (0.95 * edit.amount) + wide * (0.4 * edit.amount)
    quiet = np.abs(detail).max(-1, keepdims=True)
    return by_rows(picture, lambda band, rows: band + detail[rows] / 255 * smoothstep(1.5, 6, quiet[rows]))


def upscale(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """The canvas is fixed by the job, so this restores crispness at its size; the result says so."""
    bench.notes["upscale"] = "The canvas keeps the source's size; detail was crispened at that size."
    return sharpen(denoise(picture, Edit(name="denoise", said="", amount=0.35), bench), edit, bench)


def denoise(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """An edge-keeping average of brightness, and a wider one of colour, where noise is most seen."""
    ycc = cv2.cvtColor(picture.rgb, cv2.COLOR_RGB2YCrCb)
    radius = max(2, round(2.2 * picture.unit))
    grey = ycc[..., 0].astype(np.float32) / 255
    eps = (0.045 * edit.amount) ** 2
    smooth = edge_kept(edge_kept(grey, radius=radius + 1, eps=eps), radius=radius, eps=eps)
    out = np.empty_like(ycc)
    out[..., 0] = np.clip(smooth * 255 + 0.5, 0, 255)
    for channel in (1, 2):
        plane = ycc[..., channel].astype(np.float32) / 255
        out[..., channel] = np.clip(edge_kept(plane, radius=2 * radius + 2, eps=eps) * 255 + 0.5, 0, 255)
    return picture.with_rgb(np.asarray(cv2.cvtColor(out, cv2.COLOR_YCrCb2RGB), np.uint8))


def grain(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """Film grain: clumped, monochrome, strongest in the middle tones."""
    tile = bench.rng("grain").normal(0, 1, (512, 512)).astype(np.float32)
    tile = cv2.GaussianBlur(np.tile(tile, (3, 3)), (0, 0), max(0.5, 0.55 * picture.unit))[512:1024, 512:1024]
    tile *= 0.075 * edit.amount / tile.std()
    whole = np.tile(tile, (picture.height // 512 + 1, picture.width // 512 + 1))[: picture.height, : picture.width]

    def grained(band: Plane, rows: slice) -> Plane:
        light = band.mean(-1, keepdims=True)
        return band + whole[rows][..., None] * (0.35 + 2.6 * light * (1 - light))

    return by_rows(picture, grained)


def dehaze(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """The dark channel prior (He et al. 2009): air light from the haziest place, transmission by a guided filter."""
    small = cv2.resize(picture.rgb, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    radius = max(2, round(small.shape[1] / 60))
    dark = cv2.erode(small.min(-1), np.ones((radius, radius), np.uint8))
    hazy = dark >= np.percentile(dark, 99.5)
    air = np.clip(small[hazy].mean(0), 0.5, 1.0)
    through = 1 - 0.8 * min(edit.amount, 1.2) * cv2.erode((small / air).min(-1), np.ones((radius, radius), np.uint8))
    through = edge_kept(through, radius=radius * 3, eps=1e-3)
    wide = np.clip(cv2.resize(through, (picture.width, picture.height)), 0.25, 1)
    return by_rows(picture, lambda band, rows: (band - air) / wide[rows][..., None] + air)


def glitch(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """Colours out of register, torn lines, scan lines."""
    rng, unit = bench.rng("glitch"), picture.unit
    shift = max(2, round(9 * edit.amount * unit))
    out = picture.rgb.copy()
    out[..., 0] = np.roll(out[..., 0], shift, 1)
    out[..., 2] = np.roll(out[..., 2], -shift, 1)
    for start, tall, far in rng.random((14, 3)):
        first = round(start * picture.height)
        rows = slice(first, first + max(2, round(tall**2 * 60 * unit)))
        out[rows] = np.roll(out[rows], round((far - 0.5) * 130 * unit * edit.amount), 1)
    lines = 0.86 + 0.14 * np.sin(np.arange(picture.height, dtype=np.float32) * np.pi / max(1.0, 1.5 * unit))
    return by_rows(picture.with_rgb(out), lambda band, rows: band * lines[rows][:, None, None])


def pixelate(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """Blocks."""
    block = max(2, round(18 * edit.amount * picture.unit))
    size = (max(1, picture.width // block), max(1, picture.height // block))
    small = cv2.resize(picture.rgb, size, interpolation=cv2.INTER_AREA)
    return picture.with_rgb(
        np.asarray(cv2.resize(small, (picture.width, picture.height), interpolation=cv2.INTER_NEAREST))
    )


OPERATIONS: dict[str, Operation] = {
    "blur": blur, "blur background": blur_background, "motion blur": motion_blur, "radial blur": radial_blur,
    "tilt shift": tilt_shift, "sharpen": sharpen, "upscale": upscale, "denoise": denoise, "grain": grain,
    "dehaze": dehaze, "glitch": glitch, "pixelate": pixelate,
}  # fmt: skip
