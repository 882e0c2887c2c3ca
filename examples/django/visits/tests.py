"""Tests the front page and the source of its key."""

import os

from django.conf import settings
from django.core import signing
from django.test import TestCase

from .models import Visit


class FrontPage(TestCase):
    def test_visit_is_counted_and_its_receipt_is_valid(self):
        answer = self.client.get("/", secure=True).json()
        self.assertEqual(Visit.objects.count(), 1)
        self.assertEqual(signing.loads(answer["receipt"], salt="receipt"), answer["visit"])

    def test_key_comes_from_the_environment(self):
        # If assertEqual failed, it would print both keys.
        self.assertTrue(settings.SECRET_KEY == os.environ["DJANGO_SECRET_KEY"])
        with self.assertRaises(signing.BadSignature):
            signing.loads(signing.dumps(1, key="another key", salt="receipt"), salt="receipt")
