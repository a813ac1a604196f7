"""The affiliates' routes."""
