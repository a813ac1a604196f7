"""Public ids: exact both ways, and nothing that is not one."""

import time
from uuid import UUID

import pytest

from core import ids

VALUE = UUID("01980f2c-7b3a-7c11-8e55-1f0a2b3c4d5e")
LAST = UUID(int=2**128 - 1)


def by_hand(value: UUID) -> str:
    """Crockford's base 32 by repeated division: another way than the module's."""
    digits, number = "", value.int
    for _ in range(26):
        number, digit = divmod(number, 32)
        digits = "0123456789abcdefghjkmnpqrstvwxyz"[digit] + digits
    return digits


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (UUID(int=0), "job_00000000000000000000000000"),
        (UUID(int=1), "job_00000000000000000000000001"),
        (UUID(int=32), "job_00000000000000000000000010"),
        (LAST, "job_7zzzzzzzzzzzzzzzzzzzzzzzzz"),
    ],
)
def test_known_ids(value: UUID, text: str) -> None:
    assert ids.encode(ids.JOB, value) == text
    assert ids.decode(ids.JOB, text) == value


def test_round_trip() -> None:
    for value in (VALUE, *(ids.new() for _ in range(200))):
        public = ids.encode(ids.ATTEMPT, value)
        assert public == f"att_{by_hand(value)}"
        assert ids.decode(ids.ATTEMPT, public) == value


def test_case_and_look_alikes_are_read_as_crockford_says() -> None:
    text = "job_01" + "0" * 24
    value = ids.decode(ids.JOB, text)
    assert value is not None
    for same in ("job_0I" + "O" * 24, "job_oi" + "o" * 24, "job_Ol" + "0" * 24, "job_OL" + "o" * 24):
        assert ids.decode(ids.JOB, same) == value
    public = ids.encode(ids.JOB, VALUE)
    assert ids.decode(ids.JOB, "job_" + public[4:].upper()) == VALUE


@pytest.mark.parametrize(
    "text",
    [
        "",
        "job",
        "job_",
        "_" + "0" * 26,
        "0" * 26,
        "acct_" + "0" * 26,
        "JOB_" + "0" * 26,
        "jobs_" + "0" * 26,
        "job-" + "0" * 26,
        "job_" + "0" * 25,
        "job_" + "0" * 27,
        "job__" + "0" * 25,
        "job_" + "0" * 25 + "u",
        "job_" + "0" * 25 + "-",
        "job_" + "0" * 25 + " ",
        "job_" + "0" * 25 + "\n",
        "job_" + "0" * 25 + "\0",
        "job_" + "0" * 25 + "\u212a",  # the Kelvin sign, which lower-cases to k
        "job_" + "0" * 25 + "\uff11",
        "job_" + "0" * 25 + "\u0130",
        "job_8" + "0" * 25,
        "job_" + "z" * 26,
        str(VALUE),
    ],
)
def test_what_is_no_id_of_this_prefix_is_none(text: str) -> None:
    assert ids.decode(ids.JOB, text) is None


def test_every_prefix_keeps_to_its_own_kind() -> None:
    prefixes = [ids.ACCOUNT, ids.API_KEY, ids.JOB, ids.ATTEMPT, ids.EVENT, ids.REQUEST, ids.WEBHOOK_DELIVERY]
    assert prefixes == ["acct", "key", "job", "att", "evt", "req", "whd"]
    for mine in prefixes:
        for other in prefixes:
            assert (ids.decode(other, ids.encode(mine, VALUE)) == VALUE) is (mine == other)


def test_new_ids_are_version_7_in_order_and_tell_the_time() -> None:
    before = time.time_ns() // 1_000_000
    made = [ids.new() for _ in range(5_000)]
    after = time.time_ns() // 1_000_000
    assert {(value.version, value.variant) for value in made} == {(7, "specified in RFC 4122")}
    assert made == sorted(set(made))
    public = [ids.encode(ids.JOB, value) for value in made]
    assert public == sorted(public)
    assert all(before <= value.int >> 80 <= after for value in made)
