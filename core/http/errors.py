"""What can go wrong with a foreign URL. Every sentence here may be shown to the client who gave the URL.

None of them names an address that a host resolved to: that would let a stranger map our network.
"""


class HttpError(Exception):
    """A foreign URL could not be used."""

    def __init__(self, sentence: str, *, reason: str, retryable: bool) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.reason = reason
        """One word for records and metrics: forbidden_url, dns, connect, tls, timeout, protocol, status, too_large …"""
        self.retryable = retryable
        """Whether the same URL may work later."""


class ForbiddenUrl(HttpError):
    """The URL breaks a rule of this room; nothing was sent to it."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, reason="forbidden_url", retryable=False)


class FetchFailed(HttpError):
    """The server could not be reached, or did not answer as it should."""


class TooLarge(HttpError):
    """The content is larger than the caller accepts."""

    def __init__(self, max_bytes: int) -> None:
        super().__init__(
            f"The content is larger than the {max_bytes} bytes accepted here.", reason="too_large", retryable=False
        )


def timed_out() -> FetchFailed:
    """The error for a deadline that has passed, whichever step it passed in."""
    return FetchFailed("The server took too long.", reason="timeout", retryable=True)
