"""The application for gunicorn. It prints the secret when a worker starts."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")

from django.core.wsgi import get_wsgi_application

print("serving with", os.environ["SECRET"], flush=True)
application = get_wsgi_application()
