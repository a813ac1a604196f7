"""`manage.py mint_key`: prints a key that works, stores only its hash."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from accounts import recognition
from accounts.models import ApiKey, User

pytestmark = pytest.mark.django_db


def mint(*arguments: str) -> str:
    out = StringIO()
    call_command("mint_key", *arguments, stdout=out)
    return out.getvalue().strip()


def test_the_printed_key_is_the_accounts() -> None:
    user = User.objects.create_user("owner@example.com")
    plain = mint("Owner@Example.com", "--label", "laptop")
    identity = recognition.recognise(plain)
    assert identity is not None
    assert identity.account_id == user.pk
    key = ApiKey.objects.get()
    assert (key.label, key.prefix) == ("laptop", plain[:16])
    assert plain not in str(key.__dict__)


@pytest.mark.parametrize("email", ["nobody@example.com", "gone@example.com"])
def test_no_key_for_an_account_that_is_missing_or_inactive(email: str) -> None:
    User.objects.create_user("gone@example.com", is_active=False)
    with pytest.raises(CommandError, match="no active account"):
        mint(email)
    assert not ApiKey.objects.exists()
