"""Bodies of /api/v1/media as they are published. Requests are read by `requests`, answers written by `media.answers`.

The answers are read too often to be validated on the way out: tests hold them to these models.
"""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from core.messages import Message
from media.catalog import registry
from media.catalog.task import Task
from media.transitions import JOB_STATUSES

CALLBACK_LENGTH = 2048
Time = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
Url = Annotated[str, Field(json_schema_extra={"format": "uri"})]
JobStatusName = Annotated[str, Field(json_schema_extra={"enum": list(JOB_STATUSES)})]


def job_request_schema() -> dict[str, Any]:
    """The envelope of a submit or an estimate: one form for each task on offer."""
    definitions: dict[str, Any] = {}
    forms: dict[str, str] = {}
    for task in registry.offered():
        schema = task.input_model.published_schema()
        definitions |= schema.pop("$defs", {})
        name = task.input_model.__name__
        definitions[name] = schema | {"description": f"{task.title}. Price: {task.explanation}."}
        forms[task.name] = f"{name.removesuffix('Input')}Job"
        definitions[forms[task.name]] = _envelope(task, name)
    definitions["MediaJobRequest"] = {
        "description": "A job to run or to price.",
        "oneOf": [{"$ref": f"#/$defs/{form}"} for form in forms.values()],
        "discriminator": {
            "propertyName": "task",
            "mapping": {task: f"#/components/schemas/{form}" for task, form in forms.items()},
        },
    }
    return {"$ref": "#/$defs/MediaJobRequest", "$defs": definitions}


def _envelope(task: Task, input_name: str) -> dict[str, Any]:
    return {
        "type": "object",
        "description": f"{task.title}.",
        "required": ["task", "input"],
        "properties": {
            "task": {"type": "string", "enum": [task.name]},
            "input": {"$ref": f"#/$defs/{input_name}"},
            "idempotencyKey": {
                "type": "string",
                "minLength": 1,
                "maxLength": 200,
                "description": "The same key with the same task and input answers the first job instead of another.",
            },
            "completionCallbackUrl": {
                "type": "string",
                "format": "uri",
                "minLength": 1,
                "maxLength": CALLBACK_LENGTH,
                "description": "Where the job's end is POSTed to: https, and a public address.",
            },
        },
        "additionalProperties": False,
        "examples": [{"task": task.name, "input": dict(task.example_input)}],
    }


class InputAdjustment(Message):
    """Something in the input that was mended."""

    field: str
    """Which field."""
    requested: Any = None
    """What was sent; null where nothing was."""
    effective: Any = None
    """What is used."""
    reason: str
    """Why."""


class JobBilling(Message):
    """What a job costs, and how that came about."""

    usd_charged_micros: int
    """Micros: held while it waits and runs, charged once it completed, 0 when it ended otherwise."""
    usd_charged: str
    """The same in US dollars, exact."""
    pricing_meta: dict[str, Any]
    """Formula, coefficients, units and the price version."""
    staged_input_count: int
    """How many inline inputs were stored."""


class AcceptedJob(Message):
    """The job as it was accepted."""

    job_id: str
    """`job_…`"""
    status: JobStatusName
    """`queued`"""


class _Priced(Message):
    ok: Literal[True]
    task: str
    """The task's name."""
    usd_charged_micros: int
    """The price in micros."""
    usd_charged: str
    """The same in US dollars, exact."""
    pricing_meta: dict[str, Any]
    """Formula, coefficients, units and the price version."""
    estimated_duration_seconds: float
    """How long the run will probably take."""
    duration_estimate_meta: dict[str, Any]
    """`basis`: `formula`, or `measured` with the figures behind it."""
    effective_input: dict[str, Any]
    """What will run, with every default filled in."""
    input_adjustments: list[InputAdjustment]
    """What was mended on the way."""


class SubmittedJob(_Priced):
    """A job was accepted: its price is held, and charged once it completes."""

    model_config = ConfigDict(extra="allow")

    external_job_id: str
    """The job's id, `job_…`."""
    usd_balance_micros: int
    """What is available after the hold, in micros."""
    usd_balance: str
    """The same in US dollars, exact."""
    staged_input_count: int
    """How many inline inputs were stored."""
    billing: JobBilling
    """What it costs."""
    result: AcceptedJob
    """Where it stands."""
    billed: Literal[False]
    """Nothing is charged yet."""
    billed_reason: str
    """Why."""


class Estimate(_Priced):
    """A price: nothing is held and nothing runs."""

    quote_id: str
    """Send it as `X-Quote-Id` with a submit of the same task and input, and this price is what is held."""
    quote_expires_in_seconds: int
    """How long the quote is honoured."""
    billed: Literal[False]
    """An estimate costs nothing."""


class OutputFile(Message):
    """One file that a job made."""

    name: str
    """The file's name."""
    type: str
    """Its media type."""
    bytes: int
    """Its length."""
    width: int | None
    """Pixels; null where it has none."""
    height: int | None
    """Pixels; null where it has none."""
    seconds: float | None
    """How long it plays; null where it does not."""


class JobResult(Message):
    """Where a job stands."""

    model_config = ConfigDict(extra="allow")

    job_id: str
    """`job_…`"""
    status: JobStatusName
    """Where it stands."""
    started_at: Time | None
    """When its run began."""
    finished_at: Time | None
    """When it ended."""
    upstream: Any = None
    """With details: the engine's own report, an object or null."""


class JobStatus(Message):
    """A job, at any point of its life."""

    model_config = ConfigDict(extra="allow")

    ok: Literal[True]
    """The job could be read, whatever became of it."""
    task: str
    """The task's name."""
    external_job_id: str
    """The job's id, `job_…`."""
    status: JobStatusName
    """The last four are final."""
    result: JobResult
    """Where it stands, with times."""
    estimated_duration_seconds: float
    """How long the run was expected to take."""
    duration_estimate_meta: dict[str, Any]
    """Where that figure came from."""
    billing: JobBilling
    """What it costs."""
    created_at: Time
    """When it was accepted."""
    updated_at: Time
    """When it last changed."""
    duration_ms: int | None
    """How long the run that succeeded took."""
    output_files: list[OutputFile] | None
    """What it made; null until it completed."""
    output_url: Url | None
    """The first file; null until it completed."""
    generated_image_ids: dict[str, str] | None
    """Of images: file name to SHA-256; else null."""
    expected_output_urls: list[Url]
    """Where the files will be."""
    downloadable_output_urls: list[Url]
    """Where the files are: no key needed, promised for 48 hours after completion and deleted after 72."""
    billed: bool
    """Whether it was charged."""
    billed_reason: str
    """Why, or why not."""
    progress: Annotated[float, Field(ge=0, le=1)]
    """From 0 to 1."""
    queue_position: int | None
    """Its place among those that wait; null when it does not."""
    eta_seconds: float | None
    """Seconds of running that are probably left; null when it does not run or wait."""
    attempts: int
    """How many runs were begun or wait to be."""
    cancel_requested: bool
    """Whether its end was asked for."""
    outputs_expired: Literal[True] | SkipJsonSchema[None] = None
    """There once the files are deleted."""
    taken_down: Literal[True] | SkipJsonSchema[None] = None
    """There when the operator has removed the files."""
    error: str | SkipJsonSchema[None] = None
    """Only when it ended without outputs: what went wrong."""
    error_code: str | SkipJsonSchema[None] = None
    """The same for programs."""
    details_included: Literal[True] | SkipJsonSchema[None] = None
    """Only with `includeDetails`."""
    effective_input: dict[str, Any] | SkipJsonSchema[None] = None
    """Only with `includeDetails`: what ran, with every default filled in."""
    input_adjustments: list[InputAdjustment] | SkipJsonSchema[None] = None
    """Only with `includeDetails`: what was mended."""


class JobCallback(JobStatus):
    """A job that has ended, with details."""

    callback_type: Literal["media_job_terminal"]
    """What kind of message this is."""


class JobList(Message):
    """A page of jobs, newest first."""

    ok: Literal[True]
    jobs: list[JobStatus]
    """Each as its status shows it."""
    next_cursor: str | None
    """Send it as `cursor` for the next page; null at the end."""


class CancelJob(Message):
    """Which job to stop."""

    job_id: str
    """`job_…`"""


class TaskPrice(Message):
    """How a task is priced today."""

    formula: str
    """The formula's name; a name never changes its meaning."""
    coefficients: dict[str, int]
    """The figures in it."""
    explanation: str
    """The formula in words."""
    minimum_usd_micros: int
    """The least it can cost, in micros."""
    minimum_usd: str
    """The same in US dollars, exact."""


class TaskPool(Message):
    """Who runs a task."""

    name: str
    """The pool."""
    live_nodes: int
    """How many of its machines are alive; 0: a submit is 503."""
    slots: int
    """How many runs they take at once."""


class Range(Message):
    """From the shortest to the longest, in seconds."""

    minimum: float
    maximum: float


class CatalogueTask(Message):
    """One task on offer."""

    task: str
    """Its name."""
    title: str
    """What it does."""
    input_schema: dict[str, Any]
    """The JSON Schema of its input."""
    example_input: dict[str, Any]
    """A small complete input."""
    presets: dict[str, dict[str, Any]]
    """What fields are when they are left out, by preset."""
    price: TaskPrice
    """What it costs."""
    pool: TaskPool
    """Who runs it."""
    eta_seconds: Range
    """How long it may run."""


class Catalogue(Message):
    """The tasks on offer, by name."""

    tasks: list[CatalogueTask]
