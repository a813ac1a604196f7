"""What the sandboxes remember: JSON documents in one SQLite file, or in memory; one writer at a time."""

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    parent TEXT NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (kind, id)
);
CREATE INDEX IF NOT EXISTS documents_of_parent ON documents (kind, parent, number);
CREATE TABLE IF NOT EXISTS alarms (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    at REAL NOT NULL,
    PRIMARY KEY (kind, id)
);
CREATE INDEX IF NOT EXISTS alarms_due ON alarms (kind, at);
CREATE TABLE IF NOT EXISTS deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    provider TEXT NOT NULL,
    event TEXT NOT NULL,
    target INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'given_up')),
    tries INTEGER NOT NULL,
    due_at REAL NOT NULL,
    last_result TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS deliveries_pending ON deliveries (provider, due_at) WHERE state = 'pending';
CREATE INDEX IF NOT EXISTS deliveries_of_event ON deliveries (event);
"""

COMPARISONS = {"is": "=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
Condition = tuple[str, str, str | int]
"""A field of the document, one of COMPARISONS, and the value it is held against."""


class Store:
    """Documents by (kind, id), with an optional parent to find them by. Any thread may call.

    A document that is read is the reader's own copy; `put` writes it back.
    """

    def __init__(self, path: Path | None) -> None:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._depth = 0
        self._callbacks: list[Callable[[], None]] = []
        self._database = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None)
        # Safe against a killed process; a power cut may take the last moments, as a sandbox may.
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.executescript(SCHEMA)

    def close(self) -> None:
        with self._lock:
            self._database.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or nothing; one thread at a time. A transaction inside another is part of it."""
        with self._lock:
            if self._depth:
                yield
                return
            self._depth = 1
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._database.execute("ROLLBACK")
                self._callbacks.clear()
                raise
            finally:
                self._depth = 0
            self._database.execute("COMMIT")
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Call it once the transaction that runs is over and its lock is free; at once where none runs."""
        with self._lock:
            if self._depth:
                self._callbacks.append(callback)
                return
        callback()

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Run one statement; its rows."""
        with self._lock:
            return self._database.execute(statement, values).fetchall()

    def put(self, kind: str, id: str, body: Mapping[str, Any], *, parent: str = "") -> None:
        """Write a document; an older one of the same id is replaced and keeps its place and parent."""
        self.rows(
            "INSERT INTO documents (kind, id, parent, body) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body",
            kind,
            id,
            parent,
            json.dumps(body),
        )

    def get(self, kind: str, id: str) -> dict[str, Any] | None:
        """The document, if there is one."""
        found = self.rows("SELECT body FROM documents WHERE kind = ? AND id = ?", kind, id)
        return json.loads(found[0][0]) if found else None

    def newest(self, kind: str, *, parent: str | None = None, limit: int = 1_000_000) -> list[dict[str, Any]]:
        """The documents of a kind (and parent), newest first."""
        if parent is None:
            found = self.rows("SELECT body FROM documents WHERE kind = ? ORDER BY number DESC LIMIT ?", kind, limit)
        else:
            found = self.rows(
                "SELECT body FROM documents WHERE kind = ? AND parent = ? ORDER BY number DESC LIMIT ?",
                kind,
                parent,
                limit,
            )
        return [json.loads(row[0]) for row in found]

    def page(
        self,
        kind: str,
        *,
        parent: str | None = None,
        conditions: Sequence[Condition] = (),
        older_than: str | None = None,
        newer_than: str | None = None,
        limit: int,
    ) -> list[dict[str, Any]]:
        """Up to `limit` documents, newest first: those just older, or just newer, than the one of that id."""
        clauses: list[str] = ["kind = ?"]
        values: list[object] = [kind]
        place = "number {} (SELECT number FROM documents WHERE kind = ? AND id = ?)"
        if parent is not None:
            clauses.append("parent = ?")
            values.append(parent)
        for field, comparison, value in conditions:
            if field == "id":  # the only one that is a column, with an index
                clauses.append(f"id {COMPARISONS[comparison]} ?")
            else:
                clauses.append(f"json_extract(body, '$.' || ?) {COMPARISONS[comparison]} ?")
                values.append(field)
            values.append(value)
        for id, sign in ((older_than, "<"), (newer_than, ">")):
            if id is not None:
                clauses.append(place.format(sign))
                values += [kind, id]
        order = "DESC" if newer_than is None else "ASC"
        statement = f"SELECT body FROM documents WHERE {' AND '.join(clauses)} ORDER BY number {order} LIMIT ?"
        found = [json.loads(row[0]) for row in self.rows(statement, *values, limit)]
        return found if newer_than is None else found[::-1]

    def parent(self, kind: str, id: str) -> str | None:
        """The parent that a document was first written with."""
        found = self.rows("SELECT parent FROM documents WHERE kind = ? AND id = ?", kind, id)
        return found[0][0] if found else None

    def set_alarm(self, kind: str, id: str, at: float) -> None:
        """Have `due` name this document once, from `at` (Unix seconds) on."""
        self.rows("INSERT OR REPLACE INTO alarms (kind, id, at) VALUES (?, ?, ?)", kind, id, at)

    def due(self, kind: str, *, now: float) -> list[str]:
        """The ids whose alarms have gone off; each is named once."""
        return [row[0] for row in self.rows("DELETE FROM alarms WHERE kind = ? AND at <= ? RETURNING id", kind, now)]
