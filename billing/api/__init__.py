"""The room's routes."""
