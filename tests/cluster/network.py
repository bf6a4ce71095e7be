# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The link between the machine and the cluster's network namespace, and NodePorts on 127.0.0.1.

A cluster lives in a network namespace of its own, so that the firewall rules of two kube-proxies never meet.
On the machine itself only one veth interface and three firewall rules exist for it, each marked with the cluster's tag.
"""

from __future__ import annotations

import ipaddress
import json
import socket
from collections.abc import Collection, Iterable
from pathlib import Path

from .progress import ClusterError, run
from .record import Record, cache_dir

SUBNETS = range(180, 250)
FIRST_PORTS = range(30000, 32700, 100)
PORT_COUNT = 60


def choose(name: str) -> tuple[int, int]:
    """A second octet of 10.0.0.0/8 that no route of the machine uses, and the first of PORT_COUNT free ports."""
    records = [json.loads(path.read_text()) for path in (cache_dir() / "clusters").glob("*/record.json")]
    others = [record for record in records if record["name"] != name]
    routes = run(["ip", "-4", "-o", "route", "show", "table", "all"])
    subnet = free_subnet(_destinations(routes), {record["subnet"] for record in others})
    return subnet, free_ports({record["first_port"] for record in others})


def free_subnet(destinations: Iterable[str], taken: Collection[int]) -> int:
    used = [ipaddress.ip_network(item, strict=False) for item in destinations]
    for octet in SUBNETS:
        if octet not in taken and not any(ipaddress.ip_network(f"10.{octet}.0.0/16").overlaps(net) for net in used):
            return octet
    raise ClusterError(f"no free network: every 10.N.0.0/16 with N from {SUBNETS[0]} to {SUBNETS[-1]} is in use")


def free_ports(taken: Collection[int]) -> int:
    for first in FIRST_PORTS:
        if first not in taken and all(_is_free(port) for port in range(first, first + PORT_COUNT)):
            return first
    raise ClusterError(f"no {PORT_COUNT} free TCP ports in a row between {FIRST_PORTS[0]} and {FIRST_PORTS[-1]}")


def connect(record: Record, pid: int) -> None:
    """Links the network namespace of process `pid`; safe to repeat after a failure because it removes first."""
    disconnect(record)
    inside = ["nsenter", "-t", str(pid), "-n"]
    run(["ip", "link", "add", record.link, "type", "veth", "peer", "name", "eth0", "netns", str(pid)])
    run(["ip", "address", "add", f"{record.host_address}/30", "dev", record.link])
    run(["ip", "link", "set", record.link, "up"])
    run([*inside, "ip", "address", "add", f"{record.node_address}/30", "dev", "eth0"])
    run([*inside, "ip", "link", "set", "eth0", "up"])
    run([*inside, "ip", "link", "set", "lo", "up"])
    # There is no way out, but the node's own processes need some route to a Service before kube-proxy redirects them.
    run([*inside, "ip", "route", "add", record.service_subnet, "via", record.host_address])
    # Only this interface may carry packets from 127.0.0.1; the setting disappears with it.
    Path(f"/proc/sys/net/ipv4/conf/{record.link}/route_localnet").write_text("1")
    for rule in rules(record):
        run(["iptables", "-w", "-t", "nat", *rule])


def rules(record: Record) -> list[list[str]]:
    """To NodePorts on 127.0.0.1, with a source address that the cluster can answer."""
    mark = ["-m", "comment", "--comment", record.tag]
    ports = f"{record.first_port}:{record.first_port + record.ports - 1}"
    forward = ["-j", "DNAT", "--to-destination", record.node_address]
    return [
        ["-A", "OUTPUT", "-d", "127.0.0.1/32", "-p", "tcp", "--dport", ports, *mark, *forward],
        ["-A", "POSTROUTING", "-s", "127.0.0.0/8", "-o", record.link, *mark, "-j", "MASQUERADE"],
    ]


def disconnect(record: Record) -> None:
    for line in firewall_lines(record):
        run(["iptables", "-w", "-t", "nat", "-D", *_words(line)[1:]])
    link = Path("/sys/class/net", record.link)
    if link.exists():
        try:
            run(["ip", "link", "delete", record.link])
        except ClusterError:
            # The kernel takes it away by itself when the namespace at its other end goes, which may be just now.
            if link.exists():
                raise


def firewall_lines(record: Record) -> list[str]:
    """Rules of this cluster as `iptables -S` prints them."""
    lines = run(["iptables", "-w", "-t", "nat", "-S"]).splitlines()
    return [line for line in lines if record.tag in [word.strip('"') for word in line.split()]]


def _words(line: str) -> list[str]:
    return [word.strip('"') for word in line.split()]


def _destinations(routes: str) -> list[str]:
    found = []
    for line in routes.splitlines():
        for word in line.split()[:2]:
            try:
                network = ipaddress.ip_network(word, strict=False)
            except ValueError:
                continue
            if network.version == 4:
                found.append(str(network))
            break
    return found


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
