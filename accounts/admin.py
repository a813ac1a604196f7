"""Accounts and their credentials for the operator, to look at: prefixes and times, no secret and no digest of one."""

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib import admin

from accounts.models import ApiKey, DeviceLink, EmailCode, SecurityEvent, User
from core.admin import ReadOnly

# allauth registers pages for its own tables, which we leave empty: what is typed in there would have no effect.
admin.site.unregister([EmailAddress, SocialAccount, SocialApp, SocialToken])


class KeysOfUser(ReadOnly, admin.TabularInline):
    """An account's keys; their secrets are nowhere."""

    model = ApiKey
    extra = 0
    fields = ("label", "prefix", "scopes", "monthly_spend_limit", "created_at", "revoked_at")
    readonly_fields = fields


@admin.register(User)
class UserAdmin(ReadOnly, admin.ModelAdmin):
    """Accounts."""

    list_display = ("email", "is_active", "is_staff", "created_at")
    list_filter = ("is_active", "is_staff")
    search_fields = ("email",)
    fields = ("id", "email", "is_active", "is_staff", "is_superuser", "created_at", "last_login")
    inlines = (KeysOfUser,)


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnly, admin.ModelAdmin):
    """Keys: what they may do and spend, and which key they come from."""

    list_display = ("prefix", "user", "label", "scopes", "monthly_spend_limit", "parent", "created_at", "revoked_at")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter),)
    list_select_related = ("user", "parent")
    search_fields = ("prefix__exact", "user__email")
    ordering = ("-id",)
    show_full_result_count = False
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
class SecurityEventAdmin(ReadOnly, admin.ModelAdmin):
    """The audit log; the database itself refuses to change it."""

    list_display = ("at", "kind", "user", "key_prefix", "address")
    list_filter = ("kind",)
    list_select_related = ("user",)
    search_fields = ("user__email", "key_prefix__exact")
    ordering = ("-id",)
    show_full_result_count = False
    fields = ("id", "at", "kind", "user", "key_prefix", "address", "user_agent", "details")


@admin.register(DeviceLink)
class DeviceLinkAdmin(ReadOnly, admin.ModelAdmin):
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
class EmailCodeAdmin(ReadOnly, admin.ModelAdmin):
    """One-time codes of the last day: that they were sent, not what they say."""

    list_display = ("email", "tries", "created_at", "expires_at", "used_at")
    search_fields = ("email",)
    ordering = ("-id",)
    fields = ("email", "tries", "created_at", "expires_at", "used_at")
