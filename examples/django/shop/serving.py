"""The settings of the server: all of settings.py, and what only the server needs."""

import os

from .settings import *  # noqa: F403

EMAIL_HOST = os.environ["EMAIL_HOST"]
EMAIL_HOST_USER = "shop"
EMAIL_HOST_PASSWORD = os.environ["EMAIL_HOST_PASSWORD"]
EMAIL_USE_TLS = True
