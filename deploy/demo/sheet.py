"""The contact sheet: one HTML page beside the demo's files that shows them all, without any network."""

import html
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import trimesh
from trimesh.viewer.notebook import scene_to_html

_STYLE = Path(__file__).with_name("sheet.css")

_RENDERER = "renderer=new THREE.WebGLRenderer({antialias:true});"
_ANIMATE = "function animate(){requestAnimationFrame(animate);controls.update();"
_MENDED = {
    # trimesh's page shows linear light as if it were sRGB, and one lamp alone leaves black shadows.
    _RENDERER: _RENDERER
    + "renderer.outputEncoding=THREE.sRGBEncoding;scene.add(new THREE.HemisphereLight(0xffffff,0xb8b8c8,0.55));",
    "new THREE.DirectionalLight(0xffffff,1.75)": "new THREE.DirectionalLight(0xffffff,0.85)",
    "scene.background=new THREE.Color(0xffffff)": "scene.background=new THREE.Color(0xf3f3f6)",
    # It turns by itself until somebody takes hold of it.
    _ANIMATE: "var turning=true;addEventListener('pointerdown',function(){turning=false;});"
    f"{_ANIMATE}if(turning){{scene.traverse(function(part)"
    "{if(part.isMesh)part.rotation.y=performance.now()/3000;});render();}",
}


class Shown(Protocol):
    """One finished job as the sheet shows it."""

    name: str
    task: str
    task_input: dict[str, Any]
    status: dict[str, Any]
    price_micros: int
    saved: Path
    facts: str


def write_sheet(finished: Sequence[Shown], folder: Path) -> Path:
    """Write `index.html`, and a viewer beside each shape, into `folder`, where the jobs' files are; the page's path."""
    cards = "\n".join(_card(job, folder) for job in finished)
    total = sum(job.price_micros for job in finished) / 1_000_000
    page = folder / "index.html"
    page.write_text(
        f"""<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Killa Tamata: what the demo made</title><style>{_STYLE.read_text()}</style></head>
<body>
<h1>What the demo made</h1>
<p>{len(finished)} jobs of {len({job.task for job in finished})} tasks, ${total:.6f} together;
each was queued, run by a worker, called back, billed and checked.</p>
<main>
{cards}
</main>
</body>
</html>
"""
    )
    return page


def _card(job: Shown, folder: Path) -> str:
    upstream = job.status["result"].get("upstream") or {}
    ran = job.status["durationMs"] / 1000
    details = json.dumps(upstream, indent=1, ensure_ascii=False)
    asked = json.dumps(_short(job.task_input), indent=1, ensure_ascii=False)
    return f"""<article id="{html.escape(job.name)}">
<div class="show">{_shown(job, folder)}</div>
<div class="told"><h2>{html.escape(job.name)} <code>{html.escape(job.task)}</code></h2>
<dl><dt>file</dt><dd>{html.escape(job.facts)}</dd><dt>ran</dt><dd>{ran:.2f} s</dd>
<dt>price</dt><dd>${job.price_micros / 1_000_000:.6f}</dd>
<dt>download</dt><dd><a href="{html.escape(job.saved.name)}">{html.escape(job.saved.name)}</a></dd></dl>
<details><summary>What was asked</summary><pre>{html.escape(asked)}</pre></details>
<details><summary>What the engine says</summary><pre>{html.escape(details)}</pre></details></div>
</article>"""


def _shown(job: Shown, folder: Path) -> str:
    source = html.escape(job.saved.name)
    match job.saved.suffix:
        case ".webp" | ".png" | ".jpg":
            return f'<img src="{source}" alt="{html.escape(str(job.task_input.get("prompt", "")))}">'
        case ".mp4":
            return f'<video src="{source}" controls loop muted playsinline preload="auto"></video>'
        case ".opus" | ".wav":
            return f'<audio src="{source}" controls preload="auto"></audio>'
        case ".glb":
            return f'<iframe src="{html.escape(_viewer(job.saved, folder))}" title="{source} in 3D"></iframe>'
        case ".json":
            return _words(json.loads(job.saved.read_text()))
        case _:
            return f'<a href="{source}">{source}</a>'


def _viewer(shape: Path, folder: Path) -> str:
    """Write a page of its own that turns the shape, three.js within it, so that it needs no network; its name.

    Raises:
        LookupError: trimesh's viewer page is not the one whose light we mend here.
    """
    content = scene_to_html(trimesh.load_scene(shape))
    for found, instead in _MENDED.items():
        if content.count(found) != 1:
            raise LookupError(f"trimesh's viewer page has changed: {found!r}")
        content = content.replace(found, instead)
    page = folder / f"{shape.stem}.html"
    page.write_text(content)
    return page.name


def _words(document: dict[str, Any]) -> str:
    words = (
        f"<span>{html.escape(word['text'])} <small>{word['start']:.2f}</small></span>" for word in document["words"]
    )
    return f'<div class="words">{" ".join(words)}</div>'


def _short(value: Any) -> Any:
    """Without the bytes of inline media."""
    if isinstance(value, dict):
        return {key: "…" if key == "dataBase64" else _short(inner) for key, inner in value.items()}
    return [_short(inner) for inner in value] if isinstance(value, list) else value
