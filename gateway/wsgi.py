"""The web process's entry point."""

import gc
import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gateway.settings")
application = get_wsgi_application()

from accounts import recognition, revocations  # noqa: E402 - models: only after the set-up above

revocations.Listener(url=settings.REDIS_URL, forget=recognition.forget).start()

# What is loaded by now lives as long as the process: the collector need not look at it again and again, nor start
# after every 700 of the small objects that a request makes and drops (reference counts free those).
gc.collect()
gc.freeze()
gc.set_threshold(20_000, 20, 50)
