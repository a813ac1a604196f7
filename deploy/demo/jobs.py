"""The demo's jobs: all ten tasks, one feeding the next as a client's would."""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

SPOKEN = "We launch at dawn, hold formation, and bring everyone home safely."
LYRICS = """[Verse]
We were shadows in a crowded room
Now the skyline sings our names

[Chorus]
We run through the midnight light
Turn the static into fire tonight

[Outro]
Neon rain on the avenue"""


class Made(Protocol):
    """What the next job needs of one that is done."""

    saved: Path

    @property
    def url(self) -> str:
        """Where the output lies."""
        ...


def run_all(run: Callable[[str, str, dict[str, Any]], Made], clip_url: Callable[[str], str]) -> None:
    """Order everything through `run(name, task, input)`; `clip_url` says where the client's own clips are."""
    fox = run("fox-astronaut", "image.generate", {"prompt": "cinematic fox astronaut", "width": 1024, "height": 1024})
    night = run(
        "night-watercolor",
        "image.generate",
        {
            "prompt": "a red fox left of two blue mugs at night, watercolor",
            "aspectRatio": "16:9",
            "outputFormat": "png",
            "highDetail": True,
            "referenceImages": [inline(fox.saved)],
        },
    )
    run(
        "noir-poster",
        "image.edit",
        {
            "prompt": 'turn this into a dramatic noir poster with the title "DAWN" at the top',
            "sourceImage": inline(fox.saved),
        },
    )
    studio = run("studio-fox", "image.generate", {"prompt": "a red fox in a studio, plain background"})
    run(
        "fox-shape",
        "trellis.generate",
        {"sourceImage": inline(studio.saved), "qualityPreset": "balanced", "removeBackground": True},
    )
    speech = run(
        "launch-speech",
        "audio.speak",
        {"text": SPOKEN, "voiceDescription": "female, young adult, high pitch, british accent", "seed": 123456},
    )
    run(
        "cloned-speech",
        "audio.speak",
        {
            "mode": "voice_clone",
            "text": "Keep the same voice, and say this with calm authority.",
            "referenceAudioUrl": speech.url,
            "referenceTranscript": SPOKEN,
        },
    )
    run("speech-annotation", "audio.annotation.reference", {"sourceAudioUrl": speech.url, "transcript": SPOKEN})
    run(
        "midnight-song",
        "ace.step.create",
        {"tags": "anthemic electro-pop, wide synths, punchy drums", "lyrics": LYRICS, "durationSeconds": 30},
    )
    thunder = run(
        "thunder",
        "moss.sound.effect",
        {"prompt": "distant thunder over steady rain, then three knocks on a wooden door", "durationSeconds": 3},
    )
    video = run(
        "push-in",
        "video.generate",
        {
            "prompt": "slow cinematic push-in with floating particles",
            "startFrameImage": night.url,
            "referenceAudio": thunder.url,
            "durationFrames": 73,
            "sampledFps": 24,
            "interpolationFps": 48,
        },
    )
    joined = run(
        "joined-clips",
        "video.combine",
        {"videoUrls": [video.url, clip_url("rings.mp4")], "overlapFrames": 6, "frameRate": 30},
    )
    run("resized-clip", "video.resize", {"sourceVideoUrl": joined.url, "width": 640, "height": 352})


def inline(path: Path) -> dict[str, str]:
    """A file's bytes as a request carries them."""
    return {"dataBase64": base64.b64encode(path.read_bytes()).decode()}
