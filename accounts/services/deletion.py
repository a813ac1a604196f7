"""Take the person out of an account: what is left are the rows that the books and the audit log refer to."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F

from accounts import google
from accounts.balance_notices import BalanceNotice
from accounts.models import ApiKey, DeviceLink, EmailCode, KeyAddress, SecurityEvent, User
from accounts.services.email_codes import CodeRefused, judge_guess
from accounts.services.keys import revoke_all_keys
from accounts.services.security_events import Origin, record
from accounts.services.suspension import withdraw_links
from core import outbox_topics
from core.errors import Forbidden
from core.outbox.services import emit

REPLACED = "deleted"
"""What stands where something was named."""


class StaffAccount(Forbidden):
    """Staff accounts are the operator's: they are not deleted by themselves."""


class AnotherPerson(Forbidden):
    """The ID token proves another address than the account's."""


def prove_owner(*, account_id: UUID, code: str | None, id_token: str | None, now: datetime) -> UUID | None:
    """Let the account's owner pass: by the newest mailed code, whose id is answered for using it up, or by Google.

    May fetch Google's certificates, in no transaction. A wrong code is counted as at a sign-in.

    Raises:
        CodeRefused: the code proves nothing.
        IdTokenRefused, GoogleNotConfigured, GoogleUnreachable: nor does the token, or it cannot be judged.
        AnotherPerson: the token is somebody else's.
        StaffAccount: it is one of the staff's.
        RuntimeError: called inside a transaction.
    """
    user = User.objects.get(pk=account_id)
    if user.is_staff or user.is_superuser:
        raise StaffAccount
    if id_token is not None:
        if google.verified_address(id_token) != user.email:
            raise AnotherPerson
        return None
    if code is None:
        raise CodeRefused
    return judge_guess(email=user.email, code=code, now=now)


def lock_person(*, account_id: UUID) -> bool:
    """Lock the account until the caller's transaction ends: no row that refers to it is committed meanwhile.

    So what is read of the account after this is all there is. False: it was deleted before.
    """
    return User.objects.select_for_update().get(pk=account_id).deleted_at is None


def erase_person(*, account_id: UUID, origin: Origin, now: datetime) -> None:
    """Pseudonymise the account in the caller's transaction: address, labels, keys, sessions, links, noted addresses.

    Call it after `lock_person`. Other rooms hear of it by `accounts.account_deleted`. The address is free for a new
    account. Security events stay: they are append-only and show who did what from where; so do transfers.
    """
    with transaction.atomic():
        user = User.objects.get(pk=account_id)
        revoke_all_keys(account_id=account_id, now=now, origin=origin)
        withdraw_links(account_id=account_id)
        record(account_id=account_id, kind=SecurityEvent.ACCOUNT_DELETED, origin=origin, now=now)
        EmailCode.objects.filter(email=user.email).delete()
        KeyAddress.objects.filter(key__user_id=account_id).delete()
        ApiKey.objects.filter(user_id=account_id).update(label=REPLACED)
        DeviceLink.objects.filter(approved_by_id=account_id).update(label="", requested_from=None)
        BalanceNotice.objects.filter(pk=account_id).delete()
        user.set_unusable_password()
        User.objects.filter(pk=account_id).update(
            email=address_of(account_id),
            password=user.password,
            is_active=False,
            session_epoch=F("session_epoch") + 1,
            last_login=None,
            deleted_at=now,
        )
        emit(topic=outbox_topics.ACCOUNT_DELETED, payload={"accountId": str(account_id)})


def address_of(account_id: UUID) -> str:
    """The address of a deleted account; the domain is reserved and takes no mail."""
    return f"deleted-{account_id}@deleted.invalid"
