"""The record of a visit."""

from django.db import models


class Visit(models.Model):
    """One request to the front page."""

    at = models.DateTimeField(auto_now_add=True)
