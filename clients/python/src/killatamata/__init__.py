"""Python client of the Killa Tamata API.

>>> from killatamata import Client
>>> with Client() as client:
...     job = client.run("image.generate", {"prompt": "a red barn under a pale moon"})
...     client.download(job, "barn.webp")
"""

from killatamata.client import Client
from killatamata.errors import (
    ApiError,
    AuthenticationError,
    Conflict,
    DownloadFailed,
    InsufficientBalance,
    InvalidRequest,
    JobFailed,
    KeyNotShown,
    KillaTamataError,
    LinkRefused,
    NotFound,
    PermissionDenied,
    PlainHttpWarning,
    RateLimited,
    TransportError,
    Unavailable,
    UsageError,
    WaitTimeout,
)
from killatamata.inputs import inline
from killatamata.models import Job, Output, Submitted
from killatamata.version import VERSION as __version__

__all__ = [
    "ApiError",
    "AuthenticationError",
    "Client",
    "Conflict",
    "DownloadFailed",
    "InsufficientBalance",
    "InvalidRequest",
    "Job",
    "JobFailed",
    "KeyNotShown",
    "KillaTamataError",
    "LinkRefused",
    "NotFound",
    "Output",
    "PermissionDenied",
    "PlainHttpWarning",
    "RateLimited",
    "Submitted",
    "TransportError",
    "Unavailable",
    "UsageError",
    "WaitTimeout",
    "__version__",
    "inline",
]
