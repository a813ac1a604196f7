"""Puts our site in the place of Django's own admin site."""

from django.contrib.admin.apps import AdminConfig


class DeskConfig(AdminConfig):
    """Django's admin, on the desk."""

    default = False
    default_site = "gateway.desk.site.Desk"
