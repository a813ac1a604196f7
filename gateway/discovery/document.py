"""`/openapi.json`: every route of the API, made once per process."""

import json
from functools import cache
from typing import Any

from django.conf import settings
from drf_spectacular.generators import SchemaGenerator

from core.messages import Message
from gateway.discovery.components import Components
from gateway.discovery.prose import API_DESCRIPTION, TAGS
from gateway.discovery.release import API_VERSION, TITLE
from gateway.discovery.routes import ApiEndpoints
from gateway.discovery.schema import HEADERS
from media.api.messages import JobCallback

SECURITY_SCHEMES = {
    "BearerAuth": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "API key",
        "description": "An API key: `Authorization: Bearer kt_live_…`.",
    },
    "ApiKeyHeader": {
        "type": "apiKey",
        "in": "header",
        "name": "x-api-key",
        "description": "The same API key in a header of its own.",
    },
    "SessionCookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": settings.SESSION_COOKIE_NAME,
        "description": (
            "The session of somebody who signed in with a browser. What is not a GET also needs our own Origin, or "
            "the CSRF token of the session route as `X-CSRFToken`."
        ),
    },
}
WEBHOOK_HEADERS = {
    "webhook-id": "The delivery's id; the same when it is sent again.",
    "webhook-timestamp": "When it was signed: Unix time in seconds.",
    "webhook-signature": "Space-separated `v1,<base64>`: one HMAC-SHA-256 for each valid secret.",
}


class Generator(SchemaGenerator):
    """drf-spectacular's, over the routes under /api and with our components."""

    endpoint_inspector_cls = ApiEndpoints

    def __init__(self, registry: Components) -> None:
        super().__init__()
        self.registry = registry


def openapi_document() -> dict[str, Any]:
    """The whole document as JSON data.

    Raises:
        ImproperlyConfigured: a method of a view declares nothing.
        NameTaken: two schemas have one name.
    """
    components = Components()
    generated = Generator(components).get_schema(public=True)
    operations = [operation for methods in generated["paths"].values() for operation in methods.values()]
    used = {tag for operation in operations for tag in operation["tags"]}
    webhooks = {"mediaJobEnded": {"post": _callback(components, JobCallback)}}
    return {
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://spec.openapis.org/oas/3.1/dialect/base",
        "info": {
            "title": TITLE,
            "version": API_VERSION,
            "summary": "Images, video, speech, music, sound effects and 3D models from one prepaid API.",
            "description": API_DESCRIPTION,
            "contact": {"name": TITLE, "email": settings.CONTACT_EMAIL},
            "termsOfService": settings.LEGAL_INFO_URL,
        },
        "servers": [{"url": settings.API_BASE_URL}],
        "tags": [
            {"name": tag, "x-displayName": tag.capitalize(), "description": TAGS[tag]} for tag in TAGS if tag in used
        ],
        "paths": generated["paths"],
        "webhooks": webhooks,
        "components": {
            "securitySchemes": SECURITY_SCHEMES,
            "headers": {
                name: {"description": description, "schema": schema} for name, (description, schema) in HEADERS.items()
            },
            "schemas": dict(sorted(components.schemas.items())),
        },
    }


@cache
def openapi_bytes() -> bytes:
    """The document as it is served."""
    return json.dumps(openapi_document(), ensure_ascii=False, separators=(",", ":")).encode()


def _callback(components: Components, body: type[Message]) -> dict[str, Any]:
    """What we send to a job's `completionCallbackUrl`."""
    return {
        "operationId": "mediaJobEnded",
        "tags": ["webhooks"],
        "summary": "A job has ended",
        "description": (
            "Sent to the `completionCallbackUrl` of a job once it is completed, failed, canceled or terminated, and "
            "signed as Standard Webhooks under the account's secret. Any 2xx within 10 seconds is success. Network "
            "errors, 408, 429 and 5xx are tried again after 30 s, 2 min, 10 min, 30 min and 2 h; redirects are not "
            "followed. One delivery may come twice, with the same `webhook-id`."
        ),
        "security": [],
        "parameters": [
            {"name": name, "in": "header", "required": True, "description": words, "schema": {"type": "string"}}
            for name, words in WEBHOOK_HEADERS.items()
        ],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": components.schema_of(body, direction="serialization")}},
        },
        "responses": {"2XX": {"description": "Received."}, "default": {"description": "Tried again, or given up."}},
    }
