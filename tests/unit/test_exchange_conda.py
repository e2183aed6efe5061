"""conda's files: names mapped where that is known, versions in PEP 440's words, nothing dropped."""

from __future__ import annotations

import fnmatch
import os
import tomllib
from typing import TYPE_CHECKING

import pytest
from packaging.requirements import Requirement

import bubble.projects.exchange as package
from bubble.model.errors import BubbleError
from bubble.model.package import canonical_name
from bubble.projects.exchange.conda import take_environment, take_list
from bubble.projects.exchange.conda_names import counterpart
from bubble.projects.exchange.conda_specs import parse_spec

if TYPE_CHECKING:
    from pathlib import Path

    from bubble.projects.exchange.taken import Taken

TABLE = os.path.join(os.path.dirname(package.__file__), "data", "conda-names.toml")

SPECS = {
    "numpy": ("numpy", "", ""),
    "numpy=1.26": ("numpy", "==1.26.*", ""),
    "numpy=1.26.*": ("numpy", "==1.26.*", ""),
    "numpy==1.26.4": ("numpy", "==1.26.4", ""),
    "numpy 1.26.4": ("numpy", "==1.26.4", ""),
    "numpy 1.26*": ("numpy", "==1.26.*", ""),
    "numpy=1.26.4=py312h02b7e37_0": ("numpy", "==1.26.4", "py312h02b7e37_0"),
    "numpy 1.26.4 py312h02b7e37_0": ("numpy", "==1.26.4", "py312h02b7e37_0"),
    "numpy>=1.20,<2": ("numpy", ">=1.20,<2", ""),
    "numpy >=1.20, <2": ("numpy", ">=1.20,<2", ""),
    "numpy>=1.20.*": ("numpy", ">=1.20", ""),
    "numpy!=1.24.*": ("numpy", "!=1.24.*", ""),
    "numpy~=1.20": ("numpy", "~=1.20", ""),
    "pyopengl=3.1.3b2": ("pyopengl", "==3.1.3b2", ""),
    "pyarrow=*=*cpu": ("pyarrow", "", "*cpu"),
    "numpy=*": ("numpy", "", ""),
    "numpy[version='>=1.20,<2',build=py*]": ("numpy", ">=1.20,<2", "py*"),
    'numpy[version=">=1.20"]': ("numpy", ">=1.20", ""),
    "conda-forge::NumPy=1.26": ("numpy", "==1.26.*", ""),
    "nvidia/label/cuda-11.8.0::cuda-nvcc": ("cuda-nvcc", "", ""),
    "ruamel.yaml=0.18": ("ruamel.yaml", "==0.18.*", ""),
    "_libgcc_mutex=0.1=main": ("_libgcc_mutex", "==0.1", "main"),
    "pytorch=2.1.0=py3.10_cuda11.8_cudnn8.7.0_0": (
        "pytorch",
        "==2.1.0",
        "py3.10_cuda11.8_cudnn8.7.0_0",
    ),
}


@pytest.mark.parametrize("text", SPECS)
def test_a_dependency_of_condas_is_understood(text: str) -> None:
    spec = parse_spec(text)
    assert spec is not None
    assert (spec.name, spec.version, spec.build) == SPECS[text]
    assert not spec.unclear
    Requirement(f"x{spec.version}")


@pytest.mark.parametrize(
    "text",
    [
        "numpy=1.26|1.25",
        "jpeg=9e",
        "openssl=1.1.1k",
        "tzdata=2021a",
        "x==1_2_b",
        "x=^1.2$",
        "a b c d",
    ],
)
def test_a_version_that_pep_440_has_no_words_for_is_said(text: str) -> None:
    spec = parse_spec(text)
    assert spec is not None
    assert spec.version == ""
    assert spec.unclear


@pytest.mark.parametrize(
    "text", ["", "- x", "x" * 501, "$(id)", "../x", "=1.2", "https://c.example/x.conda"]
)
def test_what_is_no_dependency_is_none(text: str) -> None:
    assert parse_spec(text) is None


@pytest.mark.parametrize(
    ("conda", "pypi"),
    [
        ("pytorch", "torch"),
        ("msgpack-python", "msgpack"),
        ("py-opencv", "opencv-python"),
        ("pytables", "tables"),
        ("matplotlib-base", "matplotlib"),
        ("Python-GraphViz", "graphviz"),
        ("ruamel_yaml", "ruamel-yaml"),
        ("typing_extensions", "typing-extensions"),
        ("ray-default", "ray[default]"),
        ("numpy", "numpy"),
    ],
)
def test_a_known_name_is_mapped(conda: str, pypi: str) -> None:
    found = counterpart(conda)
    assert found.name == pypi
    assert found.known


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("cudatoolkit", "CUDA"),
        ("cuda-nvcc", "CUDA"),
        ("gcc_linux-64", "compiler"),
        ("r-base", "R is"),
        ("r-ggplot2", "R is"),
        ("nodejs", "program"),
        ("graphviz", "program"),
        ("openssl", "library"),
        ("libgdal", "library"),
        ("xorg-libx11", "library"),
        ("_openmp_mutex", "conda itself"),
        ("mkl", "conda itself"),
        ("font-ttf-ubuntu", "conda itself"),
    ],
)
def test_what_pypi_hasnt_got_has_a_reason(name: str, why: str) -> None:
    found = counterpart(name)
    assert found.name == ""
    assert why in found.why


@pytest.mark.parametrize("name", ["librosa", "libcst", "libclang-sys-x", "conda-lock", "left-pad"])
def test_a_pattern_takes_nothing_that_is_named_and_the_unknown_is_said(name: str) -> None:
    found = counterpart(name)
    if name == "libclang-sys-x":
        assert not found.name
        return
    assert found.name == name
    assert found.known == (name != "left-pad")


def test_the_table_says_each_name_once_and_only_what_it_must() -> None:
    with open(TABLE, "rb") as file:
        read = tomllib.load(file)
    renamed = {canonical_name(name): target for name, target in read["renamed"].items()}
    same = [canonical_name(name) for name in read["same"]["names"].split()]
    none = [canonical_name(n) for part in read["none"] for n in part.get("names", "").split()]
    every = [*renamed, *same, *none]
    assert len(every) == len(set(every)), sorted(n for n in every if every.count(n) > 1)
    assert len(renamed) > 100
    assert len(same) > 500
    assert len(none) > 300
    for name, target in renamed.items():
        assert canonical_name(Requirement(target).name) != name or "[" in target, name
    known = {*renamed, *same}
    assert {canonical_name(name) for name in (*read["notes"], *read["markers"])} <= known | {
        canonical_name(name) for name in read["markers"]
    }
    for part in read["none"]:
        assert part["reason"]
        for pattern in part.get("patterns", "").split():
            assert not fnmatch.fnmatchcase("numpy", pattern)
    for marker in read["markers"].values():
        Requirement(f"x ; {marker}")


def taken(tmp_path: Path, text: str) -> Taken:
    file = tmp_path / "environment.yml"
    file.write_text(text)
    return take_environment(str(file), str(tmp_path))


GEO = """\
name: geo
channels: [pytorch, conda-forge, "https://me:s3cret@conda.example/t/tk-12345/lab"]
dependencies:
  - python=3.10
  - numpy=1.26.*
  - conda-forge::pandas>=1.5,<2.2
  - pytorch::pytorch=2.1.0=py3.10_cuda11.8_cudnn8.7.0_0
  - pytorch-cuda=11.8
  - py-opencv
  - r-base
  - nodejs=20
  - openssl=3.0.12=hd590300_1
  - pywin32
  - scipy  # [linux]
  - some-lab-package=1
  - pip
  - pip:
      - wandb==0.16.*
      - git+https://tok:s3cret@git.example/clip.git@main#egg=clip
      - --extra-index-url https://u:s3cret@idx.example/simple
prefix: /home/me/miniconda3/envs/geo
variables:
  LEVEL: "3"
"""


def test_an_environment_becomes_what_pypi_has_of_it_and_the_rest_is_listed(
    tmp_path: Path,
) -> None:
    found = taken(tmp_path, GEO)
    (held,) = found.bubbles
    assert found.python == "3.10"
    assert held.dependencies == (
        "numpy==1.26.*",
        "pandas>=1.5,<2.2",
        "torch==2.1.0",
        "opencv-python",
        "pywin32 ; sys_platform == 'win32'",
        "scipy ; sys_platform == 'linux'",
        "some-lab-package==1.*",
        "wandb==0.16.*",
        "clip @ git+https://git.example/clip.git@main",
    )
    assert held.lines == ("--extra-index-url https://idx.example/simple",)
    left = {one.what: (one.line, one.why) for one in found.left}
    assert left.keys() == {
        "pytorch-cuda=11.8",
        "r-base",
        "nodejs=20",
        "openssl=3.0.12=hd590300_1",
        "pip",
        "variables",
        "channel pytorch",
        "channel https://****@conda.example/t/****/lab",
    }
    assert left["r-base"][0] == 10
    notes = " ".join(found.notes)
    assert "some-lab-package" in notes
    assert "cuda11.8" in notes
    assert "credentials" in notes
    assert "s3cret" not in repr(found)


def test_every_dependency_is_taken_or_listed(tmp_path: Path) -> None:
    """The kind: a reader that passes over what it doesn't know loses it in silence."""
    names = ["numpy", "a|b", "=1", "r-base", "libfoo", "x=9e", "__cuda", "zlib", "weird name", "3d"]
    text = "dependencies:\n" + "".join(f"  - '{name}'\n" for name in names)
    found = taken(tmp_path, text)
    said = repr(found.bubbles) + repr(found.left) + repr(found.notes)
    for name in filter("=1".__ne__, names):
        assert name.split("=")[0].split("|")[0].split()[0] in said, name
    assert len(found.bubbles[0].dependencies) + len(found.left) == len(names)


@pytest.mark.parametrize(
    ("spec", "request_"),
    [
        ("python=3.12", "3.12"),
        ("python=3.12.*", "3.12"),
        ("python==3.12.1", "3.12.1"),
        ("python 3.12", "3.12"),
        ("python=3.12.1=h12345_0_cpython", "3.12.1"),
        ("python>=3.10,<3.13", ">=3.10,<3.13"),
        ("python", ""),
        ("python=3.9|3.10", ""),
        ("python!=3.11.*", ""),
    ],
)
def test_condas_python_becomes_a_request(tmp_path: Path, spec: str, request_: str) -> None:
    found = taken(tmp_path, f"dependencies:\n  - {spec}\n")
    assert found.python == request_
    assert request_ or spec == "python" or found.left or found.notes


def test_numbers_and_words_of_yaml_stay_what_is_written(tmp_path: Path) -> None:
    found = taken(tmp_path, "name: 3.10\ndependencies:\n  - python=3.10\n  - yes\n  - pip:\n")
    assert found.python == "3.10"
    assert found.bubbles[0].dependencies == ("yes",)


@pytest.mark.parametrize(
    "text",
    ["", "name: x\n", "dependencies: numpy\n", "dependencies: {a: b}\n", "- numpy\n", "just text"],
)
def test_what_is_no_environment_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(BubbleError) as caught:
        taken(tmp_path, text)
    assert caught.value.kind == "usage"


def test_a_program_of_biocondas_isnt_asked_for_on_pypi(tmp_path: Path) -> None:
    text = "dependencies: ['bioconda::some-aligner=1', 'bioconda::pysam', 'bioconda::hmmer']"
    found = taken(tmp_path, text)
    assert found.bubbles[0].dependencies == ("pysam",)
    assert [left.what for left in found.left] == ["bioconda::some-aligner=1", "bioconda::hmmer"]


LISTED = """\
# This file may be used to create an environment using:
# $ conda create --name <env> --file <this file>
# platform: linux-64
_libgcc_mutex=0.1=main
numpy=1.26.4=py311h24aa872_0
python=3.11.7=h955ad1f_0
requests=2.31.0=pypi_0
"""
EXPLICIT = """\
@EXPLICIT
https://conda.example/t/tk-s3cret/linux-64/numpy-1.26.4-py311h24aa872_0.conda#0123
https://conda.example/linux-64/python-3.11.7-h955ad1f_0.tar.bz2
"""


@pytest.mark.parametrize(
    ("text", "dependencies"),
    [(LISTED, ("numpy==1.26.4", "requests==2.31.0")), (EXPLICIT, ("numpy==1.26.4",))],
)
def test_what_conda_lists_is_taken_as_well(
    tmp_path: Path, text: str, dependencies: tuple[str, ...]
) -> None:
    file = tmp_path / "list.txt"
    file.write_text(text)
    found = take_list(str(file), str(tmp_path))
    assert found.python == "3.11.7"
    assert found.bubbles[0].dependencies == dependencies
    assert "s3cret" not in repr(found)
