"""Stripe's refusals, in the shape of its error bodies."""

from typing import Any

from deploy.embedded.sandboxes.wire import Answer, json_answer


class StripeError(Exception):
    """A request that is refused: `type`, `code`, `message`, `param` as Stripe's `error` object has them."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        type: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {"type": type, "message": message}
        if code is not None:
            self.body["code"] = code
        if param is not None:
            self.body["param"] = param

    def answer(self) -> Answer:
        """The answer that says so."""
        return json_answer(self.status, {"error": self.body})


def no_such(kind: str, id: str, *, param: str = "id") -> StripeError:
    """An object that does not exist."""
    name = "checkout.session" if kind == "session" else kind
    return StripeError(f"No such {name}: '{id}'", status=404, code="resource_missing", param=param)


def missing(param: str) -> StripeError:
    """A parameter that is needed."""
    return StripeError(f"Missing required param: {param}.", code="parameter_missing", param=param)


def invalid(param: str, message: str, *, code: str = "parameter_invalid") -> StripeError:
    """A parameter whose value will not do."""
    return StripeError(message, code=code, param=param)


def unknown(param: str) -> StripeError:
    """A parameter that this route does not have."""
    return StripeError(f"Received unknown parameter: {param}", code="parameter_unknown", param=param)
