"""Runs a command with settings that satisfy Django and reach nothing: for checks that need no running server.

The addresses use port 9 (discard) on loopback, so a check that does connect fails at once instead of meeting a
developer's database.
"""

import os
import sys

NOWHERE = {
    "SECRET_KEY": "offline",
    "DATABASE_URL": "postgres://offline:offline@127.0.0.1:9/offline",
    "REDIS_URL": "redis://127.0.0.1:9/0",
    "S3_ENDPOINT_URL": "http://127.0.0.1:9",
    "S3_ACCESS_KEY": "offline",
    "S3_SECRET_KEY": "offline",
    "API_KEY_PEPPER": "offline",
    "NODE_MASTER_KEY": "offline",
    "DATA_ENCRYPTION_KEYS": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    "DJANGO_SETTINGS_MODULE": "gateway.settings",
    # makemigrations --check looks at the applied history and warns when it cannot; nothing to be seen here.
    "PYTHONWARNINGS": "ignore:Got an error checking a consistent migration history:RuntimeWarning",
}

if __name__ == "__main__":
    os.execvpe(sys.argv[1], sys.argv[1:], {**os.environ, **NOWHERE})
