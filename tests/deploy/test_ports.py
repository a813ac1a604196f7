"""The choice of ports."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from deploy import ports

ROOT = Path(__file__).resolve().parents[2]


def listen(port: int = 0) -> socket.socket:
    listener = socket.socket()
    listener.bind(("127.0.0.1", port))
    listener.listen()
    return listener


def test_a_taken_port_is_named_and_the_next_free_one_used(capsys: pytest.CaptureFixture[str]) -> None:
    free = ports.take(name="free")
    ports.release([free])
    with listen(free):
        taken = ports.take(free, name="web")
    ports.release([taken])
    assert free < taken < free + 200
    assert capsys.readouterr().out == f"port {free} (web) is taken by another program; using {taken}\n"


def test_a_free_preferred_port_is_taken_in_silence(capsys: pytest.CaptureFixture[str]) -> None:
    free = ports.take(name="free")
    ports.release([free])
    assert ports.take(free, name="web") == free
    ports.release([free])
    assert capsys.readouterr().out == ""


def test_a_grpc_pair_is_free_at_both_ends() -> None:
    first = ports.take(name="filer", grpc=True)
    ports.release([first, first + ports.GRPC_OFFSET])
    with listen(first + ports.GRPC_OFFSET):
        second = ports.take(first, name="filer", grpc=True)
    ports.release([second, second + ports.GRPC_OFFSET])
    assert second != first


def test_two_runs_never_reserve_the_same_port() -> None:
    """The port is free for both to bind: only the reservation keeps the other run away."""
    mine = ports.take(name="mine")
    code = f"from deploy import ports; print(ports.reserve([{mine}]))"
    other = [sys.executable, "-c", code]
    try:
        assert subprocess.check_output(other, cwd=ROOT, text=True) == "False\n"
    finally:
        ports.release([mine])
    assert subprocess.check_output(other, cwd=ROOT, text=True) == "True\n"
