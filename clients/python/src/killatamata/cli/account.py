"""login, logout, whoami, balance, tasks and keys."""

from __future__ import annotations

import argparse
import socket
import webbrowser
from contextlib import suppress
from decimal import Decimal

from killatamata.cli.connection import connect
from killatamata.cli.display import Display, dollars, duration
from killatamata.client import API_KEY_VARIABLE, Client
from killatamata.config import Config, SavedKey, in_the_clear
from killatamata.device_link import link
from killatamata.errors import AuthenticationError, NotFound, PermissionDenied, UsageError
from killatamata.models import DeviceLink, Task

LONGEST_LABEL = 64


def login(options: argparse.Namespace, display: Display) -> int:
    """Get a key by a code and save it for this server."""
    config = Config()
    label = options.label or f"killatamata on {socket.gethostname()}"[:LONGEST_LABEL]

    def show(started: DeviceLink) -> None:
        address = started.verification_uri_complete or started.verification_uri
        if display.as_json:
            shown = {name: value for name, value in started.raw.items() if name != "deviceCode"}
            display.json(shown, line=True)
        display.note(
            f"Open   {address}",
            f"Code   {started.user_code}",
            f"Approve it there only if the code is the same. It is good for {duration(started.expires_in)}.",
        )
        if not options.no_browser and address.startswith(("https://", "http://")):
            webbrowser.open(address)

    with Client(base_url=options.base_url, anonymous=True, config=config) as client:
        if in_the_clear(client.base_url) and not options.allow_http:
            raise UsageError(
                f"{client.base_url} is plain http: whoever is on the network between could read the key. "
                "Use its https address, or --allow-http where you trust that network."
            )
        linked = link(client, label=label, on_start=show)
        saved = SavedKey(linked.api_key, linked.key_prefix, linked.label or label, linked.account.email or "")
        config.save(client.base_url, saved)
    if display.as_json:
        public = {name: value for name, value in linked.raw.items() if name != "apiKey"}
        display.json({**public, "baseUrl": client.base_url, "savedTo": str(config.path)}, line=True)
    display.say(f"Signed in to {client.base_url}{f' as {saved.email}' if saved.email else ''}: key {saved.key_prefix}.")
    display.note(f"The key is saved in {config.path}.")
    if connect(options).key_source == API_KEY_VARIABLE:
        display.warn(f"{API_KEY_VARIABLE} is set and goes before the saved key.", style="yellow")
    return 0


def logout(options: argparse.Namespace, display: Display) -> int:
    """Forget the saved key of this server."""
    config = Config()
    with Client(base_url=options.base_url, anonymous=True, config=config) as nobody:
        base_url = nobody.base_url
    saved = config.get(base_url)
    revoked = False
    if saved is not None and options.revoke:
        with Client(api_key=saved.api_key, base_url=base_url, config=config) as client:
            try:
                client.keys.revoke(saved.key_prefix or client.key_prefix or "")
                revoked = True
            except (AuthenticationError, NotFound):
                display.note("The key was no longer good.")
    config.forget(base_url)
    if display.as_json:
        display.json({"ok": True, "forgotten": saved is not None, "revoked": revoked, "baseUrl": base_url})
    if saved is None:
        display.say(f"No key was saved for {base_url}.")
    else:
        display.say(f"The key {saved.key_prefix} for {base_url} is forgotten{' and revoked' if revoked else ''}.")
    return 0


def whoami(options: argparse.Namespace, display: Display) -> int:
    """Which key is used on which server, once the server has accepted it."""
    config = Config()
    with connect(options) as client:
        with suppress(PermissionDenied):  # a key of few scopes is a good key too
            client.balance()
        saved = config.get(client.base_url) if client.key_source == str(config.path) else None
        facts = {
            "baseUrl": client.base_url,
            "keyPrefix": client.key_prefix,
            "keySource": client.key_source,
            "label": saved.label if saved else None,
            "email": saved.email if saved else None,
        }
    if display.as_json:
        display.json(facts)
    names = {"baseUrl": "server", "keyPrefix": "key", "keySource": "from"}
    display.pairs((names.get(name, name), value or None) for name, value in facts.items())
    return 0


def balance(options: argparse.Namespace, display: Display) -> int:
    """Available, held, total."""
    with connect(options) as client:
        found = client.balance()
    if display.as_json:
        display.json(found.raw)
    display.pairs(
        [
            ("available", dollars(found.usd_balance)),
            ("held", dollars(found.usd_held)),
            ("total", dollars(found.usd_total)),
        ]
    )
    return 0


def tasks(options: argparse.Namespace, display: Display) -> int:
    """The catalogue, or one entry with its input's fields."""
    with connect(options) as client:
        found = client.tasks()
    if options.task:
        found = [task for task in found if task.task == options.task]
        if not found:
            raise UsageError(f"The server has no task {options.task!r}; `killatamata tasks` lists them.")
    if display.as_json:
        display.json([task.raw for task in found] if not options.task else found[0].raw)
    elif options.task:
        _show_task(found[0], display)
    else:
        rows = [(task.task, task.title, _least(task), _eta(task), task.pool.live_nodes) for task in found]
        display.table(("task", "makes", "from", "takes", "nodes"), rows)
    return 0


def _show_task(task: Task, display: Display) -> None:
    display.say(f"{task.task}: {task.title}", f"Price: {task.price.explanation}", "")
    required = task.input_schema.get("required") or []
    fields = task.input_schema.get("properties") or {}
    display.table(
        ("field", "", "meaning"),
        [(name, "required" if name in required else "", schema.get("description")) for name, schema in fields.items()],
    )


def _least(task: Task) -> str | None:
    return dollars(task.price.minimum_usd) if task.price.minimum_usd is not None else None


def _eta(task: Task) -> str | None:
    least, most = task.eta_seconds.minimum, task.eta_seconds.maximum
    return f"{duration(least)} to {duration(most)}" if least is not None and most is not None else None


def keys_list(options: argparse.Namespace, display: Display) -> int:
    """Every key of the account."""
    with connect(options) as client:
        found = client.keys.list()
    if display.as_json:
        display.json([key.raw for key in found])
    rows = [
        (
            key.key_prefix,
            key.label,
            "revoked" if key.revoked_at else "in use here" if key.current else "",
            "everything" if key.scopes is None else " ".join(key.scopes),
            _limit(key.monthly_spend_limit_usd_micros),
            f"{key.created_at:%Y-%m-%d}" if key.created_at else None,
        )
        for key in found
    ]
    display.table(("prefix", "label", "", "may", "a month", "made"), rows)
    return 0


def _limit(micros: int | None) -> str:
    return "" if micros is None else dollars(Decimal(micros).scaleb(-6).normalize())


def keys_create(options: argparse.Namespace, display: Display) -> int:
    """A new key, shown this once."""
    with connect(options) as client:
        made = client.keys.create(
            label=options.label, scopes=options.scope, monthly_spend_limit_usd_micros=options.monthly_limit
        )
    if display.as_json:
        display.json(made.raw)
    display.say(made.api_key)
    display.note("Keep it now: it is not shown again.")
    return 0


def keys_revoke(options: argparse.Namespace, display: Display) -> int:
    """End a key."""
    with connect(options) as client:
        revoked = client.keys.revoke(options.prefix)
    if display.as_json:
        display.json(revoked.raw)
    display.say(f"{revoked.key_prefix} is revoked.")
    return 0
