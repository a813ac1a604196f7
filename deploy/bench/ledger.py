"""`python -m deploy.bench.ledger script | run …`, with the settings of a platform: rounds of money without HTTP.

A round is what one paid job does to the ledger: a deposit, a hold, a settlement that charges a part and gives back the
rest; four transfers, each service in the transaction that its callers give it. `script` prints what pgbench sends to do
the same, taken from a real round; `run` does rounds in threads and prints their latencies.
"""

import json
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import django

django.setup()

import uuid_utils.compat as uuid_utils  # noqa: E402 - Django first
from django.db import connection, transaction  # noqa: E402

from billing.services.capture_hold import HeldAmount, capture_hold  # noqa: E402
from billing.services.credit_deposit import credit_deposit  # noqa: E402
from billing.services.place_hold import place_hold  # noqa: E402
from core.durability import commit_without_waiting, wait_until_durable  # noqa: E402
from deploy.bench.statements import (  # noqa: E402
    ACCOUNT_NUMBER,
    Slot,
    Step,
    hold_reference,
    pgbench_steps,
    recording,
    steps_of,
)
from deploy.bench.traffic import account_uuid  # noqa: E402

DEPOSIT, HOLD, CHARGE = 1_000_003, 400_009, 300_007
FIRST_ACCOUNT = 1
"""From here on the ids of ledger accounts rise evenly; in the midst of account 0's the house's own were opened."""
CAPTURED_ACCOUNT = 95
"""Its ledger accounts' ids are like no other figure of a round."""


class IrregularAccounts(RuntimeError):
    """The ids of the accounts' ledger accounts do not rise evenly: pgbench could not compute them."""


def deposit(account_id: UUID, round_id: UUID) -> None:
    """As a provider's payment is posted."""
    credit_deposit(account_id=account_id, amount=DEPOSIT, provider="bench", reference=f"deposit:{round_id}:paid")


def hold(account_id: UUID, round_id: UUID) -> None:
    """As a submit does it: the row's lock goes before the flush, the answer waits for it."""
    with transaction.atomic(durable=True):
        commit_without_waiting()
        place_hold(account_id=account_id, amount=HOLD, reference=hold_reference(round_id))
    wait_until_durable()


def settle(account_id: UUID, round_id: UUID) -> None:
    """As a completed job does it."""
    with transaction.atomic(durable=True):
        capture_hold(hold=HeldAmount(account_id, hold_reference(round_id), HOLD), amount=CHARGE)


SERVICES = (deposit, hold, settle)


def scripts() -> dict[str, str]:
    """pgbench's rounds, spread over the accounts from FIRST_ACCOUNT on, and on that one alone.

    Raises:
        IrregularAccounts: as it says.
    """
    account_id = account_uuid(CAPTURED_ACCOUNT)
    earlier, round_id = uuid_utils.uuid7(), uuid_utils.uuid7()
    for service in SERVICES:
        service(account_id, earlier)  # what is opened once is open
    known: dict[Slot, Any] = {
        Slot.ACCOUNT: account_id,
        Slot.DEPOSIT: f"deposit:{round_id}:paid",
        Slot.HOLD: hold_reference(round_id),
        Slot.SETTLEMENT: f"job:{round_id}:settle",
    }
    spelled: dict[Slot, str] = {}
    for slot in (Slot.AVAILABLE, Slot.RECEIVABLE):
        first, distance = _regular(slot.value)
        known[slot] = first + (CAPTURED_ACCOUNT - FIRST_ACCOUNT) * distance
        spelled[slot] = f"({first} + {distance} * ({ACCOUNT_NUMBER} - {FIRST_ACCOUNT}))"
    steps: list[Step] = []
    for service in SERVICES:
        with recording() as sent:
            service(account_id, round_id)
        steps += steps_of(sent, known)
    return {
        name: pgbench_steps(steps, account=account, spelled=spelled)
        for name, account in {"spread": f":client_id + {FIRST_ACCOUNT}", "hot": str(FIRST_ACCOUNT)}.items()
    }


def _regular(kind: str) -> tuple[int, int]:
    """The id of the first account's ledger account of this kind, and by how much it rises from account to account."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM billing_ledgeraccount WHERE owner_id = ANY(%s) AND kind = %s ORDER BY owner_id",
            [[account_uuid(number) for number in range(FIRST_ACCOUNT, CAPTURED_ACCOUNT + 1)], kind],
        )
        ids = [found for (found,) in cursor.fetchall()]
    distance = ids[1] - ids[0]
    if ids != list(range(ids[0], ids[0] + distance * len(ids), distance)):
        raise IrregularAccounts(f"{kind}: {ids[:6]} …")
    return ids[0], distance


def run(accounts: list[int], *, seconds: float, warmup: float) -> dict[str, Any]:
    """One thread an account of the list does rounds; those of the measured time."""
    latencies: list[float] = []
    rounds = 0
    lock = threading.Lock()
    begin = time.perf_counter() + warmup
    end = begin + seconds

    def client(number: int) -> None:
        nonlocal rounds
        account_id, own, done = account_uuid(number), [], 0
        while (started := time.perf_counter()) < end:
            round_id = uuid_utils.uuid7()
            for service in SERVICES:
                service(account_id, round_id)
            now = time.perf_counter()
            done += 1
            if started >= begin and now <= end:
                own.append((now - started) * 1000)
        connection.close()
        with lock:
            latencies.extend(own)
            rounds += done

    before = time.process_time()
    with ThreadPoolExecutor(len(accounts)) as pool:
        list(pool.map(client, accounts))
    return {"latencies": latencies, "rounds": rounds, "cpu_seconds": time.process_time() - before}


def main() -> None:
    if sys.argv[1] == "script":
        printed: Any = scripts()
    else:
        accounts, seconds, warmup = json.loads(sys.argv[2])
        print("ready", flush=True)
        sys.stdin.readline()
        printed = run(accounts, seconds=seconds, warmup=warmup)
    json.dump(printed, sys.stdout)


if __name__ == "__main__":
    main()
