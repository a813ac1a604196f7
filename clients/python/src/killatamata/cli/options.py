"""The command line's grammar."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from killatamata.cli.kinds import KINDS
from killatamata.version import VERSION

Parsers = Any  # argparse names its action of subparsers privately

EXIT_CODES = "exit codes: 0 done, 1 refused or failed, 2 wrong usage, 130 interrupted"


def build_parser() -> argparse.ArgumentParser:
    """The parser of the whole command; `command` of what it gives names what to do."""
    parser = argparse.ArgumentParser(
        prog="killatamata", description="Images, video, speech, music, sounds and shapes from words.", epilog=EXIT_CODES
    )
    parser.add_argument("--version", action="version", version=f"killatamata {VERSION}")
    _add_global(parser, default=None)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _account(commands)
    _make(commands)
    _jobs(commands)
    _keys(commands)
    return parser


def _leaf(parsers: Parsers, name: str, says: str, *, command: str | None = None) -> argparse.ArgumentParser:
    """A command that is carried out; global options may stand behind it too."""
    parser: argparse.ArgumentParser = parsers.add_parser(name, help=says, description=f"{says[0].upper()}{says[1:]}.")
    _add_global(parser, default=argparse.SUPPRESS)
    parser.set_defaults(command=command or name)
    return parser


def _add_global(parser: argparse.ArgumentParser, *, default: Any) -> None:
    group = parser.add_argument_group("connection and output")
    group.add_argument("--base-url", default=default, metavar="URL", help="the server (or KILLATAMATA_API_BASE)")
    group.add_argument(
        "--api-key", default=default, metavar="KEY", help="better KILLATAMATA_API_KEY, which no process list shows"
    )
    group.add_argument(
        "--json", action="store_true", default=default or False, help="JSON on standard output and nothing else there"
    )


def _account(commands: Parsers) -> None:
    login = _leaf(commands, "login", "get a key: approve a code in the browser")
    login.add_argument("--no-browser", action="store_true", help="print the link, open nothing")
    login.add_argument(
        "--allow-http", action="store_true", help="even where the key would cross a network without encryption"
    )
    login.add_argument("--label", help="what the key is called; else after this machine")
    logout = _leaf(commands, "logout", "forget the key that login saved")
    logout.add_argument("--revoke", action="store_true", help="end it on the server first")
    _leaf(commands, "whoami", "which server and which key, and whether it works")
    _leaf(commands, "balance", "what the account has")
    tasks = _leaf(commands, "tasks", "what can be made, and its price")
    tasks.add_argument("task", nargs="?", help="show this task's input fields")


def _make(commands: Parsers) -> None:
    generate = commands.add_parser("generate", help="make something and download it").add_subparsers(
        required=True, metavar="KIND"
    )
    estimate = commands.add_parser("estimate", help="what it would cost; nothing is held").add_subparsers(
        required=True, metavar="KIND"
    )
    for name, kind in KINDS.items():
        for parsers, command in ((generate, "generate"), (estimate, "estimate")):
            parser = _leaf(parsers, name, kind.says, command=command)
            parser.set_defaults(kind=name)
            if kind.text is not None:
                parser.add_argument("text", metavar=kind.text.upper(), help="in quotes")
            for option in kind.options:
                option.add_to(parser)
            parser.add_argument(
                "--input",
                action="append",
                default=[],
                type=_pair,
                metavar="FIELD=VALUE",
                help="any other field of the task's input; JSON, or a text",
            )
            _add_attach(parser)
            if command == "generate":
                _add_submit(parser)
    run = _leaf(commands, "run", "run any task on an input given as JSON")
    _add_document(run)
    _add_submit(run)
    _add_document(_leaf(estimate, "task", "any task on an input given as JSON", command="estimate_task"))


def _add_document(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("task", help="such as image.generate")
    parser.add_argument("--input", default="-", metavar="FILE", help="a JSON object; - is standard input (the default)")
    _add_attach(parser)


def _add_attach(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--attach",
        action="append",
        default=[],
        type=_text_pair,
        metavar="FIELD=FILE",
        help="send a file of this machine in this field",
    )


def _add_submit(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-o", "--output", metavar="PATH", help="file or folder; else here, named after the job")
    parser.add_argument("--no-wait", action="store_true", help="submit, print the job's id, leave")
    parser.add_argument("--no-download", action="store_true", help="print the addresses of the files instead")
    _add_timeout(parser)
    parser.add_argument("--callback-url", metavar="URL", help="where the server posts that the job has ended")
    parser.add_argument("--idempotency-key", metavar="KEY", help="the same key makes the same job, never a second one")
    parser.add_argument("--quote", metavar="ID", help="be charged as an estimate's quoteId says")


def _add_timeout(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--timeout", type=_seconds, metavar="SECONDS", help="stop waiting; the job goes on")


def _jobs(commands: Parsers) -> None:
    jobs = commands.add_parser("jobs", help="look at jobs, stop them, fetch their files").add_subparsers(
        required=True, metavar="ACTION"
    )
    listed = _leaf(jobs, "list", "the newest jobs", command="jobs_list")
    listed.add_argument("--task")
    listed.add_argument("--status")
    listed.add_argument("--limit", type=_count, default=20, help="how many at most (20)")
    show = _leaf(jobs, "show", "one job", command="jobs_show")
    show.add_argument("id")
    show.add_argument("--details", action="store_true", help="also its effective input and the engine's result")
    _leaf(jobs, "cancel", "stop a job", command="jobs_cancel").add_argument("id")
    wait = _leaf(jobs, "wait", "watch a job until it has ended", command="jobs_wait")
    wait.add_argument("id")
    _add_timeout(wait)
    download = _leaf(jobs, "download", "fetch a completed job's files", command="jobs_download")
    download.add_argument("id")
    download.add_argument("-o", "--output", metavar="PATH", help="file or folder; else here, named after the job")


def _keys(commands: Parsers) -> None:
    keys = commands.add_parser("keys", help="list, make and revoke API keys").add_subparsers(
        required=True, metavar="ACTION"
    )
    _leaf(keys, "list", "the account's keys", command="keys_list")
    create = _leaf(keys, "create", "a new key, shown once", command="keys_create")
    create.add_argument("--label")
    create.add_argument("--scope", action="append", metavar="SCOPE", help="what it may do; repeatable; else everything")
    create.add_argument("--monthly-limit", type=_micros, metavar="USD", help="what it may spend in a month, in dollars")
    revoke = _leaf(keys, "revoke", "end a key", command="keys_revoke")
    revoke.add_argument("prefix", help="as the list shows it")


def _text_pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError("give FIELD=VALUE")
    return name, value


def _pair(text: str) -> tuple[str, Any]:
    name, value = _text_pair(text)
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _positive(read: Callable[[str], Any], of: str) -> Callable[[str], Any]:
    def parse(text: str) -> Any:
        try:
            value = read(text)
        except ValueError:
            value = 0
        if not 0 < value < 10**9:
            raise argparse.ArgumentTypeError(f"give {of}")
        return value

    return parse


_seconds = _positive(float, "a number of seconds")
_count = _positive(int, "a whole number from 1")


def _micros(text: str) -> int:
    """Dollars as micros, exactly."""
    try:
        micros = Decimal(text) * 1_000_000
    except InvalidOperation:
        micros = Decimal(-1)
    if not micros.is_finite() or micros < 0 or micros != micros.to_integral_value():
        raise argparse.ArgumentTypeError("give dollars with at most six decimals, such as 12.50")
    return int(micros)
