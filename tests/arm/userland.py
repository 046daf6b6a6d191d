"""A slice of a real 64-bit ARM machine in a folder: Debian's CPython, its headers, and the wheels of a board.

Nothing is installed on this machine and no root is needed: Debian's packages and the wheels are downloaded and
unpacked below build/. qemu then runs the interpreter as it is. The result is kept, under a key made of everything
that names its contents, so that a second run downloads nothing.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent
SOURCES: Final = HERE / "debian.sources"
WHEELS_LOCK: Final = HERE / "wheels.lock"
DEBIAN_PACKAGES: Final = ("python3.11", "libpython3.11-dev", "libstdc++6", "libgomp1")
PLATFORMS: Final = ("manylinux2014_aarch64", "manylinux_2_17_aarch64", "manylinux_2_28_aarch64")
"""All three: pip takes a wheel only by a tag that it was told, and wheels carry one or the other."""
DOWNLOAD_S_MAX: Final = 300


class UnreachableError(Exception):
    """What is needed cannot be had here; the text says what, and why."""


@dataclass(frozen=True)
class Userland:
    """Where the pieces lie: `root` of the ARM machine, `site` with the wheels, `python` that starts under qemu."""

    root: Path
    site: Path
    python: Path

    @property
    def includes(self) -> str:
        """Folders of Python.h, as CMake takes them; pyconfig.h lies in a folder of its own on Debian."""
        return f"{self.root}/usr/include/python3.11;{self.root}/usr/include"


def prepare(folder: Path) -> Userland:
    """The userland below `folder`, an absolute path; made when it is not there. Raises UnreachableError."""
    userland = Userland(folder / "root", folder / "site", folder / "python")
    complete = folder / "complete"
    key = _key()
    if not complete.is_file() or complete.read_text(encoding="utf-8") != key:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        _unpack_debian(folder / "apt", userland.root)
        _unpack_wheels(folder / "wheels", userland.site)
        for downloads in ("apt", "wheels"):
            shutil.rmtree(folder / downloads)
        _write_python(userland)
        complete.write_text(key, encoding="utf-8")
    return userland


def _key() -> str:
    total = hashlib.sha256()
    for path in (SOURCES, WHEELS_LOCK, Path(__file__)):
        total.update(path.read_bytes())
    return total.hexdigest()


def _unpack_debian(apt: Path, root: Path) -> None:
    """Let apt find what the packages depend on, for another machine and with a package state of its own."""
    for below in ("lists/partial", "cache/archives/partial"):
        (apt / below).mkdir(parents=True)
    (apt / "status").touch()
    # Full paths on purpose: apt reads a relative Dir::* under its own folders.
    options = {
        "APT::Architecture": "arm64",
        "APT::Architectures::": "arm64",
        "APT::Install-Recommends": "false",
        "APT::Sandbox::User": "",
        "Debug::NoLocking": "1",
        "Dir::Cache": str(apt / "cache"),
        "Dir::Etc::sourcelist": str(SOURCES),
        "Dir::Etc::sourceparts": "-",
        "Dir::State::Lists": str(apt / "lists"),
        "Dir::State::status": str(apt / "status"),
        "Acquire::Retries": "2",
    }
    apt_get = ["apt-get", "-q", *(f"-o{name}={value}" for name, value in options.items())]
    _require([*apt_get, "--error-on=any", "update"], "the lists of Debian's packages")
    _require([*apt_get, "-y", "--download-only", "install", *DEBIAN_PACKAGES], "Debian's packages")
    # Links first: a package that still puts files into /lib would make it a folder, and the loader would not be found.
    for name in ("bin", "lib", "sbin"):
        (root / "usr" / name).mkdir(parents=True)
        (root / name).symlink_to(f"usr/{name}")
    for package in sorted((apt / "cache" / "archives").glob("*.deb")):
        _unpack_package(package, root)


def _unpack_package(package: Path, root: Path) -> None:
    """Put the files of one package below root; ours they are, whoever owned them."""
    content = subprocess.run(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE, check=False)
    unpack = ["tar", "-x", "-C", str(root), "--keep-directory-symlink", "--no-same-owner"]
    if content.returncode or subprocess.run(unpack, input=content.stdout, check=False).returncode:
        raise UnreachableError(f"{package.name} does not unpack")


def _unpack_wheels(wheels: Path, site: Path) -> None:
    platforms = [word for platform in PLATFORMS for word in ("--platform", platform)]
    target = ["--python-version", "3.11", "--implementation", "cp", "--abi", "cp311", "--abi", "abi3"]
    only = ["--only-binary=:all:", "--no-deps", "--require-hashes"]
    pip = [sys.executable, "-m", "pip", "download", "-q", *only, *platforms, *target]
    _require([*pip, "-d", str(wheels), "-r", str(WHEELS_LOCK)], "the wheels for ARM")
    for wheel in sorted(wheels.glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(site)


def _write_python(userland: Userland) -> None:
    """A script that is the interpreter: sys.executable names it, so tests can start children without binfmt."""
    userland.python.write_text(
        "#!/bin/sh\n"
        "# CPython of 64-bit ARM under qemu; QEMU_CPU chooses the processor.\n"
        'root="${0%/*}/root"\n'
        'export QEMU_LD_PREFIX="$root" PYTHONHOME="$root/usr"\n'
        'exec qemu-aarch64-static -0 "$0" "$root/usr/bin/python3.11" "$@"\n',
        encoding="utf-8",
    )
    userland.python.chmod(0o755)


def _require(command: Sequence[str], what: str) -> None:
    """Run a command that fetches something, or say in one line why it could not."""
    try:
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=DOWNLOAD_S_MAX,
            env=os.environ | {"LC_ALL": "C.UTF-8"},
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnreachableError(f"{what}: {error}") from error
    if done.returncode != 0:
        reasons = [line for line in done.stdout.splitlines() if line.startswith(("E:", "ERROR:"))]
        raise UnreachableError(f"{what}: {(reasons or done.stdout.splitlines() or ['no reason given'])[-1]}")
