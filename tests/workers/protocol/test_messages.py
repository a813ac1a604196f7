"""What crosses a process is pinned by golden files: a change of the wire form must show up here."""

import importlib
import json
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from tests.workers.protocol.messages import HASH, MESSAGES, OUTPUT, WIRES
from workers import protocol
from workers.protocol.claim import Heartbeat, Message, ProgressReport
from workers.protocol.envelope import AttemptMessage
from workers.protocol.inputs.base import Wire
from workers.protocol.inputs.media import InlineMedia
from workers.protocol.inputs.references import TakesReferences
from workers.protocol.result import AttemptResult, Failure, Output, SignedResult, StoredFile, UploadRequest

GOLDEN = Path(__file__).with_name("golden")


def golden(name: str) -> Any:
    return json.loads((GOLDEN / f"{name}.json").read_text())


def as_bytes(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def protocol_models() -> Iterator[type[BaseModel]]:
    for module in pkgutil.walk_packages(protocol.__path__, f"{protocol.__name__}."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, type) and issubclass(value, BaseModel) and value.__module__ == module.name:
                yield value


def test_every_model_of_the_protocol_has_a_golden_file_and_no_file_is_left_over() -> None:
    abstract = {Message, Wire, InlineMedia, TakesReferences}
    examples = {type(message) for message in (*MESSAGES.values(), *WIRES.values())}
    assert set(protocol_models()) - abstract == examples
    assert {path.stem for path in GOLDEN.glob("*.json")} == {*MESSAGES, *WIRES}


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_has_exactly_the_golden_bytes_and_comes_back_equal(name: str) -> None:
    message = MESSAGES[name]
    sent = message.model_dump_json().encode()
    assert sent == as_bytes(golden(name))
    assert message.model_dump(mode="json") == golden(name)
    assert type(message).model_validate_json(sent) == message


@pytest.mark.parametrize("name", WIRES)
def test_a_task_model_has_exactly_the_golden_form_and_comes_back_equal(name: str) -> None:
    model = WIRES[name]
    assert as_bytes(model.wire()) == as_bytes(golden(name))
    assert type(model).model_validate(golden(name)) == model
    assert type(model).model_validate_json(as_bytes(golden(name))) == model


@pytest.mark.parametrize("name", MESSAGES)
def test_a_newer_peer_may_add_members_to_a_message(name: str) -> None:
    newer = {**golden(name), "added_in_v9": {"anything": [1]}}
    assert type(MESSAGES[name]).model_validate_json(as_bytes(newer)) == MESSAGES[name]


@pytest.mark.parametrize("name", WIRES)
def test_a_task_model_refuses_what_it_does_not_know(name: str) -> None:
    with pytest.raises(ValidationError) as caught:
        type(WIRES[name]).model_validate({**golden(name), "addedInV9": 1})
    assert [error["type"] for error in caught.value.errors()] == ["extra_forbidden"]


@pytest.mark.parametrize("name", [*MESSAGES, *WIRES])
def test_nothing_can_be_changed_once_made(name: str) -> None:
    model: BaseModel = MESSAGES.get(name) or WIRES[name]
    before = model.model_dump_json()
    for field in type(model).model_fields:
        with pytest.raises(ValidationError, match="frozen"):
            setattr(model, field, getattr(model, field))
    assert model.model_dump_json() == before


def test_the_celery_arguments_are_the_envelope_and_nothing_more() -> None:
    """No input, no URL, no secret ever reaches the broker."""
    assert set(AttemptMessage.model_fields) == {"v", "attempt_id", "task", "pool"}


def test_an_older_peer_may_leave_out_the_version() -> None:
    older = golden("attempt_message")
    del older["v"]
    assert AttemptMessage.model_validate(older) == MESSAGES["attempt_message"]


@pytest.mark.parametrize(
    "name",
    [
        "../output_0001.png",
        "output_1.png",
        "output_0001",
        "output_0001.PNG",
        "output_0001.png\n",
        "output_0001.toolong",
    ],
)
def test_an_output_name_is_never_a_path(name: str) -> None:
    with pytest.raises(ValidationError):
        Output(name=name, media_type="image/png", bytes=1, sha256=HASH)


@pytest.mark.parametrize("text", ["", HASH.upper(), HASH[:-1], f"{HASH}0", HASH.replace("6", "g"), f"{HASH}\n"])
def test_a_hash_is_64_lower_case_hexadecimal_digits(text: str) -> None:
    with pytest.raises(ValidationError):
        StoredFile(bytes=1, sha256=text)


def refused(model: type[Message], name: str, **changes: Any) -> set[str]:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(golden(name) | changes)
    return {str(error["loc"][0]) for error in caught.value.errors()}


def test_what_a_node_declares_is_bounded() -> None:
    assert refused(Output, "output", bytes=0) == {"bytes"}
    assert refused(UploadRequest, "upload_request", outputs=[]) == {"outputs"}
    assert refused(UploadRequest, "upload_request", outputs=[OUTPUT.model_dump()] * 65) == {"outputs"}
    assert refused(AttemptResult, "attempt_result", outputs=[], run_ms=-1) == {"outputs", "run_ms"}
    assert refused(StoredFile, "stored_file", bytes=1_000_001) == {"bytes"}
    assert refused(ProgressReport, "progress_report", fraction=1.01) == {"fraction"}
    assert refused(ProgressReport, "progress_report", fraction=float("nan")) == {"fraction"}
    assert refused(Heartbeat, "heartbeat", slots=-1) == {"slots"}
    assert refused(Failure, "failure", kind="completed", code="x" * 61, message="x" * 2001) == {
        "kind",
        "code",
        "message",
    }


def test_a_signed_result_opens_to_what_was_signed_and_only_for_its_node() -> None:
    signed, secret = MESSAGES["signed_result"], b"thirty-two bytes of node secret."
    assert isinstance(signed, SignedResult)
    assert signed.opened() == MESSAGES["attempt_result"]
    assert signed.is_genuine(secret)
    assert not signed.is_genuine(b"thirty-two bytes of other secret")
    assert not signed.model_copy(update={"result": signed.result + " "}).is_genuine(secret)
    for forged in ("", signed.signature.upper(), signed.signature[:-1], "é" * 64):
        assert not signed.model_copy(update={"signature": forged}).is_genuine(secret)


def test_a_malformed_result_does_not_open() -> None:
    with pytest.raises(ValidationError):
        SignedResult(node_id="local-1", result='{"attempt_id": 1}', signature="").opened()
