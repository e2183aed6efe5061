"""A pack on engines' workers, which have no other Python: Spark's and Dask's own, from PyPI."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time

import pytest

from support.needs import FULL_ONLY, LINUX_ONLY, ROOT_ONLY, needs, which
from support.packs import Packed, run
from support.patience import PATIENCE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Result

    Host = tuple[list[str], str]  # what runs a command there, and its address

pytestmark = [LINUX_ONLY, pytest.mark.real]

SHORT = """
import json, sys
from distributed import Client

def where():
    import sys, alpha
    return sys.prefix, alpha.__file__

if __name__ == "__main__":
    with Client(sys.argv[1], timeout=120) as client:
        client.wait_for_workers(1, timeout=120)
        client.get_versions(check=True)
        print(json.dumps(client.submit(where).result()))
"""

DASK = """
import json, os, signal, subprocess, sys, time
from distributed import Client

def where():
    import os, sys, alpha
    return sys.prefix, alpha.__file__, os.getpid()

if __name__ == "__main__":
    client = Client(sys.argv[1], timeout=120)
    client.wait_for_workers(2, timeout=120)
    client.get_versions(check=True)
    took = []
    for _ in range(2):
        began = time.monotonic()
        client.submit(where, pure=False).result()
        took.append(round(time.monotonic() - began, 3))
    before = client.run(where)
    killed = next(iter(before.values()))[2]
    os.kill(killed, signal.SIGKILL)
    while True:
        now = client.run(where, on_error="ignore")
        if len(now) == 2 and killed not in [one[2] for one in now.values() if one]:
            break
        time.sleep(0.2)
    alike = [sorted(one[:2] for one in found.values()) for found in (before, now)]
    print(json.dumps([*alike, took]))
"""
SPARK = """
import json, sys, time
import pandas as pd
from pyspark.sql import SparkSession
from pyspark.sql.functions import pandas_udf

def where(_):
    import os, sys, alpha, pyarrow
    yield sys.prefix, alpha.__file__, sys.version.split()[0], os.environ.get("PATH", "")

spark = SparkSession.builder.getOrCreate()

@pandas_udf("double")
def twice(numbers: pd.Series) -> pd.Series:
    return numbers * 2

took = []
for _ in range(2):
    began = time.monotonic()
    found = spark.sparkContext.parallelize(range(8), 8).mapPartitions(where).collect()
    took.append(round(time.monotonic() - began, 2))
total = spark.range(5).select(twice("id").alias("x")).toPandas()["x"].sum()
print("FOUND", json.dumps([sorted(set(map(tuple, found))), float(total), took]))
spark.stop()
"""


TOOLS = (
    *("bash", "basename", "cat", "chmod", "cp", "dirname", "env", "getconf", "grep", "gzip", "id"),
    *("java", "ln", "ls", "mkdir", "mv", "nice", "ps", "rm", "sed", "setsid", "sh", "tar", "tr"),
    *("uname", "whoami"),
)


def test_dask_runs_a_function_on_a_worker_that_has_the_pack_alone(
    bubble: Callable[..., Result], tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    home = str(tmp_path_factory.getbasetemp() / "store-of-packs")
    packing = Packed(bubble, str(tmp_path / "made"), "distributed", home=home)
    node = f"{tmp_path}/a node/env"
    os.makedirs(os.path.dirname(node))
    packing.ok("unpack", packing.pack("--for", "dask"), node)
    found = _dask(SHORT, [node], tmp_path, "--no-nanny")
    assert found == [node, f"{_site(node, packing)}/alpha/__init__.py"]


@ROOT_ONLY
@needs("ip")
@FULL_ONLY
def test_dask_schedules_on_two_hosts_that_have_the_pack_alone(
    bubble: Callable[..., Result], tmp_path: Path
) -> None:
    packing = Packed(bubble, str(tmp_path / "made"), "distributed")
    archive = packing.pack("--for", "dask")
    nodes = [f"{tmp_path}/node {n}/env" for n in (1, 2)]
    began = time.monotonic()
    for node in nodes:
        os.makedirs(os.path.dirname(node))
        packing.ok("unpack", archive, node)
    took = (time.monotonic() - began) / 2
    # the page's figures: -s
    print(f"dask: {os.path.getsize(archive) >> 20} MiB, unpacked in {took:.2f} s")
    expected = [[node, f"{_site(node, packing)}/alpha/__init__.py"] for node in nodes]
    with _two_hosts() as hosts:
        *found, took_each = _dask(DASK, nodes, tmp_path, hosts=hosts)
    print(f"the first and the second task: {took_each}")
    assert found == [expected, expected]


def _site(node: str, packing: Packed) -> str:
    return f"{node}/lib/python{packing.version.rpartition('.')[0]}/site-packages"


@contextlib.contextmanager
def _two_hosts() -> Iterator[list[Host]]:
    """Make two network namespaces with a cable between them, and nothing else in reach."""
    ip = str(which("ip"))
    names = [f"bubble-{os.getpid()}-{number}" for number in (1, 2)]
    addresses = ("10.77.0.1", "10.77.0.2")
    try:
        for name in names:
            subprocess.run([ip, "netns", "add", name], check=True)
        cable = ["link", "add", "eth0", "netns", names[0], "type", "veth"]
        subprocess.run([ip, *cable, "peer", "name", "eth0", "netns", names[1]], check=True)
        for name, address in zip(names, addresses, strict=True):
            for words in (
                ["addr", "add", f"{address}/24", "dev", "eth0"],
                ["link", "set", "lo", "up"],
                ["link", "set", "eth0", "up"],
            ):
                subprocess.run([ip, "-n", name, *words], check=True)
        yield [([ip, "netns", "exec", n], a) for n, a in zip(names, addresses, strict=True)]
    finally:
        for name in names:
            subprocess.run([ip, "netns", "del", name], check=False)


def _dask(
    job: str, nodes: list[str], tmp_path: Path, *words: str, hosts: list[Host] | None = None
) -> list[object]:
    """Start a scheduler, and a worker of each node's pack; return what the job prints.

    Each node is on its host, by default on this one; scheduler and job are on the first.
    """
    hosts = hosts or [([], "127.0.0.1")] * len(nodes)
    within, host = hosts[0]
    script = str(tmp_path / "job.py")
    with open(script, "w", encoding="utf-8") as file:
        file.write(job)
    address = f"{tmp_path}/scheduler.json"
    commands = [
        [*within, f"{nodes[0]}/bin/dask", "scheduler", "--host", host, "--port", "0",
         "--no-dashboard", "--scheduler-file", address],
        *([*there, f"{node}/bin/dask", "worker", "--scheduler-file", address, "--nthreads", "1",
           "--host", its, "--no-dashboard", "--local-directory", f"{node}.scratch", *words]
          for node, (there, its) in zip(nodes, hosts, strict=True)),
    ]  # fmt: skip
    env = {"PATH": "/nothing", "LC_ALL": "C.UTF-8", "HOME": str(tmp_path)}
    running = [
        subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL, start_new_session=True)
        for command in commands
    ]
    try:
        found: list[object] = json.loads(
            run(*within, f"{nodes[0]}/bin/python", script, _address(address))
        )
    finally:
        for process in running:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()
    return found


def _address(path: str) -> str:
    """Return the address that a scheduler has written, as soon as it has."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            with open(path, encoding="utf-8") as file:
                return str(json.load(file)["address"])
        except (OSError, ValueError):
            time.sleep(0.1)
    raise AssertionError("the scheduler hasn't come up")


@needs("java")
@pytest.mark.parametrize("cluster", ["local-cluster", "standalone"])
@FULL_ONLY  # the nearest: what it needs is asked for only then
def test_spark_runs_its_executors_in_the_pack(
    cluster: str, bubble: Callable[..., Result], tmp_path: Path
) -> None:
    packing = Packed(bubble, str(tmp_path / "made"), "pyspark>=4", "pandas<3", "pyarrow")
    archive = packing.pack("--for", "spark", "--exclude", "lib/*/site-packages/pyspark/*")
    script = str(tmp_path / "job.py")
    with open(script, "w", encoding="utf-8") as file:
        file.write(SPARK)
    spark = f"{packing.site}/pyspark"
    # hosts without any Python: what is on PATH are the programs that Spark's scripts call
    tools = f"{tmp_path}/tools"
    os.mkdir(tools)
    for tool in TOOLS:
        found = subprocess.run(["which", tool], capture_output=True, text=True, check=False).stdout
        if found:
            os.symlink(found.strip(), f"{tools}/{tool}")
    env = {
        "PATH": tools, "HOME": str(tmp_path), "SPARK_HOME": spark, "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_WORKER_DIR": f"{tmp_path}/jobs", "LC_ALL": "C.UTF-8",
    }  # fmt: skip
    running: list[subprocess.Popen[bytes]] = []
    master = "local-cluster[2,1,1024]"
    try:
        if cluster == "standalone":
            master = _standalone(spark, env, str(tmp_path), running)
        done = subprocess.run(
            [f"{spark}/bin/spark-submit", "--master", master, "--archives", f"{archive}#env",
             "--executor-memory", "512m", script],
            env={
                **env,
                "PYSPARK_DRIVER_PYTHON": f"{packing.environment}/bin/python",
                "PYSPARK_PYTHON": "./env/bin/python",
            },
            cwd=tmp_path, capture_output=True, text=True, timeout=900, check=False,
        )  # fmt: skip
    finally:
        for process in running:
            process.terminate()
            process.wait()
    said = [line for line in done.stdout.splitlines() if line.startswith("FOUND ")]
    assert said, (done.stdout, done.stderr)
    places, total, took = json.loads(said[0].removeprefix("FOUND "))
    # the page's figures: -s
    print(f"{cluster}: {os.path.getsize(archive) >> 20} MiB, the first and the second task: {took}")
    assert total == 20.0
    assert len(places) == 2
    for prefix, module, version, _ in places:
        assert prefix.endswith("/env")
        assert module.startswith(f"{prefix}/lib/")
        assert version == packing.version


def _standalone(
    spark: str, env: dict[str, str], scratch: str, running: list[subprocess.Popen[bytes]]
) -> str:
    """Start a master and two workers; return the master's address."""
    log = f"{scratch}/master.log"
    classes = "org.apache.spark.deploy"
    with open(log, "wb") as file:
        command = [f"{spark}/bin/spark-class", f"{classes}.master.Master", "--host", "127.0.0.1",
                   "--port", "0", "--webui-port", "0"]  # fmt: skip
        running.append(subprocess.Popen(command, env=env, stdout=file, stderr=file))
    address = _said(log, "Starting Spark master at ")
    for number in (1, 2):
        with open(f"{scratch}/worker{number}.log", "wb") as file:
            command = [f"{spark}/bin/spark-class", f"{classes}.worker.Worker", "--host",
                       "127.0.0.1", "--cores", "1", "--memory", "1g", "--webui-port", "0",
                       address]  # fmt: skip
            running.append(subprocess.Popen(command, env=env, stdout=file, stderr=file))
    for number in (1, 2):
        _said(f"{scratch}/worker{number}.log", "Successfully registered with master ")
    return address


def _said(log: str, words: str) -> str:
    """Return what a log says behind some words, as soon as it does."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with open(log, encoding="utf-8", errors="replace") as file:
            for line in file:
                if words in line:
                    return line.partition(words)[2].split()[0]
        time.sleep(0.2)
    raise AssertionError(f"{log} hasn't said: {words}")
