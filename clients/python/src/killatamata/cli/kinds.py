"""What `generate` and `estimate` can be told, kind by kind: each option and the input field it fills."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from killatamata.inputs import media

INSTRUMENTAL = "[Instrumental]"
"""The lyrics of a song without words."""


@dataclass(frozen=True)
class Option:
    """One option of the command line."""

    flag: str
    field: str
    says: str
    read: Callable[[str], Any] = str
    """From what was typed to what is sent."""
    switch: bool = False
    """Takes no value; given, the field is true."""
    many: bool = False
    """May be given several times; the field is a list."""
    required: bool = False
    choices: tuple[str, ...] | None = None

    @property
    def name(self) -> str:
        """Its attribute among the parsed options."""
        return f"field_{self.field}"

    def add_to(self, parser: argparse.ArgumentParser) -> None:
        """Let `parser` take it."""
        if self.switch:
            parser.add_argument(self.flag, dest=self.name, action="store_true", default=None, help=self.says)
            return
        parser.add_argument(
            self.flag,
            dest=self.name,
            action="append" if self.many else "store",
            required=self.required,
            choices=self.choices,
            metavar=None if self.choices else self.flag.strip("-").replace("-", "_").upper(),
            help=self.says,
        )


@dataclass(frozen=True)
class Kind:
    """One word after `generate`."""

    task: str
    says: str
    options: tuple[Option, ...]
    text: str | None = "prompt"
    """The input field of the words on the command line; None: there are none."""
    formats: tuple[str, ...] = ()
    """File suffixes that set `outputFormat`."""
    fixed: Callable[[dict[str, Any]], dict[str, Any]] = lambda given: {}
    """What follows from the options given."""

    def input_of(self, options: argparse.Namespace) -> dict[str, Any]:
        """The task's input, as far as the kind's own options say it.

        Raises:
            UnusableFile: a file cannot be sent.
            ValueError: a value is not what its option takes.
        """
        given: dict[str, Any] = {}
        if self.text is not None:
            given[self.text] = options.text
        for option in self.options:
            typed = getattr(options, option.name)
            if typed is None:
                continue
            if option.switch:
                given[option.field] = True
            elif option.many:
                given[option.field] = [_read(option, one) for one in typed]
            else:
                given[option.field] = _read(option, typed)
        output = Path(getattr(options, "output", None) or "").suffix.lower().lstrip(".")
        output = "jpg" if output == "jpeg" else output
        if output in self.formats:
            given.setdefault("outputFormat", output)
        return {**self.fixed(given), **given}


def _read(option: Option, typed: str) -> Any:
    try:
        return option.read(typed)
    except ValueError:
        raise ValueError(f"{option.flag} takes a number, not {typed!r}") from None


def text_or_file(typed: str) -> str:
    """A text, or with an @ before it the file that holds the text."""
    return Path(typed[1:]).read_text(encoding="utf-8") if typed.startswith("@") else typed


_SIZE = (
    Option("--width", "width", "pixels, a multiple of 32", int),
    Option("--height", "height", "pixels, a multiple of 32", int),
    Option(
        "--aspect-ratio", "aspectRatio", "the shape instead of a size", choices=("1:1", "16:9", "9:16", "9:7", "7:9")
    ),
)
_FORMAT = Option("--format", "outputFormat", "the file's format; else as -o ends", choices=("webp", "png", "jpg"))
_DETAIL = Option("--high-detail", "highDetail", "work finer, for half as much again", switch=True)
_REFERENCE = Option("--reference", "referenceImages", "an image to go by, a file or a URL; up to 5", media, many=True)
_SEED = Option("--seed", "seed", "the same seed and input give the same result", int)
_QUALITY = Option("--quality", "quality", "bit rate of the file", choices=("96k", "128k", "192k"))
_PICTURES = ("webp", "png", "jpg")

_MODEL = Kind(
    task="trellis.generate",
    says="a textured shape (GLB) from an image",
    text=None,
    options=(
        Option("--source", "sourceImage", "the image, a file or a URL", media, required=True),
        Option("--preset", "qualityPreset", "how fine", choices=("performance", "balanced", "fidelity")),
        Option("--faces", "targetFaceCount", "the most triangles", int),
        Option("--texture-size", "textureSize", "sides of the texture in pixels: 512, 1024, 2048", int),
        _SEED,
    ),
)

KINDS: dict[str, Kind] = {
    "image": Kind(
        task="image.generate",
        says="an image from words",
        formats=_PICTURES,
        options=(
            *_SIZE,
            _FORMAT,
            _DETAIL,
            Option("--upscale", "upscale", "1.5 times as wide and as high", switch=True),
            _REFERENCE,
        ),
    ),
    "edit": Kind(
        task="image.edit",
        says="an image changed as the words say",
        formats=_PICTURES,
        options=(
            Option("--source", "sourceImage", "the image, a file or a URL", media, required=True),
            _FORMAT,
            _DETAIL,
            _REFERENCE,
        ),
    ),
    "video": Kind(
        task="video.generate",
        says="a clip from words, with or without given frames",
        options=(
            Option("--start-frame", "startFrameImage", "the first frame, a file or a URL", media),
            Option("--final-frame", "finalFrameImage", "the last frame, a file or a URL", media),
            Option("--audio", "referenceAudio", "sound to keep, a file or a URL; needs a start frame", media),
            Option("--duration", "durationSeconds", "whole seconds, 3 to 20", int),
            *_SIZE,
            Option("--fps", "interpolationFps", "delivered frames a second, 30 to 60; 0 as sampled", int),
            Option("--extreme-quality", "extremeQuality", "work finer, for half as much again", switch=True),
            _SEED,
        ),
    ),
    "speech": Kind(
        task="audio.speak",
        says="spoken words",
        text="text",
        fixed=lambda given: {"mode": "voice_clone"} if "referenceAudio" in given else {},
        options=(
            Option("--voice", "voiceDescription", "tags such as 'female, young adult, british accent'"),
            Option("--clone", "referenceAudio", "a voice to clone, a file or a URL", media),
            Option("--clone-transcript", "referenceTranscript", "what is said there; text or @file", text_or_file),
            Option("--provider", "provider", "who speaks", choices=("omnivoice", "gemini")),
            Option("--voice-name", "voiceName", "a voice of Gemini's"),
            Option("--instructions", "instructions", "how Gemini is to say it"),
            _QUALITY,
            _SEED,
        ),
    ),
    "music": Kind(
        task="ace.step.create",
        says="a song; the words describe its style",
        text="tags",
        fixed=lambda given: {"lyrics": INSTRUMENTAL},
        options=(
            Option("--lyrics", "lyrics", "text or @file, with [Section] marks; without it nobody sings", text_or_file),
            Option("--duration", "durationSeconds", "seconds, 15 to 240", int),
            Option("--bpm", "bpm", "beats a minute", int),
            Option("--key", "keyScale", "such as 'E minor'"),
            Option("--preset", "qualityPreset", "how fine", choices=("default", "high_quality")),
            _QUALITY,
            _SEED,
        ),
    ),
    "sound": Kind(
        task="moss.sound.effect",
        says="the sound of an event",
        options=(Option("--duration", "durationSeconds", "seconds, 1 to 30", int), _QUALITY),
    ),
    "model": _MODEL,
    "shape": _MODEL,
    "transcript": Kind(
        task="audio.annotation.reference",
        says="what is said in a sound, and when (JSON)",
        text=None,
        options=(
            Option("--source", "sourceAudio", "the sound, a file or a URL", media, required=True),
            Option("--words", "transcript", "what is said, to be placed in time; text or @file", text_or_file),
        ),
    ),
}
