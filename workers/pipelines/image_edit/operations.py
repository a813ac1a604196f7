"""All operations by their names, and how one is kept to a region."""

from collections.abc import Mapping

from workers.pipelines.image_edit import (
    background,
    erase,
    focus,
    frame,
    lettering,
    light,
    objects,
    recolor,
    styles,
    tone,
    weather,
)
from workers.pipelines.image_edit.picture import Bench, Edit, NotDone, Operation, Picture, mixed
from workers.pipelines.image_edit.regions import region

OPERATIONS: Mapping[str, Operation] = {
    name: operation
    for module in (tone, light, weather, focus, frame, lettering, recolor, background, objects, erase, styles)
    for name, operation in module.OPERATIONS.items()
}


def apply(picture: Picture, edit: Edit, bench: Bench) -> Picture:
    """One edit on a picture, everywhere or in the region it names.

    Raises:
        NotDone: it cannot be done on this picture.
    """
    if edit.name == "part":
        raise NotDone(f'"{edit.said}" cannot be told apart from the rest: this engine has no recogniser for it.')
    changed = OPERATIONS[edit.name](picture, edit, bench)
    if "region" not in edit.args:
        return changed
    return mixed(picture, changed.rgb, region(picture, edit.args["region"]))
