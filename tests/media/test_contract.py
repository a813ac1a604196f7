"""The published contract, walked: our schemas against its facts, and every limit of every field from both sides.

tests/contract/media.json holds the contract's schemas for what this room serves, without their prose.
"""

import json
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from media.catalog import registry
from media.catalog.task import Facts
from media.models import Job
from tests.media.customers import ESTIMATE, JOBS, Customer, refused_fields
from tests.media.standin import StandIn

CONTRACT = json.loads((Path(__file__).parents[1] / "contract" / "media.json").read_text())
SCHEMAS = CONTRACT["schemas"]
TASKS = sorted(CONTRACT["request"])

URL = "https://media.example.com/clip.mp4"
SMALLEST: dict[str, dict[str, Any]] = {
    "ace.step.create": {"tags": "x", "lyrics": "x"},
    "audio.annotation.reference": {"sourceAudioUrl": URL},
    "audio.speak": {"text": "x"},
    "image.edit": {"prompt": "x", "sourceImageUrl": URL},
    "image.generate": {"prompt": "x"},
    "moss.sound.effect": {"prompt": "x"},
    "trellis.generate": {"sourceImageUrl": URL},
    "video.combine": {"videoUrls": [URL, URL]},
    "video.generate": {"prompt": "x"},
    "video.resize": {"sourceVideoUrl": URL, "width": 2, "height": 2},
}
COMPANIONS: dict[tuple[str, str], dict[str, Any]] = {
    ("image.generate", "width"): {"height": 32},
    ("image.generate", "height"): {"width": 32},
    ("video.generate", "width"): {"height": 32},
    ("video.generate", "height"): {"width": 32},
    ("video.generate", "referenceAudio"): {"startFrameImageUrl": URL},
    ("video.generate", "referenceAudioUrl"): {"startFrameImageUrl": URL},
    ("video.combine", "overlapFrames"): {"frameRate": 120},  # so that no trim is as long as a clip
    ("audio.speak", "voiceName"): {"provider": "gemini"},
    ("audio.speak", "instructions"): {"provider": "gemini"},
    ("audio.speak", "referenceAudio"): {"mode": "voice_clone"},
    ("audio.speak", "referenceAudioUrl"): {"mode": "voice_clone"},
    ("audio.speak", "referenceTranscript"): {"mode": "voice_clone", "referenceAudioUrl": URL},
    ("trellis.generate", "textureResolution"): {"textureSize": 2048},
    ("trellis.generate", "refinerResolution"): {"textureSize": 2048},
}
"""What a field needs beside it, by the contract's own words."""
ALLOWED: dict[tuple[str, str], list[Any]] = {
    ("video.generate", "durationFrames"): [9, 17, 249, 257],
    ("audio.speak", "voiceDescription"): [
        "male",
        "FEMALE ,  Young  Adult,whisper",
        f"child, very high pitch{' ' * 217}",
        "teenager,portuguese accent",
    ],
    ("audio.speak", "text"): ["x", "x" * 6000, "雪" * 6000, "😀" * 5999 + "x"],
    ("audio.annotation.reference", "transcript"): ["x", "x" * 24_000, "雪" * 24_000, "😀" * 23_999 + "x"],
    ("ace.step.create", "keyScale"): ["C major", "F# minor", "Bb major", "G\tminor"],
}
"""Where the contract's words narrow what its schema says: values at those edges."""
FORBIDDEN: dict[tuple[str, str], list[Any]] = {
    ("video.generate", "durationFrames"): [10, 16, 18, 256],
    ("audio.speak", "voiceDescription"): ["baritone", "male, female", "male,", "child, elderly", "male; whisper"],
    ("audio.speak", "text"): ["😀", " .\n", "…"],
    ("audio.annotation.reference", "transcript"): ["😀", "[Chorus]", "..."],
    ("ace.step.create", "keyScale"): ["H major", "c major", "C  major", "C Major", "C major ", "C## minor", ""],
    ("trellis.generate", "sourceImage"): [URL],
}
OURS_ONLY: dict[str, set[str]] = {
    # A URL has an end somewhere, and an empty one is none.
    "uri": {"minLength", "maxLength"},
    # Empty bytes are no picture.
    "dataBase64": {"minLength"},
    # In words in the contract.
    "upscale": {"default"},
}


def resolve(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """A schema with its references followed; `allOf` with one member is that member."""
    if "allOf" in schema:
        [only] = schema["allOf"]
        return resolve(only | {k: v for k, v in schema.items() if k != "allOf"}, definitions)
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return resolve(definitions[name] | {k: v for k, v in schema.items() if k != "$ref"}, definitions)
    return schema


def forms_of(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """The alternatives of a value; `required` alone is a rule between fields, not an alternative."""
    found: list[dict[str, Any]] = schema.get("oneOf") or schema.get("anyOf") or []
    return [form for form in found if form.keys() != {"required"}]


def either_required(schema: dict[str, Any], word: str) -> list[dict[str, Any]]:
    return [form for form in schema.get(word, []) if form.keys() == {"required"}]


RULES = ("type", "format", "enum", "minimum", "maximum", "multipleOf", "minLength", "maxLength", "minItems", "maxItems")
RULES += ("additionalProperties", "default", "exclusiveMinimum", "exclusiveMaximum", "pattern", "const")


def compare(ours: dict[str, Any], theirs: dict[str, Any], definitions: dict[str, Any], where: str) -> None:
    """Every rule of theirs is ours too, and ours has none beside them but those of OURS_ONLY."""
    ours, theirs = resolve(ours, definitions), resolve(theirs, SCHEMAS)
    allowed = OURS_ONLY.get(str(theirs.get("format")), set()) | OURS_ONLY.get(where.rsplit(".", 1)[-1], set())
    for rule in RULES:
        if rule in theirs or rule not in allowed:
            assert ours.get(rule) == theirs.get(rule), f"{where}: {rule}"
    assert set(ours.get("required", ())) == set(theirs.get("required", ())), where
    for word in ("anyOf", "oneOf"):
        assert either_required(ours, word) == either_required(theirs, word), f"{where}: {word}"
    if "items" in theirs:
        compare(ours["items"], theirs["items"], definitions, f"{where}.items")
    if "properties" in theirs:
        assert ours["properties"].keys() == theirs["properties"].keys(), where
        for name, schema in theirs["properties"].items():
            compare(ours["properties"][name], schema, definitions, f"{where}.{name}")
    assert len(forms_of(ours)) == len(forms_of(theirs)), where
    for index, (our_form, their_form) in enumerate(zip(forms_of(ours), forms_of(theirs), strict=True)):
        compare(our_form, their_form, definitions, f"{where}[{index}]")


@pytest.mark.parametrize("task", TASKS)
def test_our_schema_has_the_contracts_rules_and_no_others(task: str) -> None:
    ours = registry.all_tasks()[task].input_model.published_schema()
    theirs = CONTRACT["request"][task]["properties"]["input"]
    compare(ours, theirs, ours.get("$defs", {}), task)


@pytest.mark.django_db
def test_the_catalogue_publishes_these_schemas(customer: Customer) -> None:
    entries = {entry["task"]: entry for entry in customer.get("/api/v1/media/tasks").json()["tasks"]}
    assert sorted(entries) == TASKS
    for task in TASKS:
        assert entries[task]["inputSchema"] == registry.all_tasks()[task].input_model.published_schema()


# -- the walk ---------------------------------------------------------------------------------------------------------


def rule_of(task: str, name: str) -> dict[str, Any]:
    return resolve(CONTRACT["request"][task]["properties"]["input"]["properties"][name], SCHEMAS)


def within(rule: dict[str, Any]) -> Iterator[Any]:
    """Values at the edges of what the contract allows."""
    if forms_of(rule):
        for form in forms_of(rule):
            yield from within(resolve(form, SCHEMAS))
        return
    match rule.get("type"):
        case "string" | "integer" if "enum" in rule:
            yield from rule["enum"]
        case "integer" if "const" in rule:
            yield rule["const"]
        case "string" if rule.get("format") == "uri":
            yield URL
            yield "https://media.example.com:8443/a%20b/c.mp4?x=1&y=[2]"
        case "string":
            yield "x" * rule["minLength"]
            yield "x" * rule["maxLength"]
            yield "雪" * rule["maxLength"]
            yield "😀" * rule["maxLength"]
        case "boolean":
            yield from (True, False)
        case "integer" | "number":
            yield rule["minimum"]
            if rule["type"] == "integer":
                yield rule["minimum"] + rule.get("multipleOf", 1)
            if "maximum" in rule:
                yield rule["maximum"]
        case "array":
            item = next(within(resolve(rule["items"], SCHEMAS)))
            for length in (rule.get("minItems", 0), rule["maxItems"]):
                yield [item] * length
        case "object":
            yield {"url": URL}


def beyond(rule: dict[str, Any]) -> Iterator[Any]:
    """Values just outside, and of every other type."""
    yield None
    kinds = {resolve(form, SCHEMAS)["type"] for form in forms_of(rule)} or {rule["type"]}
    values: dict[str, Any] = {"string": "5", "boolean": True, "integer": 5, "number": 5.5, "array": [], "object": {}}
    taken = kinds | ({"integer"} if "number" in kinds else set())
    yield from (value for name, value in values.items() if name not in taken)
    if "object" in kinds:
        yield from ({}, {"mimeType": "image/png"}, {"url": URL, "dataBase64": "AAAA"}, {"url": URL, "name": "x"})
        yield from (
            {"url": None},
            {"url": "clip.mp4"},
            {"dataBase64": 5},
            {"dataBase64": ""},
            {"url": URL, "mimeType": 5},
        )
    if forms_of(rule) and kinds == {"integer"}:
        yield from (-1, 1, 29, 61, 10**30)
        return
    match rule.get("type"):
        case "string" if "enum" in rule:
            yield from (rule["enum"][0].upper() + " ", "", "4:3", "gif")
        case "integer" if "enum" in rule:
            yield from (0, -1, min(rule["enum"]) - 1, max(rule["enum"]) + 1, float(rule["enum"][0]) + 0.5)
        case "string" if rule.get("format") == "uri":
            yield from ("", "clip.mp4", "/clip.mp4", "media.example.com/clip.mp4", "ftp://media.example.com/clip.mp4")
            yield from (
                "https://",
                "https:///clip.mp4",
                "data:video/mp4;base64,AAAA",
                "https://media.example.com/" + "x" * 4096,
            )
        case "string" if "maxLength" in rule:
            yield "x" * (rule["minLength"] - 1)
            yield "x" * (rule["maxLength"] + 1)
        case "integer" | "number":
            step = rule.get("multipleOf", 1) if rule["type"] == "integer" else Fraction(rule["minimum"]) / 2 or 1
            yield float(rule["minimum"] - step) if rule["type"] == "number" else rule["minimum"] - step
            if "maximum" in rule:
                yield float(rule["maximum"] + step) if rule["type"] == "number" else rule["maximum"] + step
            if rule.get("multipleOf", 1) > 1:
                yield rule["minimum"] + 1
            yield from (-(10**18), 10**30, "5", [5])
        case "array":
            item = next(within(resolve(rule["items"], SCHEMAS)))
            yield [item] * (rule["maxItems"] + 1)
            if rule.get("minItems"):
                yield [item] * (rule["minItems"] - 1)


FIELDS = [
    (task, name) for task in TASKS for name in sorted(CONTRACT["request"][task]["properties"]["input"]["properties"])
]


def smallest_for(task: str, name: str) -> dict[str, Any]:
    """The smallest input beside which a value of `name` can be judged: without another name of the same thing."""
    rules = CONTRACT["request"][task]["properties"]["input"]
    same = {one for form in either_required(rules, "anyOf") for one in form["required"]}
    smallest = {key: value for key, value in SMALLEST[task].items() if name not in same or key not in same}
    return smallest | COMPANIONS.get((task, name), {})


@pytest.fixture
def walker(customer: Customer, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Customer:
    """Media of two seconds at whatever address, ten tokens in any text: reading them is tested elsewhere."""
    facts = Facts(duration=Fraction(2), frame_rate=Fraction(30), width=320, height=180)
    monkeypatch.setattr("media.sources._probe_one", lambda resolved: facts)
    monkeypatch.setattr("media.gemini.count_tokens", lambda counted: 10)
    settings.RATE_LIMITS = {"write": 100_000, "read": 100_000}
    return customer


@pytest.mark.django_db
@pytest.mark.parametrize(("task", "name"), FIELDS)
def test_what_the_contract_allows_is_accepted(walker: Customer, task: str, name: str) -> None:
    values = ALLOWED.get((task, name)) or list(within(rule_of(task, name)))
    if name == "outputFormat":
        values += [".webp", ".png", ".jpg"]
    assert values
    with walker.untouched():
        for value in values:
            task_input = smallest_for(task, name) | {name: value}
            if value == "voice_clone":
                task_input["referenceAudioUrl"] = URL
            answer = walker.post(ESTIMATE, {"task": task, "input": task_input})
            assert answer.status_code == 200, (str(value)[:80], answer.content)


@pytest.mark.django_db
@pytest.mark.parametrize(("task", "name"), FIELDS)
def test_what_it_forbids_is_refused_by_name_and_leaves_no_trace(walker: Customer, task: str, name: str) -> None:
    rule = rule_of(task, name)
    with walker.untouched():
        for value in [*beyond(rule), *FORBIDDEN.get((task, name), [])]:
            task_input = smallest_for(task, name) | {name: value}
            for path in (JOBS, ESTIMATE):
                fields = refused_fields(walker.post(path, {"task": task, "input": task_input}))
                assert any(field.startswith(f"input.{name}") for field in fields), (str(value)[:80], fields)
        if rule.get("type") == "array":
            for item in (None, 5, True, [], "clip.mp4"):
                fields = refused_fields(walker.submit(task, SMALLEST[task] | {name: [URL, item]}))
                assert fields.keys() == {f"input.{name}.1"}, fields


@pytest.mark.django_db
@pytest.mark.parametrize("task", TASKS)
def test_every_required_field_is_missed_by_name(walker: Customer, task: str) -> None:
    rules = CONTRACT["request"][task]["properties"]["input"]
    required = set(rules.get("required", ()))
    one_of = {name for form in either_required(rules, "anyOf") for name in form["required"]}
    assert required or one_of
    with walker.untouched():
        missed = {f"input.{name}" for name in required or one_of}
        assert refused_fields(walker.submit(task, {})).keys() == missed
        for name in required:
            rest = {key: value for key, value in SMALLEST[task].items() if key != name}
            assert refused_fields(walker.submit(task, rest)).keys() == {f"input.{name}"}
        if one_of:
            rest = {key: value for key, value in SMALLEST[task].items() if key not in one_of}
            assert refused_fields(walker.submit(task, rest)).keys() == {f"input.{name}" for name in one_of}


UNKNOWN = ["seed", "model", "negativePrompt", "Prompt", "", " prompt", "__class__", "task", "x" * 300]


@pytest.mark.django_db
@pytest.mark.parametrize("task", TASKS)
def test_unknown_fields_are_refused_by_name(walker: Customer, task: str) -> None:
    names = [name for name in registry.all_tasks()[task].input_model.model_fields if "_" in name]  # our own spelling
    assert names
    with walker.untouched():
        for name in [*UNKNOWN, *names]:
            if name in CONTRACT["request"][task]["properties"]["input"]["properties"]:
                continue
            fields = refused_fields(walker.submit(task, {**SMALLEST[task], name: 1}))
            assert fields == {f"input.{name[:80]}": "is not a field of this task"}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("options", "accepted"),
    [
        ({"width": 2048, "height": 2048}, True),
        ({"width": 2048, "height": 2080}, False),
        ({"width": 32, "height": 131_072}, True),
        ({"width": 32, "height": 131_104}, False),
        ({"width": 131_072, "height": 32, "upscale": True}, True),
        ({"width": 1024}, False),
        ({"height": 1024}, False),
    ],
)
def test_four_megapixels_is_a_limit_before_upscale_and_sizes_come_in_pairs(
    walker: Customer, options: dict[str, Any], accepted: bool
) -> None:
    answer = walker.post(ESTIMATE, {"task": "image.generate", "input": {"prompt": "x", **options}})
    if accepted:
        assert answer.status_code == 200
    else:
        assert refused_fields(answer).keys() == {"input.width", "input.height"}


@pytest.mark.django_db
def test_references_are_five_in_both_lists_together(walker: Customer) -> None:
    for inline, urls, accepted in ((5, 0, True), (0, 5, True), (2, 3, True), (3, 3, False), (5, 1, False)):
        task_input = {"prompt": "x", "referenceImages": [URL] * inline, "referenceImageUrls": [URL] * urls}
        answer = walker.post(ESTIMATE, {"task": "image.generate", "input": task_input})
        if accepted:
            assert answer.status_code == 200
        else:
            reason = "at most 5 reference images in total"
            assert refused_fields(answer) == {"input.referenceImages": reason, "input.referenceImageUrls": reason}


@pytest.mark.django_db
def test_the_envelope_has_the_contracts_members_and_no_others(walker: Customer) -> None:
    for task in TASKS:
        envelope = CONTRACT["request"][task]
        assert (set(envelope["required"]), envelope["additionalProperties"]) == ({"task", "input"}, False)
        assert envelope["properties"].keys() == {"task", "input", "idempotencyKey", "completionCallbackUrl"}
        body = {
            "task": task,
            "input": SMALLEST[task],
            "idempotencyKey": f"k-{task}",
            "completionCallbackUrl": "https://example.com/hook",
        }
        assert walker.post(JOBS, body).status_code == 201


# -- answers ----------------------------------------------------------------------------------------------------------

TYPES = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
}


def check(value: Any, schema: dict[str, Any], where: str) -> None:
    """`value` is what the contract says, and every member that it names is there."""
    schema = resolve(schema, SCHEMAS)
    if value is None:
        assert schema.get("nullable") or not schema.get("type"), where
        return
    if "type" not in schema:
        return
    assert isinstance(value, TYPES[schema["type"]]), where  # type: ignore[arg-type]
    assert isinstance(value, bool) == (schema["type"] == "boolean"), where
    if "enum" in schema:
        assert value in schema["enum"], where
    if schema["type"] == "array":
        for index, item in enumerate(value):
            check(item, schema["items"], f"{where}.{index}")
    for name, inner in schema.get("properties", {}).items():
        assert name in value, f"{where}.{name}"
        check(value[name], inner, f"{where}.{name}")
    if schema.get("additionalProperties") is False:
        assert value.keys() <= schema["properties"].keys(), where


@pytest.mark.django_db
def test_answers_have_every_member_of_the_contract(walker: Customer, node: StandIn) -> None:
    clip = {"output_0001.mp4": ("video/mp4", b"....ftypisom pretended clip")}
    for task in TASKS:
        answer = walker.submit(task, SMALLEST[task])
        assert answer.status_code == 201
        check(answer.json(), SCHEMAS["MediaJobSubmitResponse"], "submit")
        job = Job.objects.get(pk=walker.job(answer.json()["externalJobId"]).pk)
        check(walker.status(job, includeDetails="true"), SCHEMAS["MediaJobStatusResponse"], "waiting")
    image = Job.objects.get(task="image.generate")
    node.finish(image, clip)
    check(walker.status(image, includeDetails="true"), SCHEMAS["MediaJobStatusResponse"], "completed")
    with_adjustment = walker.submit(task_input={"prompt": "x", "aspectRatio": "9:7", "width": 64, "height": 64}).json()
    assert len(with_adjustment["inputAdjustments"]) == 1
    check(with_adjustment, SCHEMAS["MediaJobSubmitResponse"], "submit")
