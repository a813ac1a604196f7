"""Engines of video.resize."""
