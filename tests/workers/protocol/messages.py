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
from workers.protocol.inputs.base import Wire
from workers.protocol.inputs.diagnostic_noop import DiagnosticNoopInput, DiagnosticNoopParams
from workers.protocol.inputs.image_generate import ImageGenerateInput, ImageGenerateParams
from workers.protocol.inputs.media import InlineImage
from workers.protocol.inputs.video_combine import VideoCombineInput, VideoCombineParams
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

WIRES: dict[str, Wire] = {
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
