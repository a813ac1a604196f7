"""How drf-spectacular reads our routes."""

from drf_spectacular.openapi import AutoSchema


class RouteSchema(AutoSchema):
    """One operation of `/openapi.json`."""
