"""The words of edits: which operation each phrase asks for, what can be turned up and down, what says nothing.

Underscores are spaces. Objects, colours, settings and art styles come from image.generate's vocabulary.
"""

EFFECTS = {
    # tone
    "warmer": "warmer warm warm_up warmth warm_tones warm_tone cozy cosy warm_colors warm_colours",
    "cooler": "cooler cool cool_down cold colder cool_tones cool_tone blue_tones icy chilly",
    "brighter": "brighter bright brighten lighten lighter overexposed high_key light_up",
    "darker": "darker dark darken dim dimmer low_key underexposed moody gloomy",
    "contrast": "contrast contrasty punchy punchier high_contrast more_pop crisp hard_contrast",
    "flatter": "low_contrast flat_contrast soft_contrast less_contrasty",
    "vivid": "saturated vivid vibrant colorful colourful saturation vibrance more_colorful rich_colors rich_colours"
    " more_color more_colour punchy_colors vibrant_colors vibrant_colours more_vibrant",
    "muted": "desaturated desaturate muted faded pale subdued washed_out muted_colors muted_colours",
    "black and white": "black_and_white black_&_white black-and-white b&w bw b/w monochrome grayscale greyscale"
    " gray_scale grey_scale monochromatic colorless",
    "sepia": "sepia sepia_tone sepia-toned sepia_toned brown_tone",
    "noir": "noir film_noir noir_film film-noir hard-boiled noir_style",
    "vintage": "vintage retro old_photo old_photograph antique aged nostalgic 70s 1970s seventies old-fashioned analog"
    " analogue film_look kodak lomo lomography",
    "teal and orange": "teal_and_orange orange_and_teal teal_&_orange teal-and-orange blockbuster hollywood",
    "cinematic": "cinematic movie_still film_still movie_look filmic cinema dramatic epic",
    "hdr": "hdr high_dynamic_range tone_mapped tone-mapped",
    "clarity": "clarity local_contrast texture structure detailed more_detailed more_detail enhance_details",
    "cross process": "cross_process cross_processed cross-processed cross-process",
    "bleach bypass": "bleach_bypass gritty silver_retention",
    "infrared": "infrared infra-red",
    "negative": "negative invert inverted invert_colors invert_colours invert_the_colors invert_the_colours",
    "pastel": "pastel pastels pastel_colors pastel_colours soft_colors soft_colours",
    "duotone": "duotone duo-tone two-tone",
    "matte": "matte matte_finish lifted_blacks matte_look",
    "cyanotype": "cyanotype blueprint",
    "thermal": "thermal heatmap heat_map thermal_camera heat_vision",
    "shadows up": "lift_shadows lift_the_shadows open_up_the_shadows recover_shadows brighten_shadows"
    " brighten_the_shadows",
    "highlights down": "recover_highlights recover_the_highlights tame_the_highlights",
    "white balance": "white_balance fix_white_balance correct_white_balance color_correct colour_correct"
    " fix_the_colors fix_the_colours color_cast colour_cast neutral_colors color_correction colour_correction",
    "enhance": "enhance improve auto_enhance retouch fix beautify professional make_it_better optimize optimise"
    " touch_up clean_up auto-enhance",
    # light
    "golden hour": "golden_hour golden_light warm_sunlight sunlit sunny sunshine late_afternoon_light morning_light"
    " sunlight sunny_day daylight",
    "sunset": "sunset sundown dusk sunrise dawn evening_light setting_sun",
    "night": "night nighttime night-time at_night midnight night_scene after_dark day_to_night",
    "moonlight": "moonlight moonlit moon_light",
    "spotlight": "spotlight spot_light stage_light stage_lighting",
    "vignette": "vignette vignetting dark_edges darkened_edges dark_corners",
    "rim light": "rim_light rim_lighting rimlight backlight backlit back_light backlighting edge_light",
    "bloom": "bloom glow glowing soft_glow dreamy orton_effect orton ethereal halation dream-like dreamlike",
    "sun rays": "sun_rays sunrays god_rays light_rays sunbeams sun_beams rays_of_light light_beams crepuscular_rays"
    " light_shafts volumetric_light volumetric_lighting",
    "lens flare": "lens_flare lensflare flare sun_flare",
    "light leak": "light_leak light_leaks film_burn",
    "neon light": "neon_light neon_lights neon_lighting neon_glow",
    "candlelight": "candlelight candlelit firelight fire_light candle_light",
    "studio light": "studio_light studio_lighting softbox soft_light soft_lighting",
    # weather
    "rain": "rain rainy raining drizzle downpour wet",
    "snow": "snow snowy snowing snowfall snowflakes blizzard falling_snow winter wintry winter_scene",
    "fog": "fog foggy mist misty haze hazy smoky smoke",
    "storm": "storm stormy thunderstorm lightning thunder lightning_bolt",
    "autumn": "autumn autumnal fall fall_colors fall_colours autumn_colors autumn_colours",
    # focus
    "blur": "blur blurry blurred gaussian_blur out_of_focus defocus defocused soften soft_focus softer soft smooth",
    "blur background": "bokeh shallow_depth_of_field depth_of_field portrait_mode background_blur blurred_background"
    " blurry_background bokeh_background out_of_focus_background soft_background shallow_focus",
    "motion blur": "motion_blur speed_blur movement_blur panning_blur sense_of_speed motion-blur",
    "radial blur": "radial_blur zoom_blur spin_blur zoom_burst",
    "tilt shift": "tilt_shift tilt-shift miniature_effect toy_town miniature_look",
    "sharpen": "sharpen sharp sharper sharpness crisper sharpened in_focus deblur unblur more_sharp",
    "upscale": "upscale super_resolution high_resolution higher_resolution upscaled 4k hi-res high-res",
    "denoise": "denoise denoised reduce_noise remove_noise noise_reduction remove_grain remove_the_noise"
    " remove_the_grain clean smooth_out_noise less_noise less_grain noiseless",
    "grain": "grain grainy film_grain noise noisy film-grain",
    "dehaze": "dehaze remove_haze remove_fog remove_the_haze remove_the_fog clear_the_haze clear_haze less_hazy",
    "glitch": "glitch glitchy glitch_effect vhs chromatic_aberration datamosh rgb_split glitch_art",
    "pixelate": "pixelate pixelated censor mosaic_censor",
    # frame
    "mirror": "mirror mirrored mirror_image flip flip_horizontally horizontal_flip flop flip_left_to_right reverse",
    "flip": "flip_vertically upside_down vertical_flip flip_upside_down flip_it_upside_down flip_top_to_bottom",
    "zoom in": "zoom_in zoom closer close_up closeup close-up zoomed_in tighter_crop tight_crop zoom_closer",
    "zoom out": "zoom_out zoomed_out wider farther_away further_away pull_back outpaint",
    "border": "border frame framed picture_frame bordered photo_frame",
    "polaroid": "polaroid polaroid_frame instant_photo instant_film polaroid_style polaroid_border",
    "film strip": "film_strip filmstrip letterbox cinema_bars black_bars letterboxed widescreen_bars cinematic_bars",
    "rounded corners": "rounded_corners round_corners round_the_corners rounded_edges rounded",
    "circle": "circle_crop circular crop_to_a_circle crop_to_circle round_crop in_a_circle circle circular_crop",
    # background
    "remove background": "remove_background remove_bg background_removal transparent_background no_background"
    " cutout cut-out isolate without_background transparent background_removed",
    # styles beyond image.generate's
    "comic": "comic comics comic_book comic-book graphic_novel comic_style comic_strip",
    "anime": "anime manga ghibli studio_ghibli cel-shaded cel_shaded cel_shading anime-style cartoon cartoonish"
    " cartoon_style animated animation disney pixar toon",
    "engraving": "engraving engraved etching etched banknote line_engraving woodcut_engraving",
    "mosaic": "mosaic tiles tiled mosaic_tiles roman_mosaic byzantine",
    "line art": "line_art lineart line-art outline outlines coloring_page colouring_page contour ink_drawing ink"
    " pen_and_ink",
    "halftone": "halftone newspaper newsprint halftone_dots",
    "pop art": "pop_art pop-art warhol andy_warhol lichtenstein popart",
    "poster": "poster posterize posterized screen_print screenprint stencil hope_poster propaganda_poster"
    " travel_poster minimalist_poster",
    "noir poster": "noir_poster film_noir_poster noir_film_poster",
    "movie poster": "movie_poster film_poster",
    "cyberpunk": "cyberpunk cyber neon blade_runner futuristic sci-fi tron neon_city neon_style",
    "color pencil": "colored_pencil coloured_pencil color_pencil colour_pencil crayon colored_pencils crayons"
    " pastel_drawing chalk chalk_drawing",
    "starry night": "van_gogh starry_night vincent_van_gogh",
    "expressionist": "expressionist expressionism munch the_scream",
    "cubist": "cubist cubism picasso",
    "abstract": "abstract abstract_art kandinsky abstract_painting",
    "fauvist": "fauvist fauvism matisse",
    "ink wash": "ink_wash sumi-e chinese_painting ink_painting",
}

STYLE_PHRASES = {
    "watercolor": "watercolor watercolour aquarelle gouache watercolors watercolours water_color water_colour",
    "oil": "oil_painting oil_paint oil_on_canvas oil painterly impasto baroque renaissance painted painting acrylic",
    "impressionist": "impressionist impressionism monet brush_strokes brushstrokes renoir",
    "pointillism": "pointillism pointillist seurat dotted",
    "pencil": "pencil_sketch pencil_drawing sketch sketched graphite drawing hand-drawn pencil hand_drawn",
    "charcoal": "charcoal charcoal_drawing charcoal_sketch",
    "pixel": "pixel_art 8-bit 8bit 16-bit 16bit retro_game pixel-art minecraft",
    "lowpoly": "low_poly low-poly lowpoly polygonal origami faceted geometric",
    "synthwave": "synthwave vaporwave retrowave outrun 80s eighties",
    "flat": "flat_design vector vector_art flat_illustration flat_style minimalist minimal",
    "stainedglass": "stained_glass stained-glass stainedglass",
    "woodblock": "woodblock ukiyo-e hokusai linocut japanese_print woodcut risograph woodblock_print",
    "storybook": "storybook fairytale fairy_tale children's_book illustration whimsical",
}
"""Styles that image.generate's passes do, by the pass's name ("storybook" is its "dreamy")."""

DIALS = {
    "brightness": ("brighter", "darker"), "exposure": ("brighter", "darker"), "light": ("brighter", "darker"),
    "contrast": ("contrast", "flatter"), "saturation": ("vivid", "muted"), "vibrance": ("vivid", "muted"),
    "vibrancy": ("vivid", "muted"), "colors": ("vivid", "muted"), "colours": ("vivid", "muted"),
    "color": ("vivid", "muted"), "colour": ("vivid", "muted"), "saturated": ("vivid", "muted"),
    "warmth": ("warmer", "cooler"), "temperature": ("warmer", "cooler"), "warm": ("warmer", "cooler"),
    "bright": ("brighter", "darker"), "dark": ("darker", "brighter"), "cool": ("cooler", "warmer"),
    "vivid": ("vivid", "muted"), "vibrant": ("vivid", "muted"), "colorful": ("vivid", "muted"),
    "colourful": ("vivid", "muted"), "sharpness": ("sharpen", "blur"), "sharp": ("sharpen", "blur"),
    "clarity": ("clarity", "bloom"), "detail": ("clarity", "blur"), "details": ("clarity", "blur"),
    "texture": ("clarity", "blur"), "noise": ("grain", "denoise"), "grain": ("grain", "denoise"),
    "shadows": ("shadows up", "shadows down"), "highlights": ("highlights up", "highlights down"),
    "fog": ("fog", "dehaze"), "haze": ("fog", "dehaze"), "mist": ("fog", "dehaze"), "blur": ("blur", "sharpen"),
    "blurry": ("blur", "sharpen"), "hazy": ("fog", "dehaze"), "contrasty": ("contrast", "flatter"),
    "grainy": ("grain", "denoise"), "noisy": ("grain", "denoise"),
}  # fmt: skip
"""What a picture has more or less of: the operation that turns it up, and down."""

UP = (
    "increase", "raise", "boost", "more", "enhance", "higher", "intensify", "stronger", "improve", "pump up", "turn up",
    "bump", "bump up", "extra", "heighten", "add more", "lift",
)  # fmt: skip
DOWN = (
    "decrease", "reduce", "lower", "less", "remove", "cut", "tone down", "turn down", "weaker", "drop", "minimize",
    "minimise", "lessen", "bring down", "get rid of", "fix", "not so", "without",
)  # fmt: skip

WEAK = ("slightly", "a bit", "a little", "a little bit", "subtle", "subtly", "gently", "gentle", "mild", "a touch",
        "somewhat", "light touch", "lightly", "softly", "a touch of", "a hint of", "slight", "a tad", "subtle touch of",
        "kind of", "bit", "mildly")  # fmt: skip
STRONG = ("very", "much", "strongly", "strong", "heavy", "heavily", "dramatically", "extremely", "a lot", "lots of",
          "super", "really", "far", "intense", "intensely", "deep", "way", "significantly", "thick", "max",
          "maximum", "extreme", "highly", "deeply", "greatly", "a lot of", "ultra")  # fmt: skip
WEAK_AMOUNT, STRONG_AMOUNT = 0.5, 1.7

IMAGE_WORDS = (
    "it", "this", "image", "picture", "photo", "photograph", "scene", "shot", "everything", "pic", "whole image",
    "whole picture", "whole photo", "entire image", "whole thing", "tones", "tone", "colors", "colours", "overall",
)  # fmt: skip

FILLER = frozenset(
    """
    a an the of to at is are be it its this that these those some so then there here as from for into onto with and
    or but i me my we us our you your please can could would want need like look looks looking feel feeling feels
    make makes making give gives apply add adds put use using turn convert change transform edit adjust set get have
    do let effect effects filter style styled style_of mood vibe atmosphere image picture photo photograph scene
    shot pic in on by more overall whole entire just also only bit little lot kind sort touch version lighting light
    lights color colors colour colours tone tones toned keep everything else same without changing unchanged result
    final output nice beautiful great good cool-looking stunning amazing quality high art artistic artwork render
    rendered rendering looks-like appear show all any very really feel-like create new one background's now try
    grade grading treatment finish over through using-a see where they he she them him her his out up down
    """.split()  # noqa: SIM905
)
"""Words that ask for nothing by themselves and are not worth reporting."""

NEGATIONS = ("don't", "dont", "do not", "never", "no", "not")

POSITIONS = {
    "top left": "top_left upper_left top-left upper-left top_left_corner upper_left_corner left_top",
    "top right": "top_right upper_right top-right upper-right top_right_corner upper_right_corner",
    "bottom left": "bottom_left lower_left bottom-left lower-left bottom_left_corner lower_left_corner",
    "bottom right": "bottom_right lower_right bottom-right lower-right bottom_right_corner lower_right_corner",
    "top": "top upper_part above upper top_center top_centre header",
    "bottom": "bottom lower_part below lower bottom_center bottom_centre footer lower_third underneath",
    "left": "left left_side left_edge left-hand_side",
    "right": "right right_side right_edge right-hand_side",
    "center": "center centre middle centered centred",
}

REGIONS = {
    "sky": "sky skies cloud clouds heaven heavens",
    "water": "water sea ocean lake river pool pond waves",
    "ground": "ground grass lawn field road street floor sand pavement meadow dirt path snow beach table",
    "foliage": "leaves leaf trees tree foliage plants plant bushes bush forest greenery vegetation hedge",
    "background": "background backdrop everything_else surroundings wall walls rest",
    "subject": "subject foreground object main_subject main_object person man woman boy girl child baby people guy"
    " lady him her them figure model product item thing character animal portrait",
}
"""What the region finder has a method for. Any other noun is taken as the main subject, and the result says so."""

PARTS = frozenset(
    """
    hair eye eyes lip lips face skin teeth tooth nose hand hands smile mouth beard eyebrows ear ears finger fingers
    arm arms leg legs expression wrinkles freckles pimples acne glasses tattoo makeup pose age gender weight
    text watermark logo letters words writing caption reflection shadow shadows wire wires scratches dust
    """.split()  # noqa: SIM905
)
"""Parts that can't be told apart without a recogniser: refused in a sentence rather than guessed."""

ASPECTS = {
    "square": (1, 1), "1:1": (1, 1), "16:9": (16, 9), "9:16": (9, 16), "4:3": (4, 3), "3:4": (3, 4), "3:2": (3, 2),
    "2:3": (2, 3), "21:9": (21, 9), "4:5": (4, 5), "5:4": (5, 4), "widescreen": (16, 9), "wide": (16, 9),
    "portrait": (3, 4), "landscape": (4, 3), "panorama": (3, 1), "panoramic": (3, 1), "2:1": (2, 1),
    "vertical": (9, 16),
}  # fmt: skip
