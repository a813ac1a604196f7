"""Where each clip of a combination begins and ends, in whole frames and whole samples."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from workers.clips import Clip

_MAX_RATE = 120
_ALIGNED = Fraction(2, 1000)
"""30000/1001 is called 30, as it is everywhere: frameRate can only be a whole number."""


class TrimTooLong(Exception):
    """The overlap would remove the whole of a clip; the message names it."""


@dataclass(frozen=True, kw_only=True)
class Span:
    """The part of one clip that plays, on the timeline's grid."""

    clip: Clip
    skip: int
    keep: int


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """All spans on one constant rate."""

    rate: Fraction
    spans: Sequence[Span]
    why_rate: str

    @property
    def frames(self) -> int:
        """Frames of the whole."""
        return sum(span.keep for span in self.spans)

    @property
    def seconds(self) -> Fraction:
        """Length of the whole."""
        return self.frames / self.rate

    def samples(self, sample_rate: int) -> list[tuple[int, int]]:
        """First and last-plus-one sample of each span in its own clip's sound.

        The lengths are differences of rounded positions on the whole, so rounding never adds up over the clips.
        """
        cuts, played = [], 0
        for span in self.spans:
            first = round(span.skip / self.rate * sample_rate)
            length = _at(played + span.keep, self.rate, sample_rate) - _at(played, self.rate, sample_rate)
            cuts.append((first, first + length))
            played += span.keep
        return cuts


def lay_out(clips: Sequence[Clip], *, overlap_frames: int, frame_rate: int) -> Timeline:
    """Put the clips in a row, without the overlap's head in every clip after the first.

    The clips keep their rate when they share one and the overlap, `overlap_frames / frame_rate` seconds, is a whole
    number of its frames; then no frame is dropped or doubled. Otherwise they are loaded at `frame_rate`, where the
    overlap is `overlap_frames` frames by definition.

    Raises:
        TrimTooLong: nothing of a clip would be left.
    """
    rate, trim, why = _grid(clips, overlap_frames=overlap_frames, frame_rate=frame_rate)
    spans = []
    for place, clip in enumerate(clips):
        frames, skip = clip.frames_at(rate), trim if place else 0
        if skip >= frames:
            raise TrimTooLong(
                f"Clip {place + 1} lasts {float(frames / rate):.3f} s, and the overlap of {overlap_frames} frames at "
                f"{frame_rate} per second would remove {float(skip / rate):.3f} s: nothing would be left of it."
            )
        spans.append(Span(clip=clip, skip=skip, keep=frames - skip))
    return Timeline(rate=rate, spans=spans, why_rate=why)


def _grid(clips: Sequence[Clip], *, overlap_frames: int, frame_rate: int) -> tuple[Fraction, int, str]:
    rates = {clip.rate for clip in clips}
    asked = Fraction(frame_rate)
    own = clips[0].rate
    if own is None or len(rates) > 1:
        return asked, overlap_frames, "the clips' own rates differ or vary"
    if own > _MAX_RATE:
        return asked, overlap_frames, "the clips' rate is beyond 120 frames a second"
    nominal = Fraction(round(own)) if round(own) and abs(own / round(own) - 1) < _ALIGNED else own
    trim = overlap_frames * nominal / asked
    if trim.denominator > 1:
        return asked, overlap_frames, "the overlap is not a whole number of the clips' own frames"
    return own, int(trim), "the clips share it"


def _at(frames: int, rate: Fraction, sample_rate: int) -> int:
    return round(frames / rate * sample_rate)
