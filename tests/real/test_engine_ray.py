"""Ray's tasks and actors in a pack, on two nodes whose Python lacks the packages. Ray is PyPI's."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile

import pytest

from bench.peers import index
from support.needs import FULL_ONLY, LINUX_ONLY, real_uv
from support.packs import Packed, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Result

pytestmark = [LINUX_ONLY, pytest.mark.real]

# what `docs/how-to/ray.md` shows
WORKER = """\
#!/bin/sh
{bubble} unpack {archive} {place} >&2 && exec {place}/bin/python "$@"
"""
JOB = """
import json, sys, time
import ray
from ray.cluster_utils import Cluster

def where():
    import sys
    import cowsay
    return sys.prefix, cowsay.__file__, ray.get_runtime_context().get_node_id()

class Counter:
    def __init__(self):
        self.count = 0

    def add(self):
        import sys
        self.count += 1
        return self.count, sys.prefix

if __name__ == "__main__":
    cluster = Cluster(initialize_head=True, head_node_args={
        "num_cpus": 1, "resources": {"first": 1}, "include_dashboard": False,
        "object_store_memory": 100 << 20})
    cluster.add_node(num_cpus=1, resources={"second": 1}, object_store_memory=100 << 20)
    ray.init(address=cluster.address, log_to_driver=False)
    found = {}
    for name, env in json.loads(sys.argv[1]).items():
        task = ray.remote(where)
        took, places = [], []
        # Ray's own ways on one node alone: nodes of one host would install into one directory
        for node in ("first", "first", "second") if "py_executable" in env else ("first", "first"):
            begun = time.monotonic()
            places.append(ray.get(task.options(runtime_env=env, resources={node: 1}).remote()))
            took.append(round(time.monotonic() - begun, 2))
        actor = ray.remote(Counter).options(runtime_env=env, num_cpus=0).remote()
        ray.get(actor.add.remote())
        found[name] = {"places": places, "took": took, "actor": ray.get(actor.add.remote())}
        ray.kill(actor)
    print(json.dumps(found))
    ray.shutdown()
    cluster.shutdown()
"""


@pytest.fixture
def scratch() -> Iterator[str]:
    """Return a directory whose name is short enough for Ray's sockets."""
    directory = tempfile.mkdtemp(prefix="ray", dir="/tmp")
    yield directory
    shutil.rmtree(directory)


@FULL_ONLY
def test_ray_runs_tasks_and_actors_in_the_pack(
    bubble: Callable[..., Result], tmp_path: Path, scratch: str
) -> None:
    packing = Packed(bubble, str(tmp_path / "made"), "ray[default]", "cowsay")
    archive = packing.pack("--for", "ray")
    # the nodes' own: the same Ray and Python, as it asks for, without the packages of the job
    nodes = f"{tmp_path}/nodes"
    run(f"{packing.environment}/bin/python", "-m", "venv", nodes)
    frozen = run(f"{packing.environment}/bin/pip", "freeze").splitlines()
    wanted = [line for line in frozen if not line.startswith(("alpha", "beta", "cowsay"))]
    subprocess.run(
        [real_uv(), "pip", "install", "-q", "--python", f"{nodes}/bin/python", *wanted], check=True
    )
    place, worker = f"{scratch}/train", f"{tmp_path}/worker"
    program = shutil.which("bubble", path=os.path.dirname(sys.executable))
    with open(worker, "w", encoding="utf-8") as file:
        file.write(WORKER.format(bubble=program, archive=archive, place=place))
    os.chmod(worker, 0o755)
    script = f"{tmp_path}/job.py"
    with open(script, "w", encoding="utf-8") as file:
        file.write(JOB)
    ways = {
        "pack": {"py_executable": worker},
        "unpacked": {"py_executable": f"{place}/bin/python"},
        "pip": {"pip": ["cowsay"]},
        "uv": {"uv": ["cowsay"]},
    }
    said = run(
        f"{nodes}/bin/python", script, json.dumps(ways), RAY_TMPDIR=scratch, HOME=str(tmp_path),
        RAY_USAGE_STATS_ENABLED="0", BUBBLE_HOME=f"{tmp_path}/worker's store", **index(os.environ),
    )  # fmt: skip
    found = json.loads(said.splitlines()[-1])
    for way in ("pack", "unpacked"):
        places = found[way]["places"]
        assert len({node for _, _, node in places}) == 2
        assert {prefix for prefix, _, _ in places} == {place}
        assert all(module.startswith(f"{place}/lib/") for _, module, _ in places)
        assert found[way]["actor"] == [2, place]
    for way in ("pip", "uv"):
        assert place not in {prefix for prefix, _, _ in found[way]["places"]}
    print({way: one["took"] for way, one in found.items()})  # the page's figures: -s
