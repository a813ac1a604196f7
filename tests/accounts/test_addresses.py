"""Which addresses may name an account, and in which form."""

import pytest

from accounts.addresses import normal_address


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("somebody@example.com", "somebody@example.com"),
        ("  Some.Body+tag@Example.COM\r\n", "some.body+tag@example.com"),
        ("o'hara!#$%&*/=?^_`{|}~-@example.com", "o'hara!#$%&*/=?^_`{|}~-@example.com"),
        ("somebody@xn--bcher-kva.example", "somebody@xn--bcher-kva.example"),
        (f"{'a' * 64}@{'b' * 63}.example.com", f"{'a' * 64}@{'b' * 63}.example.com"),
    ],
)
def test_an_address_in_its_normal_form(written: str, stored: str) -> None:
    assert normal_address(written) == stored
    assert normal_address(stored) == stored


@pytest.mark.parametrize(
    "written",
    [
        "a\0@example.com",
        "a\x7f@example.com",
        "a@exam\x1fple.com",
        "a@example.com\nBcc: b@example.com",
        "a@example.com\r\n\r\nHello",
        "\x1ca@example.com",
        "a@example.com\x1f",
        "a@example.com\x0b",
        '"a\x01b"@example.com',
    ],
    ids=repr,
)
def test_control_characters(written: str) -> None:
    with pytest.raises(ValueError, match=r"^must not have control characters$"):
        normal_address(written)


@pytest.mark.parametrize(
    "written",
    [
        '"a"@example.com',
        '"a b"@example.com',
        '"victim@bank.example"@example.com',
        '"a\\"b"@example.com',
        'a."b"@example.com',
        '""@example.com',
        '"Somebody" <somebody@example.com>',
    ],
)
def test_quoted_local_parts(written: str) -> None:
    with pytest.raises(ValueError, match=r'^must not have a quoted part; write it without "$'):
        normal_address(written)


@pytest.mark.parametrize("domain", ["[127.0.0.1]", "[IPv6:::1]", "[::1]", "[10.0.0.1", "[]"])
def test_domain_literals(domain: str) -> None:
    with pytest.raises(ValueError, match=r"^must have a domain name after the @, not an IP address in brackets$"):
        normal_address(f"somebody@{domain}")


@pytest.mark.parametrize(
    "written",
    [
        "",
        " ",
        "somebody",
        "a@",
        "@example.com",
        "a@b@example.com",
        "a b@example.com",
        "a@example",
        "a@127.0.0.1",
        "a(b)@example.com",
        "<a@example.com>",
        "a@example.com, b@example.com",
        "a\\b@example.com",
    ],
)
def test_no_address(written: str) -> None:
    with pytest.raises(ValueError, match=r"^is not a valid email address$"):
        normal_address(written)


@pytest.mark.parametrize(
    "written", ["\u212aim@example.com", "a@b\u00fccher.example", "a@example.com\u00a0", "a\u200b@b.com"]
)
def test_other_scripts(written: str) -> None:
    with pytest.raises(ValueError, match=r"^must be ASCII; write a domain in another script in its xn-- form$"):
        normal_address(written)


def test_the_longest() -> None:
    domain = ".".join(["b" * 60] * 3 + ["example.com"])
    longest = f"{'a' * (253 - len(domain))}@{domain}"
    assert normal_address(longest) == longest
    with pytest.raises(ValueError, match=r"^must have at most 254 characters$"):
        normal_address(f"a{longest}")
