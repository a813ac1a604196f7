"""What a run made, how it is uploaded, and how it is reported."""

from typing import Any, Literal
from uuid import UUID

from pydantic import Field, model_validator

from workers.protocol import signing
from workers.protocol.claim import Message
from workers.protocol.names import PROTOCOL_VERSION

Sha256 = str
MEDIA_TYPES = {
    "webp": "image/webp",
    "png": "image/png",
    "jpg": "image/jpeg",
    "mp4": "video/mp4",
    "opus": "audio/ogg",
    "wav": "audio/wav",
    "json": "application/json",
    "glb": "model/gltf-binary",
    "bin": "application/octet-stream",
}
"""What a node may upload, by the ten tasks of the contract: the one media type of each extension."""


class Output(Message):
    """One output file, as declared before its upload and as reported after it."""

    name: str = Field(pattern=r"^output_\d{4}\.[a-z0-9]{2,5}$")
    media_type: str = Field(max_length=80)
    bytes: int = Field(ge=1)
    sha256: Sha256 = Field(pattern=r"^[0-9a-f]{64}$")
    width: int | None = None
    height: int | None = None
    seconds: float | None = None

    @model_validator(mode="after")
    def _type_of_its_name(self) -> "Output":
        # Outputs are served from our address: a node must not put a page there under a picture's name.
        expected = MEDIA_TYPES.get(self.name.rpartition(".")[2])
        if self.media_type != expected:
            raise ValueError(
                f"{self.name} must be declared as {expected}" if expected else f"{self.name}: unknown kind"
            )
        return self


class AttemptResult(Message):
    """Measured facts of a finished run; never prices."""

    v: int = PROTOCOL_VERSION
    attempt_id: UUID
    delivery_id: UUID
    outputs: list[Output] = Field(min_length=1, max_length=64)
    info: dict[str, Any]
    run_ms: int = Field(ge=0)


class SignedResult(Message):
    """The exact text of an AttemptResult and the node's signature over it.

    It is stored in the bucket last, so that a finished run survives the worker, and posted as `complete`.
    """

    v: int = PROTOCOL_VERSION
    node_id: str
    result: str
    signature: str

    @classmethod
    def sign(cls, result: AttemptResult, *, node_id: str, secret: bytes) -> "SignedResult":
        """Wrap `result` under the node's signature."""
        text = result.model_dump_json()
        return cls(node_id=node_id, result=text, signature=signing.sign_text(secret, "result", text))

    def is_genuine(self, secret: bytes) -> bool:
        """Whether the node of `secret` signed exactly this text."""
        return signing.verify_text(secret, "result", self.result, self.signature)

    def opened(self) -> AttemptResult:
        """The result inside. Raises pydantic.ValidationError when it is malformed."""
        return AttemptResult.model_validate_json(self.result)


class StoredFile(Message):
    """Length and hash of the result document."""

    bytes: int = Field(ge=1, le=1_000_000)
    sha256: Sha256 = Field(pattern=r"^[0-9a-f]{64}$")


class UploadRequest(Message):
    """Ask for upload URLs bound to these very files."""

    v: int = PROTOCOL_VERSION
    delivery_id: UUID
    outputs: list[Output] = Field(min_length=1, max_length=64)
    result: StoredFile


class Upload(Message):
    """PUT the bytes there with exactly these headers."""

    name: str
    url: str
    headers: dict[str, str]


class UploadGrant(Message):
    """One URL per declared output, and the one for the signed result, which goes last."""

    v: int = PROTOCOL_VERSION
    uploads: list[Upload]
    result: Upload


class Failure(Message):
    """The run ended without outputs."""

    v: int = PROTOCOL_VERSION
    delivery_id: UUID
    kind: Literal["failed", "canceled"]
    code: str = Field(max_length=60)
    message: str = Field(max_length=2000)
    retryable: bool
    run_ms: int = Field(ge=0)
