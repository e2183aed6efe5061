"""Dependency lists of public projects, locked by bubble and by uv itself: equal answers.

The lists are what the projects' published metadata says (`Requires-Dist`, in the autumn of 2026).
"""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest
from packaging.pylock import Pylock

from support.locking import doubles, read
from support.needs import not_here, real_uv
from support.uv_answers import MINOR, by_lock, by_uv_compile, by_uv_lock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result

pytestmark = pytest.mark.real

PROJECTS = {
    "black": """
        click>=8.0.0
        mypy-extensions>=0.4.3
        packaging>=22.0
        pathspec>=1.0.0
        platformdirs>=2
        pytokens~=0.4.0
        tomli>=1.1.0; python_version < '3.11'
        typing-extensions>=4.0.1; python_version < '3.11'
    """,
    "celery": """
        billiard>=4.3.2
        kombu>=5.7.0
        vine<6.0,>=5.1.0
        click<9.0,>=8.3.1
        click-didyoumean>=0.3.1
        click-repl>=0.4.1
        click-plugins>=1.1.1.2
        python-dateutil==2.9.0.post0
        exceptiongroup>=1.3.1; python_version < "3.11"
        tzlocal
    """,
    "datasette": """
        asgiref>=3.2.10
        click>=7.1.1
        click-default-group>=1.2.3
        Jinja2>=2.10.3
        hupper>=1.9
        httpx<1.0,>=0.20
        pluggy>=1.0
        uvicorn>=0.11
        aiofiles>=0.4
        janus>=0.6.2
        asgi-csrf>=0.9
        PyYAML>=5.3
        mergedeep>=1.1.1
        itsdangerous>=1.1
        setuptools
        pip
        platformdirs>=2.1.0
        typing_extensions>=4.0.0
        flexcache>=0.3
        flexparser>=0.3
    """,
    "fastapi": """
        starlette>=1.6.0
        anyio>=4.1.0
        pydantic>=2.9.0
        typing-extensions>=4.8.0
        typing-inspection>=0.4.2
        annotated-doc>=0.0.2
        opentelemetry-api>=1.44.0
    """,
    "httpx": """
        anyio
        certifi
        httpcore==1.*
        idna
    """,
    "jupyterlab": """
        async-lru>=1.0.0
        httpx<1,>=0.25.0
        ipykernel!=6.30.0,>=6.5.0
        jinja2>=3.0.3
        jupyter-builder>=1.0.2
        jupyter-core
        jupyter-lsp>=2.0.0
        jupyter-server<3,>=2.19.0
        jupyterlab-server<3,>=2.28.0
        notebook-shim>=0.2
        packaging>=23.2
        tomli>=1.2.2; python_version < '3.11'
        tornado>=6.2.0
        traitlets
        typing-extensions>=4.4.0; python_version < '3.12'
    """,
    "mkdocs-material": """
        babel>=2.10
        backrefs>=5.7.post1
        colorama>=0.4
        jinja2>=3.1.6
        markdown>=3.8.1
        mkdocs-material-extensions>=1.3
        mkdocs<2,>=1.6
        paginate>=0.5
        pygments>=2.20.0
        pymdown-extensions>=11.0.1
        requests>=2.33.0
    """,
    "poetry": """
        build (>=1.2.1,<2.0.0)
        cachecontrol[filecache] (>=0.14.0,<0.15.0)
        cleo (>=2.1.0,<3.0.0)
        dulwich (>=0.25.0,<2)
        fastjsonschema (>=2.18.0,<3.0.0)
        findpython (>=0.6.2,<0.9.0)
        installer (>=0.7.0,<2.0.0)
        keyring (>=25.1.0,<26.0.0)
        packaging (>=24.2)
        pbs-installer[download,install] (>=2025.6.10)
        pkginfo (>=1.12,<2.0)
        platformdirs (>=3.0.0,<5)
        poetry-core (==2.5.0)
        pyproject-hooks (>=1.0.0,<2.0.0)
        requests (>=2.26,<3.0)
        requests-toolbelt (>=1.0.0,<2.0.0)
        shellingham (>=1.5,<2.0)
        tomli (>=2.0.1,<3.0.0) ; python_version < "3.11"
        tomlkit (>=0.11.4,<1.0.0)
        trove-classifiers (>=2022.5.19)
        virtualenv (>=20.26.6)
        xattr (>=1.0.0,<2.0.0) ; sys_platform == "darwin"
    """,
    "scikit-learn": """
        numpy>=1.24.1
        scipy>=1.10.0
        joblib>=1.4.0
        narwhals>=2.0.1
        threadpoolctl>=3.5.0
    """,
    "sphinx": """
        sphinxcontrib-applehelp>=1.0.7
        sphinxcontrib-devhelp>=1.0.6
        sphinxcontrib-htmlhelp>=2.0.6
        sphinxcontrib-jsmath>=1.0.1
        sphinxcontrib-qthelp>=1.0.6
        sphinxcontrib-serializinghtml>=1.1.9
        Jinja2>=3.1
        Pygments>=2.17
        docutils>=0.21,<0.23
        snowballstemmer>=2.2
        babel>=2.13
        alabaster>=0.7.14
        imagesize>=1.3
        requests>=2.30.0
        roman-numerals>=1.0.0
        packaging>=23.0
        colorama>=0.4.6; sys_platform == 'win32'
    """,
    "streamlit": """
        altair!=5.4.0,!=5.4.1,<7,>=5.0.0
        click<9,>=7.0
        numpy<3,>=1.25.0
        packaging>=20
        pandas<4,>=1.5.3
        pillow<14,>=9.2.0
        pydeck<1,>=0.8.0b4
        protobuf<8,>=5.26.1
        pyarrow!=25.0.0,<27,>=12.0.0
        requests<3,>=2.27
        typing-extensions<5,>=4.10.0
        starlette<2,>=0.46.0
        uvicorn<1,>=0.30.0
        anyio<5,>=4.0.0
        python-multipart<1,>=0.0.10
        websockets<18,>=12.0.0
        itsdangerous<3,>=2.1.2
        watchdog<8,>=2.1.5; platform_system != "Darwin"
    """,
    "twine": """
        readme-renderer>=35.0
        requests>=2.20
        requests-toolbelt!=0.9.0,>=0.8.0
        urllib3>=1.26.0
        keyring>=21.2.0; platform_machine != "ppc64le" and platform_machine != "s390x"
        rfc3986>=1.4.0
        rich>=14.3.3
        packaging>=26.1
        id
    """,
}


@pytest.fixture(scope="module")
def uv(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Return uv and a cache that all share; skip without an index that answers."""
    program, cache = real_uv(), str(tmp_path_factory.mktemp("uv"))
    asked = subprocess.run(
        [program, "pip", "compile", "--quiet", "--python-version", MINOR, "-"],
        input="idna\n",
        env={**os.environ, "UV_CACHE_DIR": cache, "UV_HTTP_RETRIES": "0", "UV_HTTP_TIMEOUT": "10"},
        capture_output=True,
        text=True,
        check=False,
    )
    if asked.returncode:
        not_here("no package index that answers")
    return program, cache


@pytest.mark.parametrize("name", sorted(PROJECTS))
def test_a_public_project_is_locked_for_all_platforms_as_uv_locks_it(
    name: str,
    uv: tuple[str, str],
    bubble: Callable[..., Result],
    env: dict[str, str],
    tmp_path: Path,
) -> None:
    wanted = [line.strip() for line in PROJECTS[name].strip().splitlines()]
    os.mkdir(tmp_path / "bin")
    os.symlink(uv[0], tmp_path / "bin" / "uv")
    env |= {"PATH": f"{tmp_path}/bin:{env['PATH']}", "UV_CACHE_DIR": uv[1]}
    env["BUBBLE_CATALOG"] = doubles(str(tmp_path / "mirror"), f"{MINOR}.4")
    project = tmp_path / name
    project.mkdir()
    if len(name) % 2:  # both ways in which such a list comes
        lines = ", ".join(f"'''{line}'''" for line in wanted)
        (project / "pyproject.toml").write_text(
            f'[project]\nname = "that"\nversion = "1"\nrequires-python = "~={MINOR}.0"\n'
            f'dependencies = [{lines}]\n[tool.bubble]\npython = "{MINOR}"\n'
        )
    else:
        (project / "requirements.txt").write_text("".join(f"{line}\n" for line in wanted))
        (project / "bubble.toml").write_text(f'python = "{MINOR}"\n')
    done = bubble("lock", cwd=project)
    assert done.status == 0, done.err
    ours = by_lock(f"{project}/pylock.toml", MINOR)
    assert ours == by_uv_lock(wanted, MINOR, env, str(tmp_path / "locked"))
    assert ours == by_uv_compile(wanted, MINOR, env, str(tmp_path / "compiled"))
    lock = Pylock.from_dict(read(f"{project}/pylock.toml"))
    for package in lock.packages:
        assert all(len(wheel.hashes["sha256"]) == 64 for wheel in package.wheels or ())
        assert package.wheels or package.sdist
    assert bubble("lock", "--check", cwd=project).status == 0
