"""What the client is told about a song: how it was made, what was composed, what was not understood."""

from typing import Any

from workers.pipelines.ace_step_create.composition import Composition
from workers.pipelines.ace_step_create.soundfont import soundfont_name

METHOD = (
    "A composer by rules, no diffusion model: tags choose style, key, tempo and band; the lyrics' sections make the "
    "form; chords, bass, drums, accompaniment and a melody set syllable by syllable to the lyrics are written as "
    "a score, played through a soundfont and our own synthesiser, mixed and mastered to -14 LUFS."
)
WITHOUT_EFFECT = ["steps", "textCfgScale", "samplerCfg"]
"""These steer a diffusion model; there is none. The other sampler fields widen or narrow the composer's choices."""


def report(song: Composition, engine: str, seed: int) -> dict[str, Any]:
    """The result's `info`."""
    style = song.style
    lines = []
    for section in song.form.sections:
        origin = section.start_bar * song.meter.beats
        for line in section.lines:
            start, end = song.seconds_at(origin + line.start), song.seconds_at(origin + line.start + line.beats)
            lines.append({"section": section.label, "text": line.text, "start": round(start, 3), "end": round(end, 3)})
    return {
        "engine": engine,
        "method": METHOD,
        "vocals": vocals_sentence(song),
        "style": style.name if song.wishes.style_named else f"{style.name} (the composer's choice)",
        "influences": [influence.name for influence in song.wishes.influences[:1]],
        "moods": song.wishes.moods,
        "key": song.key.name,
        "bpm": song.bpm,
        "timeSignature": str(song.meter.beats),
        "bars": song.form.bars,
        "sections": [
            {
                "label": section.label,
                "kind": section.kind,
                "start": round(song.section_span(section)[0], 3),
                "end": round(song.section_span(section)[1], 3),
                "bars": section.bars,
                "intensity": round(section.intensity, 2),
                "chords": [stretch.chord.name for stretch in stretches],
                "addedByComposer": section.repeats,
            }
            for section, stretches in zip(song.form.sections, song.harmony, strict=True)
        ],
        "instruments": [_track_name(track.name, track.kit) for track in song.score.tracks],
        "lyricsSet": lines,
        "lyricsLinesLeftOut": song.form.lines_left_out,
        "notUnderstood": song.wishes.unknown + [f"[{tag}]" for tag in song.reading.unknown_tags],
        "samplerFieldsWithoutEffect": WITHOUT_EFFECT,
        "seed": seed,
        "attribution": f"Soundfont {soundfont_name()}"
        + (" by Tim Brechbill (GPL-2), as the pretty_midi package brings it" if soundfont_name() == "TimGM6mb" else "")
        + ("; the singer's sounds come from Kokoro-82M (Apache-2.0) by way of WORLD (BSD)" if song.voice else "")
        + "; synthesiser voices and electronic drums are our own.",
    }


def vocals_sentence(song: Composition) -> str:
    """Who sings, and how well to expect it."""
    if not song.voice:
        return "Instrumental: there were no words to sing, or the tags asked for none."
    return (
        f"Sung by a synthetic {song.voice} voice: recorded vowels and consonants laid on the melody by a vocoder. "
        "It sounds artificial, and not every word is understood."
    )


def _track_name(name: str, kit: str | None) -> str:
    if name == "voice":
        return "singer"
    return f"drums ({kit} kit)" if kit and kit != "effects" else name
