"""docs/reference/tasks.md, written from the catalogue: fields, limits, presets, prices."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic.alias_generators import to_camel

from billing.micros import usd
from media import catalog
from media.catalog import registry
from media.catalog.task import Task
from workers.protocol import names

TAIL = """\
## diagnostic.noop

One byte, one micro, no fields. Offered only where `DIAGNOSTIC_TASKS` is on; `make bench` times the platform with it.
"""
_PROSE = Path(catalog.__file__).parent
"""What has to be said in sentences lies beside the entries: reference.md at the head, <task>.md in each section."""


def tasks_markdown() -> str:
    """The whole page."""
    tasks = [task for name, task in sorted(registry.all_tasks().items()) if name != names.DIAGNOSTIC_NOOP]
    return "\n".join(
        [prose("reference"), *_overview(tasks), *(line for task in tasks for line in _section(task)), TAIL]
    )


def prose(name: str) -> str:
    """The text beside the catalogue's entry of this name.

    Raises:
        FileNotFoundError: there is none.
    """
    return (_PROSE / f"{name}.md").read_text()


def _overview(tasks: list[Task]) -> Iterator[str]:
    yield "| task | what it does | price | minimum |"
    yield "|---|---|---|---:|"
    for task in tasks:
        link = f"[`{task.name}`](#{task.name.replace('.', '')})"
        yield f"| {link} | {task.title} | {task.explanation} | {_n(task.floor_micros)} |"
    yield ""


def _section(task: Task) -> Iterator[str]:
    yield f"## {task.name}\n"
    yield f"{task.title}.\n"
    yield from fields_table(task)
    yield ""
    yield prose(task.name.replace(".", "_"))
    if task.presets:
        yield from _presets(task)
    yield f"Price: {task.explanation}."
    yield f"Coefficients: {', '.join(f'{name} {_n(value)}' for name, value in task.coefficients.items())}.\n"
    yield "| example | micros | USD |"
    yield "|---|---:|---:|"
    for words, units in task.examples:
        amount = task.prices[task.formula](units, task.coefficients)
        yield f"| {words} | {_n(amount)} | {usd(amount)} |"
    yield ""


def fields_table(task: Task) -> Iterator[str]:
    """The fields of a task's input with their limits, as a Markdown table."""
    schema = task.input_model.published_schema()
    definitions = schema.get("$defs", {})
    required = set(schema.get("required", ()))
    either = {name for form in schema.get("anyOf", ()) for name in form["required"]}
    yield "| field | type | default | meaning |"
    yield "|---|---|---|---|"
    for name, field in schema.get("properties", {}).items():
        default = "required" if name in required else "one of them" if name in either else _value(field.get("default"))
        yield f"| `{name}` | {_type(field, definitions)} | {default} | {field.get('description', '')} |"


def _presets(task: Task) -> Iterator[str]:
    columns = list(task.presets)
    yield f"| left out, it is | {' | '.join(columns)} |"
    yield f"|---|{'---|' * len(columns)}"
    for name in task.presets[columns[0]]:
        values = " | ".join(_value(task.presets[column][name]) for column in columns)
        yield f"| `{to_camel(name)}` | {values} |"
    yield ""


def _type(field: dict[str, Any], definitions: dict[str, Any]) -> str:
    if "$ref" in field:
        return f"`{{{', '.join(definitions[field['$ref'].rsplit('/', 1)[-1]]['properties'])}}}`"
    forms = field.get("oneOf") or field.get("anyOf")
    if forms:
        return " or ".join(_type(form, definitions) for form in forms)
    if "enum" in field:
        return " ".join(f"`{value}`" for value in field["enum"])
    match field["type"]:
        case "string":
            return _text(field)
        case "integer" | "number":
            return _number(field)
        case "array":
            items = _type(field["items"], definitions)
            return f"list of {_range(field, 'minItems', 'maxItems')}: {items}"
        case other:
            return str(other)


def _text(field: dict[str, Any]) -> str:
    if field.get("format") == "uri":
        return "URL"
    if "pattern" in field:
        return f"text matching `{field['pattern']}`".replace("|", "\\|")
    limits = _range(field, "minLength", "maxLength")
    return f"text of {limits} characters" if limits else "text"


def _number(field: dict[str, Any]) -> str:
    if "const" in field:
        return str(field["const"])
    kind = "whole number" if field["type"] == "integer" else "number"
    limits = _range(field, "minimum", "maximum")
    steps = f", a multiple of {field['multipleOf']}" if "multipleOf" in field else ""
    return f"{kind} {limits}{steps}".rstrip()


def _range(field: dict[str, Any], least: str, most: str) -> str:
    low, high = field.get(least), field.get(most)
    if low is None:
        return f"at most {_n(high)}" if high is not None else ""
    return f"{_n(low)} to {_n(high)}" if high is not None else f"at least {_n(low)}"


def _value(value: Any) -> str:
    match value:
        case None | []:
            return ""
        case bool():
            return str(value).lower()
        case int() | float():
            return _n(value)
        case _:
            return f"`{value}`"


def _n(number: float) -> str:
    """With thin groups of thousands, as the reference writes numbers."""
    return f"{number:,}".replace(",", " ") if isinstance(number, int) else f"{number:g}"
