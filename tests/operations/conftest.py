"""What the operator's tests start from: the media room's customers and nodes, an operator, sign-ins by mail."""

import pytest

from accounts.models import User
from accounts.services.users import create_account
from tests.accounts.conftest import issuer, signing_in
from tests.media.conftest import clips, customer, host, job, later, node, other, priced, run, second_node, wakes

__all__ = [
    "clips",
    "customer",
    "host",
    "issuer",
    "job",
    "later",
    "node",
    "operator",
    "other",
    "priced",
    "run",
    "second_node",
    "signing_in",
    "wakes",
]


@pytest.fixture
def operator(db: None) -> User:
    """Somebody of the staff."""
    return create_account(email="operator@example.com", password="long enough to be one", is_staff=True)
