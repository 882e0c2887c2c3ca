"""A page, and one that fails with the secret in its message and its variables."""

import os

from django.http import HttpResponse
from django.urls import path

VERSION = "one"


def home(request):
    return HttpResponse(f"version {VERSION}")


def fail(request):
    connection = {"url": f"postgres://shop:{os.environ['SECRET']}@db/shop"}
    raise RuntimeError(f"could not connect to {connection}")


urlpatterns = [path("", home), path("fail", fail)]
