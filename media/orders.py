"""From a request to an order: validated, its media resolved and probed, normalised and priced. Nothing is written."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from billing.price_versions import PriceVersion, current_price_version
from core.errors import InvalidRequest
from core.messages import why_unstorable, wrong_fields
from media import content_policy, gemini
from media.catalog.task import Facts, Normalised, Task
from media.run_times import Estimate, estimate
from media.sources import ResolvedSource, probe, resolve
from workers.protocol.inputs.base import FIELDS_TOGETHER


@dataclass(frozen=True, kw_only=True)
class Order:
    """Everything a job is made of, before any money or row."""

    account_id: UUID
    task: Task
    canonical_input: Any
    """The input exactly as the client sent it, for fingerprints."""
    sources: list[ResolvedSource]
    facts: Mapping[str, Facts]
    normalised: Normalised
    pool: str
    """Which pool will run it."""
    price_version: PriceVersion
    price_micros: int
    estimate: Estimate

    @property
    def staged_input_count(self) -> int:
        """How many inline inputs we store for the client."""
        return sum(1 for resolved in self.sources if resolved.inline is not None)

    @property
    def fetches_inputs(self) -> bool:
        """Whether something must be fetched before it can run."""
        return any(resolved.url is not None for resolved in self.sources)

    @property
    def pricing_meta(self) -> dict[str, Any]:
        """How the price came about, for the client."""
        return {
            "formula": self.price_version.formula,
            "priceVersion": str(self.price_version.id),
            "coefficients": dict(self.price_version.coefficients),
            "units": dict(self.normalised.units),
        }


@dataclass(frozen=True, kw_only=True)
class Binding:
    """What a quote fixed: facts and price version are taken from it instead of being looked up again."""

    facts: Mapping[str, Facts]
    price_version: PriceVersion
    effective_hash: str


def prepare_order(
    *, account_id: UUID, task: Task, raw_input: Any, now: datetime, binding: Binding | None = None
) -> Order:
    """Turn a raw input into an order, reading at most the heads of its media.

    Raises:
        InvalidRequest: with the path of each wrong field.
        ContentRefused: the content policy does not allow a text in it.
        PolicyUnavailable: the content policy cannot be asked.
        PayloadTooLarge: inline media pass their limits.
        Unavailable: our own bucket, or a service that the price needs, does not answer.
    """
    validated = _validate(task, raw_input)
    content_policy.judge(account_id=account_id, task=task.name, task_input=raw_input)
    sources = resolve(account_id, task.sources(validated))
    facts = dict(binding.facts) if binding is not None else {**_counted(task, validated), **probe(sources)}
    normalised = task.normalise(validated, facts)
    pool = task.pool_of(normalised.params)
    version = binding.price_version if binding is not None else current_price_version(task=task.name, now=now)
    return Order(
        account_id=account_id,
        task=task,
        canonical_input=raw_input,
        sources=sources,
        facts=facts,
        normalised=normalised,
        pool=pool,
        price_version=version,
        price_micros=task.prices[version.formula](normalised.units, version.coefficients),
        estimate=estimate(task=task.name, pool=pool, formula_seconds=task.estimate_seconds(normalised.units)),
    )


def _counted(task: Task, validated: Any) -> dict[str, Facts]:
    counted = task.counted_text(validated) if task.counted_text is not None else None
    return {counted.path: Facts(tokens=gemini.count_tokens(counted))} if counted is not None else {}


def _validate(task: Task, raw_input: Any) -> Any:
    if not isinstance(raw_input, dict):
        raise InvalidRequest({"input": "must be an object"})
    unstorable = dict(_unstorable(raw_input, "input"))
    if unstorable:
        raise InvalidRequest(unstorable)
    try:
        return task.input_model.model_validate(raw_input, by_alias=True, by_name=False)
    except ValidationError as error:
        raise InvalidRequest(_fields(error)) from None


def _unstorable(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Texts in it that cannot be kept, by their paths."""
    match value:
        case str():
            reason = why_unstorable(value)
            if reason is not None:
                yield path, reason
        case dict():
            for name, member in value.items():
                yield from _unstorable(name, path)
                yield from _unstorable(member, f"{path}.{name}")
        case list():
            for index, member in enumerate(value):
                yield from _unstorable(member, f"{path}.{index}")


def _fields(error: ValidationError) -> dict[str, str]:
    return wrong_fields(
        error,
        root=("input",),
        unknown="is not a field of this task",
        together=lambda entry: entry["ctx"]["fields"] if entry["type"] == FIELDS_TOGETHER else (),
    )


def pack_facts(facts: Mapping[str, Facts]) -> dict[str, list[str | int | None]]:
    """Facts as JSON, exactly."""
    return {
        path: [
            str(fact.duration) if fact.duration is not None else None,
            str(fact.frame_rate) if fact.frame_rate is not None else None,
            fact.width,
            fact.height,
            fact.tokens,
        ]
        for path, fact in facts.items()
    }


def unpack_facts(packed: Mapping[str, list[Any]]) -> dict[str, Facts]:
    """The inverse of `pack_facts`."""
    return {
        path: Facts(
            duration=Fraction(entry[0]) if entry[0] is not None else None,
            frame_rate=Fraction(entry[1]) if entry[1] is not None else None,
            width=entry[2],
            height=entry[3],
            tokens=entry[4],
        )
        for path, entry in packed.items()
    }
