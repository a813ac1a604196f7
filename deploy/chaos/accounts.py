"""Make accounts with exactly so much money; runs inside `manage.py shell`, where Django is set up."""

import json

from accounts.services.keys import mint_key
from accounts.services.users import create_account
from billing.services.adjust import adjust
from billing.services.open_account import open_account
from core import clock, ids


def create(funds: dict[str, int]) -> None:
    """An account and a key for each name, holding its micros; printed as one line of JSON."""
    made = {}
    for name, micros in funds.items():
        user = create_account(email=f"{name}@chaos.invalid")
        open_account(account_id=user.pk)
        adjust(
            account_id=user.pk,
            amount=micros,
            reason="money for a chaos run",
            reference=f"chaos:{name}",
            actor=None,
            source="promotion",
        )
        key = mint_key(user=user, label="chaos", now=clock.now()).plain
        made[name] = {"api_key": key, "account_id": str(user.pk), "public_id": ids.encode(ids.ACCOUNT, user.pk)}
    print(json.dumps(made))
