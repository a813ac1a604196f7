"""The documents in words: `/llms.txt`, and the files of the skill. Tables come from routes and catalogue."""

import json
from collections.abc import Iterator
from functools import cache
from itertools import groupby
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string

from billing.micros import usd
from billing.price_versions import NoPrice, current_price_version
from core import clock
from core.operations import BOOTSTRAP, PUBLIC
from gateway.discovery.prose import TAGS
from gateway.discovery.release import (
    API_DOCS_PATH,
    API_VERSION,
    COMPATIBILITY,
    LLMS_PATH,
    OPENAPI_PATH,
    PLUGIN_PATH,
    SKILL_NAME,
    SKILL_ROOT,
    SKILLS_PATH,
    TITLE,
)
from gateway.discovery.routes import Route, api_routes
from media import reference
from media.catalog import registry
from media.catalog.task import Task
from media.sources import MAX_INLINE_BYTES, MAX_INLINE_BYTES_TOGETHER

SUMMARY = "Images, video, speech, music, sound effects and 3D models: media jobs with a price known before they run."
SKILL_DESCRIPTION = (
    f"Make media with the {TITLE} API: generate or edit images, generate, resize or join video, speak text, write "
    "songs and sound effects, time lyrics to a song, turn a picture into a 3D model. Use it when the user asks for "
    "such a file, for its price, or for a key, the balance or a job of this API."
)


def llms_text() -> str:
    """What the platform is, every route, every task with its price today and its limits."""
    return _rendered("llms.txt", tasks="\n".join(line for task in registry.offered() for line in _priced_task(task)))


def skill_text() -> str:
    """How to use the API, for a coding agent. The same as long as the release is: today's figures are not in it."""
    return _rendered("SKILL.md", tasks="\n".join(line for task in registry.offered() for line in _shown_task(task)))


def agent_yaml() -> str:
    """What a list of skills shows of this one."""
    interface = {
        "display_name": TITLE,
        "short_description": "Generate images, video, speech, music, sounds and 3D models",
        "default_prompt": f"Use ${SKILL_NAME} to generate an image of a red fox in fresh snow and save it here.",
    }
    return "interface:\n" + "".join(f"  {name}: {json.dumps(value)}\n" for name, value in interface.items())


def _rendered(template: str, **more: str) -> str:
    site = settings.SITE_URL
    context: dict[str, Any] = {
        "title": TITLE,
        "summary": SUMMARY,
        "description": json.dumps(SKILL_DESCRIPTION, ensure_ascii=False),
        "skill": SKILL_NAME,
        "release": API_VERSION,
        "policy": COMPATIBILITY,
        "site": site,
        "api": settings.API_BASE_URL,
        "openapi": site + OPENAPI_PATH,
        "docs": site + API_DOCS_PATH,
        "llms": site + LLMS_PATH,
        "plugin": site + PLUGIN_PATH,
        "skills": site + SKILLS_PATH,
        "root": site + SKILL_ROOT,
        "contact": settings.CONTACT_EMAIL,
        "legal": settings.LEGAL_INFO_URL,
        "limits": settings.RATE_LIMITS,
        "inline_megabytes": MAX_INLINE_BYTES // 1_000_000,
        "together_megabytes": MAX_INLINE_BYTES_TOGETHER // 1_000_000,
        "example": submit_body(registry.all_tasks()["image.generate"]),
        "routes": "\n".join(_routes()),
    }
    return render_to_string(f"discovery/{template}", context | more)


def submit_body(task: Task) -> str:
    """The smallest useful body of a submit, as JSON."""
    return json.dumps({"task": task.name, "input": dict(task.example_input)}, ensure_ascii=False)


def _routes() -> Iterator[str]:
    """Every route by tag, as Markdown."""
    routes = sorted(api_routes(), key=lambda route: list(TAGS).index(route.declaration.tag))
    for tag, tagged in groupby(routes, key=lambda route: route.declaration.tag):
        yield f"### {tag}\n"
        yield f"{TAGS[tag]}\n"
        yield from (_route(route) for route in tagged)
        yield ""


def _route(route: Route) -> str:
    declared = route.declaration
    query = "&".join(f"{parameter.name}=" for parameter in declared.parameters if parameter.location == "query")
    needs = {PUBLIC: "no key", BOOTSTRAP: "a key, a session or an ID token"}.get(
        declared.scope, f"scope `{declared.scope}`"
    )
    gone = "; deprecated" if declared.deprecated else ""
    path = f"{route.path}?{query}" if query else route.path
    return f"- `{route.method} {path}` ({needs}{gone}): {declared.summary}"


def _priced_task(task: Task) -> Iterator[str]:
    try:
        coefficients = current_price_version(task=task.name, now=clock.now()).coefficients
    except NoPrice:  # not published yet: what it will be published with
        coefficients = task.coefficients
    yield f"### {task.name}\n"
    yield f"{task.title}.\n"
    yield f"- Price in micros: {task.explanation}"
    yield f"- Today: {', '.join(f'{name} = {value}' for name, value in coefficients.items())}"
    yield f"- Minimum: ${usd(task.floor_micros)}"
    yield f"- Takes {task.eta_range[0]:g} to {task.eta_range[1]:g} s"
    yield f"- Example: `{submit_body(task)}`\n"
    yield from _fields(task.name)
    yield ""


@cache
def _fields(task: str) -> tuple[str, ...]:
    return tuple(reference.fields_table(registry.all_tasks()[task]))


def _shown_task(task: Task) -> Iterator[str]:
    yield f"### {task.name}\n"
    yield f"{task.title}. At least ${usd(task.floor_micros)}: {task.explanation}.\n"
    yield f"```json\n{submit_body(task)}\n```\n"
