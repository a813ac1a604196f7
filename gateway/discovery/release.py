"""What this platform is called and which release of the API it serves: said once, repeated everywhere."""

from typing import Literal

SKILL_NAME = "killatamata"
TITLE = "Killa Tamata"
API_VERSION = "0.7.0"
"""The contract's release that this platform serves; the skill that describes it bears the same number."""
COMPATIBILITY: Literal["exact"] = "exact"
"""A skill of one release is for the API of that release."""
OPENAPI_PATH = "/openapi.json"
API_DOCS_PATH = "/api-docs"
LLMS_PATH = "/llms.txt"
PLUGIN_PATH = "/.well-known/ai-plugin.json"
SKILLS_PATH = "/.well-known/agent-skills.json"
SKILL_ROOT = f"/skills/{SKILL_NAME}/"
LOGO_PATH = "/logo.svg"
LEGAL_PATH = "/legal"
