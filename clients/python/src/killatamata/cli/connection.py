"""The client that the options ask for."""

from __future__ import annotations

import argparse

from killatamata.client import Client


def connect(options: argparse.Namespace) -> Client:
    """A client of the server and with the key that the options, the environment or the saved file name."""
    return Client(api_key=options.api_key, base_url=options.base_url)
