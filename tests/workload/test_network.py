"""Messages between the jobs of a launch, on all levels; the switch by itself."""

from __future__ import annotations

import os
import random
import socket
import threading
from pathlib import Path

import pytest

from hcc.runtime.network import HEADER
from hcc.runtime.workload.switch import Switch
from tests.workload.tool import put_program, workload, write


def receive(stream: socket.socket) -> tuple[int, bytes] | None:
    def exactly(size: int) -> bytes:
        content = b""
        while len(content) < size:
            part = stream.recv(size - len(content))
            if not part:
                return b""
            content += part
        return content

    header = exactly(HEADER.size)
    if not header:
        return None
    size, node = HEADER.unpack(header)
    return None if size < 0 else (node, exactly(size))


def test_messages_of_any_size_arrive_in_order_at_whom_they_are_for() -> None:
    seed = random.randrange(1 << 32)
    print("seed", seed)
    chance = random.Random(seed)
    messages = [
        [(chance.randrange(3), chance.randbytes(chance.choice((0, 1, 100, 70_000))))
         for _ in range(60)]
        for _ in range(3)
    ]  # fmt: skip
    switch = Switch(range(3))
    ends = [switch.connect(node) for node in range(3)]
    switch.start()
    got: list[list[tuple[int, bytes]]] = [[], [], []]

    def speak(node: int) -> None:
        for to, text in messages[node]:
            ends[node].sendall(HEADER.pack(len(text), to) + text)

    def listen(node: int) -> None:
        for _ in range(sum(to == node for sent in messages for to, _ in sent)):
            message = receive(ends[node])
            assert message is not None
            got[node].append(message)

    threads = [threading.Thread(target=f, args=(n,)) for n in range(3) for f in (speak, listen)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    switch.close()
    for receiver in range(3):
        for sender in range(3):
            expected = [text for to, text in messages[sender] if to == receiver]
            assert expected == [text for node, text in got[receiver] if node == sender]


def test_who_is_left_alone_is_told_and_lost_nodes_cost_nothing() -> None:
    switch = Switch([0, 1, 2])
    first, second = switch.connect(0), switch.connect(1)
    switch.start()
    first.sendall(HEADER.pack(3, 7) + b"who" + HEADER.pack(2, 1) + b"hi")
    first.close()
    switch.ended(2)

    assert (0, b"hi") == receive(second)
    assert receive(second) is None
    switch.close()


@pytest.mark.parametrize("level", ["interp", "user", "native"])
def test_two_nodes_ping(level: str, tmp_path: Path) -> None:
    put_program(tmp_path, "ping")
    path = write(
        tmp_path, "w.yaml", """
        name: w
        bin: ping.hcc
        isas: [x86_64]
        testing: {runTimeout: 30}
        jobs:
          - {name: a, args: [3]}
          - {name: b}
          - {name: c}
        """,
    )  # fmt: skip
    (cell,) = workload("launch", "-a", "--json", "--level", level, path).json["cells"]

    logs = [(Path(job["folder"]) / "uartlog").read_text() for job in cell["jobs"]]
    assert ["ok"] * 3 == [job["state"] for job in cell["jobs"]], cell
    assert 6 == logs[0].count("bytes back")
    assert [f"node {n}: answered 3, then told to end\n" for n in (1, 2)] == logs[1:]


def test_a_node_whose_peer_is_not_launched_is_left_alone(tmp_path: Path) -> None:
    put_program(tmp_path, "ping")
    path = write(
        tmp_path, "w.yaml",
        "name: w\nbin: ping.hcc\nisas: x86_64\nlevels: native\n"
        "jobs: [{name: a}, {name: b}]\n",
    )  # fmt: skip
    (cell,) = workload("launch", "-j", "b", "--json", path).json["cells"]

    (job,) = cell["jobs"]
    expected = "node 1: answered 0, then nobody was left\n"
    assert expected == (Path(job["folder"]) / "uartlog").read_text()


def test_without_a_launch_there_is_no_network(tmp_path: Path) -> None:
    from hcc.runtime import network

    assert network.STREAM_VARIABLE not in os.environ
    with pytest.raises(OSError, match="no network"):
        network.send(0, b"x")
