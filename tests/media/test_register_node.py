"""manage.py register_node: who is let in, with which secret, and what a rotation ends."""

import time
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from media.models import Node
from workers.protocol import signing
from workers.protocol.signing import NodeCredential

pytestmark = pytest.mark.django_db

PATH = "/workers/v1/node"


def register(*arguments: str) -> NodeCredential:
    printed = StringIO()
    call_command("register_node", *arguments, stdout=printed)
    token = printed.getvalue()
    assert token.count("\n") == 1  # nothing but the token: NODE_SECRET=$(manage.py register_node …)
    return NodeCredential.parse(token)


def greet(credential: NodeCredential) -> tuple[int, dict[str, object]]:
    headers = signing.sign_request(credential, method="GET", path=PATH, body=b"", timestamp=int(time.time()))
    answer = Client().get(PATH, headers=headers)
    return answer.status_code, answer.json()


def test_a_registered_node_is_greeted_with_its_pools() -> None:
    credential = register("rack2.gpu-1", "--pools", "video-tools, image,image")
    assert (credential.node_id, credential.version) == ("rack2.gpu-1", 1)
    status, greeting = greet(credential)
    assert status == 200
    assert (greeting["node_id"], greeting["pools"]) == ("rack2.gpu-1", ["video-tools", "image"])


def test_asking_again_shows_the_same_secret_and_moves_nothing_but_the_pools() -> None:
    first = register("n1", "--pools", "image")
    assert register("n1") == first
    assert Node.objects.get().pools == ["image"]
    assert register("n1", "--pools", "video-tools") == first
    assert (Node.objects.get().pools, Node.objects.get().secret_version) == (["video-tools"], 1)


def test_rotating_ends_the_old_secret_and_keeps_the_pools() -> None:
    old, bystander = register("n1", "--pools", "image"), register("n2", "--pools", "image")
    new = register("n1", "--rotate")
    assert (new.version, Node.objects.get(pk="n1").pools) == (2, ["image"])
    assert new.secret != old.secret
    assert greet(old)[0] == 401
    assert greet(new)[0] == 200
    assert greet(bystander)[0] == 200
    assert register("n1") == new


def test_a_disabled_node_is_let_in_again() -> None:
    credential = register("n1", "--pools", "image")
    Node.objects.update(disabled_at="2026-01-31T12:00:00Z")
    assert greet(credential)[0] == 401
    assert register("n1") == credential
    assert greet(credential)[0] == 200


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["n1", "--pools", "image,painting"], "no pool painting"),
        (["n1"], "name the pools"),
        (["n1", "--pools", " , "], "name the pools"),
        (["n1", "--pools", "image", "--rotate"], "no node n1"),
        (["", "--pools", "image"], "1 to 60"),
        (["n" * 61, "--pools", "image"], "1 to 60"),
        (["n1@host", "--pools", "image"], "1 to 60"),
        (["n 1", "--pools", "image"], "1 to 60"),
    ],
)
def test_what_cannot_be_registered_leaves_no_node(arguments: list[str], why: str) -> None:
    printed = StringIO()
    with pytest.raises(CommandError, match=why):
        call_command("register_node", *arguments, stdout=printed)
    assert printed.getvalue() == ""
    assert not Node.objects.exists()


def test_a_refused_rotation_with_an_unknown_pool_keeps_the_secret() -> None:
    credential = register("n1", "--pools", "image")
    with pytest.raises(CommandError, match="no pool painting"):
        register("n1", "--pools", "painting", "--rotate")
    assert (Node.objects.get().secret_version, Node.objects.get().pools) == (1, ["image"])
    assert greet(credential)[0] == 200
