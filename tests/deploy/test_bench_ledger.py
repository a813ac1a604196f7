"""The bench's rounds of money: pgbench moves what the services move."""

import pytest
from django.db import connection

from billing.selectors import materialised_balances, recomputed_balances
from deploy.bench import ledger, pgbench, prepare
from deploy.bench.sections.ledger import FIRST_ACCOUNT, TRANSFERS
from deploy.bench.traffic import account_uuid
from deploy.embedded import EmbeddedServers

ROUND = {("deposit", 1_000_003), ("hold", 400_009), ("capture", 300_007), ("release", 100_002)}


@pytest.fixture
def accounts(transactional_db: None) -> None:
    prepare.accounts(ledger.CAPTURED_ACCOUNT + 1)


def moved(number: int) -> dict[tuple[str, int], int]:
    """How many transfers of each kind and amount the bench's account of this number has had, adjustments aside."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT t.kind, t.amount, count(*) FROM billing_transfer t"
            " JOIN billing_ledgeraccount own ON own.id IN (t.debit_id, t.credit_id) AND own.kind = 'available'"
            " OR t.kind = 'capture' AND own.id = t.debit_id"
            " WHERE own.owner_id = %s AND t.kind <> 'adjustment' GROUP BY t.kind, t.amount",
            [account_uuid(number)],
        )
        return {(kind, amount): count for kind, amount, count in cursor.fetchall()}


def test_pgbench_and_the_services_move_the_same_money(accounts: None, embedded_servers: EmbeddedServers) -> None:
    scripts = ledger.scripts()
    settings = connection.settings_dict
    url = f"postgres://{settings['USER']}:{settings['PASSWORD']}@127.0.0.1:{settings['PORT']}/{settings['NAME']}"
    bench = pgbench.Pgbench(binaries=embedded_servers["postgres"].binaries, database_url=url)

    hot = bench.run(scripts["hot"], clients=1, seconds=1)
    assert moved(FIRST_ACCOUNT) == dict.fromkeys(ROUND, len(hot.latencies))
    assert moved(FIRST_ACCOUNT + 1) == {}

    spread = bench.run(scripts["spread"], clients=2, seconds=1)
    found = [moved(FIRST_ACCOUNT), moved(FIRST_ACCOUNT + 1)]
    assert [found_kinds.keys() == ROUND for found_kinds in found] == [True, True]
    assert sum(sum(one.values()) for one in found) == TRANSFERS * (len(hot.latencies) + len(spread.latencies))

    third = FIRST_ACCOUNT + 2
    done = ledger.run([third, third], seconds=0.3, warmup=0)
    assert done["rounds"] >= 2
    assert moved(third) == dict.fromkeys(ROUND, done["rounds"])
    assert materialised_balances() == recomputed_balances()


def test_irregular_accounts_are_refused(accounts: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            "UPDATE billing_ledgeraccount SET id = id + 100000 WHERE owner_id = %s AND kind = 'available'",
            [account_uuid(7)],
        )
        cursor.execute("SET session_replication_role = origin")
    with pytest.raises(ledger.IrregularAccounts, match="available"):
        ledger.scripts()
