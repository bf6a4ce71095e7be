# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run checks to a verdict."""

from __future__ import annotations

DOCUMENTATION = r"""
module: health_gate
short_description: Run checks until they pass, fail, or cannot tell
version_added: 0.1.0
author: Cutover contributors (@golive)
description:
  - Asks every check at an interval. The gate passes when every check was good O(consecutive) times in a row.
  - A gate that fails or stays inconclusive fails the task, with all numbers in the result.
  - Inconclusive is never taken for a pass. It means that nothing could be told, for instance because the way to the
    thing is broken.
  - Checks only read. HTTP checks use C(GET) or C(HEAD), SQL runs in read-only transactions. Jobs and commands are the
    exception. A Job is deleted when it has ended, and also when the gate ends before it.
options:
  checks:
    description:
      - What is asked. Options that do not belong to the kind of a check are refused.
      - All wrong settings are reported at once, with their path.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name of the check, as the result shows it.
        type: str
        required: true
      kind:
        description: What is asked.
        type: str
        choices:
          - http
          - tcp
          - sql
          - kube
          - prometheus
          - load
          - job
          - exec
          - tls
          - headers
          - pod_security
          - rights
          - capacity
          - approval
        required: true
      timeout:
        description:
          - Seconds for one look; 5 by default. With redirects, for all of them together.
          - Of a V(job) check the seconds for the Job; 120 by default.
        type: float
      max_latency:
        description: Seconds that an answer may take. A slower one is a bad look.
        type: float
      critical:
        description:
          - Whether the gate fails when this check fails; it does by default. A check that is not critical is told and
            lowers the RV(score). At least one check must be critical.
        type: bool
      weight:
        description: Part of this check in the RV(score); 1 by default.
        type: float
      load:
        description:
          - Load of a V(load) check, which sends requests at a steady rate while the gate runs, half of them on fresh
            connections and half on kept ones, and judges them by sequential tests as they come.
          - The check fails as soon as a test does. It passes when every test does, O(checks[].load.dwell) went by,
            every pod served, with at least 30 requests for each, and no container restarted.
          - A request is bad when its answer has a status of 500 or more, or when none came. With O(checks[].status)
            those statuses alone are good.
          - Takes O(checks[].url), or O(checks[].tunnel) and O(checks[].path), and the options of a V(http) check for
            method, headers, status and certificates. O(checks[].timeout) bounds one request.
        type: dict
        suboptions:
          rate:
            description: Requests a second, 400 at most. They do not wait for the answers of earlier ones.
            type: float
            default: 20
          dwell:
            description:
              - Least seconds of load before the check passes. At least as long as a liveness probe of the pods needs to
                end a container.
            type: float
            default: 60
          preset:
            description:
              - Which share of bad requests is acceptable, and which is not. V(errors) takes 0.2 and 2 percent,
                V(errors_strict) 0.1 and 1 percent.
            type: str
            choices: [errors, errors_strict]
            default: errors
          p0:
            description: Acceptable share of bad requests, in place of the preset's.
            type: float
          p1:
            description: Share of bad requests that is not acceptable, in place of the preset's.
            type: float
          slow:
            description:
              - Tests of the share of slow requests, from their scheduled times. An empty list tests none.
              - With a tunnel only those on kept connections, because a new one takes the time of the API.
            type: list
            elements: dict
            default:
              - preset: slow_p99
            suboptions:
              preset:
                description:
                  - V(slow_p99) takes slower than 1 second, 1 and 5 percent. V(slow_p95) takes slower than 0.5 seconds,
                    5 and 10 percent.
                type: str
                choices: [slow_p99, slow_p95]
                default: slow_p99
              slower_than:
                description: Seconds, in place of the preset's.
                type: float
              p0:
                description: Acceptable share of slow requests, in place of the preset's.
                type: float
              p1:
                description: Share of slow requests that is not acceptable, in place of the preset's.
                type: float
          alpha:
            description:
              - Chance to fail a release whose share of bad requests is acceptable. All tests of critical checks
                together keep it.
            type: float
            default: 0.001
          beta:
            description: Chance to pass a release whose share of bad requests is not acceptable.
            type: float
            default: 0.05
          effect:
            description:
              - How many bad requests come together when they come (design effect); the test takes that many times as
                long.
              - By default what the old release of O(checks[].load.compare) shows by the second, at most 10, once it had
                10 bad requests in 20 seconds; 1 before that and without it. The result tells which it was.
            type: float
          after_shift:
            description:
              - Watch a release that has the traffic, where a fault may begin at any time. Good requests of the past
                then do not outweigh bad ones of the present.
            type: bool
            default: false
          header:
            description: Header of the answers that carries the colour.
            type: str
            default: X-App-Colour
          pod_header:
            description: Header of the answers that carries the pod. Without it, which pods served cannot be seen.
            type: str
            default: X-App-Pod
          pods:
            description: Service whose ready pods must all serve, and must not restart. Without it that of the tunnel.
            type: dict
            suboptions:
              namespace:
                description: Namespace of the Service.
                type: str
                required: true
              service:
                description: Name of the Service.
                type: str
                required: true
          compare:
            description:
              - The old release, which gets the same load at the same time. When both are bad the check is inconclusive
                (V(infra_noise)), unless the new one is worse.
              - After at least 20 seconds there is one look at whether the new one fails a significantly greater share
                of requests than the old one, and more than is acceptable, or takes significantly longer, by 50 ms or
                more and by a quarter. Then the check fails.
            type: dict
            suboptions:
              url:
                description: Address of the old release.
                type: str
              tunnel:
                description: Way to the old release, as O(checks[].tunnel); the path is that of the check.
                type: dict
                suboptions:
                  namespace:
                    description: Namespace of the Service or pod.
                    type: str
                    required: true
                  service:
                    description: Name of the Service.
                    type: str
                  pod:
                    description: Name of the pod.
                    type: str
                  port:
                    description: Number or name of the port.
                    type: str
              times:
                description: How many times as bad as the old release the new one must be to be worse.
                type: float
                default: 5
      tunnel:
        description:
          - Reach a Service or pod of the cluster through the Kubernetes API (port-forward). Kinds V(http), V(headers),
            V(tcp), V(tls), V(sql), V(prometheus), V(load).
          - It tests pods, not the way clients take to them.
        type: dict
        suboptions:
          namespace:
            description: Namespace of the Service or pod.
            type: str
            required: true
          service:
            description: Name of the Service. Connections go to its ready pods in turn.
            type: str
          pod:
            description: Name of the pod.
            type: str
          port:
            description: Number or name of the Service's or pod's port.
            type: str
      url:
        description: Address of an V(http) or V(headers) check, or of the Prometheus server without C(/api/v1).
        type: str
      path:
        description: Path of an V(http) or V(headers) check with a tunnel, in place of a whole address. Of a
          V(prometheus) check the path in front of C(/api/v1).
        type: str
      method:
        description: Method of an V(http) check; C(GET) by default.
        type: str
        choices: [GET, HEAD]
      headers:
        description: Headers that are sent over HTTP. A redirect to another host does not get them.
        type: dict
      status:
        description: Statuses that are good for an V(http) check; 200 to 299 by default.
        type: list
        elements: int
      contains:
        description: Text that the body of an V(http) check, the output of an V(exec) check, or one of the last 20 log
          lines of a V(job) check must contain.
        type: str
      expect_headers:
        description: Headers of the answer of an V(http) or V(headers) check with their exact values.
        type: dict
      redirects:
        description: Redirects that an V(http) check follows; by default none, so that a redirect is the answer.
        type: int
      validate_certs:
        description: Whether the server's certificate is verified; it is by default. A V(tls) check always does.
        type: bool
      ca_cert:
        description: File with the certificate authority of the server.
        type: path
      host:
        description: Host of a V(tcp) check. Of a V(tls) check also the name that the certificate must show.
        type: str
      port:
        description: Port of a V(tcp) or V(tls) check, 443 by default for V(tls). With a tunnel its port is used when
          it names one.
        type: int
      min_lifetime:
        description: Least share of the certificate's lifetime that must be left for a V(tls) check; 0.1 by default.
        type: float
      min_version:
        description: Oldest version of the protocol that a V(tls) check accepts; C(TLSv1.2) by default.
        type: str
        choices: [TLSv1.2, TLSv1.3]
      postgresql:
        description: Where and as whom a V(sql) check connects. What is left out comes from the environment (E(PGHOST)
          and so on).
        type: dict
        suboptions:
          host:
            description: Name or address of the server. With a tunnel only the name that its certificate must show.
            type: str
          port:
            description: Port of the server.
            type: int
          database:
            description: Name of the database.
            type: str
          user:
            description: Name of the role.
            type: str
          password:
            description: Password of the role.
            type: str
          password_secret:
            description: Key of a Kubernetes Secret that holds the password.
            type: dict
            suboptions:
              namespace:
                description: Namespace of the Secret. Without it the namespace of the tunnel.
                type: str
              name:
                description: Name of the Secret.
                type: str
                required: true
              key:
                description: Key inside the Secret.
                type: str
                default: password
              user_key:
                description: Key inside the Secret that holds the name of the role, which outranks C(user).
                type: str
          sslmode:
            description: How much TLS is asked for, as in libpq.
            type: str
            choices: [disable, allow, prefer, require, verify-ca, verify-full]
          sslrootcert:
            description: File with the certificate authority of the server.
            type: path
          ca_secret:
            description: Key of a Kubernetes Secret that holds the certificate authority of the server.
            type: dict
            suboptions:
              namespace:
                description: Namespace of the Secret. Without it the namespace of the tunnel.
                type: str
              name:
                description: Name of the Secret.
                type: str
                required: true
              key:
                description: Key inside the Secret.
                type: str
                default: ca.crt
          connect_timeout:
            description: Not used here; the time of a look bounds it.
            type: int
            default: 10
      ready:
        description:
          - Let a V(sql) check ask only whether the server accepts sessions, as C(pg_isready) does. A server that
            answers and refuses the password accepts sessions.
        type: bool
      query:
        description: Query of a V(sql) check, or instant query of a V(prometheus) check. All its values are judged.
        type: str
      min_rows:
        description: Least number of rows of a V(sql) check.
        type: int
      max_rows:
        description: Greatest number of rows of a V(sql) check.
        type: int
      expect:
        description: Values of the first row of a V(sql) check, of the object of a V(kube) check, or of the last log
          line of a V(job) check that is a JSON object.
        type: list
        elements: dict
        suboptions:
          name:
            description: Column, or path of the field such as C(status.readyReplicas).
            type: str
            required: true
          equals:
            description: The value it must have.
            type: raw
          min:
            description: Least number.
            type: float
          max:
            description: Greatest number.
            type: float
      object:
        description: Object of a V(kube) or V(pod_security) check.
        type: dict
        suboptions:
          api_version:
            description: API version.
            type: str
            default: apps/v1
          kind:
            description: Kind.
            type: str
            default: Deployment
          namespace:
            description: Namespace, for kinds that have one.
            type: str
          name:
            description: Name.
            type: str
            required: true
      conditions:
        description: Status conditions of the object of a V(kube) check with their wanted status.
        type: dict
      rolled_out:
        description:
          - Whether the object of a V(kube) check must be rolled out completely (Deployment, StatefulSet, DaemonSet,
            Pod).
        type: bool
      max_restarts:
        description: Restarts that the containers of the object's present pods may have had in all.
        type: int
      login:
        description: Who asks the Prometheus server.
        type: dict
        suboptions:
          username:
            description: Name for basic authentication.
            type: str
          password_secret:
            description: Key of a Kubernetes Secret that holds the password.
            type: dict
            suboptions:
              namespace:
                description: Namespace of the Secret. Without it the namespace of the tunnel.
                type: str
              name:
                description: Name of the Secret.
                type: str
                required: true
              key:
                description: Key inside the Secret.
                type: str
                required: true
          token_secret:
            description: Key of a Kubernetes Secret that holds a bearer token.
            type: dict
            suboptions:
              namespace:
                description: Namespace of the Secret. Without it the namespace of the tunnel.
                type: str
              name:
                description: Name of the Secret.
                type: str
                required: true
              key:
                description: Key inside the Secret.
                type: str
                required: true
      min:
        description: Least value of a V(prometheus) query.
        type: float
      max:
        description: Greatest value of a V(prometheus) query. Of a V(capacity) check the greatest share of a quota
          that may be used; 0.9 by default.
        type: float
      kpi:
        description:
          - Key figure that a V(prometheus) query gives, with its bands for target, warning and critical.
          - V(latency_p95) 0.5, 1, 2 seconds; V(errors) 0.001, 0.005, 0.01; V(uptime) 0.999, 0.995, 0.99; V(cpu) 0.7,
            0.8, 0.9 and V(memory) 0.8, 0.85, 0.95 of the limit.
        type: str
        choices: [latency_p95, errors, uptime, cpu, memory]
      band:
        description: Bounds in place of those of O(checks[].kpi), or all three without one.
        type: dict
        suboptions:
          target:
            description: What is aimed at.
            type: float
          warning:
            description: Beyond this the value warns.
            type: float
          critical:
            description: Beyond this the value is critical.
            type: float
      fails_at:
        description: Bound of the band beyond which a look is bad; V(critical) by default.
        type: str
        choices: [target, warning, critical]
      counters:
        description:
          - Let a V(prometheus) check test the share of bad events by a sequential test. The raw counters are
            differenced here, so that resets and counters that begin with their first event are counted.
          - It fails as soon as the test does, and passes when the test does after at least two scrapes.
        type: dict
        suboptions:
          bad:
            description: Selector of the counters of bad events.
            type: str
            required: true
          total:
            description: Selector of the counters of all events.
            type: str
            required: true
          preset:
            description: Shares of the test; V(errors) 0.2 and 2 percent, V(errors_strict) 0.1 and 1 percent.
            type: str
            choices: [errors, errors_strict, slow_p99, slow_p95]
            default: errors
          p0:
            description: Greatest share that is acceptable, in place of the preset's.
            type: float
          p1:
            description: Least share that is not acceptable, in place of the preset's.
            type: float
          alpha:
            description: Chance to fail a release at O(checks[].counters.p0), shared with the other tests of the gate.
            type: float
            default: 0.001
          beta:
            description: Chance to pass a release at O(checks[].counters.p1).
            type: float
            default: 0.05
          effect:
            description:
              - Size of the bursts in which bad events come (design effect); 1 when they are independent.
              - By default what O(checks[].counters.old) shows, and 3 without it. The result tells which it was.
            type: float
          old:
            description:
              - Counters of the old release, of which the effect is estimated when the gate begins, from 1 to 10. Beyond
                that it had outages, and a test that allowed for them would hardly see one of the new release.
              - With fewer than 10 bad events, or in fewer than 20 scrapes, they tell too little.
            type: dict
            suboptions:
              bad:
                description: Selector of the counters of bad events.
                type: str
                required: true
              total:
                description: Selector of the counters of all events.
                type: str
                required: true
              seconds:
                description: How far back they are read; at most 21600.
                type: float
                default: 3600
      low_sample:
        description:
          - Load of the gate's own for O(checks[].counters), when users cause too few events for a verdict within
            O(timeout). It begins when that is seen, goes on until the gate ends, and is told in the result. The release
            counts these requests like all others.
          - Without it such a gate is inconclusive (V(low_sample)).
        type: dict
        suboptions:
          url:
            description: Address of the release that is gated.
            type: str
          tunnel:
            description: Way to the release, as O(checks[].tunnel).
            type: dict
            suboptions:
              namespace:
                description: Namespace of the Service or pod.
                type: str
                required: true
              service:
                description: Name of the Service.
                type: str
              pod:
                description: Name of the pod.
                type: str
              port:
                description: Number or name of the port.
                type: str
          path:
            description: Path with a tunnel, in place of a whole address.
            type: str
          rate:
            description: Most requests a second. Only as many are sent as are missing.
            type: float
            default: 20
          headers:
            description: Headers that are sent.
            type: dict
          validate_certs:
            description: Whether the release's certificate is verified.
            type: bool
            default: true
          ca_cert:
            description: File with the certificate authority of the release.
            type: path
      gauges:
        description:
          - Let a V(prometheus) check compare values of the new release with those of the old one at the same time by
            ranks. It looks once, when there are enough values, and fails when new is worse by chance and by size.
        type: dict
        suboptions:
          old:
            description: Query for the old release. Values of several series are averaged.
            type: str
            required: true
          new:
            description: Query for the new release.
            type: str
            required: true
          worse:
            description: Which direction is bad.
            type: str
            choices: [higher, lower]
            default: higher
          samples:
            description: Values on each side, one a scrape; at least 7.
            type: int
            default: 20
          least_cles:
            description: Least chance that a value of new is worse than one of old, for a failure.
            type: float
            default: 0.7
          least_change:
            description: Least difference as a share of old's median, for a failure.
            type: float
            default: 0.25
          alpha:
            description: Chance to fail a release that is not worse, shared with the other tests of the gate.
            type: float
            default: 0.001
      scrape_interval:
        description: Seconds between scrapes for a V(prometheus) check. By default it is seen from the samples.
        type: float
      stale_after:
        description: Age in seconds of the newest sample beyond which a V(prometheus) check can tell nothing; by default
          three scrapes, at least 15 seconds.
        type: float
      namespace:
        description: Namespace of a V(job), V(exec), V(rights) or V(capacity) check.
        type: str
      definition:
        description: Manifest of the Job of a V(job) check. It runs once for each gate; with the last look it is judged.
        type: dict
      pod:
        description: Pod of an V(exec) check.
        type: str
      labels:
        description: Labels of the pods of an V(exec) check; the newest ready one is taken.
        type: dict
      container:
        description: Container of an V(exec) check. Without it the pod's default one.
        type: str
      command:
        description: Command of an V(exec) check with its arguments. It runs at every look. One that takes
          longer than O(checks[].timeout) is killed where the container has a shell.
        type: list
        elements: str
      exit_code:
        description: Exit code that an V(exec) check wants; 0 by default.
        type: int
      level:
        description: Pod Security Standard of a V(pod_security) check; V(restricted) by default.
        type: str
        choices: [baseline, restricted]
      service_account:
        description: Service account of a V(rights) check; C(default) by default.
        type: str
      denied:
        description: Rights that the service account of a V(rights) check must not have. By default those that would let
          an app that was broken into take over more than itself.
        type: list
        elements: dict
        suboptions:
          verb:
            description: Verb.
            type: str
            required: true
          resource:
            description: Resource in its plural form, with a subresource after a slash.
            type: str
            required: true
          group:
            description: API group.
            type: str
            default: ''
          namespace:
            description: Namespace. Without it that of the check.
            type: str
      approval:
        description: Approval that an V(approval) check asks for. Without it the check fails.
        type: dict
        suboptions:
          by:
            description: Who approved.
            type: str
            required: true
          until:
            description: Until when it holds, with the offset to UTC, such as C(2026-03-01T18:00:00+01:00).
            type: str
            required: true
          reference:
            description: Where it is recorded, such as a ticket or a job of AWX.
            type: str
          release:
            description: Release that was approved. Without it every one.
            type: str
      release:
        description: Release that an V(approval) check is about.
        type: str
  profile:
    description:
      - Checks and strictness for O(app), beside O(checks).
      - V(mvp) asks whether the app works and fails at critical bounds; 5 looks, one a second.
      - V(standard) adds function and performance, and fails when a warning bound is passed over the dwell of 30 looks,
        one in 2 seconds.
      - V(enterprise) adds security, capacity and an approval; 60 looks, one in 2 seconds.
    type: str
    choices: [mvp, standard, enterprise]
  app:
    description: The app that O(profile) makes checks for. What is not given is not checked.
    type: dict
    suboptions:
      namespace:
        description: Namespace of the app.
        type: str
      service:
        description: Service that is asked through a tunnel, such as the preview. Without it O(app.url) is asked.
        type: str
      old_service:
        description:
          - Service of the old release, which gets the same load through a tunnel. It tells a fault of the new release
            from one that both share.
        type: str
      port:
        description: Number or name of the Service's port. Not needed for a Service with one port.
        type: str
      url:
        description: Address of the app for clients. Certificate and headers are checked there.
        type: str
      workload:
        description: Deployment that must be rolled out without restarts.
        type: str
      ready_path:
        description: Path that answers 200 to 299 when the app is ready.
        type: str
        default: /
      paths:
        description: Paths that must answer 200 to 299. The first one gets the load.
        type: list
        elements: str
      prometheus:
        description: Server that knows the app's errors, latency, CPU and memory.
        type: dict
        suboptions:
          url:
            description: Address of the server without C(/api/v1).
            type: str
          tunnel:
            description: Way to the server through the Kubernetes API.
            type: dict
            suboptions:
              namespace:
                description: Namespace of the Service or pod.
                type: str
                required: true
              service:
                description: Name of the Service.
                type: str
              pod:
                description: Name of the pod.
                type: str
              port:
                description: Number or name of the port.
                type: str
          matchers:
            description: Matchers of the app's series, such as C(namespace="shop",pod=~"shop-green-.*").
            type: str
            required: true
          old_matchers:
            description: The same of the old release, whose bursts of errors the test of the new one then allows for.
            type: str
      service_account:
        description: Service account of the app's pods.
        type: str
        default: default
      approval:
        description: Approval of the release.
        type: dict
        suboptions:
          by:
            description: Who approved.
            type: str
            required: true
          until:
            description: Until when it holds, with the offset to UTC, such as C(2026-03-01T18:00:00+01:00).
            type: str
            required: true
          reference:
            description: Where it is recorded, such as a ticket or a job of AWX.
            type: str
          release:
            description: Release that was approved. Without it every one.
            type: str
      release:
        description: Release that the approval must be for.
        type: str
  overrides:
    description:
      - Options for checks of the profile by their name, in place of its own. V(false) leaves a check out.
    type: dict
  consecutive:
    description: Good looks in a row that every check needs. By default the profile's, or 3.
    type: int
  interval:
    description: Seconds from one look to the next. By default the profile's, or 1.
    type: float
  timeout:
    description: Seconds for the whole gate. By default the profile's, or 60.
    type: float
  failures:
    description: Bad looks in a row of one check that fail the gate at once. 0 waits for O(timeout). By default the
      profile's, or 0.
    type: int
  min_score:
    description: Least RV(score); a gate below it fails even when every critical check passed.
    type: float
    default: 0
  after_shift:
    description: Whether the app takes live traffic. It decides what is done where nothing could be told.
    type: bool
    default: false
  on_inconclusive:
    description:
      - What an inconclusive gate leads to - C(abort), C(hold) or C(return). It comes back as RV(action), for the play
        that decides. C(extend) gives the gate O(timeout) once more, then C(hold) after the shift and C(abort) before.
      - One for all reasons, or a dictionary with the reasons of RV(reasons) as keys.
      - By default C(extend) for C(low_sample) and C(undecided), and for C(infra_noise) before the shift; for the rest
        C(abort) before the shift and C(hold) after it.
    type: raw
extends_documentation_fragment:
  - golive.cutover.kube
attributes:
  check_mode:
    description: Checks only read, so they run in check mode too.
    details: Jobs and commands may write, so they do not run; their checks pass then.
    support: partial
  diff_mode:
    description: It changes nothing, so there is nothing to show.
    support: none
  idempotent:
    description: It changes nothing.
    support: full
requirements:
  - psycopg2 >= 2.9 for checks of kind sql
  - websocket-client for tunnels and checks of kind exec
notes:
  - The options that reach the cluster are used by checks of kind V(kube), by tunnels and by Secrets.
seealso:
  - module: golive.cutover.kube_track
  - module: golive.cutover.traffic_switch
"""

EXAMPLES = r"""
- name: Gate the standby of shop before it takes traffic
  golive.cutover.health_gate:
    checks:
      - name: answers
        kind: http
        path: /readyz
        tunnel: {namespace: shop, service: shop-green}
        max_latency: 0.5
        expect_headers: {X-App-Version: "2.0.0"}
      - name: up without restarts
        kind: kube
        object: {namespace: shop, name: shop-green}
        rolled_out: true
        max_restarts: 0
      - name: database answers
        kind: sql
        tunnel: {namespace: shop, service: shop-postgres}
        postgresql: {database: shop, user: shop, password_secret: {name: shop-postgres}}
        query: SELECT count(*) AS sessions FROM pg_stat_activity
        expect:
          - {name: sessions, max: 80}
    consecutive: 3
    timeout: 60

- name: Put the standby of shop under load beside the live colour
  golive.cutover.health_gate:
    checks:
      - name: holds
        kind: load
        path: /notes
        tunnel: {namespace: shop, service: shop-green}
        load:
          rate: 20
          slow: [{preset: slow_p99}, {preset: slow_p95}]
          compare: {tunnel: {namespace: shop, service: shop-blue}}
    timeout: 300

- name: Gate live traffic by what Prometheus counts, and hold where it can tell nothing
  golive.cutover.health_gate:
    checks:
      - name: errors
        kind: prometheus
        tunnel: {namespace: monitoring, service: prometheus}
        counters:
          bad: http_requests_total{namespace="shop",pod=~"shop-green-.*",code=~"5.."}
          total: http_requests_total{namespace="shop",pod=~"shop-green-.*"}
      - name: latency
        kind: prometheus
        tunnel: {namespace: monitoring, service: prometheus}
        query: app:http_latency_seconds:p95_5m{app="shop"}
        kpi: latency_p95
        fails_at: warning
    after_shift: true
    on_inconclusive: {provider_down: hold, no_data: return}
    timeout: 300

- name: Gate the standby as strictly as an enterprise asks for
  golive.cutover.health_gate:
    profile: enterprise
    app:
      namespace: shop
      service: shop-green
      workload: shop-green
      url: https://shop.example.org
      ready_path: /readyz
      paths: [/, /api/items]
      approval: {by: A. Person, until: "2026-03-01T18:00:00+01:00", reference: CHG-1042}
    overrides:
      capacity: {max: 0.8}
      headers: false
"""

RETURN = r"""
verdict:
  description: V(pass), V(fail) or V(inconclusive).
  returned: when the gate ran
  type: str
reasons:
  description:
    - Why the gate is inconclusive. V(provider_down) when the way to the thing is broken or its newest sample is too
      old, V(no_data) when it answers without data, V(low_sample) when the time was too short, V(infra_noise) when the
      infrastructure failed, V(undecided) when a test stood between its bounds for too long.
  returned: when the gate ran
  type: list
  elements: str
action:
  description: What O(on_inconclusive) says of the strongest reason; V(return), V(abort) or V(hold).
  returned: when the gate is inconclusive
  type: str
extended:
  description: Whether an inconclusive gate was given its time once more.
  returned: when the gate ran
  type: bool
seconds:
  description: Seconds that the gate took.
  returned: when the gate ran
  type: float
score:
  description: Weight of the checks that passed, in percent of the weight of all.
  returned: when the gate ran
  type: float
ledger:
  description:
    - What V(load) checks sent, by stream. Numbers of requests that were sent, answered (C(ok)), failed by kind, by
      identity and by pod, kept connections that were reopened, requests that this machine sent late, and percentiles of
      the latency in milliseconds. None without a V(load) check.
  returned: when the gate ran
  type: dict
series:
  description: The same by the second, as C(t) in Unix seconds, C(ok) by identity, C(failed) by kind and percentiles.
  returned: when the gate ran
  type: list
  elements: dict
downtime_ms:
  description: Milliseconds in which a V(load) check got no service. None without one.
  returned: when the gate ran
  type: float
checks:
  description: Every check with its numbers.
  returned: when the gate ran
  type: list
  elements: dict
  contains:
    name:
      description: Name of the check.
      type: str
    kind:
      description: Kind of the check.
      type: str
    critical:
      description: Whether the gate fails with it.
      type: bool
    weight:
      description: Its part in the score.
      type: float
    verdict:
      description: V(pass), V(fail) or V(inconclusive).
      type: str
    reason:
      description: Why it is inconclusive.
      type: str
    attempts:
      description: Number of looks.
      type: int
    passed:
      description: Number of good looks.
      type: int
    in_a_row:
      description: Good looks in a row at the end.
      type: int
    needed:
      description: Good looks in a row that were needed.
      type: int
    last:
      description: The last look, whether it was good (C(ok)), what was C(seen) and the C(values).
      type: dict
    latency_ms:
      description: Least, median and greatest time of an answer in milliseconds.
      type: dict
    threshold:
      description: What answers were held against.
      type: dict
    failed:
      description: What was seen in bad looks and how many times, the most frequent first.
      type: list
      elements: dict
faults:
  description: Wrong settings with their paths.
  returned: when settings are wrong
  type: list
  elements: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._core.finish import finish
from ansible_collections.golive.cutover.plugins.module_utils._core.redaction import mask_text, mask_value
from ansible_collections.golive.cutover.plugins.module_utils._gate.checks import read_checks
from ansible_collections.golive.cutover.plugins.module_utils._gate.gate import Rules, rule_faults, run_gate
from ansible_collections.golive.cutover.plugins.module_utils._gate.policy import read_policy
from ansible_collections.golive.cutover.plugins.module_utils._gate.profiles import PROFILES, profile_rows, rules_of
from ansible_collections.golive.cutover.plugins.module_utils._gate.reach import Reach
from ansible_collections.golive.cutover.plugins.module_utils._gate.spec import app_spec, check_options
from ansible_collections.golive.cutover.plugins.module_utils._kube.lease_kept import under_lease
from ansible_collections.golive.cutover.plugins.module_utils._kube.spec import kube_spec

SPEC: dict[str, Any] = {
    "argument_spec": {
        **kube_spec(),
        "checks": {"type": "list", "elements": "dict", "options": check_options()},
        "profile": {"type": "str", "choices": list(PROFILES)},
        **app_spec(),
        "overrides": {"type": "dict"},
        "consecutive": {"type": "int"},
        "interval": {"type": "float"},
        "timeout": {"type": "float"},
        "failures": {"type": "int"},
        "min_score": {"type": "float", "default": 0},
        "after_shift": {"type": "bool", "default": False},
        "on_inconclusive": {"type": "raw"},
    },
    "required_one_of": [("checks", "profile")],
    "supports_check_mode": True,
}


@under_lease
def run(call: Call) -> dict[str, Any]:
    """The result as documented; raises GoliveError."""
    params = call.params
    made, faults = profile_rows(params)
    chosen = {**params, **rules_of(params)}
    checks, more = read_checks(params["checks"] or [], made, chosen["timeout"])
    policy, wrong = read_policy(params["on_inconclusive"], params["after_shift"])
    if not checks and not faults:
        faults.append("checks is empty: a gate without checks would always pass")
    faults += more + rule_faults(chosen, checks) + wrong
    if faults:
        raise GoliveError(
            "invalid",
            f"Cannot run the gate, {len(faults)} settings are wrong: {'; '.join(faults)}.",
            "Correct these options.",
            {"faults": faults},
        )
    rules = Rules(
        chosen["consecutive"],
        chosen["interval"],
        chosen["timeout"],
        chosen["failures"],
        extend=policy.extends,
        min_score=params["min_score"],
    )
    with Reach(call) as reach:
        try:
            result: dict[str, Any] = mask_value(run_gate(reach.call, reach, checks, rules), reach.secrets)
        except GoliveError as error:
            told = {}
            if error.code == "gate_inconclusive":
                told = {"action": policy.action(error.details["reasons"])}
            details = mask_value({**error.details, **told}, reach.secrets)
            raise GoliveError(error.code, mask_text(error.message, reach.secrets), error.hint, details) from None
    return {"changed": False, **result}


def main() -> None:
    """Run as a module."""
    finish(AnsibleModule(**SPEC), run)


if __name__ == "__main__":
    main()
