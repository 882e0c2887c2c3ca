"""A small Django project that takes its key from the vault."""

import os
from pathlib import Path

SECRET_KEY = os.environ["SECRET"]
DEBUG = True
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "urls"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes"]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": Path(__file__).parent / "database.sqlite3",
    }
}
USE_TZ = True
