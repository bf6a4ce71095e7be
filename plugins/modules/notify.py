# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``notify``: one message to Slack, PagerDuty, mail, Teams, any webhook."""

from __future__ import annotations

DOCUMENTATION = r"""
module: notify
short_description: Send one message to Slack, PagerDuty, mail, Teams or any webhook
version_added: 0.1.0
author:
  - Cutover contributors (@cutover)
description:
  - Tells what happened to an app, through the library Apprise, to all targets at once. A target is the URL of a service
    in the notation of Apprise, such as C(slack://...), C(pagerduty://...), C(workflows://...) for Teams, C(mailtos://...)
    or C(jsons://...).
  - URLs hold credentials. They are named here and read when they are needed, from a Secret, an environment variable or
    a file, and stand in no result, message, warning or log. Reasons of failures are told in words of this module.
  - A message that does not arrive is told in RV(undelivered) and by a warning, and fails the task with O(strict) only.
options:
  event:
    description: What happened. It says how urgent the message is, what its first line is, and which targets get it.
    type: str
    choices: [started, shifted, succeeded, returned, held, failed, restored, drill, incident, test]
    required: true
  app:
    description: Name of the app.
    type: str
    required: true
  targets:
    description: Who gets messages. Each needs one of O(targets[].secret), O(targets[].variable) and O(targets[].file).
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: How results call the target. Without it the place of its URL.
        type: str
      secret:
        description: Secret that holds the URL.
        type: dict
        suboptions:
          name:
            description: Name of the Secret.
            type: str
            required: true
          key:
            description: Key inside the Secret.
            type: str
            default: url
          namespace:
            description: Its namespace. Without it, the option O(namespace).
            type: str
      variable:
        description: Environment variable that holds the URL, where there is no cluster.
        type: str
      file:
        description: File that holds the URL, where there is no cluster.
        type: path
      events:
        description: Events that the target gets. Without them it gets all.
        type: list
        elements: str
        choices: [started, shifted, succeeded, returned, held, failed, restored, drill, incident, test]
        default: []
  namespace:
    description: Namespace of the Secrets, and of the ConfigMap that O(key) needs.
    type: str
  environment:
    description: Environment of the app, such as V(production).
    type: str
  purpose:
    description: What was going on, in a word.
    type: str
    default: release
  version:
    description: Version that it is about.
    type: str
  before:
    description: Version that was live before.
    type: str
  severity:
    description: How bad it is, for O(event=incident).
    type: str
  verdict:
    description:
      - How it ended. V(pass) and V(fail) set the urgency of a drill, V(closed) that of an incident.
    type: str
  summary:
    description: What happened, in a sentence.
    type: str
  reason:
    description: Why it happened.
    type: str
  who:
    description: Who did it. Without it the user of the process, its host, and the number of the AWX job.
    type: str
  link:
    description: Where to see more.
    type: str
  command:
    description: The command that comes next.
    type: str
  facts:
    description: Further lines, by their names.
    type: dict
    default: {}
  title:
    description:
      - First line instead of the usual one. C({app}) and the like stand for the options of this name, C({when}) for the
        time in UTC.
    type: str
  text:
    description: Text instead of the usual lines, likewise.
    type: str
  key:
    description:
      - Name of this message. It is sent to each target once, also by later runs; what did not arrive is tried again.
      - It is noted after the delivery in the ConfigMap C(<app>-golive-sent) of O(namespace), the last 200 of
        them. A run that is killed in between sends the message again. Without a cluster nothing is remembered.
    type: str
  attempts:
    description:
      - How often a target is tried that is busy (HTTP 408, 425, 429, 5xx) or cannot be reached. Between attempts there
        is 0.5 s, then twice as much each time, or what the receiver asks for with C(Retry-After).
    type: int
    default: 3
  timeout:
    description:
      - Seconds for all attempts at all targets, which are worked at side by side. The cluster has the same time to give
        the URLs.
      - A receiver that is slower may have got the message all the same.
    type: float
    default: 10
  strict:
    description: Whether the task fails when a target was not reached.
    type: bool
    default: false
extends_documentation_fragment:
  - golive.cutover.kube
attributes:
  check_mode:
    description: Reads the URLs, says what would be sent to whom, and sends nothing.
    support: full
  diff_mode:
    description: The message and its targets; never a URL.
    support: full
  idempotent:
    description: With O(key) a message that arrived is not sent again. Without it every call sends.
    support: partial
notes:
  - It needs the right to get the named Secrets, and with O(key) to get, create and update ConfigMaps.
  - A receiver that answers with a redirection is not followed.
  - A token in a C(+header) of an Apprise URL is as safe here as the URL itself.
requirements:
  - apprise >= 2.3
seealso:
  - module: golive.cutover.release_journal
"""

EXAMPLES = r"""
- name: Say that a release has begun
  golive.cutover.notify:
    event: started
    app: shop
    namespace: shop
    version: 2.4.2
    targets:
      - secret: {name: notify, key: slack}
      - secret: {name: notify, key: pagerduty}
        events: [failed, returned]

- name: Report a drill once a day
  golive.cutover.notify:
    event: drill
    app: shop
    namespace: shop
    verdict: pass
    facts: {Ready after: 41 s}
    key: drill-{{ now(utc=true).strftime('%F') }}
    targets:
      - variable: TEAM_MAIL_URL
"""

RETURN = r"""
title:
  description: First line of the message.
  returned: success
  type: str
text:
  description: Its text.
  returned: success
  type: str
wanted:
  description: Names of the targets that the message is for.
  returned: success
  type: list
  elements: str
delivered:
  description: Targets that have it; none in check mode.
  returned: success
  type: list
  elements: dict
  contains:
    target:
      description: Name of the target.
      type: str
      returned: always
    service:
      description: What Apprise calls the service, such as V(Slack).
      type: str
      returned: always
    attempts:
      description: How often it was tried.
      type: int
      returned: always
    seconds:
      description: How long it took.
      type: float
      returned: always
undelivered:
  description: Targets that do not have it, as in RV(delivered), and why.
  returned: success
  type: list
  elements: dict
  contains:
    code:
      description:
        - Such as V(busy), V(refused), V(auth_failed), V(unreachable), V(timeout), V(certificate), V(url_invalid),
          V(not_found), V(key_missing) or V(forbidden).
      type: str
      returned: always
    reason:
      description: Why, in words.
      type: str
      returned: always
passed_over:
  description: Targets that the message is not for, with C(target) and C(reason), V(other events) or V(sent before).
  returned: success
  type: list
  elements: dict
code:
  description: Machine-readable code of the failure, such as V(not_delivered), V(template_invalid) or V(invalid).
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
from ansible_collections.golive.cutover.plugins.module_utils._kube.lease_kept import under_lease
from ansible_collections.golive.cutover.plugins.module_utils._kube.spec import kube_spec
from ansible_collections.golive.cutover.plugins.module_utils._notify.events import EVENTS
from ansible_collections.golive.cutover.plugins.module_utils._notify.notify import notify

SPEC: dict[str, Any] = {
    "argument_spec": {
        **kube_spec(),
        "event": {"type": "str", "choices": list(EVENTS), "required": True},
        "app": {"type": "str", "required": True},
        "targets": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {
                "name": {"type": "str"},
                "secret": {
                    "type": "dict",
                    "no_log": False,
                    "options": {
                        "name": {"type": "str", "required": True},
                        "key": {"type": "str", "default": "url", "no_log": False},
                        "namespace": {"type": "str"},
                    },
                },
                "variable": {"type": "str"},
                "file": {"type": "path"},
                "events": {"type": "list", "elements": "str", "choices": list(EVENTS), "default": []},
            },
        },
        "namespace": {"type": "str"},
        "environment": {"type": "str"},
        "purpose": {"type": "str", "default": "release"},
        "version": {"type": "str"},
        "before": {"type": "str"},
        "severity": {"type": "str"},
        "verdict": {"type": "str"},
        "summary": {"type": "str"},
        "reason": {"type": "str"},
        "who": {"type": "str"},
        "link": {"type": "str"},
        "command": {"type": "str"},
        "facts": {"type": "dict", "default": {}},
        "title": {"type": "str"},
        "text": {"type": "str"},
        "key": {"type": "str", "no_log": False},
        "attempts": {"type": "int", "default": 3},
        "timeout": {"type": "float", "default": 10},
        "strict": {"type": "bool", "default": False},
    },
    "supports_check_mode": True,
}


@under_lease
def run(call: Call) -> dict[str, Any]:
    """The result as documented; raises GoliveError."""
    return notify(call)


def main() -> None:
    """Run as a module."""
    finish(AnsibleModule(**SPEC), run)


if __name__ == "__main__":
    main()
