"""The rulebook: patterns of orders with parts of their own, and how a module adds one."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Args = dict[str, Any]
Reads = Callable[[re.Match[str], list[str], str], Args | None]
"""Takes the match, the prompt's quoted texts and the prompt in its own case."""


@dataclass(frozen=True)
class Rule:
    """A pattern tried at a word, and a function that makes the edit's arguments of it, or None: not this rule after
    all. `operation` and `end` among the arguments take the place of the rule's own."""

    operation: str
    pattern: re.Pattern[str]
    args: Reads


class Rulebook:
    """Rules in the order in which they are tried."""

    def __init__(self) -> None:
        self.rules: list[Rule] = []

    def rule(self, operation: str, pattern: str) -> Callable[[Reads], Reads]:
        """Register a function under its operation and pattern."""

        def register(args: Reads) -> Reads:
            self.rules.append(Rule(operation, re.compile(pattern), args))
            return args

        return register
