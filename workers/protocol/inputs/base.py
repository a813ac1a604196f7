"""What all task inputs share: closed, strict, camelCase on the wire, frozen in memory."""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel
from pydantic_core import Url


class Wire(BaseModel):
    """A model that crosses a process: unknown fields and loose types are errors."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", strict=True, frozen=True)

    def wire(self) -> dict[str, Any]:
        """The JSON object, camelCase, without what is None."""
        return self.model_dump(by_alias=True, mode="json", exclude_none=True)


def _http_url(text: str) -> str:
    try:
        url = Url(text)
    except ValueError:
        raise ValueError("must be an absolute http or https URL") from None
    if url.scheme not in {"http", "https"} or not url.host:
        raise ValueError("must be an absolute http or https URL")
    return text


UrlText = Annotated[
    str,
    StringConstraints(min_length=1, max_length=4096),
    AfterValidator(_http_url),
    Field(json_schema_extra={"format": "uri"}),
]
"""An http(s) URL kept exactly as sent. Whether it may be fetched is `core.http`'s decision, not the model's."""
