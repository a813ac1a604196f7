"""The command `killatamata`: what it prints, where, and how it ends."""

import base64
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from killatamata import device_link
from killatamata.cli import main
from killatamata.cli.kinds import KINDS
from killatamata.config import Config, SavedKey
from media.catalog import registry
from media.models import Job
from tests.clients.conftest import Pauses
from tests.clients.middleman import Middleman, Say, Seen
from tests.media.customers import IMAGE_MICROS, Customer
from tests.media.standin import PICTURE, StandIn

SOURCES = Path(__file__).parents[2] / "clients" / "python" / "src"
Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Command:
    """Runs a command line here; its exit code, output and messages."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str) -> tuple[int, str, str]:
        try:
            code = main(arguments)
        except SystemExit as ended:  # argparse's own way
            code = int(ended.code or 0)
        told = capsys.readouterr()
        return code, told.out, told.err

    return run


@pytest.fixture
def signed_in(customer: Customer, server: Middleman) -> Customer:
    Config().save(server.url, SavedKey(customer.key, customer.key[:16], "tests", "a@example.com"))
    return customer


def work(server: Middleman, node: StandIn, customer: Customer, ended: Callable[[Any], None]) -> None:
    """Let the second look at a job find it running and the third find what `ended` did with it."""
    looks = 0

    def before(seen: Seen) -> None:
        nonlocal looks
        if not seen.path.startswith("/api/v1/media/jobs?jobId="):
            return
        looks += 1
        if looks == 2:
            before.run = node.take(customer.job(seen.path.split("=")[1]))  # type: ignore[attr-defined]
        elif looks == 3:
            ended(before.run)  # type: ignore[attr-defined]

    server.before = before


@pytest.mark.django_db(transaction=True)
def test_generate_makes_watches_and_downloads(
    command: Command, signed_in: Customer, server: Middleman, node: StandIn, tmp_path: Path
) -> None:
    work(server, node, signed_in, lambda run: run.deliver())
    code, out, err = command(
        "generate", "image", "a red barn", "-o", "new/barn.webp", "--width", "512", "--height", "512"
    )
    assert (code, out) == (0, "new/barn.webp\n")
    assert (tmp_path / "new" / "barn.webp").read_bytes() == PICTURE["output_0001.webp"][1]
    assert "completed" in err
    assert "$0.01" in err
    job = Job.objects.get()
    assert (job.effective_input["prompt"], job.effective_input["width"]) == ("a red barn", 512)
    assert signed_in.money() == (9_990_000, 0)

    public_id = server.seen[1].path.split("=")[1]
    assert command("jobs", "list")[1].split()[6:10] == [public_id, "image.generate", "completed", "$0.01"]
    code, out, _ = command("jobs", "show", public_id, "--details")
    assert (code, "billed: the job completed" in out, '"prompt": "a red barn"' in out) == (0, True, True)
    code, out, err = command("jobs", "download", public_id, "--json")
    assert (code, err, json.loads(out)["savedTo"]) == (0, "", [f"{public_id}.webp"])
    code, out, _ = command("jobs", "wait", public_id, "--json")
    assert (code, json.loads(out)["status"]) == (0, "completed")
    code, out, err = command("jobs", "cancel", public_id)
    assert (code, out) == (1, "")
    assert err.startswith("Error: The job is already completed. (invalid_state, request req_")


@pytest.mark.django_db(transaction=True)
def test_a_failed_job_ends_with_one_and_says_why(
    command: Command, signed_in: Customer, server: Middleman, node: StandIn, tmp_path: Path
) -> None:
    work(server, node, signed_in, lambda run: run.fail(code="bad_prompt", message="No \x1b[31mred.", retryable=False))
    code, out, err = command("generate", "image", "a red barn", "-o", "barn.webp")
    assert (code, out) == (1, "")
    assert "not billed" in err
    assert "\x1b" not in err
    assert "(bad_prompt, job_" in err.splitlines()[-1]
    assert list(tmp_path.glob("*.webp")) == []
    assert signed_in.money() == (10_000_000, 0)


@pytest.mark.django_db(transaction=True)
def test_prices_lists_and_money(command: Command, signed_in: Customer, server: Middleman) -> None:
    code, out, _ = command("balance")
    assert (code, out.split()) == (0, ["available", "$10.00", "held", "$0.00", "total", "$10.00"])
    assert json.loads(command("--json", "balance")[1])["usdBalanceMicros"] == 10_000_000
    code, out, err = command("estimate", "image", "x", "--width", "512", "--height", "512", "--aspect-ratio", "16:9")
    assert (code, out.split()[:2]) == (0, ["price", "$0.01"])
    assert "aspectRatio" in err
    code, out, _ = command("tasks")
    assert (code, len(out.splitlines())) == (0, 11)
    assert "required" in command("tasks", "image.edit")[1]
    assert command("tasks", "image.fly")[0] == 2
    code, out, _ = command("whoami", "--json")
    assert json.loads(out) == {
        "baseUrl": server.url, "keyPrefix": signed_in.key[:16], "keySource": str(Config().path),
        "label": "tests", "email": "a@example.com",
    }  # fmt: skip
    assert signed_in.money() == (10_000_000, 0)


@pytest.mark.django_db(transaction=True)
def test_run_takes_json_and_attachments(
    command: Command, signed_in: Customer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "input.json").write_text('{"prompt": "from a file"}')
    code, out, _ = command("run", "image.generate", "--input", "input.json", "--no-wait", "--idempotency-key", "k1")
    assert code == 0
    assert command("run", "image.generate", "--input", "input.json", "--no-wait", "--idempotency-key", "k1")[1] == out
    (job,) = Job.objects.all()
    assert job.effective_input["prompt"] == "from a file"
    assert command("jobs", "cancel", out.strip())[1] == f"{out.strip()} is canceled.\n"
    (tmp_path / "wrong.json").write_text("[1]")
    for wrong in (["--input", "wrong.json"], ["--input", "none.json"], ["--input", "input.json", "--attach", "x"]):
        assert command("run", "image.generate", *wrong)[0] == 2
    code, out, _ = command("estimate", "task", "image.generate", "--input", "input.json", "--json")
    assert (code, json.loads(out)["usdChargedMicros"]) == (0, IMAGE_MICROS)
    assert Job.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_keys_and_logout(command: Command, signed_in: Customer, server: Middleman) -> None:
    code, key, err = command("keys", "create", "--label", "ci", "--scope", "media:read", "--monthly-limit", "12.50")
    prefix = key[:16]
    assert (code, len(key.strip()), err) == (0, 60, "Keep it now: it is not shown again.\n")
    listed = {entry["keyPrefix"]: entry for entry in json.loads(command("keys", "list", "--json")[1])}
    assert listed[prefix]["monthlySpendLimitUsdMicros"] == 12_500_000
    assert "$12.50" in command("keys", "list")[1]
    assert command("keys", "create", "--monthly-limit", "0.0000001")[0] == 2
    code, out, err = command("--api-key", key.strip(), "generate", "image", "x")
    assert (code, out) == (1, "")
    assert "missing_scope" in err
    assert command("whoami", "--api-key", key.strip())[0] == 0  # a key of few scopes is a good key
    assert command("keys", "revoke", prefix)[1] == f"{prefix} is revoked.\n"
    assert command("whoami", "--api-key", key.strip())[0] == 1
    code, out, _ = command("logout", "--revoke")
    assert (code, out) == (0, f"The key {signed_in.key[:16]} for {server.url} is forgotten and revoked.\n")
    assert Config().get(server.url) is None
    assert signed_in.get("/api/v1/balance").status_code == 401
    code, out, _ = command("logout", "--base-url", server.url, "--json")
    assert json.loads(out) == {"ok": True, "forgotten": False, "revoked": False, "baseUrl": server.url}


@pytest.mark.django_db(transaction=True)
def test_login_prints_the_code_opens_the_browser_and_saves_the_key(
    command: Command, customer: Customer, server: Middleman, pauses: Pauses, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []

    def approve(seconds: float) -> None:
        pauses.sleep(seconds)
        customer.post("/api/v1/device/link/approve", {"userCode": opened[0].partition("code=")[2]})

    pacing = pauses.pacing()
    pacing.sleep = approve
    monkeypatch.setattr(device_link, "Pacing", lambda: pacing)
    monkeypatch.setattr("webbrowser.open", opened.append)
    Config().save(server.url, SavedKey("kt_live_revoked1_x"))  # a dead key must not stand in the way
    code, out, err = command("login", "--base-url", server.url, "--label", "my laptop")
    saved = Config().get(server.url)
    assert saved is not None
    assert (code, saved.label) == (0, "my laptop")
    assert saved.email.startswith("customer-")
    assert out == f"Signed in to {server.url} as {saved.email}: key {saved.key_prefix}.\n"
    assert f"Open   {opened[0]}\n" in err
    assert saved.api_key not in out + err
    assert command("balance")[0] == 0  # the server signed in to last is the default
    opened.clear()
    monkeypatch.setattr("killatamata.cli.account.webbrowser.open", lambda url: pytest.fail("opened"))
    pacing.sleep = lambda seconds: None
    server.script = [Say(200, {"deviceCode": "ktd_1", "userCode": "A", "verificationUri": "https://a", "expiresIn": 9}),
                     Say(400, {"error": "No.", "code": "access_denied", "details": {}})]  # fmt: skip
    code, out, _ = command("login", "--no-browser", "--json", "--base-url", server.url)
    started, ended = map(json.loads, [out.splitlines()[0], "".join(out.splitlines()[1:])])
    assert (code, ended) == (1, {"error": "The code was denied.", "code": "access_denied"})
    assert started == {"userCode": "A", "verificationUri": "https://a", "expiresIn": 9}
    assert Config().get(server.url) == saved


@pytest.mark.filterwarnings("always::killatamata.PlainHttpWarning")
def test_login_over_plain_http_to_another_machine_must_be_asked_for(
    command: Command, pauses: Pauses, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device_link, "Pacing", pauses.pacing)
    base_url = "http://one.example"
    with Middleman() as server:
        monkeypatch.setenv("http_proxy", server.url)  # what is said to that machine comes to this one
        monkeypatch.setenv("no_proxy", "")
        code, out, err = command("login", "--no-browser", "--base-url", base_url)
        assert (code, out, server.seen, Config().get(base_url)) == (2, "", [], None)
        assert err.startswith("Error: http://one.example is plain http")
        assert "--allow-http" in err
        server.script = [
            Say(200, {"deviceCode": "d", "userCode": "A", "verificationUri": "https://a", "expiresIn": 9}),
            Say(200, {"apiKey": "kt_live_abcdefgh_secret", "keyPrefix": "kt_live_abcdefgh", "account": {"id": "u"}}),
        ]
        code, out, err = command("login", "--no-browser", "--base-url", base_url, "--allow-http")
    assert (code, out) == (0, "Signed in to http://one.example: key kt_live_abcdefgh.\n")
    assert err.splitlines()[-1].startswith("Warning: http://one.example is plain http")
    assert "secret" not in out + err


def test_errors_are_one_sentence_a_code_and_the_requests_id(command: Command) -> None:
    fields = {"input.prompt": "is required", "input.width": "must be even"}
    wrong = {"error": "input.prompt: is required (and 1 more)", "code": "invalid_request", "billed": False}
    with Middleman() as server:
        at = ("--base-url", server.url, "--api-key", "kt_live_abcdefgh_secret")
        answer = Say(400, {**wrong, "details": {"fields": fields}}, {"X-Request-Id": "req_1"})
        server.script = [answer, answer, Say(401, {"error": "Who?", "code": "unauthenticated", "details": {}})]
        assert command(*at, "generate", "image", "x") == (
            1,
            "",
            "Error: input.prompt: is required (and 1 more) (invalid_request, request req_1)\n"
            "  input.prompt: is required\n  input.width: must be even\n",
        )
        code, out, err = command("generate", "image", "x", *at, "--json")
        assert (code, err) == (1, "")
        assert json.loads(out) == {
            **wrong, "details": {"fields": fields}, "status": 400, "requestId": "req_1"
        }  # fmt: skip
        code, out, err = command(*at, "balance")
        assert (code, "killatamata login" in err, "secret" in out + err) == (1, True, False)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["generate"],
        ["generate", "image"],
        ["generate", "poem", "x"],
        ["generate", "image", "x", "--width", "wide"],
        ["generate", "edit", "x"],
        ["generate", "edit", "x", "--source", "missing.png"],
        ["generate", "image", "x", "--input", "novalue"],
        ["generate", "image", "x", "-o", "/etc/passwd/x.webp"],
        ["generate", "music", "x", "--lyrics", "@missing.txt"],
        ["jobs", "list", "--limit", "0"],
        ["jobs", "wait", "job_1", "--timeout", "soon"],
        ["balance", "--base-url", "not an address"],
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_two_before_anything_is_asked(command: Command, arguments: list[str]) -> None:
    with Middleman() as server:
        given = arguments if "--base-url" in arguments or not arguments else [*arguments, "--base-url", server.url]
        code, out, err = command(*given)
        assert (code, out, server.seen) == (2, "", [])
    assert "Traceback" not in err


def input_sent(command: Command, *arguments: str) -> tuple[object, Any]:
    """The task and input that a command line asks the price of."""
    with Middleman() as server:
        server.script = [Say(400, {"error": "Enough.", "code": "invalid_request", "details": {}})]
        assert command(*arguments, "--base-url", server.url)[0] == 1
        return server.seen[0].document["task"], server.seen[0].document["input"]


def test_options_become_fields_of_the_contract(command: Command, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"png")
    (tmp_path / "song.txt").write_text("[Verse]\nHey")
    file = {"dataBase64": base64.b64encode(b"png").decode()}
    web = {"url": "https://a.example/b.png"}
    references = ("--reference", "a.png", "--reference", web["url"])
    assert input_sent(command, "generate", "image", "x", "-o", "a.JPEG", *references) == (
        "image.generate", {"prompt": "x", "outputFormat": "jpg", "referenceImages": [file, web]}
    )  # fmt: skip
    assert input_sent(command, "generate", "edit", "x", "--source", "a.png", "--format", "png", "-o", "a.webp") == (
        "image.edit", {"prompt": "x", "sourceImage": file, "outputFormat": "png"}
    )  # fmt: skip
    assert input_sent(command, "estimate", "video", "x", "--start-frame", web["url"], "--duration", "6",
                      "--input", "extremeQuality=true", "--input", "seed=7", "--attach", "finalFrameImage=a.png") == (
        "video.generate",
        {"prompt": "x", "startFrameImage": web, "durationSeconds": 6, "extremeQuality": True, "seed": 7,
         "finalFrameImage": file},
    )  # fmt: skip
    assert input_sent(command, "estimate", "speech", "Hi.", "--clone", "a.png", "--input", "voiceName=null x") == (
        "audio.speak", {"text": "Hi.", "mode": "voice_clone", "referenceAudio": file, "voiceName": "null x"}
    )  # fmt: skip
    assert input_sent(command, "estimate", "music", "lo-fi") == (
        "ace.step.create", {"tags": "lo-fi", "lyrics": "[Instrumental]"}
    )  # fmt: skip
    assert input_sent(command, "estimate", "music", "lo-fi", "--lyrics", "@song.txt")[1]["lyrics"] == "[Verse]\nHey"
    assert input_sent(command, "estimate", "shape", "--source", "a.png", "--attach", "xImages=a.png") == (
        "trellis.generate", {"sourceImage": file, "xImages": [file]}
    )  # fmt: skip


def test_every_kind_names_a_task_and_fields_that_the_platform_has() -> None:
    tasks = registry.all_tasks()
    for name, kind in KINDS.items():
        fields = tasks[kind.task].input_model.published_schema()["properties"]
        assert {option.field for option in kind.options} <= set(fields), name
        assert kind.text is None or kind.text in fields, name


@pytest.mark.django_db(transaction=True)
def test_ctrl_c_leaves_the_job_alone_and_says_how_to_find_it(signed_in: Customer, server: Middleman) -> None:
    command = [sys.executable, "-m", "killatamata", "generate", "image", "a red barn"]
    environment = {**os.environ, "PYTHONPATH": str(SOURCES)}
    watched = 0
    process = subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - a background job ignores it
    )

    def before(seen: Seen) -> None:
        nonlocal watched
        if "?jobId=" in seen.path:
            watched += 1
            if watched == 2:
                process.send_signal(signal.SIGINT)

    server.before = before
    try:
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert (process.returncode, out) == (130, "")
    job = Job.objects.get()
    assert job.status == "queued"
    assert f"{server.seen[1].path.split('=')[1]} goes on." in err
    assert "Traceback" not in err
