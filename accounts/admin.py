"""Accounts and the prefixes of their keys for the operator."""

from django.contrib import admin

from accounts.models import ApiKey, User
from core.admin import ReadOnly


class KeysOfUser(ReadOnly, admin.TabularInline):
    """An account's keys; their secrets are nowhere."""

    model = ApiKey
    extra = 0
    fields = ("label", "prefix", "created_at", "revoked_at")


@admin.register(User)
class UserAdmin(ReadOnly, admin.ModelAdmin):
    """Accounts."""

    list_display = ("email", "is_active", "is_staff", "created_at")
    list_filter = ("is_active", "is_staff")
    search_fields = ("email",)
    fields = ("id", "email", "is_active", "is_staff", "is_superuser", "created_at", "last_login")
    inlines = (KeysOfUser,)
