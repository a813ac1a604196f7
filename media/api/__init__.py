"""The media routes of the main API."""
