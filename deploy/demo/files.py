"""Opening what a job made, as its buyer would, and comparing it with what the API says of it."""

import json
from pathlib import Path
from typing import Any

import av
import trimesh
from PIL import Image


class DemoFailed(Exception):
    """Something was not as promised; the sentence says what."""


def check_file(saved: Path, promised: dict[str, Any]) -> str:
    """Open the file and compare it with what the status says of it; a short description.

    Raises:
        DemoFailed: it is not what was promised.
    """
    if saved.stat().st_size != promised["bytes"]:
        raise DemoFailed(f"{saved.name} has {saved.stat().st_size} bytes, {promised['bytes']} were promised")
    kind = promised["type"].partition("/")[0]
    look = {"image": _image, "video": _clip, "audio": _sound, "application": _annotation, "model": _shape}[kind]
    return look(saved, promised)


def _image(saved: Path, promised: dict[str, Any]) -> str:
    with Image.open(saved) as image:
        image.load()
        _compare_size(saved, promised, image.width, image.height)
        return f"{image.format} {image.width}×{image.height}"


def _clip(saved: Path, promised: dict[str, Any]) -> str:
    with av.open(str(saved)) as clip:
        picture = clip.streams.video[0]
        _compare_size(saved, promised, picture.width, picture.height)
        frames = sum(1 for _ in clip.decode(picture))
        seconds = float(clip.duration or 0) / av.time_base
        _compare_length(saved, promised, seconds, within=0.1)
        sound = "with sound" if clip.streams.audio else "silent"
        return f"MP4 {picture.width}×{picture.height}, {seconds:.2f} s, {frames} frames, {sound}"


def _sound(saved: Path, promised: dict[str, Any]) -> str:
    with av.open(str(saved)) as sound:
        stream = sound.streams.audio[0]
        rate = stream.codec_context.sample_rate
        seconds = sum(frame.samples for frame in sound.decode(stream)) / rate
        _compare_length(saved, promised, seconds, within=0.001)
        channels = "stereo" if stream.codec_context.channels == 2 else "mono"
        return f"{stream.codec_context.codec.name} {seconds:.2f} s, {channels}"


def _annotation(saved: Path, promised: dict[str, Any]) -> str:
    document = json.loads(saved.read_text())
    return f"JSON, {len(document['words'])} words, {len(document['sections'])} sections"


def _shape(saved: Path, promised: dict[str, Any]) -> str:
    scene = trimesh.load_scene(saved)
    faces = sum(len(mesh.faces) for mesh in scene.geometry.values())
    return f"GLB, {faces} triangles"


def _compare_size(saved: Path, promised: dict[str, Any], width: int, height: int) -> None:
    if (width, height) != (promised["width"], promised["height"]):
        raise DemoFailed(f"{saved.name} is {width}×{height}, {promised['width']}×{promised['height']} was promised")


def _compare_length(saved: Path, promised: dict[str, Any], seconds: float, *, within: float) -> None:
    if abs(seconds - promised["seconds"]) > within:
        raise DemoFailed(f"{saved.name} lasts {seconds:.3f} s, {promised['seconds']} s were promised")
