"""Writes of the payments room: one module for each verb."""
