"""The words that are not objects: settings, hours, weather, styles, colours, sizes, places, numbers, relations.

Every table maps one plain term of the composer to the words and phrases people use for it.
"""

SETTINGS = {
    "meadow": "meadow field grassland park garden farm farmland countryside hill hills prairie pasture savanna savannah"
    " lawn grass outdoors nature landscape valley vineyard backyard campground picnic",
    "forest": "forest woods woodland jungle rainforest grove taiga enchanted_forest trees swamp",
    "mountains": "mountains mountain alps peaks peak summit cliff highlands canyon volcano ridge himalayas",
    "desert": "desert dunes dune sahara wasteland sand wild_west badlands oasis",
    "beach": "beach seaside shore coast seashore island tropical tropics lagoon bay",
    "sea": "sea ocean lake river water waves harbor harbour seas pond at_sea high_seas",
    "underwater": "underwater under_water under_the_sea under_the_ocean undersea deep_sea aquarium seabed"
    " beneath_the_waves ocean_floor beneath_the_sea bottom_of_the_sea coral_reef",
    "city": "city town_square street downtown skyline metropolis urban alley alleyway new_york tokyo london paris road"
    " skyscrapers skyscraper cityscape avenue boulevard sidewalk rooftop buildings building",
    "space": "space outer_space galaxy cosmos universe nebula orbit interstellar starfield cosmic galactic milky_way"
    " deep_space sci-fi",
    "planet": "on_the_moon on_mars moonscape lunar lunar_surface alien_planet mars surface_of_the_moon alien_world"
    " another_planet moon_surface crater",
    "sky": "sky in_the_air heaven above_the_clouds flying_through_the_air midair airborne",
    "snow": "snow snowy winter arctic tundra antarctica glacier ice_field frozen icy north_pole wintry iceberg",
    "room": "room bedroom kitchen living_room interior indoors office library cafe café restaurant bar studio_apartment"
    " classroom hall bathroom attic inside at_home lounge",
    "studio": "still_life studio table tabletop desk plain_background white_background product_shot on_a_table"
    " on_the_table product isolated studio_lighting pedestal",
}

HOURS = {
    "dawn": "dawn sunrise daybreak morning early_morning first_light misty_morning",
    "noon": "noon midday day daytime daylight sunny sunlight sunlit bright_day afternoon clear_sky blue_sky",
    "sunset": "sunset golden_hour evening dusk twilight sundown late_afternoon setting_sun",
    "night": "night nighttime midnight starry moonlight moonlit night_sky starry_night night-time nocturnal dark_night"
    " starlight full_moon starry_sky in_the_dark",
}

HEAVENS = {
    "sun": "sun the_sun",
    "moon": "moon full_moon the_moon moonlight moonlit",
    "rainbow": "rainbow rainbows",
    "stars": "stars starry starlight night_sky starry_sky",
}
"""What the backdrop itself hangs in the sky."""

WEATHER = {
    "rain": "rain rainy raining drizzle downpour wet",
    "snowfall": "snowing snowfall snowflakes snowflake blizzard snowstorm falling_snow",
    "fog": "fog foggy mist misty haze hazy",
    "storm": "storm stormy thunderstorm lightning thunder tempest hurricane",
    "clouds": "clouds cloudy overcast cloudscape",
}

STYLES = {
    "watercolor": "watercolor watercolour aquarelle gouache watercolors watercolours",
    "oil": "oil_painting oil_paint oil_on_canvas painterly impasto baroque renaissance painted painting acrylic",
    "impressionist": "impressionist impressionism van_gogh monet post-impressionist brush_strokes brushstrokes",
    "pointillism": "pointillism pointillist seurat dotted",
    "pencil": "pencil_sketch pencil_drawing sketch sketched graphite line_drawing drawing hand-drawn",
    "charcoal": "charcoal charcoal_drawing ink_wash",
    "pixel": "pixel_art pixelated 8-bit 8bit 16-bit 16bit pixels retro_game",
    "noir": "noir film_noir black_and_white black-and-white monochrome grayscale greyscale b&w",
    "pop": "pop_art warhol lichtenstein comic comics comic_book manga halftone cartoon",
    "lowpoly": "low_poly low-poly lowpoly polygonal geometric origami faceted",
    "neon": "neon cyberpunk cyber futuristic glowing_lights blade_runner tron",
    "synthwave": "synthwave vaporwave retrowave outrun 80s eighties",
    "vintage": "vintage sepia retro old_photo antique daguerreotype nostalgic 1920s 1950s polaroid old_photograph",
    "flat": "flat minimal minimalist minimalism vector flat_design simple icon clean_vector",
    "cinematic": "cinematic movie_still film_still epic dramatic_lighting movie anamorphic blockbuster photorealistic"
    " realistic dramatic photo photograph hyperrealistic",
    "stainedglass": "stained_glass stained-glass stainedglass mosaic",
    "woodblock": "woodblock ukiyo-e ukiyo_e hokusai linocut japanese_print woodcut screenprint risograph",
    "dreamy": "dreamy pastel ethereal soft whimsical fairytale fairy_tale storybook magical surreal dreamlike kawaii"
    " cute children's_book",
}

COLORS = {
    "red": "#d9302c", "crimson": "#a8142d", "scarlet": "#e0301e", "maroon": "#6d1a2a", "burgundy": "#70162e",
    "pink": "#f490b4", "magenta": "#d3258f", "fuchsia": "#dc2fa5", "coral_colored": "#ff7f63",
    "salmon_pink": "#f69a8a", "orange": "#f0801f", "amber": "#f4a91c", "gold": "#dfae37", "golden": "#dfae37",
    "yellow": "#f6d32b", "mustard": "#c99a1f", "cream": "#f6ecd2", "beige": "#dcc9a6", "brown": "#7b4a2a",
    "bronze": "#a5713a", "copper": "#b86b3f", "green": "#3f9a3a", "emerald": "#139a66", "lime_green": "#9bd12f",
    "mint": "#9fe0c0", "olive_green": "#77802f", "teal": "#168a8a", "turquoise": "#34c6bd", "cyan": "#27bfdc",
    "aqua": "#4fd3da", "blue": "#2d6fd2", "navy": "#1d2f63", "azure": "#3d96ee", "sapphire": "#1a49ae",
    "indigo": "#46349b", "cobalt": "#1f47b5", "purple": "#7d3fa8", "violet": "#8b4fd1", "lilac": "#c3a2dc",
    "lavender_colored": "#b9a5e3", "white": "#f5f4f0", "ivory": "#f4eedd", "silver": "#bcc3ca", "gray": "#86898d",
    "grey": "#86898d", "black": "#26252b",
}  # fmt: skip
"""Colour names to sRGB. A name that is also an object (rose, coral) stays an object."""

SHADES = {"light": 0.35, "pale": 0.45, "bright": 0.1, "dark": -0.4, "deep": -0.3, "pastel": 0.4, "neon": 0.08}
"""A word before a colour: how far to move it towards white, or towards black below zero."""

TINTED = {
    "sky", "background", "backdrop", "light", "lighting", "lights", "tones", "palette", "hues", "colors", "colours",
    "atmosphere", "mood", "glow", "water", "sea", "ocean", "grass", "sand", "wall", "walls", "horizon", "scene",
}  # fmt: skip
"""A colour before one of these grades the whole picture instead of an object."""

SIZES = {
    "giant": 1.7, "huge": 1.55, "enormous": 1.7, "gigantic": 1.7, "massive": 1.55, "colossal": 1.8, "big": 1.3,
    "large": 1.3, "tall": 1.25, "small": 0.7, "little": 0.72, "tiny": 0.5, "miniature": 0.5, "mini": 0.6,
    "short": 0.85,
}  # fmt: skip

NUMBERS = {
    "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "eleven": 11, "twelve": 12, "dozen": 12, "pair_of": 2, "couple_of": 2, "few": 3, "several": 5, "many": 8,
    "flock_of": 7, "herd_of": 6, "bunch_of": 5, "group_of": 5, "school_of": 9, "lots_of": 9, "row_of": 5,
    "pack_of": 5, "swarm_of": 12, "fleet_of": 5, "field_of": 12,
}  # fmt: skip
MAX_COUNT = 24

PLACES = {
    "left": "on_the_left left_side to_the_left at_left far_left",
    "right": "on_the_right right_side to_the_right at_right far_right",
    "center": "in_the_center in_the_centre in_the_middle centered centred at_the_center center centre",
    "near": "in_the_foreground foreground in_front up_close close_up close-up closeup",
    "far": "in_the_background in_the_distance distant far_away faraway on_the_horizon background",
    "top": "at_the_top top overhead in_the_sky",
    "bottom": "at_the_bottom bottom",
}

RELATIONS = {
    "left_of": "left_of to_the_left_of on_the_left_of",
    "right_of": "right_of to_the_right_of on_the_right_of",
    "above": "above over hovering_over floating_above hovering_above flying_over flying_above jumping_over",
    "below": "below beneath underneath under",
    "on": "on on_top_of riding sitting_on standing_on atop upon perched_on sits_on rides lying_on sleeping_on sat_on",
    "behind": "behind in_back_of",
    "before": "in_front_of before",
    "beside": "next_to beside near by alongside",
    "between": "between in_between amid amidst",
    "wearing": "wearing wears dressed_in with_a_hat_of",
    "in": "in inside within driving",
    "with": "with and holding carrying plus",
}

MOODS = {
    "autumn": "autumn autumnal fall",
    "warm": "warm cozy cosy autumn romantic",
    "cold": "cold cool chilly icy frozen winter",
    "dark": "dark gloomy moody eerie spooky creepy scary gothic sinister horror",
    "vivid": "vibrant vivid colorful colourful saturated psychedelic rainbow-colored cheerful summer spring",
    "muted": "muted faded desaturated subtle calm serene peaceful",
}

NEGATIONS = {"no", "without", "not", "never"}

WEARABLE = {
    "hat": ("top hat", "crown", "sun hat", "graduation cap", "cap", "military helmet", "rescue helmet", "ribbon"),
    "eyes": ("glasses", "sunglasses", "goggles"),
    "neck": ("scarf", "necktie", "medal", "prayer beads"),
    "ears": ("headphones",),
}
"""Where on a head the accessories of the lexicon go."""

FILLER = frozenset(
    """
    a an the of to at is are was be being been it its this that these those some very really so then there here as
    from for into onto through across around against toward towards up down out off i me my we our you your he she
    they his her their him them who which what where when while also just only more most much less such like make
    made create draw generate render show showing shows image picture illustration photo scene view shot artwork art
    style styled style_of in_style please want with_a high detail detailed highly quality masterpiece best 4k 8k hd
    uhd ultra resolution sharp focus beautiful gorgeous stunning nice pretty lovely amazing awesome wonderful
    trending artstation depth_of_field bokeh wide angle background_of standing sitting looking walking running
    flying playing full body one single lone or but flies watches digital concept very_detailed intricate aesthetic
    composition lit set featuring depicting together all any each other another one's has have having had can will
    do does 3d rendered high-quality
    """.split()  # noqa: SIM905
)
"""Words that say nothing to the composer and are not worth reporting as unknown."""
