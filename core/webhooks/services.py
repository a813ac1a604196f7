"""Put messages into the queue, and back into it."""

import json
from datetime import datetime
from uuid import UUID

from core import clock, http, ids
from core.errors import InvalidRequest, InvalidState, NotFound
from core.webhooks.models import DELIVERY, WebhookDelivery, WebhookSecret

TEST_TOPIC = "webhook_test"
ERASED = "deleted"


class StillDelivering(InvalidState):
    """This delivery is still being tried; it can be sent again once it is delivered or failed."""


def enqueue_delivery(
    *, account_id: UUID, topic: str, subject_id: UUID, url: str, body: str, now: datetime
) -> WebhookDelivery:
    """Queue one message, in the caller's transaction: it exists exactly if its cause does.

    `body` is sent as it is, encoded as UTF-8. The URL is judged when it is opened, not here: rules may have changed
    since the client gave it.
    """
    return WebhookDelivery.objects.create(
        account_id=account_id,
        topic=topic,
        subject_id=subject_id,
        url=url,
        body=body,
        next_try_at=now,
        created_at=now,
    )


def enqueue_test(*, account_id: UUID, url: str, now: datetime) -> WebhookDelivery:
    """Queue a small signed message to `url`, so that a receiver can be tried out.

    Raises:
        InvalidRequest: the URL is not one that callbacks may go to.
    """
    try:
        http.check_url(url)
    except http.ForbiddenUrl as refusal:
        raise InvalidRequest({"url": refusal.sentence}) from None
    subject_id = ids.new()
    body = {"callbackType": TEST_TOPIC, "message": "This is a test message.", "sentAt": clock.rfc3339(now)}
    return enqueue_delivery(
        account_id=account_id, topic=TEST_TOPIC, subject_id=subject_id, url=url, body=json.dumps(body), now=now
    )


def resend(*, account_id: UUID, delivery_id: UUID, now: datetime) -> WebhookDelivery:
    """Start the schedule of a finished delivery again, with the same id and body and a fresh signature.

    The id stays the same so that a receiver can tell a repetition from news. Earlier tries stay on record.

    Raises:
        NotFound: the account has no such delivery.
        StillDelivering: it is not finished.
    """
    mine = WebhookDelivery.objects.filter(pk=delivery_id, account_id=account_id)
    if not DELIVERY.apply("resend", mine, tries=0, next_try_at=now, finished_at=None):
        raise StillDelivering if mine.exists() else NotFound
    return mine.get()


def forget_account(*, account_id: UUID, now: datetime) -> None:
    """Erase what an account's messages say and where they went, and its secret, in the caller's transaction.

    What is still to be delivered fails; one that is on its way at this moment arrives, and is not tried again.
    """
    own = WebhookDelivery.objects.filter(account_id=account_id)
    for delivery_id in own.filter(status="pending").values_list("pk", flat=True):
        DELIVERY.apply("fail", own.filter(pk=delivery_id), next_try_at=None, finished_at=now)
    own.update(url=ERASED, body=ERASED)
    WebhookSecret.objects.filter(account_id=account_id).delete()
