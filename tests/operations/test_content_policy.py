"""The content policy: refused before anything is fetched, held or billed; closed when it breaks; never logged."""

import logging
from pathlib import Path
from typing import Any

import pytest

from media import content_policy
from media.content_policy import Content, Refusal, normal
from tests.media.conftest import Hosted
from tests.media.customers import ESTIMATE, IMAGE, Customer, error

pytestmark = pytest.mark.django_db
LIST = """# what we do not make
zorgon
evil plan   # two words

Ｆｌｕｂｂｅｒ
禁句
"""
seen: list[Content] = []


def watch(content: Content) -> Refusal | None:
    """A classifier that lets everything pass."""
    seen.append(content)
    return None


def second_word(content: Content) -> Refusal | None:
    """A classifier of an operator's own."""
    path, _ = next((path, text) for path, text in content.texts.items() if "second" in text)
    return Refusal(path=path, rule="second")


def broken(content: Content) -> Refusal | None:
    """A classifier whose trouble quotes what it was asked."""
    raise ConnectionError(f"cannot judge {content.texts}")


@pytest.fixture
def block_list(settings: Any, tmp_path: Path) -> Path:
    path = tmp_path / "terms.txt"
    path.write_text(LIST, encoding="utf-8")
    settings.CONTENT_BLOCK_LIST = str(path)
    return path


@pytest.mark.parametrize(
    "prompt",
    [
        "a zorgon at dawn",
        "ZORGON",
        "a Zor\u200bgon, hidden",
        "ｚｏｒｇｏｎ in wide letters",
        "zor\u00adgon with soft hyphens",
        "an evil\n  plan",
        "an EVIL-plan",
        "an evil_plan",
        "Flubber for all",
        "これは禁句です",
        "これは禁 句です",
        "http:zorgon",
        "https://zorgon",
        "data:zorgon",
    ],
)
def test_a_blocked_term_is_refused_however_it_is_written(prompt: str, customer: Customer, block_list: Path) -> None:
    with customer.untouched():
        for answer in (
            customer.submit(IMAGE, {"prompt": prompt}),
            customer.post(ESTIMATE, {"task": IMAGE, "input": {"prompt": prompt}}),
        ):
            body = error(answer, 400, "content_refused")
            assert body["details"] == {"fields": {"input.prompt": "is not allowed by the content policy"}}
            assert body["billed"] is False
            assert prompt not in answer.content.decode()


@pytest.mark.parametrize("prompt", ["zorgonian hills", "a plan, not evil", "evil", "evilplan", "禁止", "flubbers"])
def test_what_only_looks_alike_passes(prompt: str, customer: Customer, block_list: Path) -> None:
    assert customer.submit(IMAGE, {"prompt": prompt}).status_code == 201


def test_every_text_of_an_input_is_judged_and_no_address_is(
    customer: Customer, block_list: Path, settings: Any, host: Hosted, clips: dict[str, bytes]
) -> None:
    answer = customer.submit("ace.step.create", {"tags": "calm", "lyrics": "la la zorgon"})
    assert list(error(answer, 400, "content_refused")["details"]["fields"]) == ["input.lyrics"]
    host.files = {"zorgon.mp4": clips["one"]}
    task_input = {"sourceVideoUrl": host.url("zorgon.mp4"), "width": 64, "height": 64}
    assert customer.submit("video.resize", task_input).status_code == 201


def test_nothing_is_fetched_for_what_is_refused(customer: Customer, block_list: Path, host: Hosted) -> None:
    host.files = {"a.png": b"never"}
    task_input = {"prompt": "zorgon", "sourceImageUrl": host.url("a.png")}
    error(customer.submit("image.edit", task_input), 400, "content_refused")
    assert host.requests == []


def test_the_log_tells_who_and_which_rule_and_never_what(
    customer: Customer, block_list: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.INFO):
        customer.submit(IMAGE, {"prompt": "a shy zorgon"})
    said = caplog.text + capsys.readouterr().out
    assert "content_refused" in said
    assert customer.public_id in said
    assert "line 2" in said
    assert "zorgon" not in said
    assert "shy" not in said


def test_a_changed_list_counts_at_once_and_none_forbids_nothing(customer: Customer, block_list: Path) -> None:
    error(customer.submit(IMAGE, {"prompt": "zorgon"}), 400, "content_refused")
    block_list.write_text("something else\n", encoding="utf-8")
    assert customer.submit(IMAGE, {"prompt": "zorgon"}).status_code == 201


@pytest.mark.parametrize("trouble", ["missing", "broken", "unknown"])
def test_a_policy_that_cannot_be_asked_lets_nothing_pass(
    trouble: str,
    customer: Customer,
    block_list: Path,
    settings: Any,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if trouble == "missing":
        block_list.unlink()
    else:
        settings.CONTENT_POLICY = [f"{__name__}.{trouble}"]
    with customer.untouched(), caplog.at_level(logging.INFO):
        body = error(customer.submit(IMAGE, {"prompt": "a quiet lake"}), 503, "unavailable")
    assert body["billed"] is False
    said = caplog.text + capsys.readouterr().out
    assert "content_policy_broke" in said
    assert "lake" not in said


def test_an_operators_own_classifiers_are_asked_in_turn(customer: Customer, settings: Any, block_list: Path) -> None:
    settings.CONTENT_POLICY = [f"{__name__}.watch", f"{__name__}.second_word", f"{__name__}.broken"]
    seen.clear()
    answer = customer.submit(IMAGE, {"prompt": "the second zorgon"})
    error(answer, 400, "content_refused")
    assert [(one.account_id, one.task, dict(one.texts)) for one in seen] == [
        (customer.id, IMAGE, {"input.prompt": "the second zorgon"})
    ]
    assert "zorgon" not in repr(seen)
    settings.CONTENT_POLICY = []
    assert customer.submit(IMAGE, {"prompt": "the second zorgon"}).status_code == 201


def test_a_normal_form_is_its_own(block_list: Path) -> None:
    for text in ("Straße", "ﬁne  print", "İstanbul", "ａ_b-c", "", "\u200b"):
        assert normal(normal(text)) == normal(text)
    assert normal("The  FUNNY-name_d\u200d ﬁle") == "the funny name d file"
    assert content_policy.block_list(Content(account_id=None, task="t", texts={})) is None  # type: ignore[arg-type]
