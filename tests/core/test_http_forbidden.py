"""Every way to name what is ours or private is refused, and nothing reaches a listener that would notice."""

import io
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from core import http
from core.http import connection, resolver
from core.http.addresses import is_public
from core.http.deadline import Deadline
from core.http.urls import parse
from tests.core.origin import Origin, answer

PUBLIC = "93.184.215.14"

REFUSED_WITHOUT_A_LOOKUP = [
    # other schemes, and things that are no absolute URL
    "file:///etc/passwd",
    "ftp://127.0.0.1:{port}/",
    "gopher://127.0.0.1:{port}/_INFO",
    "ws://127.0.0.1:{port}/",
    "data:text/plain,hello",
    "javascript:alert(1)",
    "concat:http://127.0.0.1:{port}/",
    "//127.0.0.1:{port}/",
    "127.0.0.1:{port}",
    "http:127.0.0.1:{port}",
    "http:/127.0.0.1:{port}/",
    "http:///127.0.0.1:{port}/",
    "http://",
    "",
    # loopback, in every spelling
    "http://127.0.0.1:{port}/",
    "HTTP://127.0.0.1:{port}/",
    "http://127.0.0.2:{port}/",
    "http://127.255.255.254:{port}/",
    "http://127.1:{port}/",
    "http://127.0.1:{port}/",
    "http://0x7f.0.0.1:{port}/",
    "http://0x7f.1:{port}/",
    "http://0x7f000001:{port}/",
    "http://0X7F000001:{port}/",
    "http://0x:{port}/",
    "http://2130706433:{port}/",
    "http://017700000001:{port}/",
    "http://0177.0.0.1:{port}/",
    "http://127.0.0.01:{port}/",
    "http://127.0.0.0x1:{port}/",
    "http://127.0.0.1.:{port}/",
    "http://127.0.0.256:{port}/",
    "http://1.2.3.4.5:{port}/",
    "http://[::1]:{port}/",
    "http://[0:0:0:0:0:0:0:1]:{port}/",
    "http://[0000:0000::0001]:{port}/",
    "http://[::]:{port}/",
    "http://[::127.0.0.1]:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://[::ffff:7f00:1]:{port}/",
    "http://[::FFFF:0:127.0.0.1]:{port}/",
    "http://[64:ff9b::127.0.0.1]:{port}/",
    "http://[64:ff9b:1::7f00:1]:{port}/",
    "http://[2002:7f00:1::]:{port}/",
    "http://[2001:0:7f00:1::1]:{port}/",
    "http://[::1%25lo]:{port}/",
    "http://[fe80::1%lo]:{port}/",
    "http://[::1:{port}/",
    "http://[]:{port}/",
    "http://[127.0.0.1]:{port}/",
    "http://[::1]x:{port}/",
    # unspecified, private, link-local, shared, reserved
    "http://0:{port}/",
    "http://0.0.0.0:{port}/",
    "http://0.1.2.3:{port}/",
    "http://10.0.0.1:{port}/",
    "http://172.16.0.1:{port}/",
    "http://172.31.255.255:{port}/",
    "http://192.168.0.1:{port}/",
    "http://169.254.169.254/latest/meta-data/",
    "http://2852039166/latest/meta-data/",
    "http://168.63.129.16/",
    "http://100.64.0.1:{port}/",
    "http://100.100.100.200/latest/meta-data/",
    "http://192.0.0.192/",
    "http://192.0.2.1/",
    "http://192.88.99.1/",
    "http://198.18.0.1/",
    "http://198.19.255.255/",
    "http://198.51.100.1/",
    "http://203.0.113.1/",
    "http://224.0.0.1/",
    "http://239.255.255.250:8080/",
    "http://240.0.0.1/",
    "http://255.255.255.255/",
    "http://[fc00::1]/",
    "http://[fd00:ec2::254]/latest/meta-data/",
    "http://[fe80::1]/",
    "http://[fec0::1]/",
    "http://[ff02::1]/",
    "http://[100::1]/",
    "http://[2001:db8::1]/",
    "http://[3fff::1]/",
    # names that mean something only inside
    "http://localhost:{port}/",
    "http://LocalHost:{port}/",
    "http://localhost.:{port}/",
    "http://a.localhost:{port}/",
    "http://localhost.localdomain:{port}/",
    "http://metadata.google.internal/computeMetadata/v1/",
    "http://printer.local/",
    "http://router.lan/",
    "http://nas.home.arpa/",
    "http://postgres:{port}/",
    "http://metadata/",
    # parsers that disagree
    "http://user@127.0.0.1:{port}/",
    "http://user:secret@example.com/",
    "http://@example.com/",
    "http://example.com@127.0.0.1:{port}/",
    "http://example.com:80@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}\\@example.com/",
    "http://example.com\\@127.0.0.1:{port}/",
    "http:\\\\127.0.0.1:{port}\\",
    "http://example.com :80/",
    " http://example.com/",
    "http://exam\tple.com/",
    "http://example.com/\r\nHost: localhost",
    "http://example.com/a b",
    "http://example.com/\x00",
    "http://example.com/\x7f",
    "http://example.com/\u2028",
    "http://example.com\u3000/",
    "http://%31%32%37.0.0.1:{port}/",
    "http://127.0.0.1%00.example.com/",
    "http://127.0.0.1%2f@example.com/",
    "http://１２７.０.０.１:{port}/",
    "http://127。0。0。1:{port}/",
    "http://127．0．0．1:{port}/",
    "http://①②⑦.⓪.⓪.①:{port}/",
    "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ:{port}/",
    "http://loca\u212ahost:{port}/",
    "http://exa\u00admple.com/",
    "http://bücher.example/",
    "http://example.com./",
    "http://.example.com/",
    "http://example..com/",
    "http://-example.com/",
    "http://exa$mple.com/",
    "http://" + "a" * 64 + ".example/",
    "http://" + "a." * 130 + "example/",
    "http://example.com/" + "a" * 5000,
    # ports
    "http://example.com:/",
    "http://example.com:0/",
    "http://example.com:080/",
    "http://example.com:65536/",
    "http://example.com:+80/",
    "http://example.com:８０/",
    "http://example.com:80:80/",
    "http://example.com:22/",
    "http://example.com:25/",
    "http://example.com:5432/",
    "http://example.com:6379/",
    "http://example.com:11211/",
    "http://example.com:2375/",
    "http://example.com:10250/",
    # our own services, by the name and by the address that the operator's settings have
    "http://db.example/",
    "http://DB.example:8080/",
    "http://bucket.example:8333/",
    "http://93.184.215.99/",
    "http://[2606:2800:21f::99]/",
]

REFUSED_AFTER_THE_LOOKUP = {
    "loopback.example": ["127.0.0.1"],
    "loopback6.example": ["::1"],
    "127.0.0.1.nip.example": ["127.0.0.1"],
    "private.example": ["10.1.2.3"],
    "metadata.example": ["169.254.169.254"],
    "mapped.example": ["::ffff:127.0.0.1"],
    "nat64.example": ["64:ff9b::7f00:1"],
    "zone.example": ["fe80::1%lo"],
    "unspecified.example": ["0.0.0.0"],
    "both.example": [PUBLIC, "127.0.0.1"],
    "both-the-other-way.example": ["127.0.0.1", PUBLIC],
    "both6.example": [PUBLIC, "::1"],
    "public-then-private.example": [PUBLIC, "10.1.2.3"],
    "public-then-metadata.example": [PUBLIC, "169.254.169.254"],
    "our-database-by-another-name.example": ["93.184.215.98"],
    "xn--lcalhost-54a.example": ["127.0.0.1"],
}


class Names:
    """The resolver of these tests: answers from a table, and remembers what it was asked."""

    def __init__(self, table: dict[str, list[str]]) -> None:
        self.table = table
        self.asked: list[str] = []

    def __call__(self, name: str) -> Sequence[str]:
        self.asked.append(name)
        return self.table[name.rstrip(".")]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    names = Names({**REFUSED_AFTER_THE_LOOKUP, "db.example": ["93.184.215.98"], "bucket.example": ["93.184.215.97"]})
    monkeypatch.setattr(resolver, "lookup", names)
    monkeypatch.setattr(resolver, "_own", {})
    return names


@pytest.fixture
def rules(settings: Any) -> Any:
    settings.HTTP_ALLOW_PLAIN = True
    settings.HTTP_ALLOWED_TARGETS = []
    settings.HTTP_FORBIDDEN_TARGETS = ["db.example", "Bucket.example:8333", "93.184.215.99", "[2606:2800:21f::99]:80"]
    return settings


@pytest.fixture
def listeners() -> Iterator[tuple[Origin, Origin]]:
    with Origin(lambda _: answer(b"secret")) as four, Origin(lambda _: answer(b"secret"), host="::1") as six:
        yield four, six


def test_there_are_enough_forms() -> None:
    assert len(set(REFUSED_WITHOUT_A_LOOKUP)) == len(REFUSED_WITHOUT_A_LOOKUP)
    assert len(REFUSED_WITHOUT_A_LOOKUP) + len(REFUSED_AFTER_THE_LOOKUP) >= 62


@pytest.mark.parametrize("form", REFUSED_WITHOUT_A_LOOKUP)
def test_form_is_refused_without_network(form: str, rules: Any, names: Names, listeners: tuple[Origin, Origin]) -> None:
    for listener in listeners:
        url = form.replace("{port}", str(listener.port))
        assert _refusals(url) == {"check_url", "fetch_to", "RangeReader", "post"}
        assert listener.connects == 0
    assert names.asked == []


@pytest.mark.parametrize("host", REFUSED_AFTER_THE_LOOKUP)
def test_name_with_a_forbidden_answer_is_never_connected(
    host: str, rules: Any, names: Names, listeners: tuple[Origin, Origin]
) -> None:
    for listener in listeners:
        assert _refusals(f"http://{host}:{listener.port}/") == {"fetch_to", "RangeReader", "post"}
        assert listener.connects == 0
    assert names.asked.count(f"{host}.") == 6  # three calls for each listener, one look-up a call


def test_the_listeners_would_have_noticed(rules: Any, listeners: tuple[Origin, Origin]) -> None:
    for listener, host in zip(listeners, ("127.0.0.1", "[::1]"), strict=True):
        rules.HTTP_ALLOWED_TARGETS = [f"{host}:{listener.port}"]
        sink = io.BytesIO()
        http.fetch_to(f"http://{host}:{listener.port}/", sink=sink, max_bytes=100, timeout_seconds=5)
        assert sink.getvalue() == b"secret"
        assert listener.connects == 1


def test_the_allow_list_frees_one_host_and_port_only(rules: Any, listeners: tuple[Origin, Origin]) -> None:
    four, six = listeners
    rules.HTTP_ALLOWED_TARGETS = [f"127.0.0.1:{four.port}"]
    for url in (
        f"http://127.0.0.1:{six.port}/",
        f"http://localhost:{four.port}/",
        f"http://127.1:{four.port}/",
        f"http://[::ffff:127.0.0.1]:{four.port}/",
        f"http://user@127.0.0.1:{four.port}/",
        "http://127.0.0.1/",
    ):
        assert "fetch_to" in _refusals(url), url
    assert four.connects == six.connects == 0


def test_a_listed_name_may_have_any_address(rules: Any, names: Names, listeners: tuple[Origin, Origin]) -> None:
    rules.HTTP_ALLOWED_TARGETS = [f"loopback.example:{listeners[0].port}"]
    outcome = http.post(f"http://loopback.example:{listeners[0].port}/", body=b"", headers={}, timeout_seconds=5)
    assert (outcome.status, outcome.error) == (200, None)
    assert listeners[0].requests[0].headers["host"] == f"loopback.example:{listeners[0].port}"


def test_plain_http_needs_the_setting(rules: Any) -> None:
    rules.HTTP_ALLOW_PLAIN = False
    with pytest.raises(http.ForbiddenUrl, match="Only https"):
        http.check_url("http://example.com/")
    http.check_url("https://example.com/")
    rules.HTTP_ALLOWED_TARGETS = ["example.com:8080"]
    http.check_url("http://example.com:8080/")


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("https://Example.com", "https://example.com/"),
        ("https://example.com:443/a?b=c#d", "https://example.com/a?b=c"),
        ("https://example.com:8443/a%20b", "https://example.com:8443/a%20b"),
        ("https://example.com?q=//127.0.0.1/@x", "https://example.com/?q=//127.0.0.1/@x"),
        ("https://example.com/grün/雪.png", "https://example.com/gr%C3%BCn/%E9%9B%AA.png"),
        ("https://93.184.215.14/x", "https://93.184.215.14/x"),
        ("https://[2606:2800:21F:0::1]/x", "https://[2606:2800:21f::1]/x"),
        ("https://xn--bcher-kva.example/x", "https://xn--bcher-kva.example/x"),
        ("https://my_bucket.s3.example.com/x", "https://my_bucket.s3.example.com/x"),
        ("https://internal.example.com/x", "https://internal.example.com/x"),
    ],
)
def test_ordinary_urls_pass_in_one_normal_form(url: str, normal: str, rules: Any) -> None:
    assert parse(url).url == normal


def test_a_service_of_ours_is_refused_at_its_port_only(rules: Any, names: Names) -> None:
    names.table["elsewhere.example"] = ["93.184.215.97"]
    at_8333 = parse("http://elsewhere.example:8333/")
    with pytest.raises(http.ForbiddenUrl):
        resolver.resolve(at_8333, deadline=Deadline(5))
    at_80 = parse("http://elsewhere.example/")
    assert [str(address) for address in resolver.resolve(at_80, deadline=Deadline(5))] == ["93.184.215.97"]


def test_an_own_address_stays_refused_while_its_name_does_not_resolve(
    rules: Any, names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    names.table["alias.example"] = ["93.184.215.98"]
    target = parse("http://alias.example/")
    with pytest.raises(http.ForbiddenUrl):
        resolver.resolve(target, deadline=Deadline(5))
    monkeypatch.setattr(resolver, "_own", {key: (0.0, own) for key, (_, own) in resolver._own.items()})

    def broken(name: str) -> Sequence[str]:
        if name == "db.example":
            raise OSError("resolver is down")
        return names(name)

    monkeypatch.setattr(resolver, "lookup", broken)
    with pytest.raises(http.ForbiddenUrl):
        resolver.resolve(target, deadline=Deadline(5))


def test_public_addresses_of_this_machine_are_refused(
    rules: Any, names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    names.table["ourselves.example"] = [PUBLIC]
    target = parse("http://ourselves.example/")
    assert [str(address) for address in resolver.resolve(target, deadline=Deadline(5))] == [PUBLIC]
    monkeypatch.setattr(resolver, "_own", {})
    monkeypatch.setattr(resolver, "_interface_addresses", lambda: {parse(f"http://{PUBLIC}/").literal})
    with pytest.raises(http.ForbiddenUrl):
        resolver.resolve(target, deadline=Deadline(5))


def test_the_sentence_never_names_the_address(rules: Any, names: Names) -> None:
    with pytest.raises(http.ForbiddenUrl) as refusal:
        http.fetch_to("http://private.example/", sink=io.BytesIO(), max_bytes=10, timeout_seconds=5)
    assert refusal.value.sentence == "The host of the URL has no public address."
    assert "10.1.2.3" not in repr(refusal.value)
    assert not refusal.value.retryable


@pytest.mark.parametrize("text", [PUBLIC, "8.8.8.8", "2606:2800:21f::1", "2a00:1450:4001::8a"])
def test_public_addresses_are_public(text: str) -> None:
    literal = parse(f"https://{f'[{text}]' if ':' in text else text}/").literal
    assert literal is not None
    assert is_public(literal)


def test_rebinding_finds_no_second_lookup(
    rules: Any, names: Names, listeners: tuple[Origin, Origin], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first answer counts as public here; a second look-up would lead to the other listener."""
    first, second = listeners
    monkeypatch.setattr(resolver, "is_public", lambda address: str(address) == "127.0.0.1")
    monkeypatch.setattr(resolver, "_interface_addresses", set)
    answers = iter([["127.0.0.1"], ["::1"], ["::1"], ["::1"]])
    asked = []

    def rebinding(name: str) -> Sequence[str]:
        asked.append(name)
        return next(answers) if name == "rebind.example." else names(name)

    monkeypatch.setattr(resolver, "lookup", rebinding)
    content = bytes(range(256)) * 1024
    # Every answer closes the connection, so each read has to connect again.
    first.respond = _range_of(content)
    with http.RangeReader(f"http://rebind.example:{first.port}/", max_bytes=300_000, timeout_seconds=5) as reader:
        assert reader.read(0, 4) == content[:4]
        assert reader.read(100_000, 4) == content[100_000:100_004]
        assert reader.read(len(content) - 4, 4) == content[-4:]
    assert asked.count("rebind.example.") == 1
    assert first.connects == 3
    assert second.connects == 0


def test_proxies_and_netrc_of_the_environment_are_not_used(
    rules: Any, listeners: tuple[Origin, Origin], monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    proxy, server = listeners
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
    rules.HTTP_ALLOWED_TARGETS = [f"[::1]:{server.port}"]
    http.fetch_to(f"http://[::1]:{server.port}/", sink=io.BytesIO(), max_bytes=100, timeout_seconds=5)
    assert (proxy.connects, server.connects) == (0, 1)
    assert "authorization" not in server.requests[0].headers
    assert server.requests[0].headers["user-agent"] == connection.USER_AGENT


def _range_of(content: bytes) -> Any:
    def respond(request: Any) -> bytes:
        start, end = (int(text) for text in request.headers["range"].removeprefix("bytes=").split("-"))
        piece = content[start : end + 1]
        shown = f"bytes {start}-{start + len(piece) - 1}/{len(content)}"
        return answer(piece, status="206 Partial Content", content_range=shown)

    return respond


def _refusals(url: str) -> set[str]:
    """The names of the calls that refuse `url`."""
    refused = set()
    try:
        http.check_url(url)
    except http.ForbiddenUrl:
        refused.add("check_url")
    sink = io.BytesIO()
    try:
        http.fetch_to(url, sink=sink, max_bytes=100, timeout_seconds=5)
    except http.ForbiddenUrl:
        refused.add("fetch_to")
    try:
        http.RangeReader(url, max_bytes=100, timeout_seconds=5).close()
    except http.ForbiddenUrl:
        refused.add("RangeReader")
    if http.post(url, body=b"{}", headers={}, timeout_seconds=5).error == "forbidden_url":
        refused.add("post")
    assert sink.getvalue() == b""
    return refused
