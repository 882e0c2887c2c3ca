"""The front page, and where its key comes from."""

import os

from django.conf import settings
from django.core import signing
from django.test import TestCase

from .models import Visit


class FrontPage(TestCase):
    def test_a_visit_is_counted_and_its_receipt_holds(self):
        answer = self.client.get("/", secure=True).json()
        self.assertEqual(Visit.objects.count(), 1)
        self.assertEqual(signing.loads(answer["receipt"], salt="receipt"), answer["visit"])

    def test_the_key_is_the_one_in_the_environment(self):
        # assertEqual would print both keys when it fails.
        self.assertTrue(settings.SECRET_KEY == os.environ["DJANGO_SECRET_KEY"])
        with self.assertRaises(signing.BadSignature):
            signing.loads(signing.dumps(1, key="another key", salt="receipt"), salt="receipt")
