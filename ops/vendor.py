"""The libraries of the package: requirements.txt without Chalice, whose small runtime Chalice's packager adds itself.

For AWS they come from the package index, as wheels for the function's own Python and Linux. For an emulator, which
runs functions with this very Python, they are the files that are installed here: no network is needed, and on
64-bit Linux they are the same files.
"""

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from dev.settings import ROOT, BadStart

MACHINE = "x86_64"
GLIBC = {(3, 11): 26}
"""The minor version of the C library that Lambda runs this Python with. The later ones have Amazon Linux 2023's, 34."""
LAYERED = ("numpy", "simdjson", "csimdjson", "orjson")
"""What sorts large arrays: seven eighths of all, and only the function `work` ever loads it, from a layer."""
NOT_NEEDED = re.compile(
    r"(^|/)(tests|__pycache__|[^/]*\.dist-info)/"
    r"|^(\.\./|bin/|numpy/(f2py|distutils|_pyinstaller|typing/tests|_core/include|_core/lib)/)"
    r"|^(yaml/_yaml\.|_yaml/)"  # libyaml, which no loader here is made with
    r"|\.(pyi|pyx|pxd|pyc|pth|h|c|cpp|a|typed)$"
)


def glibc() -> int:
    return GLIBC.get(sys.version_info[:2], 34)


def pinned(root: Path = ROOT) -> list[Requirement]:
    lines = (root / "requirements.txt").read_text("utf-8").splitlines()
    all_pins = [Requirement(line) for line in lines if line.strip() and not line.startswith("#")]
    return [pin for pin in all_pins if pin.name != "chalice" and (pin.marker is None or pin.marker.evaluate())]


def installed(root: Path = ROOT) -> Mapping[str, Path]:
    """Path in the package -> file, of what is installed here. Raises BadStart where that is not what is pinned."""
    files: dict[str, Path] = {}
    for name in sorted(_with_dependencies(pinned(root))):
        for file in metadata.distribution(name).files or ():
            if not NOT_NEEDED.search(file.as_posix()):
                files[file.as_posix()] = Path(str(file.locate()))
    return files


def split(files: Mapping[str, Path]) -> tuple[dict[str, Path], dict[str, Path]]:
    """What every function needs, and what the layer holds."""
    layer = {name: path for name, path in files.items() if re.split("[/.]", name, maxsplit=1)[0] in LAYERED}
    return {name: path for name, path in files.items() if name not in layer}, layer


def from_index(folder: Path, root: Path = ROOT) -> Mapping[str, Path]:
    """The same, as wheels that Lambda can load, installed into `folder` and held to the hashes of the lock."""
    folder.mkdir(parents=True)
    lock = folder.with_suffix(".lock")
    lock.write_text("\n".join(locked(root)))
    arguments = [part for tag in _tags() for part in ("--platform", tag)]
    version = ".".join(map(str, sys.version_info[:2]))
    arguments += ["--python-version", version, "--implementation", "cp", "--only-binary", ":all:"]
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    done = subprocess.run([*pip, *arguments, "--target", str(folder), "--no-deps", "--require-hashes", "-r", str(lock)])
    if done.returncode:
        raise BadStart("The libraries were not fetched. Is a package index within reach (pip config list)?")
    names = ((path.relative_to(folder).as_posix(), path) for path in sorted(folder.rglob("*")) if path.is_file())
    return {name: path for name, path in names if not NOT_NEEDED.search(name)}


def locked(root: Path = ROOT) -> list[str]:
    """The entries of requirements.lock, hashes included, that the package is made of."""
    names = set(map(canonicalize_name, _with_dependencies(pinned(root))))
    entries = re.split(r"\n(?=[a-zA-Z])", (root / "requirements.lock").read_text("utf-8"))[1:]
    return [entry for entry in entries if canonicalize_name(re.split("[=; ]", entry, maxsplit=1)[0]) in names]


def too_new(files: Mapping[str, Path]) -> dict[str, int]:
    """Compiled files that ask for a newer C library than Lambda has -> the minor version they ask for."""
    asked = {}
    for name, path in files.items():
        if ".so" in path.name:
            versions = [int(minor) for minor in re.findall(rb"GLIBC_2\.(\d+)\b", path.read_bytes())]
            if max(versions, default=0) > glibc():
                asked[name] = max(versions)
    return asked


def _tags() -> Iterator[str]:
    yield from (f"manylinux_2_{minor}_{MACHINE}" for minor in range(glibc(), 4, -1))
    yield f"manylinux2014_{MACHINE}"


def _with_dependencies(requirements: list[Requirement]) -> set[str]:
    names: set[str] = set()
    while requirements:
        pin = requirements.pop()
        if pin.name in names:
            continue
        names.add(pin.name)
        version = metadata.version(pin.name)
        if not pin.specifier.contains(version, prereleases=True):
            raise BadStart(f"{pin.name} {version} is installed, {pin} is pinned: make run mends it")
        needs = [Requirement(text) for text in metadata.requires(pin.name) or ()]
        requirements += [need for need in needs if need.marker is None or need.marker.evaluate({"extra": ""})]
    return names
