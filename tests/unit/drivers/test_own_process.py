"""Children run the code of their parent, wherever the user stands."""

from __future__ import annotations

import subprocess
from pathlib import Path

import flightos
from flightos.drivers.own_process import module_command, module_environment


def test_a_child_loads_the_package_of_its_parent(tmp_path: Path) -> None:
    """Not the one that lies in the working folder."""
    (tmp_path / "flightos").mkdir()
    (tmp_path / "flightos" / "__init__.py").write_text(
        "raise ImportError('the wrong flightos')\n", encoding="utf-8"
    )
    command = module_command("flightos.cli", "--help")
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env=module_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (
        Path(module_environment()["PYTHONPATH"].split(":")[0]) == Path(flightos.__file__).resolve().parents[1]
    )
