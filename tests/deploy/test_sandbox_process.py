"""The sandboxes as a process, and how the platform starts them, names them, and leaves them out."""

import io
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from rich.console import Console

from deploy import ports
from deploy.embedded.credentials import load_or_generate
from deploy.embedded.sandboxes.server import Sandboxes
from deploy.embedded.sandboxes.settings import Keys, settings
from deploy.embedded.sandboxes.x402.payer import Payer
from deploy.platform import Platform
from deploy.platform import __main__ as up
from deploy.platform.programs import Programs, machine
from tests.deploy.sandbox_shop import client_at, listening, order, paid, press


@pytest.fixture
def port() -> Iterator[int]:
    taken = ports.take(name="sandboxes")
    yield taken
    ports.release([taken])


def test_the_process_serves_tells_of_payments_and_forgets_nothing_when_killed(tmp_path: Path, port: int) -> None:
    keys = Keys.generate()
    arrived = threading.Event()

    def inbox(body: bytes, headers: object) -> int:
        if json.loads(body)["type"] == "checkout.session.completed":
            arrived.set()
        return 200

    with listening(inbox) as url:
        site = url.removesuffix("/hook")
        program = Programs(data_dir=tmp_path, environment={}).sandboxes(port=port, keys=keys, site=site)
        assert not any(secret in " ".join(program.command) for secret in vars(keys).values())
        program.start()
        try:
            shop = client_at(f"http://127.0.0.1:{port}", key=keys.stripe_key)
            made = shop.v1.checkout.sessions.create(order())
            assert press(str(made.url), "pay").status_code == 303
            assert arrived.wait(10)
            program.kill()
            program.start()
            assert shop.v1.checkout.sessions.retrieve(made.id).payment_status == "paid"
        finally:
            program.stop()
    assert program.exit_code == 0
    assert program.log.read_text() == ""


def test_the_desk_refunds_and_decides_disputes() -> None:
    with Sandboxes() as sandboxes:
        desk = f"{sandboxes.url}/"
        intent = paid(sandboxes, 1_000)
        assert "None yet." in httpx.get(desk, trust_env=False).text
        assert "Refund the rest" in press(desk, "refund", id=intent, amount="250").text
        wants = {"Accept": "application/json"}
        form = {"action": "dispute", "id": intent}
        dispute = httpx.post(desk, data=form, headers=wants, trust_env=False).json()
        assert (dispute["object"], dispute["amount"]) == ("dispute", 750)
        assert ">Won<" in httpx.get(desk, trust_env=False).text
        press(desk, "win", id=dispute["id"])
        assert sandboxes.stripe.get("dispute", dispute["id"])["status"] == "won"
        again = httpx.post(desk, data={"action": "lose", "id": dispute["id"]}, headers=wants, trust_env=False)
        assert again.status_code == 400
        assert sandboxes.stripe.get("dispute", dispute["id"])["status"] == "won"
        assert press(desk, "burn", id="x").status_code == 400


def test_the_desk_funds_a_wallet_of_another_process() -> None:
    with Sandboxes() as sandboxes:
        wallet = Payer().address
        for amount, status in (("", 400), ("-5", 400), ("5000000", 200)):
            assert press(f"{sandboxes.url}/", "fund", id=wallet, amount=amount).status_code == status
        assert press(f"{sandboxes.url}/", "fund", id="0x12", amount="1").status_code == 400
        assert sandboxes.x402.chain.balance(wallet) == 5_000_000


def test_a_page_elsewhere_can_press_nothing_and_read_nothing() -> None:
    with Sandboxes() as sandboxes:
        intent = paid(sandboxes, 1_000)
        form = {"action": "refund", "id": intent}
        foreign = {"Origin": "https://evil.example"}
        assert httpx.post(f"{sandboxes.url}/", data=form, headers=foreign, trust_env=False).status_code == 403
        for path in ("/", "/stripe/v1/account", "/rpc"):
            answer = httpx.get(sandboxes.url + path, headers={"Host": "evil.example"}, trust_env=False)
            assert answer.status_code == 421
        assert sandboxes.stripe.store.newest("stripe.refund") == []
        assert httpx.get(f"{sandboxes.url}/etc/passwd", trust_env=False).status_code == 404
        assert httpx.post(f"{sandboxes.url}/", content=b"x" * 1_000_001, trust_env=False).status_code == 413


def test_stopping_ends_open_connections_and_requests_that_hang() -> None:
    sandboxes = Sandboxes()
    sandboxes.start()
    sandboxes.x402.faults.time_out_next(1, on="/supported")
    seen: list[type[Exception]] = []

    def ask() -> None:
        try:
            httpx.get(f"{sandboxes.url}/x402/supported", trust_env=False, timeout=30)
        except httpx.TransportError as error:
            seen.append(type(error))

    with httpx.Client(trust_env=False) as kept_alive:
        assert kept_alive.get(f"{sandboxes.url}/health").json() == {"status": "ok"}
        asking = threading.Thread(target=ask)
        asking.start()
        while sandboxes.x402.faults.waiting:
            kept_alive.get(f"{sandboxes.url}/health")
        sandboxes.stop()
        asking.join(10)
    assert seen in ([httpx.RemoteProtocolError], [httpx.ReadError])


def test_secrets_are_drawn_once(tmp_path: Path) -> None:
    first = load_or_generate(tmp_path / "secrets.json")
    assert load_or_generate(tmp_path / "secrets.json") == first
    assert first["sandbox_stripe_key"].startswith("sk_test_")
    assert first["sandbox_stripe_webhook_secret"].startswith("whsec_")
    assert len(bytes.fromhex(first["sandbox_x402_pay_to"][2:])) == 20


NAMES = {
    "stripe": {"STRIPE_SECRET_KEY", "STRIPE_API_BASE", "STRIPE_WEBHOOK_SECRETS"},
    "coinbase": {"COINBASE_API_KEY", "COINBASE_API_BASE", "COINBASE_WEBHOOK_SECRETS"},
    "x402": {"X402_FACILITATOR_URL", "X402_PAY_TO", "X402_NETWORK", "X402_ASSET", "X402_ASSET_NAME", "X402_RPC_URL"},
}


@pytest.mark.parametrize("providers", [["stripe"], ["coinbase", "x402"], ["stripe", "coinbase", "x402"]])
def test_only_providers_with_a_sandbox_are_set(providers: list[str]) -> None:
    found = settings(url="http://127.0.0.1:8026", keys=Keys.generate(), providers=providers)
    assert set(found) == {"PAYMENTS_SANDBOX"}.union(*(NAMES[name] for name in providers))
    assert found["PAYMENTS_SANDBOX"] == ",".join(providers)


def test_a_real_provider_takes_its_sandboxs_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("STRIPE_SECRET_KEY", "COINBASE_API_KEY", "X402_FACILITATOR_URL"):
        monkeypatch.delenv(name, raising=False)
    alone = Platform(tmp_path, port_choice="any")
    assert (alone.sandboxed, "sandboxes" in alone._programs) == (["stripe", "coinbase", "x402"], True)
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_live_real")
    one = Platform(tmp_path, port_choice="any")
    assert (one.sandboxed, "sandboxes" in one._programs) == (["coinbase", "x402"], True)
    real = {"COINBASE_API_KEY": "real", "X402_FACILITATOR_URL": "https://facilitator.example"}
    none = Platform(tmp_path, port_choice="any", env_overrides=real)
    assert (none.sandboxed, none.sandboxes, "sandboxes" in none._programs) == ([], None, False)
    without = Platform(tmp_path, port_choice="any", programs=("web", "steward"))
    assert (without.sandboxed, without.sandboxes) == ([], None)


def test_the_platform_starts_them_and_says_where_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in set(os.environ) - set(machine()):
        monkeypatch.delenv(name)
    elsewhere = dict.fromkeys(("DATABASE_URL", "REDIS_URL", "S3_ENDPOINT_URL"), "http://127.0.0.1:9")
    real = {"COINBASE_API_KEY": "real"}
    platform = Platform(tmp_path, env_overrides=elsewhere | real, programs=("sandboxes",), port_choice="any")
    platform.servers.start()  # takes the folder; no server of ours is needed, so that no database is prepared
    try:
        platform._choose_ports()
        platform._start_programs()
        platform._write_run_file()
        assert platform.sandboxes is not None
        found = platform.environment
        assert found["PAYMENTS_SANDBOX"] == "stripe,x402"
        assert (found["COINBASE_API_KEY"], found.get("COINBASE_API_BASE")) == ("real", None)
        shop = client_at(platform.sandboxes, key=found["STRIPE_SECRET_KEY"])
        assert shop.v1.checkout.sessions.create(order()).status == "open"
        run = json.loads((tmp_path / "run.json").read_text())
        assert (run["sandboxes"], run["sandboxed"]) == (platform.sandboxes, ["stripe", "x402"])
        assert run["pids"]["sandboxes"] == platform.processes["sandboxes"].pid
        printed = io.StringIO()
        monkeypatch.setattr(up, "console", Console(file=printed, highlight=False, width=200))
        up.show(platform)
        assert f"{platform.sandboxes} (sandbox for stripe, x402: no real money moves)" in printed.getvalue()
    finally:
        platform.stop()
    assert not (tmp_path / "run.json").exists()
