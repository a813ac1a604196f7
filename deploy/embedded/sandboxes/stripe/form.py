"""Stripe's form encoding: `metadata[a]=b`, `line_items[0][quantity]=1`, `expand[]=x` as nested values."""

import re
from typing import Any
from urllib.parse import parse_qsl

_PART = re.compile(r"\[([^\[\]]*)\]")


def decode(encoded: str) -> dict[str, Any]:
    """The parameters of a body or a query; every leaf is text."""
    found: dict[str, Any] = {}
    for name, value in parse_qsl(encoded, keep_blank_values=True):
        head, bracket, _ = name.partition("[")
        keys = [head, *_PART.findall(name[len(head) :])] if bracket else [name]
        place = found
        for key in keys[:-1]:
            inner = place.setdefault(key or str(len(place)), {})
            if not isinstance(inner, dict):
                inner = place[key] = {}
            place = inner
        last = keys[-1]
        place[last or str(len(place))] = value
    return {name: _with_lists(value) for name, value in found.items()}


def _with_lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {key: _with_lists(each) for key, each in value.items()}
    if inner and list(inner) == [str(place) for place in range(len(inner))]:
        return list(inner.values())
    return inner
