"""The supervisor behind `make up`: every process of the platform, started, watched, stopped."""

from deploy.platform.platform import Platform

__all__ = ["Platform"]
