"""/metrics: what is counted, and who may read it."""

from typing import Any

import pytest

from accounts.models import User
from tests.desk.staff import signed_in
from tests.media.customers import Customer, error
from tests.media.standin import StandIn, publish_all

pytestmark = pytest.mark.django_db
OUTSIDE: dict[str, Any] = {"REMOTE_ADDR": "203.0.113.9"}


def read(customer: Customer) -> list[str]:
    answer = customer.http.get("/metrics")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain; version=")
    return answer.content.decode().splitlines()


def test_requests_and_queues_are_counted(customer: Customer, node: StandIn) -> None:
    job = customer.accepted()
    customer.accepted()
    customer.status(job)
    publish_all()
    lines = read(customer)
    assert 'killatamata_attempts{pool="image",status="published"} 2.0' in lines
    assert 'killatamata_pool_slots{pool="image"} 2.0' in lines
    assert 'killatamata_pool_nodes{pool="video-tools"} 1.0' in lines
    assert "killatamata_callbacks_pending 0.0" in lines
    assert "killatamata_dead_events 0.0" in lines
    counts = [line for line in lines if line.startswith("killatamata_http_request_seconds_count")]
    assert any(
        'method="POST"' in line and 'route="api/v1/media/jobs"' in line and 'status="201"' in line for line in counts
    )


def test_labels_hold_no_ids_and_no_paths_that_clients_choose(customer: Customer) -> None:
    customer.get("/api/v1/media/jobs", jobId="job_secret")
    customer.get("/api/v1/some/made/up/path")
    text = "\n".join(read(customer))
    assert "job_secret" not in text
    assert "made/up" not in text
    assert 'route="(none)"' in text


def test_it_is_closed_outside_loopback_unless_an_operator_asks(customer: Customer) -> None:
    answer = customer.http.get("/metrics", **OUTSIDE)
    error(answer, 404, "not_found")
    user = User.objects.get(pk=customer.id)
    customer.http.force_login(user)
    error(customer.http.get("/metrics", **OUTSIDE), 404, "not_found")
    user.is_staff = True
    user.save()
    error(customer.http.get("/metrics", **OUTSIDE), 404, "not_found")  # no second factor
    assert signed_in(user).get("/metrics", **OUTSIDE).status_code == 200
