"""A kept connection is judged by its socket: no statement, and no surprise after the server dropped it."""

import psycopg
import pytest
from django.db import connection
from pytest_django import DjangoAssertNumQueries

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_live_connection_is_usable_without_a_statement(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    connection.ensure_connection()
    with django_assert_num_queries(0):
        assert connection.is_usable()


def test_a_connection_that_the_server_ended_is_not() -> None:
    connection.ensure_connection()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        backend = cursor.fetchone()[0]
    parameters = connection.get_connection_params()
    address = {name: parameters[name] for name in ("dbname", "user", "password", "host", "port")}
    with psycopg.connect(autocommit=True, **address) as other:
        # Waits until the backend is gone, so that its goodbye is on our socket.
        assert other.execute("SELECT pg_terminate_backend(%s, 5000)", [backend]).fetchone() == (True,)
    assert not connection.is_usable()
    connection.close()
    connection.ensure_connection()
    assert connection.is_usable()
