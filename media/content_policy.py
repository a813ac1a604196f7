"""What may not be made: every text of an input is judged at submit and estimate, before anything is fetched or held.

`CONTENT_POLICY` names the classifiers: functions that take a `Content` and answer a `Refusal` or None. They run in
the request, so one that asks another service needs a short timeout of its own. A classifier that breaks is answered
with 503 (fail closed): an outage must not become the way around the policy.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.utils.module_loading import import_string

from core import ids
from core.errors import ApiError, Unavailable

_log = structlog.get_logger(__name__)
_NOT_PROSE = re.compile(r"(?i)(urls?|images?|audio|base64|mimeType)$")
"""Fields that hold addresses or files; what is in a file is no text of the request."""
_WORD = re.compile(r"\w+")
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
"""Scripts that put no spaces between words (Thai, Lao, Burmese, Khmer, Japanese, Chinese)."""


class ContentRefused(ApiError):
    """The content policy does not allow this input. Nothing was billed."""

    code = "content_refused"
    http_status = 400

    def __init__(self, path: str) -> None:
        super().__init__(details={"fields": {path: "is not allowed by the content policy"}})


class PolicyUnavailable(Unavailable):
    """The content policy cannot be asked right now, and nothing is made without it; try again shortly."""


@dataclass(frozen=True, kw_only=True)
class Content:
    """What is to be judged."""

    account_id: UUID
    task: str
    texts: Mapping[str, str] = field(repr=False)
    """By their paths in the request: `input.prompt`. Never log them."""


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Why not."""

    path: str
    """The text that it is about."""
    rule: str
    """For the operator's log: a line's number, a category. Never the text itself."""


Classifier = Callable[[Content], Refusal | None]


def judge(*, account_id: UUID, task: str, task_input: Any) -> None:
    """Let an input pass that every classifier lets pass.

    Raises:
        ContentRefused: one refuses it; logged without the text.
        PolicyUnavailable: one of them broke.
    """
    classifiers = settings.CONTENT_POLICY
    if not classifiers:
        return
    content = Content(account_id=account_id, task=task, texts=dict(_texts(task_input, "input")))
    for name in classifiers:
        refusal = _ask(name, content)
        if refusal is not None:
            _log.warning(
                "content_refused",
                account_id=ids.encode(ids.ACCOUNT, account_id),
                task=task,
                field=refusal.path,
                classifier=name,
                rule=refusal.rule,
            )
            raise ContentRefused(refusal.path)


def block_list(content: Content) -> Refusal | None:
    """The built-in classifier: the terms of the file CONTENT_BLOCK_LIST, a text by its normal form.

    One term a line, of one word or several; `#` begins a comment. Compatibility forms, case, characters without
    width, and what stands between words make no difference. A term matches whole words; in scripts that do not space
    their words it matches anywhere.
    """
    if not settings.CONTENT_BLOCK_LIST:
        return None
    path = Path(settings.CONTENT_BLOCK_LIST)
    terms = _terms(path, path.stat().st_mtime_ns)
    for where, text in content.texts.items():
        line = terms.found_in(text)
        if line is not None:
            return Refusal(path=where, rule=f"line {line}")
    return None


def normal(text: str) -> str:
    """A text's words in lower case with one space between, without what only makes it look different."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    visible = "".join(letter for letter in folded if unicodedata.category(letter) != "Cf")
    return " ".join(_WORD.findall(visible.replace("_", " ")))


@dataclass(frozen=True)
class _Terms:
    """A block list, read."""

    spaced: Mapping[str, int]
    """Term → the line that it stands on."""
    unspaced: Mapping[str, int]
    lengths: frozenset[int]
    """How many words the spaced ones have."""

    def found_in(self, text: str) -> int | None:
        """The line of a term in it."""
        plain = normal(text)
        words = plain.split(" ")
        for length in self.lengths:
            for start in range(len(words) - length + 1):
                line = self.spaced.get(" ".join(words[start : start + length]))
                if line is not None:
                    return line
        joined = plain.replace(" ", "") if self.unspaced else ""
        return next((line for term, line in self.unspaced.items() if term in joined), None)


@lru_cache(maxsize=2)
def _terms(path: Path, changed: int) -> _Terms:
    """The file as it was at this time of its last change."""
    spaced: dict[str, int] = {}
    unspaced: dict[str, int] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        term = normal(line.partition("#")[0])
        if _UNSPACED.search(term):
            unspaced.setdefault(term.replace(" ", ""), number)
        elif term:
            spaced.setdefault(term, number)
    return _Terms(spaced, unspaced, frozenset(len(term.split(" ")) for term in spaced))


def _ask(name: str, content: Content) -> Refusal | None:
    try:
        classifier: Classifier = import_string(name)
        return classifier(content)
    except Exception as error:
        # Its message may quote the text.
        _log.error("content_policy_broke", classifier=name, error=type(error).__name__)
        raise PolicyUnavailable from None


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    match value:
        case str():
            yield path, value
        case dict():
            for name, member in value.items():
                if not _NOT_PROSE.search(name):
                    yield from _texts(member, f"{path}.{name}")
        case list():
            for index, member in enumerate(value):
                yield from _texts(member, f"{path}.{index}")
