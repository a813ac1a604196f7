"""Engines of video.combine."""
