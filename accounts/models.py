"""People and programs that use the platform: one user is one account."""

from typing import ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower

from accounts.balance_notices import BalanceNotice
from core import clock, ids

__all__ = [
    "ApiKey",
    "BalanceNotice",
    "CountedAttempt",
    "DeviceLink",
    "EmailCode",
    "KeyAddress",
    "SecurityEvent",
    "User",
    "UserManager",
]


class UserManager(BaseUserManager["User"]):
    """Creates users; the email address is the name to sign in with."""

    def create_user(self, email: str, password: str | None = None, **fields: object) -> "User":
        """A user with a normalised address; without a password it can only sign in by code, key or Google."""
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: object) -> "User":
        """An operator with every permission."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """One account: it owns keys, money and jobs."""

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    email = models.EmailField(max_length=254, unique=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    session_epoch = models.PositiveIntegerField(default=0, db_default=0)
    """Raising it ends every browser session of the account."""
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)
    """When the account was deleted at its owner's wish; it stays for the books, without a name."""
    created_at = models.DateTimeField(default=clock.now, editable=False)

    objects = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = (
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="accounts_user_email_is_lower_case"),
        )

    def __str__(self) -> str:
        return self.email

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """What a session must carry to be this account's: it changes with the password, and with the epoch."""
        kept: str = super()._get_session_auth_hash(secret=secret)  # type: ignore[misc]  # Django's stubs lack it
        return f"{kept}.{self.session_epoch}" if self.session_epoch else kept


class ApiKey(models.Model):
    """A key a program authenticates with. Only its prefix and a keyed hash of the whole are stored."""

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="api_keys")
    label = models.CharField(max_length=120)
    prefix = models.CharField(max_length=32, unique=True)
    """`kt_live_` and eight characters: what lists show and what the lookup uses."""
    digest = models.BinaryField(max_length=32)
    """HMAC-SHA-256 of the whole key under the server's pepper."""
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="children")
    """The key that minted or approved this one; null after a sign-in."""
    scopes = ArrayField(models.TextField(), null=True, blank=True)
    """What it may do (`core.operations.Scope`); null is everything. Fixed when it is made."""
    monthly_spend_limit = models.BigIntegerField(null=True, blank=True)
    """Micros a calendar month (UTC); null is no limit of its own. Fixed when it is made."""
    spend_limits = models.JSONField(default=list)
    """`[[key id, micros], …]` of this key and its ancestors that have a limit: its spend counts against each."""
    created_at = models.DateTimeField(default=clock.now, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=models.Q(monthly_spend_limit__isnull=True) | models.Q(monthly_spend_limit__gte=0),
                name="accounts_apikey_spend_limit_not_negative",
            ),
        )

    def __str__(self) -> str:
        return f"{self.prefix}… ({self.label})"


class KeyAddress(models.Model):
    """An address that a key was used from: the first use is a security event."""

    id = models.BigAutoField(primary_key=True)
    key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="addresses")
    address = models.GenericIPAddressField()
    first_used_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("key", "address"), name="accounts_keyaddress_once"),)

    def __str__(self) -> str:
        return f"{self.key_id} {self.address}"


class EmailCode(models.Model):
    """A one-time code that was sent. Its digits are derived from the id (`services.email_codes`), stored nowhere."""

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    email = models.EmailField(max_length=254)
    """In lower case."""
    tries = models.PositiveSmallIntegerField(default=0)
    """How many guesses were judged."""
    created_at = models.DateTimeField(default=clock.now, editable=False)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = (
            models.Index(fields=("email", "-created_at"), name="accounts_emailcode_latest"),
            models.Index(fields=("created_at",), name="accounts_emailcode_created"),
        )

    def __str__(self) -> str:
        return f"{self.email} {self.created_at}"


class DeviceLink(models.Model):
    """A program that asks for a key by a browser's approval (RFC 8628)."""

    PENDING, APPROVED, DENIED, CONSUMED = "pending", "approved", "denied", "consumed"
    STATUSES = (PENDING, APPROVED, DENIED, CONSUMED)

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    device_digest = models.BinaryField(max_length=32, unique=True)
    """HMAC-SHA-256 of the device code under the server's pepper."""
    user_code = models.CharField(max_length=9, unique=True)
    """`ABCD-EFGH`. It gives nothing away: whoever knows it can only approve or deny."""
    label = models.CharField(max_length=64, blank=True)
    status = models.TextField(default=PENDING, choices=[(status, status) for status in STATUSES])
    requested_from = models.GenericIPAddressField(null=True)
    """Shown to the person who approves."""
    approved_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    approved_with = models.ForeignKey(ApiKey, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    """The key behind the approval, whose scopes and limits bind the new one; null after an approval in the browser."""
    interval_seconds = models.PositiveSmallIntegerField(default=5)
    """How long a poll must wait after the one before; slow_down adds five."""
    polled_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    expires_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=models.Q(status__in=("pending", "approved", "denied", "consumed")),
                name="accounts_devicelink_status",
            ),
        )
        indexes = (models.Index(fields=("created_at",), name="accounts_devicelink_created"),)

    def __str__(self) -> str:
        return f"{self.user_code} {self.status}"


class CountedAttempt(models.Model):
    """Something that may be done only so often: kept while it counts (`services.attempts`)."""

    id = models.BigAutoField(primary_key=True)
    kind = models.TextField()
    subject = models.TextField()
    """Who or what is limited: an address, a key's or account's id."""
    at = models.DateTimeField()

    class Meta:
        indexes = (
            models.Index(fields=("kind", "subject", "at"), name="accounts_attempt_subject"),
            models.Index(fields=("at",), name="accounts_attempt_at"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"


class SecurityEvent(models.Model):
    """What happened to an account's credentials. Only ever inserted; the database refuses anything else."""

    KEY_CREATED = "key_created"
    KEY_REVOKED = "key_revoked"
    KEY_USED_FROM_NEW_ADDRESS = "key_used_from_new_address"
    SIGNED_IN = "signed_in"
    SIGNED_OUT = "signed_out"
    DEVICE_APPROVED = "device_approved"
    DEVICE_DENIED = "device_denied"
    ACCOUNT_SUSPENDED = "account_suspended"
    ACCOUNT_REINSTATED = "account_reinstated"
    ACCOUNT_DELETED = "account_deleted"
    STAFF_SIGN_IN_FAILED = "staff_sign_in_failed"
    SECOND_FACTOR_ENROLLED = "second_factor_enrolled"
    RECOVERY_CODE_USED = "recovery_code_used"
    SECOND_FACTOR_RESET = "second_factor_reset"
    KINDS = (
        KEY_CREATED,
        KEY_REVOKED,
        KEY_USED_FROM_NEW_ADDRESS,
        SIGNED_IN,
        SIGNED_OUT,
        DEVICE_APPROVED,
        DEVICE_DENIED,
        ACCOUNT_SUSPENDED,
        ACCOUNT_REINSTATED,
        ACCOUNT_DELETED,
        STAFF_SIGN_IN_FAILED,
        SECOND_FACTOR_ENROLLED,
        RECOVERY_CODE_USED,
        SECOND_FACTOR_RESET,
    )

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="security_events")
    kind = models.TextField(choices=[(kind, kind) for kind in KINDS])
    address = models.GenericIPAddressField(null=True)
    user_agent = models.TextField(blank=True)
    key_prefix = models.TextField(blank=True)
    """The key it is about."""
    details = models.JSONField(default=dict)
    """Never a secret."""
    actor = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    """The operator who did it; null: the account itself, or the operator's command line."""
    reason = models.TextField(blank=True, default="", db_default="")
    """The operator's, for operators alone."""
    at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        indexes = (models.Index(fields=("user", "-id"), name="accounts_securityevent_user"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.user_id}"
