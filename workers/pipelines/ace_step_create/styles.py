"""The styles: tempo, harmony, groove, players, instruments and sound of each."""

from workers.pipelines.ace_step_create.grooves import GROOVES
from workers.pipelines.ace_step_create.instruments import INSTRUMENTS
from workers.pipelines.ace_step_create.progressions import TASTES
from workers.pipelines.ace_step_create.style import Seat, Sound, Style

STYLES: tuple[Style, ...] = (
    Style(
        name="electro-pop",
        words="electro-pop|electropop|electro pop|synth pop|synth-pop|synthpop|dance pop|dance-pop|hyperpop|k-pop|"
        "kpop|electro",
        bpm=(112, 122, 130), minor=0.55, taste="pop", groove="electro-pop", kit="electronic", bass=("eighths",
        "synth bass"),
        seats=(
            Seat("pad", "synth pad", -11, 0.0, 0.0, 62, "pad"),
            Seat("stab", "supersaw", -8, 0.1, 0.75, 64),
            Seat("arp16", "synth pluck", -10, 0.35, 0.45, 72, "arp"),
            Seat("offbeats", "synth stab", -12, -0.3, 0.6, 62),
        ),
        leads=("synth lead", "square lead"), looseness=0.001,
        sound=Sound(reverb=1.8, wet=0.16, ducking=0.45, tilt=1.5, echo=0.2, drums=-1.5, bass=-3),
    ),
    Style(
        name="pop",
        words="pop|pop ballad|top 40|radio|indie pop|teen pop|commercial|jingle|advert|bedroom pop",
        bpm=(92, 108, 124), minor=0.3, taste="pop", groove="pop", kit="studio", bass=("pop", "bass guitar"),
        seats=(
            Seat("piano pop", "piano", -7, -0.15, 0.0, 62),
            Seat("strum", "acoustic guitar", -10, 0.4, 0.5, 57),
            Seat("pad", "slow strings", -14, 0.0, 0.75, 64, "pad"),
            Seat("arp8", "electric guitar", -13, -0.45, 0.6, 67, "arp"),
        ),
        leads=("flute", "electric piano", "violin"), sound=Sound(reverb=1.5, wet=0.15, tilt=0.5, drums=-3, bass=-5),
    ),
    Style(
        name="ballad",
        words="ballad|power ballad|love song|torch song|tearjerker|slow song|wedding song|lullaby",
        bpm=(60, 70, 80), minor=0.35, taste="pop", groove="pop", kit="studio", bass=("roots", "fretless bass"),
        seats=(
            Seat("arp8", "piano", -5, -0.1, 0.0, 62, "comp"),
            Seat("pad", "strings", -11, 0.1, 0.5, 62, "pad"),
            Seat("arp8", "nylon guitar", -12, 0.4, 0.6, 60, "arp"),
        ),
        leads=("violin", "cello", "oboe"), density=0.85, sound=Sound(reverb=2.4, wet=0.24, drums=-6, bass=-6),
    ),
    Style(
        name="rock",
        words="rock|indie rock|alternative|alt rock|alternative rock|classic rock|hard rock|garage|grunge|britpop|"
        "arena rock|"
        "stadium rock|post-rock|post rock|indie|surf rock|shoegaze|pop rock|rock and roll|rock n roll|emo",
        bpm=(108, 124, 146), minor=0.4, taste="rock", groove="rock", kit="rock", bass=("eighths", "bass guitar"),
        seats=(
            Seat("power8", "overdriven guitar", -6, -0.65, 0.5, 52),
            Seat("power8", "distorted guitar", -8, 0.65, 0.8, 52),
            Seat("arp8", "electric guitar", -10, 0.4, 0.0, 62, "arp"),
        ),
        leads=("overdriven guitar", "distorted guitar"), sound=Sound(reverb=1.1, wet=0.11, drive=0.3, drums=-1.5,
        bass=-4),
    ),
    Style(
        name="punk",
        words="punk|punk rock|pop punk|pop-punk|skate punk|hardcore|ska punk|riot grrrl",
        bpm=(160, 178, 200), minor=0.2, taste="rock", groove="punk", kit="rock", bass=("eighths", "picked bass"),
        seats=(
            Seat("power8", "distorted guitar", -5, -0.6, 0.4, 52),
            Seat("power8", "overdriven guitar", -6, 0.6, 0.0, 52),
            Seat("arp8", "electric guitar", -6, 0.0, 0.0, 60, "arp"),
        ),
        leads=("overdriven guitar",), density=1.3, sound=Sound(reverb=0.7, wet=0.07, drive=0.5, tilt=1.0, drums=-1,
        bass=-4),
    ),
    Style(
        name="metal",
        words="metal|heavy metal|thrash|death metal|black metal|metalcore|nu metal|doom|djent|power metal|deathcore|"
        "progressive metal|symphonic metal|heavy",
        bpm=(128, 152, 190), minor=0.97, taste="heavy", groove="metal", kit="power", bass=("gallop", "picked bass"),
        seats=(
            Seat("gallop", "distorted guitar", -4, -0.7, 0.3, 45),
            Seat("gallop", "distorted guitar", -4, 0.7, 0.5, 45),
            Seat("arp8", "electric guitar", -5, 0.2, 0.0, 58, "arp"),
            Seat("pad", "slow strings", -9, 0.0, 0.45, 62, "pad"),
        ),
        leads=("distorted guitar", "overdriven guitar"), density=1.2,
        sound=Sound(reverb=1.0, wet=0.09, drive=0.7, tilt=0.5, drums=-1, bass=-4),
    ),
    Style(
        name="jazz",
        words="jazz|swing|bebop|big band|smooth jazz|cool jazz|jazz trio|lounge|cabaret|crooner|gypsy jazz|ragtime|"
        "dixieland|"
        "electro swing|noir",
        bpm=(108, 132, 172), minor=0.35, taste="jazz", groove="swing", kit="jazz", bass=("walking", "upright bass"),
        seats=(
            Seat("comping", "piano", -6, -0.25, 0.0, 60),
            Seat("comping", "jazz guitar", -12, 0.35, 0.6, 57),
            Seat("hits", "brass", -13, 0.2, 0.9, 64),
        ),
        leads=("tenor saxophone", "trumpet", "clarinet", "alto saxophone"), swing=0.655, looseness=0.011,
        sound=Sound(reverb=1.3, wet=0.16, tilt=-1.0, drums=-6, bass=-3),
    ),
    Style(
        name="blues",
        words="blues|delta blues|chicago blues|blues rock|rhythm and blues|slow blues|texas blues|boogie|boogie-woogie",
        bpm=(84, 98, 124), minor=0.15, taste="blues", groove="shuffle", kit="studio", bass=("walking", "bass guitar"),
        seats=(
            Seat("shuffle", "electric guitar", -7, -0.35, 0.0, 50),
            Seat("comping", "organ", -12, 0.35, 0.5, 60),
            Seat("comping", "honky-tonk piano", -10, 0.15, 0.7, 62),
        ),
        leads=("harmonica", "overdriven guitar"), swing=0.66, looseness=0.011,
        sound=Sound(reverb=0.9, wet=0.12, drive=0.2, tilt=-0.5, drums=-4, bass=-3),
    ),
    Style(
        name="lo-fi hip hop",
        words="lo-fi|lofi|lo fi|lofi hip hop|lo-fi hip hop|lo-fi hip-hop|chillhop|chill hop|study beats|study|lofi "
        "beats|"
        "lo-fi beats|jazzhop",
        bpm=(70, 80, 90), minor=0.5, taste="lo-fi", groove="lo-fi", kit="dusty", bass=("lazy", "bass guitar"),
        seats=(
            Seat("lazy chords", "electric piano", -4, -0.1, 0.0, 60),
            Seat("arp8", "nylon guitar", -12, 0.35, 0.5, 64, "arp"),
            Seat("pad", "synth pad", -15, 0.0, 0.3, 60, "pad"),
        ),
        leads=("vibraphone", "jazz guitar", "muted trumpet"), swing=0.58, swing_unit=0.25, looseness=0.013,
        sound=Sound(reverb=1.1, wet=0.16, tilt=-5.0, tape=True, drums=-3, bass=-3),
    ),
    Style(
        name="hip hop",
        words="hip hop|hip-hop|hiphop|rap|boom bap|boom-bap|old school|rapper|freestyle|gangsta|east coast|west "
        "coast|beats",
        bpm=(84, 92, 100), minor=0.8, taste="dark", groove="hip-hop", kit="hip-hop", bass=("lazy", "sub bass"),
        seats=(
            Seat("loop", "piano", -7, -0.2, 0.0, 62),
            Seat("pad", "strings", -13, 0.1, 0.6, 62, "pad"),
            Seat("hits", "brass", -11, 0.3, 0.9, 62),
        ),
        leads=("electric piano", "flute", "muted trumpet"), swing=0.56, swing_unit=0.25, density=1.45,
        sound=Sound(reverb=0.9, wet=0.09, drive=0.2, drums=-0.5, bass=-2),
    ),
    Style(
        name="trap",
        words="trap|drill|phonk|cloud rap|trap soul|mumble rap|southern rap|dark trap|plugg",
        bpm=(130, 142, 156), minor=0.95, taste="dark", groove="trap", kit="808", bass=("808", "808 bass"),
        seats=(
            Seat("loop", "synth bell", -7, 0.2, 0.0, 74),
            Seat("pad", "glass pad", -13, 0.0, 0.3, 60, "pad"),
            Seat("arp8", "synth pluck", -13, -0.4, 0.8, 72, "arp"),
        ),
        leads=("square lead", "flute"), looseness=0.001, density=1.25,
        sound=Sound(reverb=1.6, wet=0.14, drive=0.4, ducking=0.15, drums=-1, bass=-0.5),
    ),
    Style(
        name="house",
        words="house|deep house|tech house|edm|dance|club|progressive house|future house|tropical house|big room|"
        "eurodance|"
        "electronic|electronica|festival|rave|trance|uplifting trance|party",
        bpm=(120, 125, 130), minor=0.7, taste="dance", groove="house", kit="909", bass=("offbeat", "square bass"),
        seats=(
            Seat("house piano", "bright piano", -7, 0.0, 0.4, 62),
            Seat("pad", "synth pad", -11, 0.0, 0.0, 60, "pad"),
            Seat("stab", "supersaw", -8, 0.0, 0.9, 66),
            Seat("arp16", "synth pluck", -12, 0.4, 0.65, 74, "arp"),
        ),
        leads=("synth lead", "synth pluck"), looseness=0.001,
        sound=Sound(reverb=1.8, wet=0.15, ducking=0.65, tilt=1.0, echo=0.15, drums=-0.5, bass=-2),
    ),
    Style(
        name="techno",
        words="techno|minimal techno|industrial|hard techno|acid techno|detroit techno|acid house|minimal|ebm|"
        "hardstyle|psytrance",
        bpm=(128, 134, 146), minor=1.0, taste="dark", groove="techno", kit="909", bass=("rolling", "acid bass"),
        seats=(
            Seat("stab", "synth stab", -10, 0.2, 0.4, 58),
            Seat("pad", "glass pad", -14, 0.0, 0.0, 58, "pad"),
            Seat("arp16", "square lead", -14, -0.4, 0.8, 70, "arp"),
        ),
        leads=("square lead", "synth bell"), looseness=0.0005,
        sound=Sound(reverb=2.2, wet=0.15, ducking=0.55, drive=0.6, tilt=-0.5, echo=0.3, drums=0.5, bass=-1.5),
    ),
    Style(
        name="drum and bass",
        words="drum and bass|drum & bass|drum n bass|dnb|d&b|jungle|liquid|breakbeat|breakcore|dubstep|garage uk|"
        "uk garage",
        bpm=(168, 174, 178), minor=0.85, taste="dance", groove="drum and bass", kit="electronic", bass=("long",
        "acid bass"),
        seats=(
            Seat("pad", "synth pad", -9, 0.0, 0.0, 62, "pad"),
            Seat("stab", "electric piano", -9, 0.2, 0.5, 62),
            Seat("arp16", "synth pluck", -13, -0.35, 0.7, 74, "arp"),
        ),
        leads=("synth lead", "flute"), looseness=0.001, density=0.9,
        sound=Sound(reverb=2.0, wet=0.16, ducking=0.3, drive=0.3, tilt=1.0, drums=0, bass=-1.5),
    ),
    Style(
        name="synthwave",
        words="synthwave|synth wave|retrowave|vaporwave|outrun|80s|eighties|1980s|darkwave|new wave|retro|"
        "cyberpunk|chiptune|8-bit|"
        "8 bit|post-punk",
        bpm=(84, 100, 116), minor=0.8, taste="dance", groove="synthwave", kit="gated", bass=("sixteenths",
        "synth bass"),
        seats=(
            Seat("pad", "synth pad", -8, 0.0, 0.0, 60, "pad"),
            Seat("arp16", "synth pluck", -11, 0.4, 0.4, 72, "arp"),
            Seat("stab", "synth brass", -9, -0.2, 0.8, 64),
        ),
        leads=("synth lead", "square lead"), looseness=0.001,
        sound=Sound(reverb=2.2, wet=0.2, ducking=0.25, drive=0.2, echo=0.3, drums=-1.5, bass=-2.5),
    ),
    Style(
        name="ambient",
        words="ambient|drone|meditation|new age|soundscape|atmospheric|space|spa|sleep|ethereal|healing|yoga|"
        "relaxing|dreamscape|"
        "downtempo|chillout|chill out",
        bpm=(56, 66, 78), minor=0.4, taste="ambient", groove="ambient", kit="soft", bass=("drone", "sub bass"),
        seats=(
            Seat("pad", "glass pad", -3, -0.2, 0.0, 64, "pad"),
            Seat("pad", "synth pad", -3, 0.2, 0.3, 57, "pad"),
            Seat("sparse", "synth bell", -11, 0.3, 0.3, 76, "arp"),
            Seat("sparse", "piano", -10, -0.3, 0.5, 66, "arp"),
        ),
        leads=("choir", "pan flute", "cello"), density=0.65, swell=True, looseness=0.02,
        sound=Sound(reverb=4.5, wet=0.5, tilt=-2.0, echo=0.35, drums=-14, bass=-6),
    ),
    Style(
        name="cinematic",
        words="cinematic|orchestral|epic|trailer|film score|film|movie|soundtrack|score|symphonic|orchestra|heroic|"
        "battle|fantasy|"
        "adventure|video game|game",
        bpm=(80, 96, 124), minor=0.75, taste="cinematic", groove="cinematic", kit="orchestra", bass=("pedal", "cello"),
        seats=(
            Seat("ostinato", "strings", -5, -0.3, 0.3, 60),
            Seat("pad", "slow strings", -7, 0.2, 0.0, 64, "pad"),
            Seat("swells", "french horns", -6, 0.35, 0.6, 57),
            Seat("swells", "brass", -8, -0.1, 0.85, 62),
            Seat("pad", "choir", -9, 0.0, 0.8, 64, "pad"),
        ),
        leads=("violin", "french horns", "flute"), density=0.8, swell=True, looseness=0.012,
        sound=Sound(reverb=2.9, wet=0.3, tilt=-0.5, drums=-2, bass=-5),
    ),
    Style(
        name="classical",
        words="classical|classical piano|solo piano|sonata|nocturne|baroque|chamber|chamber music|romantic era|"
        "prelude|etude|"
        "minuet|piano solo|neoclassical|mozart|chopin|bach",
        bpm=(72, 92, 120), minor=0.45, taste="classical", groove="none", kit="none", bass=("none", "piano"),
        seats=(Seat("alberti", "piano", -5, 0.0, 0.0, 55), Seat("left hand", "piano", -4, 0.0, 0.0, 43)),
        leads=("piano",), meters=(4, 3), swell=True, looseness=0.013, sound=Sound(reverb=2.2, wet=0.24, tilt=0.0),
    ),
    Style(
        name="waltz",
        words="waltz|viennese|musette|ballroom|carousel|valse|fairground|circus",
        bpm=(132, 158, 180), minor=0.4, taste="classical", groove="waltz", kit="brush", bass=("bar heads",
        "upright bass"),
        seats=(
            Seat("oom-pah", "accordion", -8, -0.3, 0.0, 60),
            Seat("oom-pah", "pizzicato strings", -9, 0.3, 0.4, 62),
            Seat("pad", "strings", -11, 0.1, 0.7, 64, "pad"),
        ),
        leads=("violin", "clarinet", "accordion"), meters=(3,), looseness=0.01,
        sound=Sound(reverb=1.7, wet=0.2, drums=-9, bass=-4),
    ),
    Style(
        name="folk",
        words="folk|acoustic|singer-songwriter|singer songwriter|indie folk|campfire|unplugged|celtic|irish|sea "
        "shanty|shanty|"
        "medieval|bluegrass|traditional|americana|tavern|nursery rhyme|children|kids",
        bpm=(88, 104, 124), minor=0.3, taste="folk", groove="folk", kit="hand", bass=("roots", "upright bass"),
        seats=(
            Seat("fingerpick", "acoustic guitar", -4, -0.25, 0.0, 57),
            Seat("strum", "acoustic guitar", -7, 0.35, 0.55, 57),
            Seat("pad", "violin", -13, 0.15, 0.8, 69, "pad"),
        ),
        leads=("fiddle", "whistle", "harmonica"), meters=(4, 4, 4, 3), looseness=0.01,
        sound=Sound(reverb=1.1, wet=0.14, drums=-9, bass=-6),
    ),
    Style(
        name="country",
        words="country|country pop|nashville|honky tonk|honky-tonk|western|cowboy|outlaw country|bro country|rodeo|"
        "southern",
        bpm=(96, 112, 136), minor=0.1, taste="country", groove="country", kit="studio", bass=("root-fifth",
        "bass guitar"),
        seats=(
            Seat("boom-chick", "acoustic guitar", -5, -0.3, 0.0, 55),
            Seat("banjo roll", "banjo", -11, 0.45, 0.5, 64, "arp"),
            Seat("arp8", "electric guitar", -11, 0.3, 0.7, 64, "arp"),
        ),
        leads=("fiddle", "harmonica", "electric guitar"), looseness=0.009, sound=Sound(reverb=1.1, wet=0.12, tilt=0.5,
        drums=-4, bass=-3),
    ),
    Style(
        name="reggae",
        words="reggae|dub|roots reggae|ska|rocksteady|dancehall|island|jamaican|caribbean|calypso",
        bpm=(70, 78, 90), minor=0.4, taste="reggae", groove="one drop", kit="studio", bass=("reggae", "bass guitar"),
        seats=(
            Seat("skank", "muted guitar", -5, -0.35, 0.0, 62),
            Seat("bubble", "organ", -9, 0.35, 0.3, 60),
            Seat("hits", "brass", -12, 0.1, 0.85, 64),
        ),
        leads=("tenor saxophone", "trombone", "harmonica"), swing=0.56, looseness=0.01,
        sound=Sound(reverb=1.4, wet=0.14, tilt=-1.0, echo=0.3, drums=-4, bass=-0.5),
    ),
    Style(
        name="bossa nova",
        words="bossa nova|bossa|bossanova|samba|brazilian|brazil|mpb|choro",
        bpm=(116, 128, 142), minor=0.4, taste="bossa", groove="bossa", kit="brush", bass=("bossa", "upright bass"),
        seats=(
            Seat("bossa guitar", "nylon guitar", -4, -0.2, 0.0, 57),
            Seat("comping", "electric piano", -13, 0.3, 0.5, 62),
            Seat("pad", "slow strings", -15, 0.0, 0.8, 66, "pad"),
        ),
        leads=("flute", "tenor saxophone"), looseness=0.009, density=0.85, sound=Sound(reverb=1.2, wet=0.16,
        tilt=-0.5, drums=-8, bass=-4),
    ),
    Style(
        name="latin",
        words="latin|salsa|cumbia|mambo|cha cha|cha-cha|rumba|merengue|cuban|bachata|mariachi|tango|flamenco|latin "
        "pop|spanish|afrobeat|"
        "afrobeats|afro|bolero|havana",
        bpm=(92, 104, 120), minor=0.7, taste="latin", groove="latin", kit="latin", bass=("tumbao", "upright bass"),
        seats=(
            Seat("montuno", "piano", -5, -0.2, 0.0, 67),
            Seat("strum", "nylon guitar", -10, 0.35, 0.4, 57),
            Seat("hits", "brass", -9, 0.2, 0.7, 64),
        ),
        leads=("trumpet", "flute", "trombone"), looseness=0.008, sound=Sound(reverb=1.1, wet=0.12, tilt=0.5, drums=-3,
        bass=-3),
    ),
    Style(
        name="reggaeton",
        words="reggaeton|dembow|perreo|urbano|moombahton|latin trap",
        bpm=(88, 94, 100), minor=0.9, taste="dance", groove="reggaeton", kit="electronic", bass=("tresillo",
        "sub bass"),
        seats=(
            Seat("stab", "synth pluck", -7, 0.2, 0.0, 66),
            Seat("pad", "synth pad", -12, 0.0, 0.3, 60, "pad"),
            Seat("arp8", "marimba", -11, -0.35, 0.6, 70, "arp"),
        ),
        leads=("synth lead", "square lead"), looseness=0.002, density=1.2,
        sound=Sound(reverb=1.3, wet=0.12, ducking=0.3, drive=0.2, drums=-0.5, bass=-1),
    ),
    Style(
        name="funk",
        words="funk|funky|p-funk|funk rock|jazz funk|slap|groovy|groove|motown",
        bpm=(96, 106, 116), minor=0.7, taste="funk", groove="funk", kit="studio", bass=("funk", "slap bass"),
        seats=(
            Seat("scratch", "muted guitar", -8, 0.4, 0.0, 64),
            Seat("comping16", "clavinet", -9, -0.35, 0.4, 60),
            Seat("hits", "brass", -8, 0.1, 0.7, 64),
            Seat("comping", "electric piano", -12, -0.1, 0.2, 62),
        ),
        leads=("alto saxophone", "trumpet"), swing=0.53, swing_unit=0.25, density=1.15,
        sound=Sound(reverb=0.8, wet=0.09, drive=0.15, tilt=0.5, drums=-2, bass=-1.5),
    ),
    Style(
        name="disco",
        words="disco|nu disco|nu-disco|italo disco|70s|seventies|1970s|boogie disco|french house|studio 54|roller",
        bpm=(112, 118, 124), minor=0.55, taste="dance", groove="disco", kit="studio", bass=("octaves", "bass guitar"),
        seats=(
            Seat("scratch", "electric guitar", -9, 0.4, 0.2, 64),
            Seat("pad", "strings", -8, 0.0, 0.3, 69, "pad"),
            Seat("stab", "electric piano", -9, -0.3, 0.0, 62),
            Seat("hits", "brass", -10, 0.15, 0.8, 64),
        ),
        leads=("strings", "alto saxophone"), looseness=0.006, sound=Sound(reverb=1.3, wet=0.13, tilt=1.0, drums=-1.5,
        bass=-2),
    ),
    Style(
        name="soul",
        words="soul|gospel|r&b|rnb|neo soul|neo-soul|neosoul|r and b|worship|spiritual|church|choir music|motown "
        "soul|hymn|praise|christian",
        bpm=(70, 82, 98), minor=0.25, taste="soul", groove="gospel", kit="studio", bass=("soul", "bass guitar"),
        seats=(
            Seat("comping", "electric piano", -6, -0.25, 0.0, 60),
            Seat("pad", "organ", -10, 0.25, 0.2, 60, "pad"),
            Seat("pad", "choir", -8, 0.0, 0.7, 66, "pad"),
            Seat("hits", "brass", -13, 0.1, 0.95, 64),
        ),
        leads=("tenor saxophone", "organ"), swing=0.6, looseness=0.01, sound=Sound(reverb=1.8, wet=0.19, drums=-4,
        bass=-3),
    ),
)  # fmt: skip

BY_NAME = {style.name: style for style in STYLES}


def check_styles() -> None:
    """Whether all that the table names exists; raises AssertionError otherwise."""
    for style in STYLES:
        names = [style.bass[1], *style.leads, *(seat.instrument for seat in style.seats)]
        missing = [name for name in names if name not in INSTRUMENTS]
        if missing or style.taste not in TASTES or style.groove not in GROOVES:
            raise AssertionError(f"{style.name}: {missing} {style.taste} {style.groove}")
