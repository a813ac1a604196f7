"""The band: who plays what in which section, from the style, the tags' instruments and the sections' intensity."""

from collections.abc import Sequence
from dataclasses import replace

from workers.pipelines.ace_step_create.basslines import BASSES, Bass
from workers.pipelines.ace_step_create.dice import Dice
from workers.pipelines.ace_step_create.drumming import drum
from workers.pipelines.ace_step_create.form import Section
from workers.pipelines.ace_step_create.harmony import Stretch
from workers.pipelines.ace_step_create.instruments import INSTRUMENTS, Instrument
from workers.pipelines.ace_step_create.melody import SungNote
from workers.pipelines.ace_step_create.players import PLAYER_FOR_FAMILY, PLAYERS, Player
from workers.pipelines.ace_step_create.reading import Wishes
from workers.pipelines.ace_step_create.score import Note, Track
from workers.pipelines.ace_step_create.style import Seat, Style
from workers.pipelines.ace_step_create.theory import Chord, Key, Meter, nearest_pitch, voice

_MELODIC = frozenset({"winds", "brass", "strings", "voices"})
_MOST_SEATS = 6


def seats_for(style: Style, wishes: Wishes) -> list[Seat]:
    """The style's players with the instruments that the tags name among them and those they forbid gone."""
    seats = [seat for seat in style.seats if seat.instrument not in wishes.without]
    for influence in wishes.influences[:1]:
        guest = next((seat for seat in influence.seats if seat.role != "pad"), None)
        if guest and len(seats) < _MOST_SEATS and all(seat.instrument != guest.instrument for seat in seats):
            seats.append(replace(guest, level=guest.level - 3))
    lead = lead_for(style, wishes)
    for name in wishes.instruments:
        instrument = INSTRUMENTS[name]
        if instrument.family == "bass" or name in wishes.without:
            continue
        same = next((place for place, seat in enumerate(seats) if seat.instrument == name), None)
        kin = next(
            (
                place
                for place, seat in enumerate(seats)
                if INSTRUMENTS[seat.instrument].family == instrument.family
                and seat.instrument not in wishes.instruments
            ),
            None,
        )
        if same is not None:
            seats[same] = replace(seats[same], enters=min(0.3, seats[same].enters), level=seats[same].level + 2)
        elif name == lead.name and instrument.family in _MELODIC - {"strings", "voices"}:
            continue
        elif kin is not None:
            seats[kin] = replace(
                seats[kin], instrument=name, enters=min(0.3, seats[kin].enters), level=seats[kin].level + 1
            )
        else:
            role = "pad" if PLAYER_FOR_FAMILY[instrument.family] == "pad" else "comp"
            center = (instrument.low + instrument.high) // 2
            player = "piano pop" if instrument.name == "piano" else PLAYER_FOR_FAMILY[instrument.family]
            seats.append(Seat(player, name, -7, 0.25 if len(seats) % 2 else -0.25, 0.3, min(66, center), role))
    return seats[: _MOST_SEATS + 1]


def lead_for(style: Style, wishes: Wishes, hint: str = "") -> Instrument:
    """What plays tunes without words: named in the section's tag, in the tags, or usual in the style."""
    families = {
        "guitar": "guitar",
        "piano": "keys",
        "sax": "winds",
        "synth": "synth",
        "violin": "strings",
        "organ": "keys",
    }
    for word, family in families.items():
        if word in hint:
            named = {
                "guitar": "overdriven guitar",
                "piano": "piano",
                "sax": "tenor saxophone",
                "synth": "synth lead",
                "violin": "violin",
                "organ": "organ",
            }
            own = next(
                (name for name in (*wishes.instruments, *style.leads) if INSTRUMENTS[name].family == family), None
            )
            if (
                own is None
                and family == "guitar"
                and style.name in ("folk", "country", "bossa nova", "latin", "classical", "jazz")
            ):
                own = {"jazz": "jazz guitar"}.get(style.name, "nylon guitar")
            return INSTRUMENTS[own or named[word]]
    for name in wishes.instruments:
        if name not in wishes.without and (
            name in style.leads
            or (
                INSTRUMENTS[name].family in _MELODIC
                and name
                not in (
                    "strings",
                    "slow strings",
                    "tremolo strings",
                    "pizzicato strings",
                    "choir",
                    "ooh voices",
                    "brass",
                    "tuba",
                )
            )
        ):
            return INSTRUMENTS[name]
    return INSTRUMENTS[next((name for name in style.leads if name not in wishes.without), style.leads[0])]


def arrange(
    sections: Sequence[Section],
    harmony: Sequence[Sequence[Stretch]],
    tunes: Sequence[Sequence[SungNote]],
    *,
    style: Style,
    wishes: Wishes,
    key: Key,
    meter: Meter,
    last: Chord,
    dice: Dice,
    sung: bool,
) -> list[Track]:
    """All tracks of the song. `sung`: tunes with words go to the track `voice`, which no instrument doubles."""
    end = float((sections[-1].start_bar + sections[-1].bars) * meter.beats)
    ring = 2.0 * meter.beats
    tracks: list[Track] = []
    for number, seat in enumerate(seats_for(style, wishes)):
        tracks.append(_comp(seat, number, sections, harmony, meter=meter, last=last, end=end, ring=ring, dice=dice))
    if "bass" not in wishes.without and style.bass[0] != "none":
        tracks.append(
            _bass(sections, harmony, style=style, wishes=wishes, meter=meter, last=last, end=end, ring=ring, dice=dice)
        )
    if "drums" not in wishes.without:
        kit, big, effects = drum(sections, style=style, meter=meter, dice=dice.of("drums"), end_beat=end)
        tracks.append(Track("drums", "drums", None, kit, style.sound.drums, kit=style.kit))
        big_level = style.sound.drums - 1
        tracks.append(Track("taiko drums", "drums", INSTRUMENTS["taiko drums"], big, big_level))
        tracks.append(Track("effects", "effects", None, effects, -9.0, kit="effects"))
    tracks += _tunes(
        sections, tunes, style=style, wishes=wishes, key=key, meter=meter, last=last, end=end, ring=ring, sung=sung
    )
    return [track for track in tracks if track.notes]


def _comp(
    seat: Seat,
    number: int,
    sections: Sequence[Section],
    harmony: Sequence[Sequence[Stretch]],
    *,
    meter: Meter,
    last: Chord,
    end: float,
    ring: float,
    dice: Dice,
) -> Track:
    instrument = INSTRUMENTS[seat.instrument]
    track = Track(f"{seat.instrument} {number + 1}", seat.role, instrument, [], seat.level, seat.pan)
    play = PLAYERS[seat.player]
    opens = sections[0].intensity
    for place, (section, stretches) in enumerate(zip(sections, harmony, strict=True)):
        player = Player(meter, instrument, seat.center, dice.of(f"seat{number}/{section.kind}"))
        player.intensity = section.intensity
        for order, stretch in enumerate(stretches):
            # An intro gathers its players one after another; everywhere else they stand by the section's intensity.
            joins = (
                section.kind == "intro" and number > 0 and order * 2 >= len(stretches) and seat.enters <= opens + 0.25
            )
            if section.intensity + 1e-9 >= seat.enters or joins:
                track.notes += [note for note in play(player, stretch) if note.start < stretch.end - 1e-6]
        if place + 1 == len(sections) and (track.notes or number == 0):
            player.intensity = max(0.45, section.intensity)
            center = max(instrument.low + 7, min(instrument.high - 8, seat.center))
            roll = 0.06 if instrument.family in ("keys", "guitar") else 0.0
            if section.intensity + 0.15 >= seat.enters or number == 0:
                track.notes += player.chord(end, ring, voice(last, center, player.hand), 4, roll)
    return track


def _bass(
    sections: Sequence[Section],
    harmony: Sequence[Sequence[Stretch]],
    *,
    style: Style,
    wishes: Wishes,
    meter: Meter,
    last: Chord,
    end: float,
    ring: float,
    dice: Dice,
) -> Track:
    named = next((name for name in wishes.instruments if INSTRUMENTS[name].family == "bass"), style.bass[1])
    instrument = INSTRUMENTS[named]
    track = Track(named, "bass", instrument, [], style.sound.bass)
    flat = [stretch for stretches in harmony for stretch in stretches]
    place = 0
    for section, stretches in zip(sections, harmony, strict=True):
        player = Bass(meter, instrument.low, section.intensity, dice.of(f"bass/{section.kind}"))
        for order, stretch in enumerate(stretches):
            after = flat[place + 1] if place + 1 < len(flat) else Stretch(last, end, ring)
            silent = (
                section.kind == "intro" and order * 2 < len(stretches) and section.intensity < 0.45 and not style.swell
            )
            if not silent:
                track.notes += [
                    note for note in BASSES[style.bass[0]](player, stretch, after) if note.start < stretch.end - 1e-6
                ]
            place += 1
    track.notes.append(Note(end, ring, instrument.low + (last.root - instrument.low) % 12, 92))
    return track


def _tunes(
    sections: Sequence[Section],
    tunes: Sequence[Sequence[SungNote]],
    *,
    style: Style,
    wishes: Wishes,
    key: Key,
    meter: Meter,
    last: Chord,
    end: float,
    ring: float,
    sung: bool,
) -> list[Track]:
    """Voice, lead, solo instruments of their own, and a second voice in the loud sections."""
    lead = lead_for(style, wishes)
    tracks = {"voice": Track("voice", "voice", None, [], 0.0)}
    second = Track("second voice", "harmony", INSTRUMENTS["ooh voices" if sung else lead.name], [], -9.0, -0.2)
    final_lead: Track | None = None
    for section, tune in zip(sections, tunes, strict=True):
        worded = any(note.syllable is not None for note in tune)
        if worded and sung:
            track = tracks["voice"]
            track.notes += [Note(note.start, note.length, note.pitch, note.velocity) for note in tune]
        else:
            hint = (
                f"{section.label.lower()} {' '.join(section.hints)}"
                if section.kind in ("solo", "interlude", "intro", "outro")
                else ""
            )
            player = lead_for(style, wishes, hint)
            track = tracks.setdefault(
                player.name, Track(f"{player.name} lead", "lead", player, [], -1.5 if not sung else -3.0, 0.08)
            )
            track.notes += [Note(note.start, note.length, _within(note.pitch, player), note.velocity) for note in tune]
            final_lead = track if tune else final_lead
        if (
            section.kind in ("chorus", "postchorus", "drop")
            and section.intensity > 0.9
            and tune
            and (sung or style.name not in ("classical", "jazz"))
        ):
            second.notes += _thirds(tune, key, second.instrument)
    if final_lead is not None and not sung and tunes[-1] and final_lead.instrument is not None:
        final_lead.notes.append(
            Note(end, ring, _within(nearest_pitch(last.root, final_lead.notes[-1].pitch), final_lead.instrument), 84)
        )
    return [*tracks.values(), second]


def _thirds(tune: Sequence[SungNote], key: Key, instrument: Instrument | None) -> list[Note]:
    """Two scale steps below each longer note."""
    out = []
    for note in tune:
        if note.length < 0.45:
            continue
        steps, pitch = 0, note.pitch
        while steps < 2:
            pitch -= 1
            steps += pitch % 12 in key.scale
        out.append(
            Note(note.start, note.length, _within(pitch, instrument) if instrument else pitch, note.velocity - 12)
        )
    return out


def _within(pitch: int, instrument: Instrument) -> int:
    while pitch < instrument.low:
        pitch += 12
    while pitch > instrument.high:
        pitch -= 12
    return pitch
