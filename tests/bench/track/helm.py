# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Helm, built once from its Go module and kept in the cache like the cluster's own programs."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from cluster.build import Program, build_all

HELM = Program(
    "helm",
    "4.3.1",
    "-X helm.sh/helm/v4/internal/version.version=v4.3.1",
    module="helm.sh/helm/v4/cmd/helm@v4.3.1",
)


def helm() -> Path:
    """Path of the program; builds it first when it is not there, which takes minutes."""
    build_all((HELM,))
    return HELM.path


if __name__ == "__main__":
    print(helm())
