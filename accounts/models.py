"""People and programs that use the platform: one user is one account."""

from typing import ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models.functions import Lower

from core import clock, ids


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


class ApiKey(models.Model):
    """A key a program authenticates with. Only its prefix and a keyed hash of the rest are stored."""

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="api_keys")
    label = models.CharField(max_length=120)
    prefix = models.CharField(max_length=32, unique=True)
    """`kt_live_` and eight characters: what lists show and what the lookup uses."""
    digest = models.BinaryField(max_length=32)
    """HMAC-SHA-256 of the whole key under the server's pepper."""
    created_at = models.DateTimeField(default=clock.now, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.prefix}… ({self.label})"
