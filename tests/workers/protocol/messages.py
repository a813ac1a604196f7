"""One example of everything that crosses a process; its wire form lies in golden/<name>.json."""

from uuid import UUID

from workers.protocol.claim import (
    Claim,
    ClaimRequest,
    Heartbeat,
    HeartbeatAnswer,
    NodeGreeting,
    ProgressAnswer,
    ProgressReport,
    StagedFile,
)
from workers.protocol.envelope import AttemptMessage
from workers.protocol.inputs.ace_step_create import AceStepCreateInput, AceStepCreateParams
from workers.protocol.inputs.audio_annotation_reference import (
    AudioAnnotationReferenceInput,
    AudioAnnotationReferenceParams,
)
from workers.protocol.inputs.audio_speak import AudioSpeakInput, AudioSpeakParams
from workers.protocol.inputs.base import Wire
from workers.protocol.inputs.diagnostic_noop import DiagnosticNoopInput, DiagnosticNoopParams
from workers.protocol.inputs.image_edit import ImageEditInput, ImageEditParams
from workers.protocol.inputs.image_generate import ImageGenerateInput, ImageGenerateParams
from workers.protocol.inputs.media import InlineAudio, InlineAudioOfAnyType, InlineImage
from workers.protocol.inputs.moss_sound_effect import MossSoundEffectInput, MossSoundEffectParams
from workers.protocol.inputs.trellis_generate import TrellisGenerateInput, TrellisGenerateParams
from workers.protocol.inputs.video_combine import VideoCombineInput, VideoCombineParams
from workers.protocol.inputs.video_generate import VideoGenerateInput, VideoGenerateParams
from workers.protocol.inputs.video_resize import VideoResizeInput, VideoResizeParams
from workers.protocol.result import (
    AttemptResult,
    Failure,
    Output,
    SignedResult,
    StoredFile,
    Upload,
    UploadGrant,
    UploadRequest,
)

ATTEMPT = UUID("01980f2c-7b3a-7c11-8e55-1f0a2b3c4d5e")
JOB = UUID("01980f2c-7b3a-7c11-8e55-1f0a2b3c4d5f")
DELIVERY = UUID("5f1e2d3c-4b5a-4697-8877-665544332211")
HASH = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"

FILE = StagedFile(
    field="videoUrls",
    index=1,
    url="https://bucket.example.com/staging/a?X-Amz-Signature=ab",
    bytes=123_456,
    sha256=HASH,
    media_type="video/mp4",
)
OUTPUT = Output(
    name="output_0001.mp4", media_type="video/mp4", bytes=98_765, sha256=HASH, width=1920, height=1080, seconds=8.25
)
PLAIN_OUTPUT = Output(name="output_0002.bin", media_type="application/octet-stream", bytes=1, sha256=HASH)
RESULT = AttemptResult(
    attempt_id=ATTEMPT,
    delivery_id=DELIVERY,
    outputs=[OUTPUT, PLAIN_OUTPUT],
    info={"engine": "ffmpeg", "copied": True, "notes": ["Grüße"]},
    run_ms=1234,
)
UPLOAD = Upload(
    name="output_0001.mp4",
    url="https://bucket.example.com/out?X-Amz-Signature=cd",
    headers={"Content-Type": "video/mp4", "x-amz-checksum-sha256": "bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0="},
)

MESSAGES = {
    "attempt_message": AttemptMessage(attempt_id=ATTEMPT, task="video.combine", pool="video-tools"),
    "node_greeting": NodeGreeting(node_id="local-1", pools=["image", "video-tools"], heartbeat_seconds=5.0),
    "heartbeat": Heartbeat(slots=4, running=[ATTEMPT], memory_bytes=1_073_741_824, version="0.1.0"),
    "heartbeat_answer": HeartbeatAnswer(drain=True, cancel=[ATTEMPT]),
    "claim_request": ClaimRequest(delivery_id=DELIVERY),
    "staged_file": FILE,
    "claim": Claim(
        attempt_id=ATTEMPT,
        job_id=JOB,
        task="video.combine",
        pool="video-tools",
        params={"overlapFrames": 1, "frameRate": 60},
        seed=2**53 - 1,
        files=[FILE],
        lease_seconds=30.0,
    ),
    "progress_report": ProgressReport(delivery_id=DELIVERY, fraction=0.5, phase="encoding"),
    "progress_answer": ProgressAnswer(cancel=False, lease_seconds=30.0),
    "output": OUTPUT,
    "attempt_result": RESULT,
    "signed_result": SignedResult.sign(RESULT, node_id="local-1", secret=b"thirty-two bytes of node secret."),
    "stored_file": StoredFile(bytes=812, sha256=HASH),
    "upload_request": UploadRequest(
        delivery_id=DELIVERY, outputs=[PLAIN_OUTPUT], result=StoredFile(bytes=812, sha256=HASH)
    ),
    "upload": UPLOAD,
    "upload_grant": UploadGrant(uploads=[UPLOAD], result=UPLOAD.model_copy(update={"name": "result.json"})),
    "failure": Failure(
        delivery_id=DELIVERY,
        kind="failed",
        code="engine_failed",
        message="The clip has no picture.",
        retryable=False,
        run_ms=42,
    ),
}

TRELLIS_KNOBS = {
    "qualityPreset": "balanced",
    "targetFaceCount": 20000,
    "textureSize": 1024,
    "textureResolution": 512,
    "maxViews": 4,
    "sparseStructureSteps": 10,
    "shapeSteps": 11,
    "textureSteps": 12,
    "meshResolution": 256,
    "removeBackground": True,
    "padding": 8,
    "refinerResolution": 1024,
    "refinerDownsampling": 32,
    "remeshFillHoles": True,
    "remeshFillHolesMaxPerimeter": 0.03,
    "remeshRemoveFloaters": True,
    "remeshRemoveInnerFaces": False,
    "meshClusterConeHalfAngleRad": 60.0,
    "postprocessPositionEpsilon": 0.0001,
    "postprocessNormalCreaseDeg": 30.0,
}
SONG = {"tags": "lo-fi, mellow", "lyrics": "[Verse]\nRain on the roof", "bpm": 84, "timeSignature": "4"}
SAMPLER = {
    "steps": 8,
    "textCfgScale": 2.0,
    "samplerCfg": 1.5,
    "temperature": 0.85,
    "topP": 0.9,
    "topK": 0,
    "minP": 0.05,
}
SOUND_KNOBS = {"temperature": 0.9, "topP": 0.95, "topK": 50, "repetitionPenalty": 1.1, "maxNewTokens": 1024}

WIRES: dict[str, Wire] = {
    "ace_step_create_input": AceStepCreateInput.model_validate(
        {**SONG, **SAMPLER, "qualityPreset": "default", "durationSeconds": 30, "quality": "96k", "seed": 7}
        | {"language": "en", "keyScale": "F# minor"}
    ),
    "ace_step_create_params": AceStepCreateParams.model_validate(
        {**SONG, **SAMPLER, "qualityPreset": "default", "durationSeconds": 30, "quality": "96k", "language": "en"}
        | {"keyScale": "F# minor"}
    ),
    "audio_annotation_reference_input": AudioAnnotationReferenceInput.model_validate(
        {"sourceAudio": {"dataBase64": "T2dnUw==", "mimeType": "audio/ogg"}, "transcript": "Rain on the roof"}
        | {"language": "en", "transcriptionModel": "large-v3", "device": "auto"}
    ),
    "audio_annotation_reference_params": AudioAnnotationReferenceParams(
        transcript="Rain on the roof", language="en", transcription_model="distil-large-v3", device="cpu"
    ),
    "audio_speak_input": AudioSpeakInput.model_validate(
        {"text": "Rain on the roof.", "mode": "voice_clone", "voiceDescription": "female, whisper", "language": "en"}
        | {"referenceAudio": {"dataBase64": "T2dnUw==", "mimeType": "audio/x-anything"}, "quality": "192k", "seed": 7}
        | {"referenceTranscript": "She measures every word."}
    ),
    "audio_speak_params": AudioSpeakParams(
        text="Rain on the roof.",
        provider="gemini",
        mode="voice_design",
        voice={"gender": "female"},
        voice_name="Kore",
        instructions="Calmly.",
        quality="128k",
        model="gemini-3.1-flash-tts-preview",
        max_audio_tokens=356,
    ),
    "inline_audio": InlineAudio(url="https://example.com/voice.opus", mime_type="audio/opus"),
    "inline_audio_of_any_type": InlineAudioOfAnyType(data_base64="T2dnUw==", mime_type="audio/x-anything"),
    "image_edit_input": ImageEditInput.model_validate(
        {"prompt": "Make it noir", "sourceImageUrl": "https://example.com/a.png", "outputFormat": ".jpg"}
        | {"highDetail": True, "referenceImages": ["https://example.com/style.webp"]}
    ),
    "image_edit_params": ImageEditParams(
        prompt="Make it noir", width=992, height=704, output_format="jpg", high_detail=True
    ),
    "moss_sound_effect_input": MossSoundEffectInput.model_validate(
        {"prompt": "Thunder far away", "durationSeconds": 4, "quality": "128k", **SOUND_KNOBS}
    ),
    "moss_sound_effect_params": MossSoundEffectParams.model_validate(
        {"prompt": "Thunder far away", "durationSeconds": 4, "quality": "128k", **SOUND_KNOBS}
    ),
    "trellis_generate_input": TrellisGenerateInput.model_validate(
        {"sourceImage": {"url": "https://example.com/boat.png"}, "seed": 7, **TRELLIS_KNOBS}
    ),
    "trellis_generate_params": TrellisGenerateParams.model_validate(TRELLIS_KNOBS),
    "video_generate_input": VideoGenerateInput.model_validate(
        {"prompt": "A slow push-in", "startFrameImageUrl": "https://example.com/a.png", "aspectRatio": "16:9"}
        | {"overlapFrameImages": ["https://example.com/o1.webp", {"url": "https://example.com/o2.webp"}], "seed": 7}
        | {"finalFrameImage": {"dataBase64": "UklGRg==", "mimeType": "image/webp"}, "durationFrames": 249}
        | {"referenceAudioUrl": "https://example.com/a.opus", "sampledFps": 25, "interpolationFps": 50}
        | {"extremeQuality": True}
    ),
    "video_generate_params": VideoGenerateParams(
        prompt="A slow push-in",
        width=1280,
        height=704,
        frames=249,
        sampled_fps=25,
        interpolation_fps=50,
        extreme_quality=True,
    ),
    "diagnostic_noop_input": DiagnosticNoopInput(),
    "diagnostic_noop_params": DiagnosticNoopParams(),
    "inline_image": InlineImage(data_base64="UklGRg==", mime_type="image/webp"),
    "image_generate_input": ImageGenerateInput.model_validate(
        {
            "prompt": "A red fox in fresh snow",
            "aspectRatio": "16:9",
            "outputFormat": "png",
            "highDetail": True,
            "referenceImageUrls": ["https://example.com/fox.webp"],
            "referenceImages": [{"dataBase64": "UklGRg==", "mimeType": "image/webp"}, "https://example.com/snow.png"],
        }
    ),
    "image_generate_params": ImageGenerateParams(
        prompt="A red fox in fresh snow", width=1344, height=768, output_format="png", high_detail=True, upscale=False
    ),
    "video_combine_input": VideoCombineInput(
        video_urls=["https://example.com/a.mp4", "https://example.com/b.mp4"], overlap_frames=2, frame_rate=30
    ),
    "video_combine_params": VideoCombineParams(overlap_frames=2, frame_rate=30),
    "video_resize_input": VideoResizeInput(
        source_video_url="https://example.com/a.mp4", width=1280, height=720, source_duration_seconds=8.5
    ),
    "video_resize_params": VideoResizeParams(
        width=1280, height=720, frame_rate="30000/1001", source_duration_seconds=8.5
    ),
}
