"""Accounts and their credentials for the operator, to look at: prefixes and times, no secret and no digest of one.

The page of an account gets its money, jobs and actions in `gateway.admin`, above the rooms that know them.
"""

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib import admin
from django.contrib.auth.models import Group
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.models import ApiKey, DeviceLink, EmailCode, SecurityEvent, User
from core import ids
from core.desk import DeskAdmin, DeskInline, display

# allauth registers pages for its own tables, which we leave empty: what is typed in there would have no effect.
# django-otp's would show the secrets of authenticators, and Django's would let groups be edited.
admin.site.unregister([EmailAddress, SocialAccount, SocialApp, SocialToken, StaticDevice, TOTPDevice, Group])


class KeysOfUser(DeskInline):
    """An account's keys; their secrets are nowhere."""

    model = ApiKey
    verbose_name_plural = "Keys"
    tab = True
    fields = ("label", "prefix", "scopes", "monthly_spend_limit", "created_at", "revoked_at")
    readonly_fields = fields
    ordering = ("-id",)
    per_page = 25


class EventsOfUser(DeskInline):
    """What happened to the account's credentials."""

    model = SecurityEvent
    fk_name = "user"
    verbose_name_plural = "Security events"
    tab = True
    fields = ("at", "kind", "key_prefix", "address", "details", "actor", "reason")
    readonly_fields = fields
    ordering = ("-id",)
    per_page = 25


class AccountPage(DeskAdmin):
    """Accounts, as far as this room knows them."""

    id_prefix = ids.ACCOUNT
    list_display = ("email", "standing", "is_staff", "created_at", "last_login")
    list_filter = ("is_active", "is_staff")
    search_fields = ("email",)
    search_help_text = "An email address or an account's id"
    ordering = ("-id",)
    fields = (
        "public_id",
        "email",
        "standing",
        "is_staff",
        "is_superuser",
        "in_groups",
        "created_at",
        "last_login",
        "deleted_at",
    )
    readonly_fields = ("public_id", "standing", "in_groups")
    inlines = (KeysOfUser, EventsOfUser)

    @display(description="Account id")
    def public_id(self, user: User) -> str:
        """As clients see it, and as the database has it."""
        return f"{ids.encode(ids.ACCOUNT, user.pk)} ({user.pk})"

    @display(description="Standing", label={"active": "success", "suspended": "danger", "deleted": "warning"})
    def standing(self, user: User) -> str:
        """In one word."""
        if user.deleted_at is not None:
            return "deleted"
        return "active" if user.is_active else "suspended"

    @display(description="Groups")
    def in_groups(self, user: User) -> str:
        """Of staff."""
        return ", ".join(sorted(user.groups.values_list("name", flat=True))) or "none"


@admin.register(ApiKey)
class ApiKeyAdmin(DeskAdmin):
    """Keys: what they may do and spend, and which key they come from."""

    id_prefix = ids.API_KEY
    list_display = ("prefix", "user", "label", "scopes", "monthly_spend_limit", "parent", "created_at", "revoked_at")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter),)
    list_select_related = ("user", "parent")
    search_fields = ("prefix__exact", "user__email")
    ordering = ("-id",)
    fields = (
        "id",
        "user",
        "label",
        "prefix",
        "parent",
        "scopes",
        "monthly_spend_limit",
        "spend_limits",
        "created_at",
        "revoked_at",
    )


@admin.register(SecurityEvent)
class SecurityEventAdmin(DeskAdmin):
    """The audit log; the database itself refuses to change it."""

    list_display = ("at", "kind", "user", "key_prefix", "address", "actor")
    list_filter = ("kind",)
    list_select_related = ("user", "actor")
    search_fields = ("user__email__exact", "key_prefix__exact")
    ordering = ("-id",)
    fields = ("id", "at", "kind", "user", "key_prefix", "address", "user_agent", "details", "actor", "reason")


@admin.register(DeviceLink)
class DeviceLinkAdmin(DeskAdmin):
    """Device links of the last day."""

    list_display = ("user_code", "status", "label", "requested_from", "approved_by", "created_at", "expires_at")
    list_filter = ("status",)
    list_select_related = ("approved_by",)
    search_fields = ("user_code__exact", "approved_by__email")
    ordering = ("-id",)
    fields = (
        "id",
        "user_code",
        "status",
        "label",
        "requested_from",
        "approved_by",
        "approved_with",
        "interval_seconds",
        "polled_at",
        "created_at",
        "expires_at",
    )


@admin.register(EmailCode)
class EmailCodeAdmin(DeskAdmin):
    """One-time codes of the last day: that they were sent, not what they say."""

    list_display = ("email", "tries", "created_at", "expires_at", "used_at")
    search_fields = ("email",)
    ordering = ("-id",)
    fields = ("email", "tries", "created_at", "expires_at", "used_at")


@admin.register(Group)
class GroupAdmin(DeskAdmin):
    """What each group of staff may do; `manage.py sync_groups` writes it."""

    list_display = ("name",)
    fields = ("name", "may")
    readonly_fields = ("may",)

    @display(description="May")
    def may(self, group: Group) -> str:
        """Its permissions, one a line."""
        return "\n".join(
            f"{one.content_type.app_label}.{one.codename}"
            for one in group.permissions.select_related("content_type").order_by("content_type__app_label", "codename")
        )
