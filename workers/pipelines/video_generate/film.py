"""The clip as a function of time: any output frame, from given frames, camera, scene, air and sound."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

import cv2
import numpy as np

from workers.pipelines.image_generate.canvas import stream
from workers.pipelines.video_generate.camera import Camera, Lens, covering, destination, eased, shake
from workers.pipelines.video_generate.direction import Direction
from workers.pipelines.video_generate.effects import Air
from workers.pipelines.video_generate.flow import between
from workers.pipelines.video_generate.given_frames import Anchors, Picture
from workers.pipelines.video_generate.momentum import Momentum
from workers.pipelines.video_generate.passage import Passage
from workers.pipelines.video_generate.world import World

EASE_SECONDS = 0.9
"""How long everything of our own takes to come up after a given frame, and to calm down before one."""
PULSE_ZOOM, PULSE_LIGHT = 0.014, 0.05


@dataclass(frozen=True, kw_only=True)
class Timing:
    """Sampled frames and output frames on one clock."""

    frames: int
    sampled_fps: int
    output_fps: int

    @property
    def seconds(self) -> Fraction:
        """How long the clip lasts."""
        return Fraction(self.frames, self.sampled_fps)

    @property
    def output_frames(self) -> int:
        """The clip's length at the output rate, a begun frame counted whole: so the last sampled frame is shown."""
        return -(-self.frames * self.output_fps // self.sampled_fps)

    def sampled_at(self, output_frame: int) -> Fraction:
        """Where an output frame lies among the sampled ones: 2.5 is halfway between the third and the fourth."""
        return Fraction(output_frame * self.sampled_fps, self.output_fps)


@dataclass(frozen=True, kw_only=True)
class Film:
    """Everything a clip is made from. `frame` may be called from several threads, in any order."""

    timing: Timing
    anchors: Anchors
    world: World
    """The last opening frame's, or the composed scene."""
    composed: bool
    direction: Direction
    lens: Lens
    air: Air
    passage: Passage | None
    """From the world to the final frame, where one is given."""
    momentum: Momentum
    opening_flows: tuple[Any, ...]
    """Flow both ways from each opening frame to the next."""
    pulse: Callable[[float], float] | None
    interpolation: int
    seed: int

    def given_frames(self) -> list[int]:
        """The output frames on which a given frame is shown for the first time."""
        rate, sampled = self.timing.output_fps, self.timing.sampled_fps
        last = self.timing.frames - 1
        places = [Fraction(place * rate, sampled) for place in self.anchors.kinds]
        shown = {int(place) for place in places if place.denominator == 1}
        if self.anchors.final is not None:
            shown.add(-(-last * rate // sampled))
        return sorted(shown)

    def frame(self, number: int) -> Picture:
        """Output frame `number`; a given frame is shown to the bit."""
        place = self.timing.sampled_at(number)
        if self.anchors.final is not None:
            place = min(place, Fraction(self.timing.frames - 1))
        given = self._given(place)
        if given is not None:
            return given
        if place < self._last_opening:
            return self._between_openings(place)
        return self._made(place)

    @property
    def _last_opening(self) -> int:
        return max(0, len(self.anchors.opening) - 1)

    @property
    def _opened(self) -> bool:
        return bool(self.anchors.opening)

    def _given(self, place: Fraction) -> Picture | None:
        if place.denominator != 1:
            return None
        if place < len(self.anchors.opening):
            return self.anchors.opening[int(place)]
        return self.anchors.final if place == self.timing.frames - 1 else None

    def _between_openings(self, place: Fraction) -> Picture:
        first = int(place)
        pair = self.anchors.opening[first : first + 2]
        return between(
            pair[0], pair[1], self.opening_flows[first], float(place - first), interpolation=self.interpolation
        )

    def _made(self, place: Fraction) -> Picture:
        since = float(place - self._last_opening) / self.timing.sampled_fps
        share = min(1.0, since / self._span)
        freedom = self._freedom(since)
        now = float(place) / self.timing.sampled_fps
        beat = self.pulse(now) * freedom if self.pulse else 0.0
        own = replace(Camera(), zoom=PULSE_ZOOM * beat)
        if self.direction.handheld:
            own = own + shake(now, self._phases, strength=freedom)
        passage = self.passage
        if passage is None:
            camera = self._path(share) + self.momentum.camera(since) + own
            picture = self._seen(self.world, self._covered(camera), since, freedom)
        else:
            picture = self._passing(passage, share, since, own, freedom)
        if beat > 0.02:
            picture = np.asarray(cv2.convertScaleAbs(picture, alpha=1 + PULSE_LIGHT * beat, beta=0), np.uint8)
        self.air.draw(picture, now, freedom)
        return picture

    def _passing(self, passage: Passage, share: float, since: float, own: Camera, freedom: float) -> Picture:
        """On the way to the final frame."""
        if passage.morph:
            settling = (1 - share) ** 2 * (1 + 2 * share)
            bump = float(np.sin(np.pi * share) ** 2)
            view = self._destination * (0.3 * bump) + self.momentum.camera(since) * settling + own
            return passage.morph.at(eased(share, at_start=0.2, at_end=0.2), covering(view, shape=self.lens.shape))
        leaving = self._path(eased(share, at_start=0.0, at_end=0.0)) + self.momentum.camera(since) + own
        arriving = self._destination * (eased(share, at_start=0.0, at_end=0.3) - 1) + own
        fade = passage.fade(share)
        seconds = since
        parts = []
        if fade < 1:
            parts.append((self._seen(self.world, self._covered(leaving), seconds, freedom), 1 - fade))
        if fade > 0:
            parts.append((self._seen(passage.world, covering(arriving, shape=self.lens.shape), seconds, 0.0), fade))
        if len(parts) == 1:
            return parts[0][0]
        (first, weight), (second, other) = parts
        return np.asarray(cv2.addWeighted(first, weight, second, other, 0), np.uint8)

    def _seen(self, world: World, camera: Camera, seconds: float, liveliness: float) -> Picture:
        return world.seen(camera, seconds, self.lens, interpolation=self.interpolation, liveliness=liveliness)

    @property
    def _span(self) -> float:
        """Seconds from the last opening frame to the final one, or to the clip's end."""
        last = self.timing.frames - 1 if self.anchors.final is not None else self.timing.frames
        return max(1e-6, (last - self._last_opening) / self.timing.sampled_fps)

    def _freedom(self, since: float) -> float:
        """0 at given frames, 1 away from them: how strongly what is not on them may show."""
        ease = min(EASE_SECONDS, 0.3 * self._span)
        rise = min(1.0, since / ease) if self._opened else 1.0
        fall = min(1.0, (self._span - since) / ease) if self.anchors.final is not None else 1.0
        level = max(0.0, min(rise, fall))
        return level * level * (3 - 2 * level)

    @cached_property
    def _phases(self) -> list[float]:
        return [float(draw) for draw in stream(self.seed, "hand").random(9)]

    @cached_property
    def _destination(self) -> Camera:
        if self.direction.static:
            return Camera()
        return destination(self.direction.moves, pace=self.direction.pace, seconds=self._span)

    def _path(self, share: float) -> Camera:
        """Where the asked move has got to. A given frame is left from rest and unchanged; in a composed world turns
        and travel run through the middle, and a camera that pulls out ends with everything in view.
        """
        goal = self._destination
        if not self.composed:
            start = min(0.35, 0.7 / self._span)
            end = 0.15 if self.anchors.final is None else 0.0
            return goal * eased(share, at_start=start, at_end=end)
        done = eased(share, at_start=0.08, at_end=0.12 if self.anchors.final is None else 0.0)
        aside = 1.35 * (done - 0.5)
        backing = goal.zoom < 0 or goal.forward < 0
        inward = done - 1 if backing and not (goal.zoom < 0 < goal.forward) else done
        return Camera(
            right=goal.right * aside, down=goal.down * aside, turn=goal.turn * aside, nod=goal.nod * aside,
            orbit=goal.orbit * aside, roll=goal.roll * aside, forward=goal.forward * inward * 1.3,
            zoom=goal.zoom * inward * 1.5 if backing else goal.zoom * inward,
        )  # fmt: skip

    def _covered(self, camera: Camera) -> Camera:
        if not self.composed:
            return covering(camera, shape=self.lens.shape)
        return replace(camera, zoom=camera.zoom + self._room)

    @cached_property
    def _room(self) -> float:
        """The zoom at which a composed world fills the frame all along the camera's way."""
        hand = Camera(turn=0.011, nod=0.009, roll=0.008) if self.direction.handheld else Camera()
        ways = [replace(self._path(share) + hand, zoom=0.0) for share in np.linspace(0, 1, 9)]
        excess = max(0.0, *(-(self._path(share).zoom) for share in np.linspace(0, 1, 9)))
        return 0.015 + self.world.inset + excess + max(covering(way, shape=self.lens.shape).zoom for way in ways)
