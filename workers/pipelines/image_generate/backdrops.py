"""Which painter draws a setting. Each takes a Stage and leaves a finished landscape on its canvas."""

from collections.abc import Callable

from workers.pipelines.image_generate.paint_cosmos import paint_abstract, paint_planet, paint_space
from workers.pipelines.image_generate.paint_indoors import paint_room, paint_studio
from workers.pipelines.image_generate.paint_land import (
    paint_city,
    paint_desert,
    paint_forest,
    paint_meadow,
    paint_mountains,
    paint_snow,
)
from workers.pipelines.image_generate.paint_sky import paint_above_clouds
from workers.pipelines.image_generate.paint_water import paint_beach, paint_sea, paint_underwater
from workers.pipelines.image_generate.stage import Stage

PAINTERS: dict[str, Callable[[Stage], None]] = {
    "meadow": paint_meadow, "forest": paint_forest, "mountains": paint_mountains, "desert": paint_desert,
    "snow": paint_snow, "city": paint_city, "beach": paint_beach, "sea": paint_sea, "underwater": paint_underwater,
    "space": paint_space, "planet": paint_planet, "abstract": paint_abstract, "sky": paint_above_clouds,
    "room": paint_room, "studio": paint_studio,
}  # fmt: skip
