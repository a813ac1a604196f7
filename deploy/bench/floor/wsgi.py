"""The bare application, for the same server and command line as the platform's."""

import os

from django.core.wsgi import get_wsgi_application

os.environ["DJANGO_SETTINGS_MODULE"] = "deploy.bench.floor.settings"  # the inherited one names the platform's
application = get_wsgi_application()
