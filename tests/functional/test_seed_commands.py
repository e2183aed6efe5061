"""The pip of new environments, as a user meets it: given away, looked at, mended."""

from __future__ import annotations

import glob
import os
import subprocess

from support.environments import adopt_python, create
from support.needs import ROOT_ONLY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from support.environments import Bubble


def seed_file(home: str) -> str:
    [path] = glob.glob(f"{home}/seeds/pip-*/pip/__main__.py")
    return path


def planted(path: str) -> None:
    with open(path, "r+") as file:
        text = file.read()
        file.seek(0)
        file.write(f"print('planted')\n{text}")


@ROOT_ONLY
def test_who_is_given_one_environment_changes_no_other(bubble: Bubble, env: dict[str, str]) -> None:
    adopt_python(bubble)
    app, other, clone = create(bubble, "app"), create(bubble, "other"), "copy"
    assert bubble("clone", "app", clone).status == 0
    subprocess.run(["chown", "-R", "65534:65534", app], check=True)
    [mine] = glob.glob(f"{app}/lib/*/site-packages/pip/__main__.py")
    planted(mine)
    for name in ("other", clone, "new"):
        if name == "new":
            create(bubble, name)
        assert "planted" not in bubble("run", name, "python", "-m", "pip", "--version").out
    assert os.stat(seed_file(env["BUBBLE_HOME"])).st_uid == 0
    assert os.stat(f"{other}/bin/pip").st_uid == 0


def test_a_changed_seed_is_told_by_verify_and_by_the_doctor_and_mended_by_what_they_name(
    bubble: Bubble, env: dict[str, str]
) -> None:
    adopt_python(bubble)
    create(bubble, "one")
    path = seed_file(env["BUBBLE_HOME"])
    version = path.split("/pip-")[1].split("/")[0]
    assert f"pip-{version}: ok" in bubble("python", "verify").out
    planted(path)
    done = bubble("python", "verify", "--json")
    assert done.status == 1
    [row] = [row for row in done.json["data"] if row["key"] == f"pip-{version}"]
    assert (row["ok"], row["problems"]) == (False, [{"path": "pip/__main__.py", "what": "size"}])
    [found] = [
        f for f in bubble("doctor", "--json").json["data"]["findings"] if f["id"] == "seed.damaged"
    ]
    assert found["fix"] == "bubble python verify --repair"
    assert bubble("python", "verify", "--repair").status == 0
    assert bubble("python", "verify").status == 0
    with open(path) as file:
        assert "planted" not in file.read()


def test_what_is_asked_of_one_python_says_nothing_of_pip(
    bubble: Bubble, env: dict[str, str]
) -> None:
    version = adopt_python(bubble)
    create(bubble, "one")
    os.unlink(seed_file(env["BUBBLE_HOME"]))
    done = bubble("python", "verify", version)
    assert (done.status, "pip" in done.out + done.err) == (0, False)
