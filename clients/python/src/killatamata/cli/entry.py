"""From the command line to a command, and from an error to a sentence and an exit code."""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable, Sequence

from killatamata.cli import account, media
from killatamata.cli.display import Display, silence_output
from killatamata.cli.options import build_parser
from killatamata.errors import ApiError, AuthenticationError, JobFailed, KillaTamataError, UsageError

DONE, FAILED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130

COMMANDS: dict[str, Callable[[argparse.Namespace, Display], int]] = {
    "login": account.login,
    "logout": account.logout,
    "whoami": account.whoami,
    "balance": account.balance,
    "tasks": account.tasks,
    "keys_list": account.keys_list,
    "keys_create": account.keys_create,
    "keys_revoke": account.keys_revoke,
    "generate": media.generate,
    "run": media.run,
    "estimate": media.estimate,
    "estimate_task": media.estimate_task,
    "jobs_list": media.jobs_list,
    "jobs_show": media.jobs_show,
    "jobs_cancel": media.jobs_cancel,
    "jobs_wait": media.jobs_wait,
    "jobs_download": media.jobs_download,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command line; its exit code."""
    options = build_parser().parse_args(arguments)
    display = Display(as_json=options.json)

    def show(message: Warning | str, *_: object, **__: object) -> None:
        display.warn(f"Warning: {message}", style="yellow")

    with warnings.catch_warnings():
        warnings.showwarning = show  # a sentence, without the place in the code
        return _carry_out(options, display)


def _carry_out(options: argparse.Namespace, display: Display) -> int:
    try:
        return COMMANDS[options.command](options, display)
    except KeyboardInterrupt:
        display.warn("Interrupted.")
        return INTERRUPTED
    except BrokenPipeError:  # `killatamata jobs list | head`
        silence_output()
        return FAILED
    except (KillaTamataError, OSError) as error:
        _tell(error, display)
        return WRONG_USAGE if isinstance(error, UsageError) else FAILED


def _tell(error: Exception, display: Display) -> None:
    if display.as_json:
        display.json(_as_json(error))
        return
    display.warn(f"Error: {error}", style="red")
    fields = error.details.get("fields") if isinstance(error, ApiError) else None
    if isinstance(fields, dict) and len(fields) > 1:
        for path, reason in fields.items():
            display.warn(f"  {path}: {reason}")
    if isinstance(error, AuthenticationError):
        display.warn("`killatamata login` gets a key; KILLATAMATA_API_KEY holds one.")


def _as_json(error: Exception) -> dict[str, object]:
    match error:
        case ApiError():
            told: dict[str, object] = {"error": error.message, "code": error.code, "details": error.details}
            told |= {"status": error.status, "requestId": error.request_id}
            return told if error.billed is None else {**told, "billed": error.billed}
        case JobFailed():
            return error.job.raw
        case UsageError():
            return {"error": str(error), "code": "usage"}
        case _:
            return {"error": str(error), "code": getattr(error, "code", "failed")}
