"""From the media that an input model was given to the sources of an order."""

from typing import Any

from media.catalog.task import Adjustment, MediaKind, Source
from workers.protocol.inputs.media import Given


def source_of(given: Given, *, field: str, kind: MediaKind, index: int = 0, probe: bool = False) -> Source:
    """The source that goes to the worker as `field`[`index`]; errors will name the field it was given in."""
    media, path = given.media, f"input.{given.field}"
    if isinstance(media, str):
        return Source(field=field, index=index, path=path, kind=kind, url=media, probe=probe)
    return Source(
        field=field,
        index=index,
        path=path,
        kind=kind,
        url=media.url,
        data_base64=media.data_base64,
        mime_type=media.mime_type,
        probe=probe,
    )


def path_of(given: Given) -> str:
    """Where it stood in the request, and the key of its facts."""
    return f"input.{given.field}"


def shown(given: Given) -> Any:
    """What an effective input says of it: the URL; inline bytes are named, not repeated."""
    media = given.media
    if isinstance(media, str):
        return media
    return media.url or {"inline": True, "mimeType": media.mime_type}


def shown_under(field: str, given: Given | None) -> dict[str, Any]:
    """`shown` as a member of an effective input, or nothing."""
    return {field: shown(given)} if given is not None else {}


def shown_list(field: str, given: list[Given]) -> dict[str, Any]:
    """Several of them in the order they are used, or nothing."""
    return {field: [shown(one) for one in given]} if given else {}


def size_wins(aspect_ratio: str | None, *, width: int, height: int) -> list[Adjustment]:
    """The adjustment to report where a size and an aspect ratio were both asked for."""
    if aspect_ratio is None:
        return []
    return [
        Adjustment(
            field="aspectRatio",
            requested=aspect_ratio,
            effective=f"{width}x{height}",
            reason="width and height win over aspectRatio",
        )
    ]
