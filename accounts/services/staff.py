"""Who is staff, and in which groups; set from the operator's command line alone."""

from collections.abc import Collection, Mapping

from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import F

from accounts.models import User
from accounts.services.users import create_account


class UnknownPermission(LookupError):
    """A group names a permission that does not exist: a mistyped one, or a table that is not migrated."""


def sync_groups(*, groups: Mapping[str, Collection[str]], powers: Collection[tuple[str, str, str, str]]) -> None:
    """Make the named groups have exactly these permissions (`app.codename`), and `powers` exist. Safe to repeat.

    Raises:
        UnknownPermission: a group names one that does not exist; nothing changed.
    """
    with transaction.atomic():
        for app, model, codename, name in powers:
            table = ContentType.objects.get_by_natural_key(app, model)
            Permission.objects.update_or_create(content_type=table, codename=codename, defaults={"name": name})
        known = {f"{one.content_type.app_label}.{one.codename}": one for one in _permissions()}
        for name, labels in groups.items():
            unknown = sorted(set(labels) - set(known))
            if unknown:
                raise UnknownPermission(f"{name}: {', '.join(unknown)}")
            group, _ = Group.objects.get_or_create(name=name)
            group.permissions.set([known[label] for label in labels])


def set_staff(*, email: str, groups: Collection[str], superuser: bool, password: str | None) -> User:
    """Make the account of this address staff of exactly these groups; it is created if need be.

    Its sessions end: the next one starts at the desk, with the password and the second factor.

    Raises:
        LookupError: there is no such group.
        ValueError: a new account, or one without a password, was given none.
    """
    with transaction.atomic():
        found = list(Group.objects.filter(name__in=groups))
        missing = sorted(set(groups) - {group.name for group in found})
        if missing:
            raise LookupError(f"no such group: {', '.join(missing)}; run sync_groups")
        user = User.objects.select_for_update().filter(email=email.strip().lower()).first()
        if user is None:
            user = create_account(email=email)
        if password is not None:
            user.set_password(password)
        elif not user.has_usable_password():
            raise ValueError("staff sign in with a password: give one")
        user.is_staff, user.is_superuser = True, superuser
        user.session_epoch = user.session_epoch + 1
        user.save(update_fields=["password", "is_staff", "is_superuser", "session_epoch"])
        user.groups.set(found)
    return user


def unset_staff(*, email: str) -> bool:
    """Take every power from the account of this address and end its sessions; False when there is no such staff."""
    with transaction.atomic():
        user = User.objects.select_for_update().filter(email=email.strip().lower(), is_staff=True).first()
        if user is None:
            return False
        user.groups.clear()
        User.objects.filter(pk=user.pk).update(is_staff=False, is_superuser=False, session_epoch=F("session_epoch") + 1)
    return True


def _permissions() -> list[Permission]:
    return list(Permission.objects.select_related("content_type"))
