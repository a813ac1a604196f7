"""What agents and plugin hosts read first: what there is, where it is, and the sums to check it by."""

import hashlib
import json
from typing import Any

from django.conf import settings

from gateway.discovery.release import (
    API_VERSION,
    COMPATIBILITY,
    LLMS_PATH,
    LOGO_PATH,
    OPENAPI_PATH,
    SKILL_NAME,
    SKILL_ROOT,
    SKILLS_PATH,
    TITLE,
)
from gateway.discovery.texts import SKILL_DESCRIPTION, SUMMARY, agent_yaml, skill_text


def skill_files() -> dict[str, bytes]:
    """The skill's files by their path under its root."""
    return {
        "SKILL.md": skill_text().encode(),
        "version.json": _json(version_metadata()),
        "agents/openai.yaml": agent_yaml().encode(),
    }


def version_metadata() -> dict[str, Any]:
    """Which release the skill is, and which API it is for."""
    return {
        "name": SKILL_NAME,
        "version": API_VERSION,
        "compatibleApiVersion": API_VERSION,
        "compatibilityPolicy": COMPATIBILITY,
        "autoUpdate": True,
        "manifestUrl": settings.SITE_URL + SKILLS_PATH,
        "metadataUrl": f"{settings.SITE_URL}{SKILL_ROOT}version.json",
        "rootUrl": settings.SITE_URL + SKILL_ROOT,
        "entrypointUrl": f"{settings.SITE_URL}{SKILL_ROOT}SKILL.md",
        "openApiUrl": settings.SITE_URL + OPENAPI_PATH,
        "healthUrl": f"{settings.API_BASE_URL}/api/v1/health",
    }


def skills_manifest() -> bytes:
    """The skills of this site: one."""
    root = settings.SITE_URL + SKILL_ROOT
    files = [
        {
            "path": path,
            "url": root + path,
            "sha256": hashlib.sha256(content).hexdigest(),
            "bytes": len(content),
        }
        for path, content in skill_files().items()
    ]
    skill = version_metadata() | {
        "description": SKILL_DESCRIPTION,
        "install": (
            f"Save every file under a folder named {SKILL_NAME} in your skills directory, at its `path`, and check its "
            "SHA-256. Then read SKILL.md. Where skills cannot be installed, read SKILL.md and follow it."
        ),
        "files": files,
    }
    return _json({"schemaVersion": 1, "skills": [skill]})


def plugin_manifest() -> bytes:
    """The plugin manifest of version 1."""
    return _json(
        {
            "schema_version": "v1",
            "name_for_human": TITLE,
            "name_for_model": SKILL_NAME,
            "description_for_human": SUMMARY,
            "description_for_model": (
                f"{SKILL_DESCRIPTION} Submit a job with POST /api/v1/media/jobs and an idempotency key, then poll GET "
                f"/api/v1/media/jobs?jobId= until it ends. More: {settings.SITE_URL}{LLMS_PATH}"
            ),
            "auth": {"type": "user_http", "authorization_type": "bearer"},
            "api": {"type": "openapi", "url": settings.SITE_URL + OPENAPI_PATH},
            "logo_url": settings.SITE_URL + LOGO_PATH,
            "contact_email": settings.CONTACT_EMAIL,
            "legal_info_url": settings.LEGAL_INFO_URL,
        }
    )


def _json(content: dict[str, Any]) -> bytes:
    return json.dumps(content, indent=2, ensure_ascii=False).encode() + b"\n"
