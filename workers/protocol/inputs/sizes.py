"""Canvas rules that several tasks share."""

from workers.protocol.inputs.base import fault_of
from workers.protocol.inputs.media import MAX_PIXELS


def check_size(width: int | None, height: int | None) -> None:
    """Both or neither, and at most 4 MP.

    Raises:
        PydanticCustomError: naming both fields.
    """
    if (width is None) != (height is None):
        raise fault_of("width", "height", reason="width and height must be given together")
    if width and height and width * height > MAX_PIXELS:
        raise fault_of("width", "height", reason=f"width × height must not pass {MAX_PIXELS} pixels (4 MP)")
