"""Where the key and the server's address come from, and how they are kept."""

import json
import stat
import threading
import warnings
from pathlib import Path

import pytest

from killatamata import Client, KillaTamataError, PlainHttpWarning, UsageError
from killatamata.config import Config, SavedKey, base_url_of, in_the_clear

ONE, TWO = "https://one.example", "https://two.example:8443/base"


def test_keys_are_kept_by_server_for_their_owner_alone(config: Config) -> None:
    config.save(ONE, SavedKey("kt_live_oneone11_a", "kt_live_oneone11", "laptop", "a@example.com"))
    config.save(TWO, SavedKey("kt_live_twotwo22_b"))
    assert stat.S_IMODE(config.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(config.path.parent.stat().st_mode) == 0o700
    assert [path.name for path in config.path.parent.iterdir()] == ["config.json"]
    assert (config.default_base_url(), Config().get(ONE)) == (
        TWO,
        SavedKey("kt_live_oneone11_a", "kt_live_oneone11", "laptop", "a@example.com"),
    )
    assert config.get("https://three.example") is None
    assert "oneone11_a" not in repr(config.get(ONE))
    assert (config.forget(TWO), config.forget(TWO), config.default_base_url()) == (True, False, None)
    assert config.get(ONE) is not None


def test_what_a_newer_version_wrote_beside_it_is_kept(config: Config) -> None:
    config.path.parent.mkdir(parents=True)
    config.path.write_text(json.dumps({"theme": "dark", "servers": {TWO: {"apiKey": "b", "region": "eu"}}}))
    config.path.chmod(0o644)
    config.save(ONE, SavedKey("a"))
    document = json.loads(config.path.read_text())
    assert (document["theme"], document["servers"][TWO]) == ("dark", {"apiKey": "b", "region": "eu"})
    assert stat.S_IMODE(config.path.stat().st_mode) == 0o600


def test_readers_never_see_half_a_file(config: Config) -> None:
    config.save(ONE, SavedKey("a"))
    stop, wrong = threading.Event(), []

    def read() -> None:
        while not stop.is_set():
            if config.get(ONE) is None:
                wrong.append(1)

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(50):
        config.save(ONE, SavedKey("k" * (number * 100 + 1)))
    stop.set()
    reader.join()
    assert not wrong


@pytest.mark.parametrize("text", ["{", "[]", "\0"])
def test_a_spoilt_file_is_named_and_not_overwritten(config: Config, text: str) -> None:
    config.path.parent.mkdir(parents=True)
    config.path.write_text(text)
    with pytest.raises(KillaTamataError, match=r"config\.json"):
        config.save(ONE, SavedKey("a"))
    assert config.path.read_text() == text


def test_the_argument_goes_before_the_environment_before_the_file(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    def known(**given: str) -> tuple[str, str | None, str]:
        with Client(**given) as client:  # type: ignore[arg-type]
            return client.base_url, client.key_prefix, client.key_source

    assert known() == ("http://127.0.0.1:8000", None, "nowhere")
    config.save(ONE, SavedKey("kt_live_saved_1__" + "s" * 43))
    assert known() == (ONE, "kt_live_saved_1_", str(config.path))
    assert known(base_url="HTTPS://ONE.example/") == (ONE, "kt_live_saved_1_", str(config.path))
    assert known(base_url=TWO) == (TWO, None, "nowhere")  # a key goes to its own server and no other
    monkeypatch.setenv("KILLATAMATA_API_BASE", f"{TWO}/")
    monkeypatch.setenv("KILLATAMATA_API_KEY", "kt_live_environm_" + "e" * 43)
    assert known() == (TWO, "kt_live_environm", "KILLATAMATA_API_KEY")
    assert known(api_key="secret", base_url=ONE) == (ONE, None, "the argument")
    assert known(anonymous=True) == (TWO, None, "nowhere")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    ["", "example.com", "ftp://a.example", "https://", "https://u:p@a.example", "https://a.example:x", "https://a?b=c"],
)
def test_addresses_that_are_none(text: str) -> None:
    with pytest.raises(UsageError):
        base_url_of(text)


@pytest.mark.parametrize(
    ("address", "open_to_all"),
    [
        ("https://a.example", False),
        ("http://127.0.0.1:8000", False),
        ("http://LOCALHOST", False),
        ("http://[::1]:8000", False),
        ("http://a.example", True),
        ("http://10.0.0.1:8000", True),
        ("http://localhost.a.example", True),
        ("http://127.0.0.1.a.example", True),
    ],
)
def test_a_key_that_the_network_could_read_is_warned_of_once(address: str, open_to_all: bool) -> None:
    assert in_the_clear(base_url_of(address)) is open_to_all
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        Client(base_url=address).close()  # no key, nothing to read
        assert told == []
        Client("kt_live_abcdefgh_secret", address).close()
    assert [one.category for one in told] == [PlainHttpWarning] * open_to_all
    assert not any("secret" in str(one.message) for one in told)


@pytest.mark.parametrize("key", ["kt live", "kt\nX-Evil: 1", "ключ"])
def test_a_key_that_fits_no_header_is_refused_and_not_repeated(key: str) -> None:
    with pytest.raises(UsageError) as refused:
        Client(key)
    assert key not in str(refused.value)


def test_the_package_imports_nothing_of_the_platform() -> None:
    rooms = {"core", "accounts", "billing", "media", "gateway", "workers", "deploy", "django"}
    folder = Path(__file__).parents[2] / "clients" / "python" / "src" / "killatamata"
    sources = list(folder.rglob("*.py"))
    assert len(sources) > 15
    for source in sources:
        for line in source.read_text().splitlines():
            words = line.split()
            if words[:1] in (["import"], ["from"]):
                assert words[1].split(".")[0] not in rooms, (source, line)
