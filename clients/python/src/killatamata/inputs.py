"""Media of a task's input: by URL, or a file of this machine inline."""

from __future__ import annotations

import base64
import os
from pathlib import Path

from killatamata.errors import UsageError

LARGEST_FILE = 25_000_000
"""What the server takes inline for one file, in bytes."""


class UnusableFile(UsageError):
    """This file cannot be sent inline."""


def inline(path: str | os.PathLike[str]) -> dict[str, str]:
    """A file as the input fields for images and sounds take it: `{"dataBase64": …}`. The server tells its type itself.

    Raises:
        UnusableFile: it does not exist, cannot be read, is empty or too large.
    """
    file = Path(path)
    try:
        content = file.read_bytes() if file.stat().st_size <= LARGEST_FILE else None
    except OSError as error:
        raise UnusableFile(f"{file} cannot be read: {error.strerror or type(error).__name__}.") from None
    if content is None:
        raise UnusableFile(f"{file} is larger than {LARGEST_FILE // 1_000_000} MB; give it by URL.")
    if not content:
        raise UnusableFile(f"{file} is empty.")
    return {"dataBase64": base64.b64encode(content).decode()}


def media(value: str) -> dict[str, str]:
    """What somebody typed for an image or a sound: an http(s) URL, or the path of a file.

    Raises:
        UnusableFile: the file cannot be sent inline.
    """
    return {"url": value} if value.startswith(("https://", "http://")) else inline(value)
