"""What is mended, and how the answer says so: canvases, durations, rates."""

from fractions import Fraction
from typing import Any

import pytest

from core.errors import InvalidRequest
from media.catalog import registry
from media.catalog.image_edit import canvas_of
from media.catalog.task import Facts, Normalised
from workers.protocol.inputs.media import MAX_PIXELS

URL = "https://media.example.com/one.bin"


def normalised(task: str, task_input: dict[str, Any], **facts: Facts) -> Normalised:
    entry = registry.all_tasks()[task]
    validated = entry.input_model.model_validate(task_input, by_alias=True, by_name=False)
    return entry.normalise(validated, {f"input.{name}": fact for name, fact in facts.items()})


def adjusted(result: Normalised) -> list[tuple[str, Any, Any]]:
    return [(adjustment.field, adjustment.requested, adjustment.effective) for adjustment in result.adjustments]


# -- video.generate: frames and rate ----------------------------------------------------------------------------------

TIMES: list[tuple[dict[str, Any], tuple[int, int], list[tuple[str, Any, Any]]]] = [
    ({}, (153, 30), []),  # 150 lies between 145 and 153
    ({"durationSeconds": 3}, (89, 30), [("durationSeconds", 3, 2.966667)]),
    ({"durationSeconds": 4}, (121, 30), [("durationSeconds", 4, 4.033333)]),
    ({"durationSeconds": 6}, (177, 30), [("durationSeconds", 6, 5.9)]),
    ({"durationSeconds": 8}, (241, 30), [("durationSeconds", 8, 8.033333)]),
    ({"durationSeconds": 9}, (225, 25), [("sampledFps", None, 25)]),  # 270 frames do not fit, 225 do
    ({"durationSeconds": 10}, (249, 25), [("sampledFps", None, 25), ("durationSeconds", 10, 9.96)]),
    ({"durationSeconds": 11}, (217, 20), [("sampledFps", None, 20), ("durationSeconds", 11, 10.85)]),
    ({"durationSeconds": 12}, (241, 20), [("sampledFps", None, 20), ("durationSeconds", 12, 12.05)]),
    ({"durationSeconds": 15}, (241, 16), [("sampledFps", None, 16), ("durationSeconds", 15, 15.0625)]),
    ({"durationSeconds": 16}, (257, 16), [("sampledFps", None, 16), ("durationSeconds", 16, 16.0625)]),
    ({"durationSeconds": 17}, (257, 15), [("sampledFps", None, 15), ("durationSeconds", 17, 17.133333)]),
    ({"durationSeconds": 20}, (241, 12), [("sampledFps", None, 12), ("durationSeconds", 20, 20.083333)]),
    ({"durationSeconds": 3, "sampledFps": 3}, (9, 3), []),
    ({"durationSeconds": 5, "sampledFps": 25}, (121, 25), [("durationSeconds", 5, 4.84)]),  # 125: a tie goes down
    ({"durationFrames": 9}, (9, 30), []),
    ({"durationFrames": 257, "sampledFps": 50}, (257, 50), []),
    ({"durationFrames": 121, "durationSeconds": 5}, (121, 30), [("durationSeconds", 5, 4.033333)]),
    ({"durationFrames": 249, "durationSeconds": 3, "sampledFps": 50}, (249, 50), [("durationSeconds", 3, 4.98)]),
    ({"sampledFps": 1}, (9, 1), [("durationSeconds", None, 9.0)]),  # five frames are no clip
    ({"sampledFps": 50}, (249, 50), []),
]


@pytest.mark.parametrize(("options", "time", "mended"), TIMES)
def test_a_clip_has_8n_and_one_frames(
    options: dict[str, Any], time: tuple[int, int], mended: list[tuple[str, Any, Any]]
) -> None:
    result = normalised("video.generate", {"prompt": "x", **options})
    params = result.params.wire()
    assert (params["frames"], params["sampledFps"]) == time
    assert params["frames"] % 8 == 1
    assert adjusted(result) == mended
    assert result.effective_input["durationFrames"] == time[0]
    assert result.effective_input["durationSeconds"] == round(time[0] / time[1], 6)


@pytest.mark.parametrize(("seconds", "rate"), [(3, 2), (20, 13), (6, 43)])
def test_seconds_at_a_given_rate_must_fit_by_themselves(seconds: int, rate: int) -> None:
    with pytest.raises(ValueError, match=f"{seconds * rate} frames and must be from 9 to 257"):
        normalised("video.generate", {"prompt": "x", "durationSeconds": seconds, "sampledFps": rate})


def test_interpolation_is_off_or_no_slower_than_the_samples() -> None:
    for sampled, wanted in ((30, 30), (50, 0), (50, 60), (None, 30)):
        options = {"sampledFps": sampled} if sampled else {}
        result = normalised("video.generate", {"prompt": "x", "interpolationFps": wanted, **options})
        assert result.params.wire()["interpolationFps"] == wanted
    with pytest.raises(ValueError, match="interpolationFps must be 0 or at least sampledFps"):
        normalised("video.generate", {"prompt": "x", "sampledFps": 50, "interpolationFps": 49})


def test_every_given_frame_has_a_sampled_frame_of_its_own() -> None:
    nine = {"prompt": "x", "durationFrames": 9, "aspectRatio": "1:1"}
    normalised("video.generate", {**nine, "overlapFrameImageUrls": [URL] * 8, "finalFrameImageUrl": URL})
    ends = {"startFrameImageUrl": URL, "finalFrameImageUrl": URL}
    with pytest.raises(InvalidRequest) as refused:
        normalised("video.generate", {**nine, **ends, "overlapFrameImages": [URL] * 8})
    assert refused.value.fields == {"input.overlapFrameImages": "10 frames are given for a clip of 9 sampled frames"}


# -- video.generate: canvas and frames --------------------------------------------------------------------------------

SHAPES: list[tuple[int, int, tuple[int, int]]] = [
    (1920, 1080, (1280, 704)),
    (1080, 1920, (704, 1280)),
    (500, 500, (960, 960)),
    (1000, 800, (1152, 896)),
    (800, 1000, (896, 1152)),
    (4000, 1000, (1280, 704)),
    (1, 9000, (704, 1280)),
]


@pytest.mark.parametrize(("width", "height", "canvas"), SHAPES)
def test_a_start_frame_gives_the_nearest_canvas(width: int, height: int, canvas: tuple[int, int]) -> None:
    shape = Facts(width=width, height=height)
    started = normalised("video.generate", {"prompt": "x", "startFrameImage": URL}, startFrameImage=shape)
    continued = normalised(
        "video.generate", {"prompt": "x", "overlapFrameImageUrls": [URL]}, **{"overlapFrameImageUrls.0": shape}
    )
    for result in (started, continued):
        params = result.params.wire()
        assert ((params["width"], params["height"]), adjusted(result)) == (canvas, [])


def test_a_start_frame_that_tells_no_size_gives_the_default_and_says_so() -> None:
    result = normalised("video.generate", {"prompt": "x", "sourceImageUrl": URL}, sourceImageUrl=Facts())
    assert (result.params.wire()["width"], result.params.wire()["height"]) == (1280, 704)
    assert adjusted(result) == [("aspectRatio", None, "1280x704")]


def test_only_the_frame_that_sets_the_canvas_is_probed() -> None:
    task = registry.all_tasks()["video.generate"]

    def probed(**options: Any) -> list[tuple[str, str, bool]]:
        validated = task.input_model.model_validate({"prompt": "x", **options}, by_alias=True, by_name=False)
        return [(source.field, source.path, source.probe) for source in task.sources(validated)]

    assert probed(startFrameImageUrl=URL, finalFrameImage=URL, overlapFrameImages=[URL]) == [
        ("startFrameImage", "input.startFrameImageUrl", True),
        ("overlapFrameImages", "input.overlapFrameImages.0", False),
        ("finalFrameImage", "input.finalFrameImage", False),
    ]
    assert probed(overlapFrameImages=[URL, URL]) == [
        ("overlapFrameImages", "input.overlapFrameImages.0", True),
        ("overlapFrameImages", "input.overlapFrameImages.1", False),
    ]
    assert probed(sourceImage=URL, aspectRatio="1:1") == [("startFrameImage", "input.sourceImage", False)]
    assert probed(sourceImage=URL, width=64, height=64) == [("startFrameImage", "input.sourceImage", False)]


def test_the_four_names_of_the_start_frame_are_one() -> None:
    same = {"startFrameImageUrl": URL, "sourceImage": {"url": URL}, "sourceImageUrl": URL}
    result = normalised("video.generate", {"prompt": "x", "aspectRatio": "1:1", **same})
    assert result.effective_input["startFrameImage"] == URL
    with pytest.raises(ValueError, match="startFrameImageUrl and sourceImageUrl mean the same and differ"):
        normalised("video.generate", {"prompt": "x", "startFrameImageUrl": URL, "sourceImageUrl": f"{URL}?2"})


def test_a_size_wins_over_a_ratio() -> None:
    result = normalised("video.generate", {"prompt": "x", "width": 640, "height": 352, "aspectRatio": "1:1"})
    assert (result.params.wire()["width"], result.params.wire()["height"]) == (640, 352)
    assert adjusted(result) == [("aspectRatio", "1:1", "640x352")]


# -- image.edit: the source's canvas ----------------------------------------------------------------------------------

CANVASES: list[tuple[tuple[int, int], tuple[int, int]]] = [
    ((1024, 1024), (1024, 1024)),
    ((1000, 700), (992, 704)),
    ((1008, 16), (1024, 32)),  # halves go up; no side is less than 32
    ((1, 1), (32, 32)),
    ((2048, 2048), (2048, 2048)),
    ((2063, 2063), (2048, 2048)),  # rounds down to just 4 MP
    ((2064, 2064), (2048, 2048)),  # would round up past 4 MP
    ((4000, 3000), (2336, 1760)),  # 2 364 × 1 773, down to the grid
    ((6000, 4000), (2496, 1664)),
    ((100_000, 10), (100_000, 32)),
    ((1_000_000, 1_000), (64_736, 64)),
    ((10, 1_000_000), (32, 131_072)),
]


@pytest.mark.parametrize(("size", "canvas"), CANVASES)
def test_an_edit_takes_the_size_of_its_source(size: tuple[int, int], canvas: tuple[int, int]) -> None:
    assert canvas_of(*size) == canvas
    width, height = canvas
    assert (width % 32, height % 32) == (0, 0)
    assert width * height <= MAX_PIXELS
    result = normalised(
        "image.edit", {"prompt": "x", "sourceImage": URL}, sourceImage=Facts(width=size[0], height=size[1])
    )
    assert (result.params.wire()["width"], result.params.wire()["height"]) == canvas
    expected = [] if size == canvas else [("sourceImage", f"{size[0]}x{size[1]}", f"{width}x{height}")]
    assert adjusted(result) == expected


def test_every_size_of_source_fits() -> None:
    sides = (1, 15, 16, 31, 33, 1023, 2047, 2049, 3000, 4097, 5000, 16_384, 100_000)
    for width in sides:
        for height in sides:
            canvas = canvas_of(width, height)
            assert canvas[0] * canvas[1] <= MAX_PIXELS
            assert min(canvas) >= 32
            assert canvas[0] % 32 == canvas[1] % 32 == 0
            assert (canvas[0] >= canvas[1]) == (width >= height) or canvas[0] == canvas[1]


def test_a_source_whose_head_tells_nothing_is_edited_on_the_default_canvas() -> None:
    result = normalised("image.edit", {"prompt": "x", "sourceImageUrl": URL}, sourceImageUrl=Facts())
    assert (result.params.wire()["width"], result.params.wire()["height"]) == (1024, 1024)
    assert adjusted(result) == [("sourceImageUrl", None, "1024x1024")]


# -- sound ------------------------------------------------------------------------------------------------------------


def test_ten_minutes_of_sound_can_be_annotated_and_no_more() -> None:
    whole = {"sourceAudioUrl": URL}
    for duration in (Fraction(600), Fraction(6001, 10), None):
        result = normalised("audio.annotation.reference", whole, sourceAudioUrl=Facts(duration=duration))
        assert result.pinned == {"input.sourceAudioUrl": {"maxDuration": "600"}}
    with pytest.raises(Exception, match=r"660\.0 s; at most 600 s can be annotated") as caught:
        normalised("audio.annotation.reference", whole, sourceAudioUrl=Facts(duration=Fraction(660)))
    assert getattr(caught.value, "fields", {}).keys() == {"input.sourceAudioUrl"}


def test_the_whisper_model_follows_from_the_transcript() -> None:
    for options, model in (
        ({}, "large-v3"),
        ({"transcript": "one"}, "distil-large-v3"),
        ({"transcript": "one", "transcriptionModel": "large-v3"}, "large-v3"),
        ({"transcriptionModel": "distil-large-v3"}, "distil-large-v3"),
    ):
        result = normalised("audio.annotation.reference", {"sourceAudioUrl": URL, **options}, sourceAudioUrl=Facts())
        assert result.params.wire()["transcriptionModel"] == model


def test_voice_tags_are_trimmed_and_told_by_group() -> None:
    result = normalised("audio.speak", {"text": "x", "voiceDescription": " FEMALE,young  adult ,  British accent "})
    voice = {"gender": "female", "age": "young adult", "accent": "british accent"}
    assert result.params.wire()["voice"] == voice
    assert result.effective_input["voiceDescription"] == "female, young adult, british accent"


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"provider": "gemini", "mode": "voice_clone"}, {"mode"}),
        ({"provider": "gemini", "voiceDescription": "male", "quality": "96k", "seed": 1}, None),
        ({"provider": "gemini", "referenceAudioUrl": URL}, {"referenceAudioUrl"}),
        ({"provider": "gemini", "referenceTranscript": "x"}, {"referenceTranscript"}),
        ({"provider": "gemini", "voiceName": "  "}, {"voiceName"}),
        ({"voiceName": "Kore"}, {"voiceName"}),
        ({"provider": "omnivoice", "instructions": "slowly"}, {"instructions"}),
        ({"mode": "voice_clone"}, {"referenceAudio", "referenceAudioUrl"}),
        ({"referenceAudioUrl": URL}, {"referenceAudioUrl"}),
        ({"mode": "voice_design", "referenceTranscript": "x"}, {"referenceTranscript"}),
    ],
)
def test_a_provider_takes_its_own_fields_alone(options: dict[str, Any], named: set[str] | None) -> None:
    with pytest.raises(ValueError, match=r"is not available|needs|blank") as caught:
        normalised("audio.speak", {"text": "x", **options})
    fields = {name for error in caught.value.errors() for name in error["ctx"]["fields"]}  # type: ignore[attr-defined]
    assert fields == (named or {"voiceDescription", "quality", "seed"})


# -- ace, moss, trellis -----------------------------------------------------------------------------------------------


def test_a_given_field_wins_over_its_preset() -> None:
    song = {"tags": "x", "lyrics": "x", "qualityPreset": "high_quality", "topK": 0, "minP": 0.0, "steps": 4}
    params = normalised("ace.step.create", song).params.wire()
    assert (params["durationSeconds"], params["quality"], params["steps"], params["topK"]) == (108, "192k", 4, 0)
    shape = {"sourceImageUrl": URL, "qualityPreset": "fidelity", "removeBackground": False, "padding": 0}
    params = normalised("trellis.generate", shape).params.wire()
    assert (params["removeBackground"], params["padding"], params["targetFaceCount"]) == (False, 0, 100_000)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"textureResolution": 1536}, {"textureResolution"}),
        ({"textureResolution": 1536, "textureSize": 1024}, {"textureResolution"}),
        ({"qualityPreset": "fidelity", "textureSize": 512, "refinerResolution": 1536}, {"refinerResolution"}),
        (
            {"qualityPreset": "performance", "textureResolution": 1536, "refinerResolution": 1536},
            {"textureResolution", "refinerResolution"},
        ),
    ],
)
def test_the_finest_texture_needs_the_largest(options: dict[str, Any], named: set[str]) -> None:
    with pytest.raises(ValueError, match="1536 needs a textureSize of 2048") as caught:
        normalised("trellis.generate", {"sourceImageUrl": URL, **options})
    assert {name for error in caught.value.errors() for name in error["ctx"]["fields"]} == named  # type: ignore[attr-defined]
    for fits in ({"qualityPreset": "fidelity"}, {"textureSize": 2048}):
        normalised("trellis.generate", {"sourceImageUrl": URL, "textureResolution": 1536, **fits})


def test_a_seed_is_kept_where_the_contract_has_one() -> None:
    for task, smallest in (
        ("video.generate", {"prompt": "x"}),
        ("audio.speak", {"text": "x"}),
        ("ace.step.create", {"tags": "x", "lyrics": "x"}),
        ("trellis.generate", {"sourceImageUrl": URL}),
    ):
        result = normalised(task, {**smallest, "seed": 2_147_483_647})
        assert (result.seed, result.effective_input["seed"]) == (2_147_483_647, 2_147_483_647)
        drawn = normalised(task, smallest)
        assert drawn.seed is None
        assert "seed" not in drawn.effective_input
