"""How an event can be said to sound: one line a modifier. Words as in `vocabulary`; endings are left out of account."""

# ruff: noqa: E501 - a table reads best with one modifier a line

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Modifier:
    """One thing that can be said about an event, or (kind `room`) about the whole sound."""

    kind: str
    name: str
    value: Any
    words: str
    behind: bool = False
    """Said after its event ("far away", "on the left"); the others stand before it, where an event follows."""


NEAR, FAR, VERY_FAR = 0.5, 2.0, 3.0

# fmt: off
MODIFIERS: tuple[Modifier, ...] = (
    Modifier("distance", "close", NEAR, "close closeup near close_up nearby"),
    Modifier("distance", "close", NEAR, "up_close close_by next_to_me right_next_to in_front_of_me in_the_foreground", behind=True),
    Modifier("distance", "distant", FAR, "distant faraway remote far_off far"),
    Modifier("distance", "distant", FAR, "in_the_distance far_away from_afar from_far_away at_a_distance in_distance off_in_the_distance from_a_distance", behind=True),
    Modifier("force", "soft", 0.5, "soft quiet gentle light faint subtle mild weak delicate calm low_volume muted softly quietly gently lightly tender"),
    Modifier("force", "loud", 1.7, "loud heavy hard strong intense powerful violent aggressive furious fierce forceful hefty loudly heavily violently brutal deafening torrential raging"),
    Modifier("size", "small", 0.68, "small tiny little miniature mini high_pitched high_pitch thin baby_sized high"),
    Modifier("size", "big", 1.45, "big large huge giant massive enormous gigantic deep low_pitched low_pitch low colossal bass fat epic"),
    Modifier("rate", "slow", 0.6, "slow slowly leisurely lazy sluggish unhurried"),
    Modifier("rate", "fast", 1.7, "fast quick rapid quickly rapidly hurried frantic swift brisk speedy hectic high_speed furiously"),
    Modifier("pace", "accelerating", 1.0, "accelerating accelerate speed_up faster_and_faster getting_faster quickening speeding_up"),
    Modifier("pace", "slowing", -1.0, "decelerating slow_down slowing getting_slower slower_and_slower decelerate slowing_down"),
    Modifier("stretch", "short", 0.55, "short brief momentary tight"),
    Modifier("stretch", "long", 1.6, "long sustained prolonged lingering extended drawn_out"),
    Modifier("count", "single", 1, "single lone one solitary once just_one only_one", ),
    Modifier("count", "two", 2, "two double twice couple pair two_times a_pair_of"),
    Modifier("count", "three", 3, "three triple thrice few three_times"),
    Modifier("count", "four", 4, "four several four_times"),
    Modifier("count", "five", 5, "five multiple five_times various"),
    Modifier("count", "six", 6, "six half_a_dozen"), Modifier("count", "seven", 7, "seven"),
    Modifier("count", "eight", 8, "eight"), Modifier("count", "nine", 9, "nine"), Modifier("count", "ten", 10, "ten"),
    Modifier("count", "twelve", 12, "twelve dozen"),
    Modifier("count", "many", 0, "many lots countless numerous continuous continuously constant constantly endless nonstop non_stop ongoing repeated repeatedly looping loop repeating again_and_again over_and_over steady"),
    Modifier("pan", "left", (-0.85, -0.85), "left left_side left_ear left_channel on_the_left to_the_left from_the_left", behind=True),
    Modifier("pan", "right", (0.85, 0.85), "right right_side right_ear right_channel on_the_right to_the_right from_the_right", behind=True),
    Modifier("pan", "centre", (0.0, 0.0), "centre center in_the_middle in_the_center in_the_centre mono", behind=True),
    Modifier("pan", "left to right", (-0.9, 0.9), "left_to_right from_left_to_right from_the_left_to_the_right panning across_the_stereo_field", behind=True),
    Modifier("pan", "right to left", (0.9, -0.9), "right_to_left from_right_to_left from_the_right_to_the_left", behind=True),
    Modifier("approach", "approaching", 1.0, "approaching approach coming_closer getting_closer drawing_near coming_near getting_louder growing fade_in fading_in", behind=True),
    Modifier("approach", "receding", -1.0, "receding recede moving_away going_away driving_away getting_quieter fade_out fading_out fading_away fades_away", behind=True),
    Modifier("muffled", "muffled", True, "muffled dampened behind_a_wall behind_a_door through_a_wall through_the_wall behind_closed_doors next_room from_the_next_room in_the_next_room neighbour neighbor from_another_room"),
    Modifier("tone", "dark", -1.0, "dark dull warm murky"),
    Modifier("tone", "bright", 1.0, "bright sharp crisp tinny shrill brilliant piercing"),
    Modifier("background", "background", True, "in_the_background in_background background in_the_backdrop underneath far_behind", behind=True),
    Modifier("background", "background", True, "amid amidst during"),

    Modifier("material", "metal", "metal", "metal metallic steel iron tin aluminium aluminum brass copper sheet_metal corrugated grating"),
    Modifier("material", "wood", "wood", "wood wooden oak plank timber hardwood parquet deck floorboards bamboo"),
    Modifier("material", "glass", "glass", "glass crystal window windowpane window_pane windshield glassy"),
    Modifier("material", "stone", "stone", "stone concrete brick marble tile tiled pavement asphalt cobblestone cobble cement rocky sidewalk tarmac rock"),
    Modifier("material", "plastic", "plastic", "plastic"),
    Modifier("material", "ceramic", "ceramic", "ceramic porcelain china"),
    Modifier("material", "gravel", "gravel", "gravel pebble pebbles shingle"),
    Modifier("material", "snow", "snow", "snow snowy"),
    Modifier("material", "sand", "sand", "sand sandy beach"),
    Modifier("material", "grass", "grass", "grass grassy lawn meadow"),
    Modifier("material", "leaves", "leaves", "leaves leaf dry_leaves foliage autumn_leaves fallen_leaves forest_floor canopy"),
    Modifier("material", "mud", "mud", "mud muddy wet_ground marsh"),
    Modifier("material", "water", "water", "water puddle puddles shallow_water wet"),
    Modifier("material", "carpet", "carpet", "carpet rug carpeted"),
    Modifier("material", "ice", "ice", "ice icy frozen"),
    Modifier("material", "earth", "earth", "dirt earth soil ground dirt_road"),
    Modifier("material", "cloth", "cloth", "tent umbrella canvas tarp"),
    Modifier("material", "flesh", "flesh", "flesh"),

    Modifier("room", "dry", "dry", "dry anechoic no_reverb without_reverb no_echo without_echo studio close_mic dry_sound"),
    Modifier("room", "small room", "small room", "room small_room bedroom office kitchen living_room apartment closet indoor indoors inside house"),
    Modifier("room", "bathroom", "bathroom", "bathroom shower_room toilet restroom tiled_room locker_room"),
    Modifier("room", "hall", "hall", "hall large_room auditorium concert_hall theater theatre gymnasium gym lobby ballroom reverberant reverb large_hall big_room corridor hallway stairwell stairway"),
    Modifier("room", "warehouse", "warehouse", "warehouse hangar parking_garage garage empty_building industrial_hall basement cellar abandoned_building"),
    Modifier("room", "tunnel", "tunnel", "tunnel sewer pipe_interior underpass metro_station mine"),
    Modifier("room", "cave", "cave", "cave cavern dungeon grotto crypt"),
    Modifier("room", "cathedral", "cathedral", "cathedral church abbey monastery mosque chapel"),
    Modifier("room", "canyon", "canyon", "canyon valley gorge mountains mountain echo echoing echoes ravine cliff"),
    Modifier("room", "outdoors", "outdoors", "outdoors outdoor outside open_air open_field field woods forest street alley desert plains park garden countryside"),
    Modifier("room", "stadium", "stadium", "stadium arena large_arena"),
    Modifier("room", "underwater", "underwater", "underwater under_water submerged below_the_surface beneath_the_surface"),
    Modifier("room", "radio", "radio", "over_the_radio on_the_radio through_a_radio walkie_talkie over_the_phone through_a_phone through_a_speaker megaphone intercom lo_fi lofi old_recording over_a_loudspeaker"),
)
# fmt: on

IMPLIED: dict[str, tuple[tuple[str, str], ...]] = {
    "drizzle": (("force", "soft"),), "sprinkle": (("force", "soft"),), "downpour": (("force", "loud"),),
    "monsoon": (("force", "loud"),), "cloudburst": (("force", "loud"),), "breeze": (("force", "soft"),),
    "gale": (("force", "loud"),), "blizzard": (("force", "loud"),), "tornado": (("force", "loud"), ("size", "big")),
    "tsunami": (("force", "loud"), ("size", "big")), "puppy": (("size", "small"),), "kitten": (("size", "small"),),
    "calf": (("size", "small"),), "lamb": (("size", "small"),), "piglet": (("size", "small"),),
    "nuke": (("size", "big"),), "tiptoe": (("force", "soft"), ("rate", "slow")), "sneaking": (("force", "soft"),),
    "sprint": (("rate", "fast"),), "trot": (("rate", "slow"),), "stampede": (("count", "many"), ("force", "loud")),
    "stomp": (("force", "loud"),), "campfire": (("size", "small"),), "wildfire": (("force", "loud"), ("size", "big")),
    "tractor": (), "terrier": (("size", "small"),), "panting": (("rate", "fast"),), "diesel": (("size", "big"),),
    "moped": (("size", "small"),), "scooter": (("size", "small"),), "harley": (("size", "big"),),
    "dragster": (("force", "loud"),), "firefight": (("count", "many"),), "battle": (("count", "many"),),
}  # fmt: skip
"""What some words of the vocabulary say besides their event."""

IN_CONTEXT = {
    ("train", "horn"): "train whistle", ("train", "whistle"): "train whistle", ("steam train", "whistle"): "train whistle",
    ("waves", "horn"): "boat horn", ("ship creak", "horn"): "boat horn", ("truck", "horn"): "boat horn",
    ("bicycle", "bell"): "bicycle bell", ("cat meow", "bell"): "small bell", ("pistol shot", "click"): "gun click",
    ("rifle shot", "click"): "gun click", ("shotgun", "click"): "gun click", ("laser", "shot"): "laser",
    ("typewriter", "bell"): "typewriter bell", ("truck", "beep"): "reversing beeper",
}  # fmt: skip
"""(an event said before, a word) → what the word then means."""

THEN = "then followed_by and_then afterwards after_that next finally before until ends_with ending_with end_with turns_into turning_into leading_to leads_to later eventually subsequently and_finally transitioning_to transitions_to"
"""What comes behind one of these sounds later."""
AFTER = "after following"
"""What comes behind one of these sounds earlier."""
AND = "and with while over as plus or also along_with accompanied_by mixed_with layered_with under against when"
"""Ends a clause; what follows sounds at the same time."""
NOT = "no without not never minus except"
VERY = "very extremely really super so incredibly ultra extra quite too"
SILENT_UNITS = (
    "second seconds sec secs s bit bits minute minutes ms hz khz bpm meter meters metre feet km mph db percent"
)
STOP = (
    "a an the of in on at to from by into onto upon is are was be being it its it's this that these those there here some any "
    "sound sounds effect effects sfx fx noise noises audio recording recorded clip foley please make create generate give me i "
    "want need for like as if his her their my your our he she they we you who which where whose up down out off through "
    "across along around behind between above below beside inside near against somebody someone something person's thing things "
    "very just only even still both each every other another again back away all bit kind sort type style slightly "
    "starts start stops stop begins begin comes come goes go goes gets get getting has have had having do does did will would can "
    "could should hear heard hearing play playing plays sounding realistic clear clean cinematic high quality hd stereo natural "
    "high-quality mechanical made tail side one's s t while when then now per times time moment end ends ending beginning "
    "man's woman's but yet than not so because such more most much less old new nice good great typical classic modern day scene "
    "pass passes passing moving moves move turning making becoming set against whole own continues continue continuing followed "
    "past overhead floor roof wall face open opens opening closing empty roll rolls rolling blow blows blowing starting hits hitting "
    "strikes striking falls flies drawn produced hanging sudden suddenly abruptly busy "
    "him them us rings sitting standing left-over himself herself itself"
)  # fmt: skip
"""Words that carry no sound of their own."""
