"""A backup of an installation with something in every book, restored into an empty one: the same to the micro."""

import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from billing.selectors import balance, commission
from core import ids
from deploy.backup import __main__ as command
from deploy.backup import archive
from deploy.backup.create import create
from deploy.backup.installation import Installation, installation
from deploy.backup.restore import RestoreRefused, restore
from deploy.embedded.servers import REPLACED_BY, S3_NAMES
from tests.flows.books import Books, fill
from tests.media.standin import StandIn

ROOT = Path(__file__).parents[2]
WHO = "import sys, django; django.setup(); from accounts.recognition import recognise; print(recognise(sys.argv[1]))"
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"


def url(database: str) -> str:
    return os.environ["DATABASE_URL"].rpartition("/")[0] + f"/{database}"


@pytest.fixture
def source(tmp_path: Path, transactional_db: None) -> Installation:
    """The tests' own installation."""
    return Installation({**os.environ, "DATABASE_URL": url(connection.settings_dict["NAME"])}, tmp_path)


@pytest.fixture
def empty(source: Installation) -> Iterator[Installation]:
    """Another, empty database on the same server."""
    name = f"restored_{ids.new().hex[-8:]}"
    with psycopg.connect(url("postgres"), autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}".encode())
        yield Installation({**source.environment, "DATABASE_URL": url(name)}, source.data_dir)
        server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def contents(database: str) -> dict[str, tuple[int, str]]:
    """Of each table: how many rows, and a hash over all of them."""
    found = {}
    with psycopg.connect(database) as reader:
        for (table,) in reader.execute(TABLES).fetchall():
            rows = reader.execute(f"SELECT t::text FROM {table} t ORDER BY 1".encode()).fetchall()
            found[table] = (len(rows), str(hash(tuple(rows))))
    return found


@pytest.mark.timeout(400)
@pytest.mark.django_db(transaction=True)
def test_a_wiped_installation_comes_back(
    node: StandIn, source: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    books = fill(node)
    before = contents(source.database)
    file = tmp_path / "backup.tar"
    made = create(source, file, with_secrets=True)
    assert file.stat().st_mode & 0o777 == 0o600
    assert "billing.0005_commission_guards" in made["migrations"]
    for name in (*REPLACED_BY.values(), *S3_NAMES, "CELERY_BROKER_URL", "API_KEY_PEPPER", "SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("NODE_MASTER_KEY", "DATA_ENCRYPTION_KEYS"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "wiped"
    folder.mkdir(mode=0o711)
    tmp_path.chmod(0o711)
    command._take_secrets(file, folder)
    said: list[str] = []
    with installation(folder, may_run=False) as target:  # real servers on an empty folder
        restore(target, file, replace=False, say=said.append)
        assert "agree with the ledger" in said[-1]  # the audit ran, and was clean
        assert not [line for line in said if "Warning" in line]
        after = contents(target.database)
        assert {name: after[name] for name in before} == before
        assert before["billing_transfer"][0] > 15
        still_guarded(target.database)
        same_money(target.database, books)
        who = subprocess.run(
            [sys.executable, "-c", WHO, books.customer.key],
            env={"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "gateway.settings", **target.environment},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        assert str(books.customer.id) in who.stdout  # the customer's key works on
        assert str(books.customer.key_id) in who.stdout


def still_guarded(database: str) -> None:
    for statement in (
        "DELETE FROM billing_transfer",
        "UPDATE billing_balance SET available = available + 1",
        "UPDATE billing_commissionbalance SET pending = pending + 1",
        "DELETE FROM affiliates_decision",
        "UPDATE accounts_securityevent SET kind = 'signed_in'",
    ):
        with psycopg.connect(database) as writer, pytest.raises(psycopg.errors.IntegrityError):
            writer.execute(statement.encode())


def same_money(database: str, books: Books) -> None:
    with psycopg.connect(database) as reader:
        row = reader.execute(
            "SELECT available, held, receivable FROM billing_balance WHERE owner_id = %s", [books.customer.id]
        ).fetchone()
        view = balance(account_id=books.customer.id)
        assert row == (view.available, view.held, view.receivable)
        owner = books.affiliate.account_id
        row = reader.execute(
            "SELECT pending, available, reserved FROM billing_commissionbalance WHERE owner_id = %s", [owner]
        ).fetchone()
        earned = commission(affiliate_id=owner)
        assert row == (earned.pending, earned.available, earned.reserved)


@pytest.mark.django_db(transaction=True)
def test_what_is_there_is_not_overwritten_and_secrets_stay_out(
    node: StandIn, source: Installation, empty: Installation, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "backup.tar"
    create(source, file, with_secrets=False)
    with tarfile.open(file) as kept:
        assert kept.getnames() == [archive.MANIFEST, archive.DUMP, archive.OBJECTS]
    whole = file.read_bytes()
    for name in ("SECRET_KEY", "API_KEY_PEPPER", "NODE_MASTER_KEY", "DATA_ENCRYPTION_KEYS", "S3_SECRET_KEY"):
        assert os.environ[name].encode() not in whole
    with psycopg.connect(empty.database) as writer:
        writer.execute("CREATE TABLE precious AS SELECT 1 AS thing")
    with pytest.raises(RestoreRefused, match="has 1 tables already"):
        restore(empty, file, replace=False, say=print)
    with psycopg.connect(empty.database) as reader:
        assert reader.execute("SELECT thing FROM precious").fetchall() == [(1,)]
    other = Installation({**empty.environment, "API_KEY_PEPPER": "another"}, tmp_path)
    restore(other, file, replace=True, say=print)
    said = capsys.readouterr().out
    assert "Warning: API_KEY_PEPPER is not the one of the backup" in said
    assert "SECRET_KEY is not" not in said
    assert contents(empty.database) == contents(source.database)


def test_a_damaged_file_touches_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dump = tmp_path / archive.DUMP
    dump.write_bytes(b"PGDMP" + b"x" * 10_000)
    file = tmp_path / "backup.tar"
    archive.write(file, {"keys": {}}, [dump])
    assert archive.read(file, tmp_path / "out")["members"][archive.DUMP]["bytes"] == 10_005
    whole = bytearray(file.read_bytes())
    whole[whole.index(b"xxxx") + 50] = ord("y")
    file.write_bytes(whole)
    with pytest.raises(archive.Damaged, match=r"database\.dump in .* is not what the manifest says"):
        archive.read(file, tmp_path / "again")
    assert command.main(["restore", str(file), "--data", str(tmp_path / "never")]) == 1
    assert "is not what the manifest says" in capsys.readouterr().err
    assert not (tmp_path / "never").exists()
    (tmp_path / "text.tar").write_text("nothing of ours")
    with pytest.raises(archive.Damaged, match="cannot be read"):
        archive.read(tmp_path / "text.tar", tmp_path / "third")
