"""Tests that print the secret. One of them fails with it."""

import os

import pytest

SECRET = os.environ["SECRET"]


@pytest.mark.parametrize("number", range(6))
def test_passes(number):
    print("printed", SECRET)
    assert SECRET


def test_fails():
    local = {"password": SECRET}
    assert local == {"password": "guessed"}
