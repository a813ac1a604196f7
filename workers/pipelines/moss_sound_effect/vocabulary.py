"""The events: name, family, the words that call it, its recipe, its level. To add one, add a line.

Words are separated by spaces, the words of a phrase by `_`. Endings are left out of account when reading, so "bark"
stands for barks, barked and barking. Of the words in a clause the plain ones win over verbs that many things do,
marked `~` ("crickets chirp" is no bird), and those over hints, marked `?` ("a door creaks" is a creak, "a door" alone
a slam).
"""

# ruff: noqa: E501 - a table reads best with one event a line

from dataclasses import dataclass

from workers.pipelines.moss_sound_effect import (
    alarms,
    animals,
    impacts,
    interface,
    machines,
    people,
    things,
    vehicles,
    weather,
)
from workers.pipelines.moss_sound_effect.voice import Fill, Hit, Strike, Texture


@dataclass(frozen=True)
class Event:
    """One sound the engine knows."""

    name: str
    family: str
    words: str
    recipe: Hit | Texture
    level: float = 0.0
    """Decibels against the ordinary loudness."""
    moves: bool = False
    """Passes from one side to the other unless the prompt says where it is."""
    materials: bool = False
    """What it falls on or is made of changes its sound."""


def _hit(
    strike: Strike,
    seconds: float,
    every: float,
    count: int | None = 1,
    pattern: tuple[float, ...] = (0.0,),
    jitter: float = 0.05,
) -> Hit:
    return Hit(strike=strike, seconds=seconds, every=every, count=count, pattern=pattern, jitter=jitter)


def _wide(fill: Fill) -> Texture:
    return Texture(fill=fill)


def _point(fill: Fill) -> Texture:
    return Texture(fill=fill, wide=False)


W, X, M, A, U, F, V, H, B, T = (
    "weather and elements", "impacts and weapons", "machines and alarms", "animals", "interface and film", "footsteps",
    "vehicles", "people", "bells and instruments", "things",
)  # fmt: skip

# fmt: off
EVENTS: tuple[Event, ...] = (
    Event("rain", W, "rain patter pitter_patter rain_shower rainfall rainy raindrop drizzle downpour shower sprinkle monsoon cloudburst", _wide(weather.rain), materials=True),
    Event("thunder", W, "thunder thunderclap lightning lightning_strike thunder_clap thunder_rumble rumble_of_thunder clap_of_thunder thunderbolt", _hit(weather.thunder, 5.0, 4.5, jitter=0.2), 1),
    Event("storm", W, "storm thunderstorm tempest rainstorm hurricane typhoon storm_at_sea", _wide(weather.storm), 1),
    Event("wind", W, "wind windy breeze gust gale blizzard snowstorm tornado sandstorm draft wind_blow desert_wind", _wide(weather.wind)),
    Event("howling wind", W, "howling_wind wind_howl eerie_wind wind_whistle whistling_wind wind_moan", _wide(weather.howling_wind)),
    Event("hail", W, "hail hailstorm hailstone sleet", _wide(weather.hail), materials=True),
    Event("waves", W, "wave wave_crash crashing_wave ocean sea surf beach shore seaside tide ocean_wave sea_wave lapping coast breaker seashore tsunami", _wide(weather.waves)),
    Event("stream", W, "stream river brook creek water? running_water flowing_water babbling_brook water_flow trickle faucet? tap_water fountain rapids", _wide(weather.stream)),
    Event("waterfall", W, "waterfall cascade niagara torrent dam", _wide(weather.waterfall)),
    Event("drip", W, "drip water_drip dripping_water drop_of_water water_drop waterdrop droplet leaky_faucet leak plop", _hit(weather.drip, 0.4, 0.85, None, jitter=0.12), -3),
    Event("splash", W, "splash~ dive plunge cannonball water_splash jump_into_water fall_into_water", _hit(weather.splash, 1.6, 1.7)),
    Event("pouring", W, "pour pour_water water_pour fill_a_glass pouring_a_drink pour_coffee pour_tea", _point(weather.pouring), -2),
    Event("bubbles", W, "bubble bubbling~ boil boiling_water simmer gurgle~ cauldron aquarium potion", _point(weather.bubbling), -2),
    Event("fire", W, "fire campfire fireplace bonfire flame crackle~ fire_crackle crackling_fire burn~ blaze~ torch wildfire ember hearth", _wide(weather.fire), -1),
    Event("earthquake", W, "earthquake quake tremor rumble? rumbling_earth ground_shake seismic", _wide(weather.rumble), 1),
    Event("lava", W, "lava volcano magma volcanic", _point(weather.lava)),
    Event("leaves rustling", W, "leaves_rustle rustling_leaves leaf_rustle tree? bush foliage_rustle leaves_in_the_wind rustle~", _wide(weather.leaves), -4),
    Event("steam", W, "steam? steam_hiss steam_release gas_leak pressure_release hydraulic pneumatic air_release pshh", _hit(weather.steam, 1.6, 1.9)),
    Event("ice crack", W, "ice_crack cracking_ice ice_break frozen_lake glacier ice?", _hit(weather.ice_crack, 0.9, 1.2)),
    Event("avalanche", W, "avalanche snow_slide mudslide", _wide(weather.avalanche), 1),
    Event("night", W, "night_ambience night? nighttime summer_night night_time meadow_at_night insects", _wide(weather.night), -4),

    Event("punch", X, "punch fist uppercut jab hit? body_blow fight brawl kick beat_up sock_in_the_jaw wallop", _hit(impacts.punch, 0.35, 0.55)),
    Event("slap", X, "slap smack spank slap_in_the_face face_slap swat", _hit(impacts.slap, 0.22, 0.6)),
    Event("glass breaking", X, "glass? glass_break break_glass shatter~ shattering_glass glass_shatter glass_smash smash~ broken_glass window_break bottle_break window_smash mirror_break", _hit(impacts.glass_break, 1.5, 1.7)),
    Event("pottery breaking", X, "plate_break dish_break pottery vase_break vase ceramic_break breaking_dishes dishes? crockery mug_break porcelain_break plate_smash", _hit(impacts.pottery, 1.0, 1.2)),
    Event("knock", X, "knock door_knock knock_on_the_door knocking_on_a_door wood_knock rap tap_on_wood wood_tap tap?", _hit(impacts.knock, 0.15, 0.36, 3, jitter=0.03), materials=True),
    Event("clang", X, "clang~ metal_clang metal_hit metal_impact anvil clank metal_bang pipe metal_pipe clatter~ metal_strike", _hit(impacts.clang, 1.5, 0.9), materials=True),
    Event("hammering", X, "hammer hammer_nail hammering_nail nail blacksmith forge", _hit(impacts.hammer, 0.35, 0.55, None), materials=True),
    Event("clink", X, "clink bottle? glass_clink toast cheers? clinking_glasses ting cutlery silverware champagne_glasses", _hit(impacts.clink, 0.9, 0.7), -2, materials=True),
    Event("thud", X, "thud crate? box? falling_object thump~ drop? dropping_object body_fall fall? falls_down heavy_object box_drop bump bang? object_drop collapse stomp", _hit(impacts.thud, 0.5, 0.8), materials=True),
    Event("wood breaking", X, "wood_break breaking_wood wood_crack plank_break splinter tree_fall board_break wood_snap timber", _hit(impacts.wood_break, 0.7, 0.9)),
    Event("twig snap", X, "twig twig_snap branch branch_snap stick_break branch_crack bone_crack bone_break bone", _hit(impacts.twig, 0.1, 0.5), -2),
    Event("door slam", X, "door? door_slam slam slamming_door door_shut door_close slammed_door door_bang shut? shuts? closes? closed?", _hit(impacts.door_slam, 0.8, 1.1), materials=True),
    Event("door creak", X, "creak~ door_creak creaky_door door_open squeaky_door rusty_hinge hinge creaking_door gate floorboard", _hit(impacts.creak, 1.7, 2.0), -3),
    Event("explosion", X, "explosion explode blast bomb grenade dynamite detonate detonation kaboom tnt nuke airstrike landmine boom? blow_up", _hit(impacts.explosion, 3.4, 1.6), 3),
    Event("pistol shot", X, "gunshot gun_fire fire_a_gun fires_a_gun fire_a_pistol pistol_fire gun_goes_off pistol pistol_shot gun? shot? handgun revolver gun_shot shoot bang_of_a_gun single_shot firing_a_gun glock firearm", _hit(impacts.pistol, 1.1, 0.7), 2),
    Event("rifle shot", X, "rifle rifle_fire rifle_shot sniper musket sniper_rifle hunting_rifle sniper_shot", _hit(impacts.rifle, 1.9, 1.1), 2),
    Event("shotgun", X, "shotgun shotgun_blast shotgun_shot", _hit(impacts.shotgun, 1.5, 1.2), 2),
    Event("machine gun", X, "machine_gun machine_gun_fire machinegun submachine_gun automatic_gun assault_rifle gunfire burst_of_gunfire automatic_fire ak47 uzi minigun firefight battle war", _hit(impacts.machine_gun, 0.35, 0.095, None, jitter=0.015), 2),
    Event("cannon", X, "cannon cannon_shot artillery mortar howitzer cannon_fire tank_shot", _hit(impacts.cannon, 2.8, 2.0), 3),
    Event("gun click", X, "gun_click mechanical_click gun_cock cock_a_gun empty_gun dry_fire trigger hammer_click safety_click lock_click latch metal_click pistol_click bolt", _hit(impacts.gun_click, 0.16, 0.5), -6),
    Event("gun reload", X, "reload gun_reload load_a_gun magazine_insert pump_action reloading_gun rack_the_slide", _hit(impacts.gun_reload, 1.0, 1.3), -3),
    Event("ricochet", X, "ricochet bullet_ricochet bullet bullet_whiz stray_bullet", _hit(impacts.ricochet, 0.9, 0.8)),
    Event("crash", X, "crash~ car_crash car_accident collision wreck accident metal_crash pile_up demolition building_collapse smash_up", _hit(impacts.crash, 2.4, 2.0), 2, materials=True),
    Event("rockfall", X, "rockfall rockslide landslide rocks_fall falling_rocks boulder stones_fall rubble rock?", _hit(impacts.rockfall, 2.6, 2.4)),
    Event("sword clash", X, "sword_clash sword? swords_clash sword_fight blade clash katana swordfight dagger steel_on_steel", _hit(impacts.sword, 1.3, 0.75)),
    Event("sword draw", X, "sword_draw sword_drawn drawn_sword unsheathe draw_a_sword sheath unsheath_sword knife knife_sharpen blade_draw sharpen", _hit(impacts.sword_draw, 0.9, 1.2), -2),
    Event("arrow", X, "arrow bow_and_arrow archery bowstring crossbow arrow_shot", _hit(impacts.arrow, 0.75, 1.0), materials=True),
    Event("whip", X, "whip whip_crack whiplash lash whipcrack", _hit(impacts.whip, 0.6, 0.9)),
    Event("firework", X, "firework fireworks firecracker skyrocket pyrotechnic", _hit(impacts.firework, 3.2, 1.4), 1),

    Event("engine", M, "engine car_engine_idle engine_roar engine_rev rev_the_engine engine_idle car_engine idle~ idling_engine motor_idle diesel generator car_idle running_engine engine_run lawn_mower lawnmower", _point(machines.engine)),
    Event("motor", M, "motor electric_motor electric_engine machine machinery factory industrial turbine conveyor servo_motor pump compressor", _point(machines.motor)),
    Event("drill", M, "drill power_drill electric_drill dentist_drill dentist screwdriver power_tool", _point(machines.drill)),
    Event("jackhammer", M, "jackhammer pneumatic_drill pneumatic_hammer construction construction_site roadwork", _hit(machines.jackhammer, 0.12, 0.062, None, jitter=0.01), 1, materials=True),
    Event("chainsaw", M, "chainsaw chain_saw power_saw leaf_blower circular_saw", _point(machines.chainsaw), 1),
    Event("fan", M, "fan ventilator air_conditioner ventilation air_conditioning hvac computer_fan ac_unit exhaust_fan", _wide(machines.fan), -4),
    Event("vacuum cleaner", M, "vacuum vacuum_cleaner hoover hair_dryer hairdryer blow_dryer hand_dryer", _point(machines.vacuum)),
    Event("blender", M, "blender mixer food_processor coffee_grinder grinder smoothie", _point(machines.blender)),
    Event("washing machine", M, "washing_machine washer laundry dishwasher tumble_dryer", _point(machines.washing), -2),
    Event("microwave", M, "microwave microwave_oven oven", _point(machines.microwave), -3),
    Event("electric hum", M, "hum~ electric_hum transformer mains_hum electrical_hum fridge refrigerator neon fluorescent buzzing_light power_line drone_tone server_room", _point(machines.hum), -5),
    Event("kettle", M, "kettle tea_kettle kettle_whistle whistling_kettle teapot", _hit(machines.kettle, 3.0, 3.3), -2),
    Event("printer", M, "printer dot_matrix copier photocopier fax scanner print", _point(machines.printer), -2),
    Event("clock tick", M, "clock bomb_tick ticking_bomb tick~ clock_tick ticking_clock tick_tock ticktock wall_clock stopwatch metronome watch_tick pocket_watch grandfather_clock timer time_bomb", _hit(alarms.tick, 0.09, 1.0, None, jitter=0.004), -6),
    Event("alarm", M, "alarm alarm_clock digital_alarm wake_up_alarm smoke_alarm fire_alarm smoke_detector security_alarm burglar_alarm car_alarm", _hit(alarms.alarm, 0.62, 1.0, None, jitter=0.0)),
    Event("klaxon", M, "klaxon alert red_alert emergency submarine_alarm nuclear_alarm warning_horn dive_alarm", _hit(alarms.klaxon, 0.85, 1.15, None, jitter=0.0)),
    Event("siren", M, "siren police_siren police police_car fire_truck wailing_siren emergency_vehicle police_car_pass", _point(alarms.siren)),
    Event("two-tone siren", M, "ambulance ambulance_siren two_tone_siren european_siren hi_lo_siren", _point(alarms.two_tone)),
    Event("air-raid siren", M, "air_raid air_raid_siren tornado_siren civil_defense_siren air_raid_alarm", _point(alarms.air_raid)),
    Event("telephone", M, "phone telephone phone_ring telephone_ring ringing_phone old_phone landline rotary_phone phone_call ring?", _hit(alarms.phone, 2.0, 4.0, None, jitter=0.0), -1),
    Event("mobile phone", M, "mobile cell_phone cellphone mobile_phone ringtone smartphone phone_ringtone", _hit(alarms.mobile, 1.5, 2.0, None, jitter=0.0), -2),
    Event("phone vibration", M, "vibrate vibration phone_vibration phone_buzz phone_vibrate vibrating_phone", _hit(alarms.vibrate, 0.9, 1.5, 2, jitter=0.02), -4),
    Event("keyboard", M, "keyboard typing type computer_keyboard keystroke keyboard_typing keyboard_click typing_on_a_keyboard", _hit(machines.key_press, 0.13, 0.14, None, jitter=0.3), -5),
    Event("typewriter", M, "typewriter old_typewriter typing_on_a_typewriter typewriter_key", _hit(machines.typewriter, 0.16, 0.19, None, jitter=0.22), -2),
    Event("typewriter bell", M, "typewriter_bell bell_ding carriage_return ding desk_bell service_bell reception_bell oven_ding timer_ding", _hit(alarms.typewriter_bell, 1.1, 1.3), -3),
    Event("sewing machine", M, "sewing_machine sewing stitch", _hit(machines.sewing, 0.1, 0.1, None, jitter=0.01), -2),
    Event("elevator", M, "elevator lift? elevator_ding elevator_door elevator_arrive", _hit(machines.elevator, 2.6, 3.2), -2),
    Event("power up", M, "power_up powering_up charge_up charging~ startup start_up boot_up turn_on activate spin_up", _hit(machines.power_up, 2.2, 2.5)),
    Event("power down", M, "power_down powering_down shutdown shut_down turn_off deactivate spin_down power_failure blackout", _hit(machines.power_down, 2.0, 2.3)),
    Event("laser", M, "laser laser_gun laser_shot blaster ray_gun pew zap phaser laser_beam raygun plasma_gun", _hit(machines.laser, 0.4, 0.45)),
    Event("robot", M, "robot android droid cyborg robotic computer_chatter data_chatter servo computer_processing mech", _point(machines.robot)),
    Event("sci-fi door", M, "sci_fi_door scifi_door spaceship_door sliding_door automatic_door futuristic_door airlock", _hit(machines.scifi_door, 1.0, 1.5)),
    Event("spaceship", M, "spaceship starship space space_ship ufo alien_ship spacecraft sci_fi? scifi? warp_drive engine_room space_station futuristic?", _point(machines.spaceship)),
    Event("force field", M, "force_field energy_shield shield lightsaber energy energy_beam plasma portal", _point(machines.force_field), -2),
    Event("teleport", M, "teleport teleportation beam_me_up materialize transporter dematerialize warp", _hit(machines.teleport, 1.8, 2.1)),
    Event("spark", M, "spark electric_spark short_circuit electric_shock taser electrical_spark fuse_blow", _hit(machines.spark, 0.55, 0.9)),
    Event("electricity", M, "electricity electric? arc tesla_coil electric_arc high_voltage electrical? static_electricity", _point(machines.electricity)),
    Event("radio static", M, "static radio_static white_noise tv_static radio_noise radio? interference detuned_radio television tune_radio", _point(machines.static), -3),
    Event("geiger counter", M, "geiger geiger_counter radiation radioactive", _hit(machines.geiger, 0.02, 0.085, None, jitter=0.9), -4),
    Event("hand saw", M, "saw hand_saw sawing_wood wood_saw handsaw sanding scrape", _hit(machines.hand_saw, 0.42, 0.47, None, jitter=0.04), -1),
    Event("ratchet", M, "ratchet crank wind_up winch cog gear wrench clockwork", _hit(machines.ratchet, 0.6, 0.9, 2), -3),

    Event("dog bark", A, "dog bark dog_bark puppy woof hound barking_dog guard_dog terrier", _hit(animals.bark, 0.24, 0.62, None, jitter=0.25)),
    Event("growl", A, "growl~ snarl dog_growl growling_dog zombie groan undead", _hit(animals.growl, 1.6, 1.9)),
    Event("dog whine", A, "whimper dog_whine whining_dog puppy_whine whine", _hit(animals.whine, 0.7, 0.95, 2), -3),
    Event("cat meow", A, "cat meow cat_meow kitten miaow kitty mew", _hit(animals.meow, 0.95, 1.5)),
    Event("cat purr", A, "purr cat_purr purring_cat", _point(animals.purr), -2),
    Event("bird chirp", A, "bird chirp~ birdsong songbird tweet bird_chirp sparrow robin finch canary nightingale bird_song twitter dawn_chorus forest? jungle? garden? morning spring_morning park?", _hit(animals.chirp, 0.9, 0.95, None, jitter=0.3), -2),
    Event("crow", A, "crow caw raven rook crow_caw magpie", _hit(animals.caw, 0.38, 0.62, 3, jitter=0.1)),
    Event("owl", A, "owl hoot owl_hoot hooting_owl", _hit(animals.hoot, 2.2, 3.2), -2),
    Event("rooster", A, "rooster cockerel cock_a_doodle_doo rooster_crow crowing_rooster cock_crow cockadoodledoo", _hit(animals.crow_of_rooster, 2.0, 2.8)),
    Event("chicken", A, "chicken hen cluck chicken_cluck turkey poultry farm? barnyard", _hit(animals.cluck, 0.13, 0.33, None, jitter=0.45), -1),
    Event("cow", A, "cow moo cattle cow_moo bull ox calf", _hit(animals.moo, 1.9, 2.6)),
    Event("sheep", A, "sheep baa lamb bleat goat sheep_bleat ram", _hit(animals.baa, 1.0, 1.4)),
    Event("pig", A, "pig oink pig_oink grunt hog piglet boar snort", _hit(animals.oink, 0.32, 0.5, 3, jitter=0.2)),
    Event("horse gallop", A, "gallop horse_gallop galloping_horse hoof hooves hoofbeat horse_run horses_run clip_clop trot horseback stampede cavalry canter", _hit(animals.hoof, 0.12, 0.5, None, pattern=(0.0, 0.115, 0.235), jitter=0.015), materials=True),
    Event("horse neigh", A, "horse? neigh horse_neigh whinny stallion pony mare donkey", _hit(animals.neigh, 1.9, 2.4)),
    Event("frog", A, "frog toad croak ribbit frog_croak swamp pond bullfrog", _hit(animals.ribbit, 0.48, 0.9, None, jitter=0.25), -1),
    Event("cricket", A, "cricket cricket_chirp grasshopper chirping_cricket katydid", _hit(animals.cricket, 0.16, 0.45, None, jitter=0.05), -5),
    Event("cicada", A, "cicada locust cicada_buzz summer_heat", _wide(animals.cicada), -4),
    Event("bee", A, "bee buzz~ wasp hornet bumblebee bee_buzz swarm beehive hive buzzing_bee", _point(animals.bee), -4),
    Event("mosquito", A, "mosquito gnat mosquito_buzz midge", _point(animals.mosquito), -7),
    Event("fly", A, "housefly fly_buzz buzzing_fly insect_buzz insect fly? beetle", _point(animals.fly), -5),
    Event("wolf howl", A, "wolf dog_howl howl~ wolf_howl werewolf coyote howling_wolf wolves", _hit(animals.howl, 3.2, 3.4)),
    Event("lion roar", A, "lion roar~ lion_roar tiger big_cat bear panther leopard jaguar", _hit(animals.roar, 2.3, 2.6), 1),
    Event("monster", A, "monster dragon dinosaur beast creature godzilla t_rex trex demon monster_roar dragon_roar kaiju alien orc troll", _hit(animals.monster, 2.6, 2.8), 2),
    Event("snake hiss", A, "snake cat_hiss hiss~ snake_hiss serpent cobra viper hissing_snake python", _hit(animals.hiss, 1.4, 1.8), -3),
    Event("rattlesnake", A, "rattlesnake rattle~ maraca rattlesnake_rattle snake_rattle shaker", _point(animals.rattlesnake), -3),
    Event("duck", A, "duck quack duck_quack goose honk_of_goose geese mallard", _hit(animals.quack, 0.21, 0.36, 4, jitter=0.15)),
    Event("seagull", A, "seagull gull seabird seagull_cry", _hit(animals.gull, 0.55, 0.75, 4, jitter=0.2), -1),
    Event("eagle", A, "eagle hawk falcon screech~ eagle_cry bird_of_prey hawk_screech bat? parrot", _hit(animals.screech, 1.1, 1.7)),
    Event("pigeon", A, "pigeon dove coo pigeon_coo cuckoo", _hit(animals.coo, 0.85, 1.3, 3, jitter=0.1), -2),
    Event("woodpecker", A, "woodpecker woodpecker_peck peck", _hit(animals.woodpecker, 0.85, 1.8)),
    Event("elephant", A, "elephant elephant_trumpet trumpeting mammoth trumpet", _hit(animals.trumpet_of_elephant, 1.5, 2.0), 1),
    Event("monkey", A, "monkey ape chimpanzee gorilla monkey_call chimp", _hit(animals.monkey, 1.5, 1.9)),
    Event("whale", A, "whale whale_song humpback dolphin", _hit(animals.whale, 4.0, 4.4), -1),
    Event("wings", A, "wings flap~ wing_flap bird_fly_away flutter~ wing flapping_wings bat_wings", _hit(animals.wings, 0.13, 0.14, 8, jitter=0.06), -2),
    Event("mouse squeak", A, "squeak~ mouse rat mouse_squeak hamster rodent rubber_duck squeaky_toy guinea_pig", _hit(animals.squeak, 0.12, 0.26, 4, jitter=0.25), -4),

    Event("click", U, "click~ mouse_click button_click button ui_click tap_on_screen button_press interface_click select pen_click", _hit(interface.click, 0.06, 0.4), -5),
    Event("switch", U, "switch light_switch toggle switch_flip flick_a_switch lever circuit_breaker", _hit(interface.switch, 0.12, 0.5), -4),
    Event("beep", U, "beep~ bleep~ blip tone beep_tone sine_tone electronic_beep heart_monitor ecg censor", _hit(interface.beep, 0.22, 0.6), -3),
    Event("notification", U, "notification message_alert message email chime doorbell incoming_message text_message alert_tone ding_dong app_notification announcement", _hit(interface.notification, 0.95, 1.4), -3),
    Event("coin", U, "coin cha_ching coin_pickup coin_collect gold pick_up pickup collect_item game_coin item_pickup money cash_register cash", _hit(interface.coin, 0.75, 0.5), -3),
    Event("success", U, "success win victory correct correct_answer achievement task_complete fanfare triumph tada confirmation", _hit(interface.success, 1.3, 1.6), -2),
    Event("error", U, "error fail failure wrong wrong_answer denied access_denied invalid buzzer error_buzz", _hit(interface.error, 0.6, 0.9), -2),
    Event("level up", U, "level_up levelup upgrade bonus extra_life one_up power_up_game unlock game_power_up", _hit(interface.level_up, 1.25, 1.5), -2),
    Event("game over", U, "game_over lose defeat player_death you_died", _hit(interface.game_over, 2.0, 2.3), -2),
    Event("jump", U, "jump? jump_sound game_jump retro_jump mario_jump hop leap arcade chiptune", _hit(interface.jump, 0.28, 0.5), -3),
    Event("boing", U, "boing ball? spring bounce~ cartoon cartoon_bounce spring_bounce trampoline rubber_band jaw_harp", _hit(interface.boing, 1.0, 1.1)),
    Event("whoosh", U, "whoosh~ swoosh~ swish~ swing? sword_swing pass_through_the_air air_whoosh swipe transition fly_by~ flyby~ throw fast_movement whip_by", _hit(interface.whoosh, 0.75, 0.95), -1),
    Event("pop", U, "pop~ bubble_pop balloon_pop lip_pop balloon bubble_burst", _hit(interface.pop, 0.12, 0.35), -3),
    Event("cork", U, "cork cork_pop champagne bottle_open open_a_bottle wine_bottle can_open soda_can", _hit(interface.cork, 0.35, 0.9), -1),
    Event("camera shutter", U, "camera shutter camera_shutter photo camera_click snapshot camera_flash take_a_picture photograph paparazzi", _hit(interface.shutter, 0.26, 0.7), -3),
    Event("sparkle", U, "sparkle magic twinkle fairy magic_spell spell shimmer magic_wand wizard glitter enchant pixie_dust fairy_dust heal", _hit(interface.sparkle, 1.8, 2.1), -2),
    Event("riser", U, "riser build_up buildup tension suspense uplifter crescendo anticipation", _hit(interface.riser, 3.0, 3.2)),
    Event("bass drop", U, "bass_drop sub_drop cinematic_boom cinematic_impact impact? deep_boom sub_bass trailer_hit cinematic_hit bass_boom", _hit(interface.boom, 2.8, 2.4), 2),
    Event("braam", U, "braam trailer_horn cinematic_horn inception brass_hit dramatic", _hit(interface.braam, 3.0, 3.2), 2),
    Event("glitch", U, "glitch digital_glitch data_corruption malfunction corrupted hacking", _hit(interface.glitch, 0.8, 1.0), -2),
    Event("record scratch", U, "record_scratch scratch vinyl_scratch dj_scratch turntable dj rewind", _hit(interface.record_scratch, 0.7, 0.9)),
    Event("countdown", U, "countdown race_start countdown_beep start_beep", _hit(interface.countdown, 3.8, 4.2), -3),
    Event("ghost", U, "ghost eerie? ominous? spooky? scary? sinister? mysterious? horror haunted haunting eerie_ambience creepy spirit phantom spooky_ambience haunted_house ghostly", _wide(interface.ghost), -3),
    Event("ambience", U, "ambience ambient atmosphere room_tone background_noise silence quiet_room drone empty_room", _wide(interface.ambience), -8),

    Event("footsteps", F, "footstep walk step walking footfall steps pace march boots stair shoes tread stroll wander tiptoe high_heels heels heel sneaking", _hit(people.footstep, 0.34, 0.56, None, jitter=0.04), -2, materials=True),
    Event("running", F, "run? running sprint jog runner running_footsteps run_away chase", _hit(people.footstep, 0.3, 0.31, None, jitter=0.03), -1, materials=True),

    Event("car pass-by", V, "car_pass car_pass_by car_drive_by car? passing_car pass_by~ drive_by drive~ vehicle automobile car_drive taxi", _hit(vehicles.car_pass, 4.0, 4.2), moves=True),
    Event("race car", V, "race_car racing formula_one f1 racecar formula_1 sports_car dragster supercar race_car_pass race_car_pass_by sports_car_pass", _hit(vehicles.race_car, 3.0, 3.1), 1, moves=True),
    Event("train", V, "train railway subway train_pass freight_train railroad tracks metro train_ride rail", _point(vehicles.train), 1),
    Event("steam train", V, "steam_train steam_engine locomotive steam_locomotive chuff choo_choo chug", _hit(vehicles.steam_train, 0.34, 0.36, None, jitter=0.015), 1),
    Event("train whistle", V, "train_whistle train_horn steam_whistle locomotive_whistle factory_whistle", _hit(vehicles.train_whistle, 1.8, 2.1), 1),
    Event("helicopter", V, "helicopter chopper rotor helicopter_hover helicopter_fly quadcopter", _point(vehicles.helicopter), 1),
    Event("propeller plane", V, "propeller_plane propeller biplane plane aircraft airplane aeroplane cessna small_plane drone_fly prop_plane", _point(vehicles.propeller)),
    Event("jet", V, "jet jet_engine airliner jet_plane plane_cabin airplane_cabin boeing airport fighter_jet_engine takeoff plane_take_off", _wide(vehicles.jet), 1),
    Event("jet flyby", V, "jet_flyby fighter_jet jet_fly_by jet_pass jet_fighter plane_flyby airplane_flyover flyover plane_pass sonic_boom", _hit(vehicles.jet_flyby, 4.5, 4.6), 2, moves=True),
    Event("rocket", V, "rocket rocket_launch missile launch liftoff lift_off space_shuttle rocket_engine thruster", _hit(vehicles.rocket, 4.5, 4.6), 2),
    Event("motorcycle", V, "motorcycle motorcycle_rev motorbike scooter moped dirt_bike harley chopper_bike rev~ revving~", _point(vehicles.motorcycle), 1),
    Event("tractor", V, "tractor diesel_engine farm_tractor combine_harvester excavator bulldozer digger", _point(vehicles.tractor)),
    Event("truck", V, "truck lorry bus tank? semi truck_engine big_rig tank_engine", _point(vehicles.truck)),
    Event("engine start", V, "engine_start car_start start_the_car starting_car ignition start_engine starter car_ignition motor_start car_engine_start engine_turn_over", _hit(vehicles.engine_start, 3.0, 3.3)),
    Event("tyre screech", V, "tire_screech tyre_screech skid tires_screech screeching_tires brake squeal~ burnout drift tires tyres car_skid", _hit(vehicles.tires, 1.5, 1.8)),
    Event("car horn", V, "car_horn honk horn? beep_beep honking_car horn_honk traffic_jam toot hooter", _hit(vehicles.car_horn, 0.65, 0.85, 2)),
    Event("boat horn", V, "boat_horn ship_horn foghorn fog_horn ship_s_horn ferry_horn tugboat cruise_ship steamship ship?", _hit(vehicles.boat_horn, 2.6, 3.2), 1),
    Event("bicycle bell", V, "bicycle_bell bike_bell ring_ring", _hit(vehicles.bicycle_bell, 1.5, 1.8), -2),
    Event("bicycle", V, "bicycle bike cycling freewheel bike_wheel bicycle_wheel fishing_reel", _point(vehicles.bicycle), -6),
    Event("tram bell", V, "tram_bell tram trolley streetcar trolley_bell crossing_bell level_crossing railroad_crossing boxing_bell", _hit(vehicles.tram_bell, 1.0, 0.5, 4, jitter=0.02)),
    Event("reversing beeper", V, "reverse_beep truck_reverse backing_up reversing_truck backup_beep forklift", _hit(vehicles.reverse_beep, 0.42, 0.95, None, jitter=0.0), -2),
    Event("sonar", V, "sonar sonar_ping submarine_ping submarine ping~", _hit(vehicles.sonar, 2.0, 2.4), -3),
    Event("ship creak", V, "ship_creak creaking_ship wooden_ship rope_creak pirate_ship rope sailing_ship hull boat", _hit(vehicles.ship_creak, 2.2, 2.3), -4),
    Event("traffic", V, "traffic city street? highway road? traffic_noise busy_street city_traffic urban downtown motorway intersection", _wide(vehicles.traffic)),
    Event("skateboard", V, "skateboard roller_skate skate skateboarding trolley_wheel shopping_cart suitcase_wheels", _point(vehicles.skateboard), -1),

    Event("applause", H, "applause applaud clapping ovation clapping_hands audience_clap standing_ovation", _wide(people.applause)),
    Event("clap", H, "clap hand_clap single_clap handclap", _hit(people.clap, 0.14, 0.5), -2),
    Event("crowd", H, "crowd crowd_talk murmur crowd_murmur people_talk restaurant cafe chatter audience babble walla people? market bar pub party coffee_shop conversation cafeteria school", _point(people.crowd), -1),
    Event("cheering", H, "cheer cheering_crowd crowd_cheer stadium_crowd hooray hurrah goal fans sports_crowd celebration concert_crowd", _point(people.cheer), 1),
    Event("talking", H, "talk voice? speak speech? man? woman? person? mumble gibberish monologue", _point(people.talk), -2),
    Event("whispering", H, "whisper whispering murmuring_voice secret whispering_voice", _point(people.whisper), -7),
    Event("heartbeat", H, "heartbeat heart heart_beat pulse~ lub_dub beating_heart", _hit(people.heartbeat, 0.55, 0.92, None, jitter=0.02)),
    Event("breathing", H, "breath breathe breathing breaths inhale exhale panting gasp heavy_breathing scuba darth_vader", _hit(people.breathing, 2.3, 2.7, None, jitter=0.05), -4),
    Event("snoring", H, "snore snoring sleep", _hit(people.snore, 2.6, 3.0, None, jitter=0.06), -3),
    Event("laugh", H, "laugh laughter haha ha_ha chuckle evil_laugh man_laugh guffaw", _hit(people.laugh, 1.9, 2.1)),
    Event("giggle", H, "giggle child_laugh children_laugh baby_laugh kids_laugh witch cackle playground children? kids?", _hit(people.giggle, 1.4, 1.6)),
    Event("scream", H, "scream shriek screaming yell shout cry_out terrified woman_scream wilhelm", _hit(people.scream, 1.4, 1.8), 1),
    Event("baby cry", H, "baby baby_cry crying_baby infant cry~ newborn sob weep toddler", _hit(people.baby, 1.1, 1.35, 3, jitter=0.1)),
    Event("cough", H, "cough coughing throat_clear clear_throat hack?", _hit(people.cough, 0.36, 0.5, 2, jitter=0.15)),
    Event("sneeze", H, "sneeze achoo sneezing atchoo", _hit(people.sneeze, 1.1, 1.6)),
    Event("sigh", H, "sigh sighing yawn relief moan", _hit(people.sigh, 1.1, 1.8), -4),
    Event("kiss", H, "kiss smooch smack_of_lips peck_on_the_cheek mwah", _hit(people.kiss, 0.2, 0.7), -6),
    Event("chewing", H, "chew eat crunch~ bite munch eating apple_bite chips crisps carrot biting", _hit(people.chew, 0.3, 0.48, 4, jitter=0.12), -4),
    Event("gulp", H, "gulp drink swallow slurp drinking sip burp", _hit(people.gulp, 0.4, 0.7, 2, jitter=0.08), -4),
    Event("finger snap", H, "finger_snap snap~ snapping_fingers fingers_snap", _hit(people.snap, 0.1, 0.6), -3),
    Event("whistle", H, "whistle whistling wolf_whistle person_whistle man_whistle catcall", _hit(people.whistle, 1.15, 1.6), -3),
    Event("referee whistle", H, "referee referee_whistle sports_whistle whistle_blow police_whistle coach pea_whistle football_whistle", _hit(people.referee, 0.8, 1.0), -2),

    Event("church bell", B, "church_bell bell bell_toll toll cathedral_bell tolling_bell bell_tower church_bells big_ben bells clock_tower", _hit(things.church_bell, 4.5, 2.0)),
    Event("small bell", B, "small_bell hand_bell jingle~ jingle_bell sleigh_bell tinkle little_bell cat_bell shop_bell handbell dinner_bell school_bell", _hit(things.small_bell, 1.6, 0.5, 3), -3),
    Event("gong", B, "gong tam_tam gong_hit temple_bell singing_bowl temple", _hit(things.gong, 4.5, 3.2)),
    Event("drum", B, "drum bass_drum kick_drum drum_hit tom timpani war_drum war_drums drumbeat tribal_drums taiko", _hit(things.drum, 0.5, 0.5, 4, jitter=0.02)),
    Event("snare", B, "snare snare_drum snare_hit rimshot", _hit(things.snare, 0.16, 0.5)),
    Event("drum roll", B, "drum_roll drumroll snare_roll roll_of_drums", _point(things.drum_roll)),
    Event("cymbal", B, "cymbal cymbal_crash crash_cymbal hi_hat splash_cymbal", _hit(things.cymbal, 2.6, 1.6), -1),
    Event("wind chimes", B, "wind_chime windchime chimes wind_bells glockenspiel", _hit(things.wind_chime, 1.8, 0.42, None, jitter=0.6), -4),
    Event("piano", B, "piano piano_note piano_key keys_of_a_piano", _hit(things.piano, 2.2, 0.8), -2),
    Event("guitar", B, "guitar guitar_strum strum acoustic_guitar guitar_chord harp lute", _hit(things.guitar, 2.2, 1.4), -2),
    Event("music box", B, "music_box lullaby musical_box ice_cream_truck", _hit(things.music_box, 2.8, 2.9), -4),

    Event("toilet flush", T, "flush toilet_flush flushing_toilet toilet? drain", _hit(things.flush, 4.0, 4.2)),
    Event("match strike", T, "match match_strike strike_a_match light_a_match lighter match_stick", _hit(things.match, 1.4, 1.8), -4),
    Event("scissors", T, "scissors scissor_snip snip haircut shears", _hit(things.scissors, 0.3, 0.42, 4, jitter=0.12), -4),
    Event("writing", T, "write pencil pencil_write chalk pen? scribble writing_on_paper handwriting draw_with_pencil", _hit(things.stroke_of_pencil, 0.17, 0.21, None, jitter=0.35), -7),
    Event("page turn", T, "page page_turn book turn_a_page paper paper_rustle newspaper crumple plastic_bag wrapping", _hit(things.page, 0.6, 1.0), -5),
    Event("paper tear", T, "tear tear_paper rip~ paper_tear ripping_paper fabric_tear rip_cloth ripping_fabric", _hit(things.tear, 0.8, 1.2), -3),
    Event("zipper", T, "zipper zip~ unzip jacket_zip", _hit(things.zipper, 0.7, 1.1), -4),
    Event("keys", T, "keys key jingling_keys keychain key_jingle unlock_door coins coins_jingle", _hit(things.keys, 0.8, 1.0), -4),
    Event("chain", T, "chain chains rattling_chain chain_rattle shackles prison ghost_chains", _point(things.chain), -2),
    Event("cloth", T, "cloth fabric clothing cloth_rustle clothes cape bedsheet sheets flag curtain", _hit(things.cloth, 0.5, 0.8, 2), -8),
)
# fmt: on


def by_family() -> dict[str, list[dict[str, object]]]:
    """The vocabulary for the documentation: family → events with name, words and what a bare mention gives."""
    families: dict[str, list[dict[str, object]]] = {}
    for event in EVENTS:
        words = [word.rstrip("?~").replace("_", " ") for word in event.words.split()]
        recipe = event.recipe
        if isinstance(recipe, Texture):
            gives = "goes on"
        elif recipe.count is None:
            gives = f"repeats every {recipe.every:g} s"
        else:
            gives = "once" if recipe.count == 1 else f"{recipe.count} times"
        families.setdefault(event.family, []).append({"name": event.name, "words": words, "gives": gives})
    return families
