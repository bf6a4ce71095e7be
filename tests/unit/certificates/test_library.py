# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Without its library the verb fails with one clear error, before it reaches for the cluster."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

RUN = """
import json, sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "cryptography":
            raise ImportError("made unimportable: " + name)

if sys.argv[1] == "missing":
    sys.meta_path.insert(0, Missing())
else:
    import cryptography
    cryptography.__version__ = "41.0.7"

from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.module_utils._core.perform import perform
from ansible_collections.golive.cutover.plugins.modules import tls_secret

print(json.dumps(perform(tls_secret.run, call_for_tests({}))))
"""


@pytest.mark.parametrize("case", ["missing", "too old"])
def test_library(case: str) -> None:
    done = subprocess.run([sys.executable, "-c", RUN, case], capture_output=True, text=True, timeout=120, check=True)
    result = json.loads(done.stdout)
    assert result["code"] == "library_missing", result
    assert case in result["msg"]
    assert "cryptography>=42" in result["hint"]
