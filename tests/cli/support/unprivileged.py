"""Becomes the program given, without any privilege of root: permissions of files then bind it.

Root without capabilities is still the owner of root's files, so nothing else changes.
"""

import ctypes
import os
import sys

PR_CAPBSET_DROP = 24

if os.geteuid() == 0:
    prctl = ctypes.CDLL(None).prctl
    for capability in range(64):
        prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
os.execvp(sys.argv[1], sys.argv[1:])
