"""How django-unfold shows the operator's desk."""

from typing import Any

DESK: dict[str, Any] = {
    "SITE_TITLE": "Killa Tamata desk",
    "SITE_HEADER": "Killa Tamata",
    "SITE_SUBHEADER": "Operator's desk",
    "SITE_URL": None,
    "SITE_ICON": "gateway.desk.appearance.mark",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "gateway.desk.appearance.mark"}],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "ENVIRONMENT": "gateway.desk.appearance.environment",
    "ENVIRONMENT_TITLE_PREFIX": "gateway.desk.appearance.title_prefix",
    "LOGIN": {"form": "gateway.desk.sign_in.PasswordForm"},
    "ACCOUNT": {"navigation": []},
    "COMMAND": {"search_models": False, "show_history": False},
    "SIDEBAR": {
        "show_search": False,
        "command_search": False,
        "show_all_applications": False,
        "navigation": "gateway.desk.navigation.navigation",
    },
    "COLORS": {
        "primary": {
            "50": "oklch(97% .014 273)",
            "100": "oklch(94% .028 273)",
            "200": "oklch(88% .056 273)",
            "300": "oklch(79% .1 273)",
            "400": "oklch(69% .14 273)",
            "500": "oklch(57% .16 273)",
            "600": "oklch(41% .14 272)",
            "700": "oklch(35% .12 272)",
            "800": "oklch(30% .1 272)",
            "900": "oklch(26% .08 272)",
            "950": "oklch(20% .06 272)",
        },
    },
}
