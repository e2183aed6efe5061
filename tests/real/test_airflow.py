"""A task of Airflow's in an environment of bubble's: the DAG of the page. Airflow is PyPI's."""

from __future__ import annotations

import json
import os
import re
import subprocess

import pytest

from support.builds import interpreters
from support.needs import FULL_ONLY, LINUX_ONLY, not_here, real_uv
from support.packs import Packed, run
from support.pages import text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result

pytestmark = [LINUX_ONLY, pytest.mark.real]

PAGE, THERE = "docs/how-to/airflow.md", "/home/you/.local/share/bubble/envs/train"
# what the page's task returns, as the next one gets it
NEXT = """
    @task
    def keep(said):
        import json, os, sys
        with open(os.environ["KEPT"], "w", encoding="utf-8") as file:
            json.dump([said, sys.prefix], file)

    keep(trained.output)
"""


@FULL_ONLY
def test_airflow_runs_a_task_by_the_environments_python(
    bubble: Callable[..., Result], tmp_path: Path
) -> None:
    packing = Packed(bubble, str(tmp_path / "made"), "cowsay")
    airflow = _airflow(f"{tmp_path}/airflow", other_than=packing.version)
    shown = re.search(r"```python\n(.*?)```", text_of(PAGE), re.DOTALL)
    assert shown
    assert THERE in shown[1]
    os.makedirs(f"{tmp_path}/home/dags")
    with open(f"{tmp_path}/home/dags/train.py", "w", encoding="utf-8") as file:
        file.write("from airflow.sdk import task\n")
        file.write(shown[1].replace(THERE, packing.environment) + NEXT)
    env = {
        "AIRFLOW_HOME": f"{tmp_path}/home",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "HOME": str(tmp_path),
        "KEPT": f"{tmp_path}/kept.json",
    }
    run(f"{airflow}/bin/airflow", "db", "migrate", **env)
    said = run(f"{airflow}/bin/airflow", "dags", "test", "train", **env)
    assert os.path.exists(env["KEPT"]), said
    with open(env["KEPT"], encoding="utf-8") as file:
        (version, module, rows), prefix = json.load(file)
    assert version == packing.version
    assert module.startswith(f"{packing.site}/cowsay/")
    assert rows == 3
    assert os.path.realpath(prefix) == os.path.realpath(airflow)


def _airflow(directory: str, other_than: str) -> str:
    """Install Airflow into an environment of its own, on another Python."""
    fit = ("3.10.", "3.11.", "3.12.")
    others = [p for v, p in interpreters() if v.startswith(fit) and v != other_than]
    if not others:
        not_here("no second CPython for Airflow")
    run(f"{others[-1]}/bin/python3", "-m", "venv", "--without-pip", directory)
    done = subprocess.run(
        [real_uv(), "pip", "install", "-q", "--python", f"{directory}/bin/python",
         "apache-airflow>=3"], capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        not_here(f"an index with apache-airflow: {done.stderr[-300:]}")
    return directory
