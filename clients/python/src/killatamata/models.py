"""The API's answers. Fields are snake_case here and camelCase on the wire; what a newer server adds is ignored,
and can be read from `raw`."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError
from pydantic.alias_generators import to_camel

from killatamata.errors import TransportError

FINAL = frozenset({"completed", "failed", "canceled", "terminated"})
"""The statuses that a job never leaves."""

_A = TypeVar("_A", bound="Answer")


class Answer(BaseModel):
    """One JSON object of the server."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="ignore",
        frozen=True,
        use_attribute_docstrings=True,
    )
    _raw: dict[str, Any] = PrivateAttr(default_factory=dict)

    @property
    def raw(self) -> dict[str, Any]:
        """The JSON as the server sent it."""
        return self._raw

    @classmethod
    def read(cls: type[_A], body: Any) -> _A:
        """The answer in `body`.

        Raises:
            TransportError: `body` is not what this class describes.
        """
        try:
            answer = cls.model_validate(body)
        except ValidationError as error:
            wrong = ", ".join(sorted({".".join(map(str, entry["loc"])) or "the body" for entry in error.errors()}))
            raise TransportError(
                f"The server's answer cannot be read ({cls.__name__}: {wrong}); is this a Killa Tamata server?"
            ) from None
        answer._raw = body
        return answer


class Balance(Answer):
    """What the account has."""

    usd_balance: Decimal
    """What it may spend."""
    usd_balance_micros: int
    usd_held: Decimal
    """What its jobs hold until they end."""
    usd_held_micros: int
    usd_total: Decimal
    """Both together."""
    usd_total_micros: int


class Adjustment(Answer):
    """A field that the server mended instead of refusing it."""

    field: str
    requested: Any = None
    effective: Any = None
    reason: str = ""


class Estimate(Answer):
    """What an input would cost; nothing is held."""

    task: str
    usd_charged: Decimal
    usd_charged_micros: int
    estimated_duration_seconds: float | None = None
    """About how long the job would run."""
    quote_id: str | None = None
    """Hand it to `submit` to be charged exactly this much."""
    quote_expires_in_seconds: int | None = None
    effective_input: dict[str, Any] = {}
    """The input with everything that was left out filled in."""
    input_adjustments: list[Adjustment] = []


class Submitted(Answer):
    """A job that was accepted."""

    external_job_id: str
    task: str
    usd_charged: Decimal
    """The price; held now, billed when the job completes."""
    usd_charged_micros: int
    usd_balance: Decimal
    """What the account may spend after it."""
    usd_balance_micros: int
    estimated_duration_seconds: float | None = None
    staged_input_count: int = 0
    effective_input: dict[str, Any] = {}
    input_adjustments: list[Adjustment] = []

    @property
    def id(self) -> str:
        """The job's id."""
        return self.external_job_id


class Billing(Answer):
    """What a job costs: nothing where it failed or was cancelled."""

    usd_charged: Decimal
    usd_charged_micros: int


class Output(Answer):
    """One file that a job made."""

    name: str
    type: str | None = None
    """Its media type."""
    bytes: int | None = None
    """Its length."""
    width: int | None = None
    height: int | None = None
    seconds: float | None = None


class Run(Answer):
    """When a job ran."""

    started_at: datetime | None = None
    finished_at: datetime | None = None
    upstream: Any = None
    """What the engine says of the result; only with details."""


class Job(Answer):
    """A job."""

    external_job_id: str
    task: str
    status: str
    """`queued`, `processing`, `completed`, `failed`, `canceled` or `terminated`."""
    progress: float = 0.0
    """0 to 1."""
    queue_position: int | None = None
    """Its place among those that wait, from 1."""
    eta_seconds: float | None = None
    """About how long it will still run."""
    attempts: int = 1
    cancel_requested: bool = False
    billed: bool | None = None
    billed_reason: str | None = None
    billing: Billing | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    duration_ms: int | None = None
    """How long the winning run took."""
    result: Run = Run()
    output_files: list[Output] | None = None
    downloadable_output_urls: list[str] = []
    """Empty until the job has completed, and again once its files were removed."""
    expected_output_urls: list[str] = []
    outputs_expired: bool = False
    error: str | None = None
    """Why it failed, as a sentence."""
    error_code: str | None = None
    effective_input: dict[str, Any] | None = None
    """Only with details."""
    input_adjustments: list[Adjustment] | None = None
    """Only with details."""

    @property
    def id(self) -> str:
        """The job's id."""
        return self.external_job_id

    @property
    def ended(self) -> bool:
        """Whether the status is final."""
        return self.status in FINAL

    @property
    def completed(self) -> bool:
        """Whether it ended well."""
        return self.status == "completed"


class Price(Answer):
    """How a task is priced."""

    formula: str = ""
    explanation: str = ""
    minimum_usd: Decimal | None = None
    minimum_usd_micros: int | None = None


class Pool(Answer):
    """The nodes that run a task."""

    name: str = ""
    live_nodes: int = 0
    slots: int = 0


class EtaRange(Answer):
    """How long a task usually takes, in seconds."""

    minimum: float | None = None
    maximum: float | None = None


class Task(Answer):
    """One entry of the catalogue."""

    task: str
    title: str = ""
    input_schema: dict[str, Any] = {}
    """JSON Schema of the input."""
    presets: dict[str, dict[str, Any]] = {}
    price: Price = Price()
    pool: Pool = Pool()
    eta_seconds: EtaRange = EtaRange()


class Key(Answer):
    """An API key as a list shows it: never the key itself."""

    key_prefix: str
    id: str | None = None
    label: str | None = None
    scopes: list[str] | None = None
    """None: everything."""
    monthly_spend_limit_usd_micros: int | None = None
    parent_key_prefix: str | None = None
    created_at: datetime | None = None
    revoked_at: datetime | None = None
    current: bool = False
    """Whether it is the key that asks."""


class CreatedKey(Key):
    """A new key, with the one sight of it that there is."""

    api_key: str = Field(repr=False)


class RevokedKey(Answer):
    """A key that no longer works."""

    key_prefix: str
    revoked_at: datetime | None = None


class SecurityEvent(Answer):
    """Something that concerns the account's safety."""

    id: str
    kind: str
    at: datetime
    address: str | None = None
    user_agent: str | None = None
    key_prefix: str | None = None
    details: dict[str, Any] = {}


class WebhookSecret(Answer):
    """What callbacks are signed with; see `killatamata.webhooks`."""

    secret: str = Field(repr=False)
    created_at: datetime | None = None
    previous_secret_valid_until: datetime | None = None


class DeviceLink(Answer):
    """A link that waits for somebody's approval."""

    device_code: str = Field(repr=False)
    user_code: str
    """What the person compares or types."""
    verification_uri: str
    verification_uri_complete: str | None = None
    expires_in: float
    """Seconds."""
    interval: float = 5
    """Seconds between two polls."""


class Account(Answer):
    """Whose key it is."""

    id: str | None = None
    email: str | None = None


class LinkedKey(Answer):
    """The key that an approved link hands over, once."""

    api_key: str = Field(repr=False)
    key_prefix: str = ""
    label: str | None = None
    account: Account = Account()
