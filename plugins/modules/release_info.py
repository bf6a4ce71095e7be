# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an app's colours run and which releases it can return to."""

from __future__ import annotations

DOCUMENTATION = r"""
module: release_info
short_description: Show what the colours of an app run, and the releases that it can return to
version_added: 0.1.0
author: Cutover contributors (@golive)
description:
  - Reads the Deployments of both colours, the records of releases that were live, and the configuration that was made
    for them. It changes nothing.
  - A record is a ConfigMap of the role P(golive.cutover.release#role). It holds what the pods of the release are made
    of, so that image and configuration come back together.
options:
  app:
    description: Name of the app. Its Deployments are C(<app>-blue) and C(<app>-green).
    type: str
    required: true
  namespace:
    description: Namespace of the app.
    type: str
    required: true
  release:
    description: Id or version of a release that must be recorded. A version means the newest release with it.
    type: str
  keep:
    description: How many releases stay in the history. Those that a colour runs stay besides.
    type: int
    default: 5
extends_documentation_fragment:
  - golive.cutover.kube
attributes:
  check_mode:
    description: It only reads.
    support: full
  diff_mode:
    description: It changes nothing, so there is nothing to show.
    support: none
  idempotent:
    description: It changes nothing.
    support: full
seealso:
  - module: golive.cutover.traffic_info
  - module: golive.cutover.kube_rollback
"""

EXAMPLES = r"""
- name: Read the history of shop
  golive.cutover.release_info:
    app: shop
    namespace: shop
  register: shop

- name: Remove what no release of the last three needs
  golive.cutover.kube_apply:
    state: absent
    objects: "{{ shop.garbage }}"
"""

RETURN = r"""
colours:
  description: Colours that have a Deployment.
  returned: success
  type: list
  elements: dict
  contains:
    colour:
      description: V(blue) or V(green).
      type: str
      returned: always
    deployment:
      description: Name of its Deployment.
      type: str
      returned: always
    image:
      description: Image of the first container, as written.
      type: str
      returned: always
    digests:
      description: Digests of that image that the pods run. More than one means that a tag was moved in between.
      type: list
      elements: str
      returned: always
    revision:
      description: Revision of the Deployment.
      type: str
      returned: always
    release:
      description: Id of the release that is recorded on the Deployment; empty while one is being staged.
      type: str
      returned: always
    version:
      description: Its version.
      type: str
      returned: always
    state:
      description: What the release flow recorded of it, such as V(live), V(standby) or V(returned).
      type: str
      returned: always
    configuration:
      description: Hash of its configuration.
      type: str
      returned: always
    before:
      description: Revision that an unfinished update in place returns to.
      type: str
      returned: always
    claims:
      description: PersistentVolumeClaims that its pods mount.
      type: list
      elements: str
      returned: always
releases:
  description: Recorded releases, the newest first.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Hash of digest, configuration and migration head.
      type: str
      returned: always
    version:
      description: Version as it was set.
      type: str
      returned: always
    image:
      description: Image as it was written.
      type: str
      returned: always
    digest:
      description: Digest of the image.
      type: str
      returned: always
    configuration:
      description: Hash of the configuration.
      type: str
      returned: always
    head:
      description: Newest migration that belongs to it; empty without migrations.
      type: str
      returned: always
    strategy:
      description: Strategy by which it went live.
      type: str
      returned: always
    live_at:
      description: When it went live last, in UTC.
      type: str
      returned: always
wanted:
  description: The release that O(release) names, with its pod as JSON text in C(pod). None without O(release).
  returned: success
  type: dict
garbage:
  description: Records and configuration objects that no release of the history and no colour needs.
  returned: success
  type: list
  elements: dict
code:
  description: Machine-readable code of the failure, such as V(release_unknown).
  returned: on failure
  type: str
hint:
  description: What to try.
  returned: on failure
  type: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.finish import finish
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import connected
from ansible_collections.golive.cutover.plugins.module_utils._kube.lease_kept import under_lease
from ansible_collections.golive.cutover.plugins.module_utils._kube.spec import kube_spec
from ansible_collections.golive.cutover.plugins.module_utils._release.history import read_releases

SPEC: dict[str, Any] = {
    "argument_spec": {
        **kube_spec(),
        "app": {"type": "str", "required": True},
        "namespace": {"type": "str", "required": True},
        "release": {"type": "str"},
        "keep": {"type": "int", "default": 5},
    },
    "supports_check_mode": True,
}


@under_lease
def run(call: Call) -> dict[str, Any]:
    """The result as documented; raises GoliveError."""
    with connected(call) as client:
        return read_releases(call, client)


def main() -> None:
    """Run as a module."""
    finish(AnsibleModule(**SPEC), run)


if __name__ == "__main__":
    main()
