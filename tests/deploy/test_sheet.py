"""The demo's contact sheet: every kind of output shown, nothing fetched from anywhere."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import trimesh

from deploy.demo import sheet
from deploy.demo.files import DemoFailed, check_file
from deploy.demo.sheet import write_sheet
from tests.workers.pipelines.lavfi import ffmpeg, make_clip


@dataclass
class Job:
    name: str
    saved: Path
    task: str = "image.generate"
    facts: str = "some facts"
    price_micros: int = 40_000
    task_input: dict[str, Any] = field(default_factory=dict)
    status: dict[str, Any] = field(
        default_factory=lambda: {"durationMs": 1234, "result": {"upstream": {"engine": "x"}}}
    )


def words(folder: Path) -> Path:
    path = folder / "words.json"
    path.write_text(json.dumps({"words": [{"text": "<dawn>", "start": 0.5}], "sections": []}))
    return path


def shape(folder: Path) -> Path:
    path = folder / "shape.glb"
    trimesh.creation.box().export(path)
    return path


def test_every_kind_is_shown_and_nothing_is_fetched(tmp_path: Path) -> None:
    files = ["a.webp", "b.png", "c.jpg", "d.mp4", "e.opus", "f.wav"]
    jobs = [Job(name, tmp_path / name) for name in files]
    jobs += [Job("annotation", words(tmp_path)), Job("solid", shape(tmp_path))]
    jobs[0].task_input = {"prompt": '"<b>fox</b>"', "referenceImages": [{"dataBase64": "A" * 5000}]}
    page = write_sheet(jobs, tmp_path).read_text()
    assert (page.count("<img "), page.count("<video "), page.count("<audio "), page.count("<iframe ")) == (3, 1, 2, 1)
    assert "&lt;dawn&gt; <small>0.50</small>" in page
    assert "<b>fox" not in page
    assert "AAAA" not in page
    assert "8 jobs of 1 tasks, $0.320000 together" in page
    for named in re.findall(r'(?:src|href)="([^"]+)"', page):
        assert "/" not in named
    viewer = (tmp_path / "shape.html").read_text()
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', viewer + page)


def test_another_viewer_page_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheet, "scene_to_html", lambda scene: "<html></html>")
    with pytest.raises(LookupError, match="has changed"):
        write_sheet([Job("solid", shape(tmp_path))], tmp_path)


def promise(path: Path, type_: str, **facts: Any) -> dict[str, Any]:
    return {"type": type_, "bytes": path.stat().st_size, "width": None, "height": None, "seconds": None} | facts


def test_files_are_opened_and_compared_with_what_was_promised(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", frames=30)
    size = {"width": 160, "height": 90, "seconds": 1.0}
    assert check_file(clip, promise(clip, "video/mp4", **size)) == "MP4 160×90, 1.00 s, 30 frames, with sound"
    sound = tmp_path / "a.wav"
    ffmpeg("-f", "lavfi", "-i", "sine=d=2:r=24000", "-ac", "2", sound)
    assert check_file(sound, promise(sound, "audio/wav", seconds=2.0)) == "pcm_s16le 2.00 s, stereo"
    assert check_file(words(tmp_path), promise(words(tmp_path), "application/json")) == "JSON, 1 words, 0 sections"
    solid = shape(tmp_path)
    assert check_file(solid, promise(solid, "model/gltf-binary")) == "GLB, 12 triangles"
    for path, wrong in (
        (clip, promise(clip, "video/mp4", **{**size, "width": 162})),
        (clip, promise(clip, "video/mp4", **{**size, "seconds": 1.2})),
        (clip, promise(clip, "video/mp4", **size) | {"bytes": 5}),
        (sound, promise(sound, "audio/wav", seconds=2.01)),
    ):
        with pytest.raises(DemoFailed, match="promised"):
            check_file(path, wrong)
