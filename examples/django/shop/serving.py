"""The settings of the server: those in settings.py, and the ones that only the server needs."""

import os

from .settings import *  # noqa: F403

EMAIL_HOST = os.environ["EMAIL_HOST"]
EMAIL_HOST_USER = "shop"
EMAIL_HOST_PASSWORD = os.environ["EMAIL_HOST_PASSWORD"]
EMAIL_USE_TLS = True
