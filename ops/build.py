"""The deployment package and its template: `python -m ops.build STAGE` makes .build/STAGE/deployment.zip, layer.zip and
sam.yaml.

Chalice makes the template, resources.yaml included. The zip is put together here, from a clean copy of the sources and
the libraries, so that the same sources always give the same bytes: a function changes only when its code does.
"""

import argparse
import hashlib
import json
import os
import py_compile
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from dev import command
from dev.settings import ROOT, STAGE, BadStart
from ops import vendor

SOURCES = ("app.py", "chalicelib", ".chalice/config.json", "resources.yaml")
EPOCH = (1980, 1, 1, 0, 0, 0)
PLAIN_FILE = 0o100644 << 16
ZONES = """# Time zones are two thirds of all files, and a function opens few of them: they stay in an archive.
__path__ = [f"{__path__[0]}/zones.zip/tzdata"]
"""


class _Flat(yaml.SafeDumper):
    """CloudFormation reads no aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Package:
    """`zip`: the code of all functions; `layer`: the libraries that `work` alone has beside it."""

    zip: Path
    layer: Path
    template: dict[str, Any]

    @property
    def digest(self) -> str:
        return digest(self.zip)

    def __str__(self) -> str:
        size, beside = (path.stat().st_size / 1e6 for path in (self.zip, self.layer))
        return f"{size:.1f} MB, sha256 {self.digest[:12]}; the layer of work {beside:.1f} MB"


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def known_stage(stage: str) -> str:
    """A stage of .chalice/config.json that may be deployed. Raises BadStart, which says which there are."""
    stages = json.loads((ROOT / ".chalice" / "config.json").read_text("utf-8"))["stages"]
    if stage not in stages or stage == STAGE:
        known = " or STAGE=".join(sorted(set(stages) - {STAGE}))
        raise BadStart(f"Say which stage: STAGE={known}. (The stage local asks for no token.)")
    return stage


def build(stage: str, target: Path, *, for_aws: bool, byte_code: bool = True, root: Path = ROOT) -> Package:
    """Into `target`. `for_aws`: libraries for Lambda's Linux; else those installed here, for an emulator."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        libraries = vendor.from_index(folder / "libraries", root) if for_aws else vendor.installed(root)
        if for_aws and (unfit := vendor.too_new(libraries)):
            raise BadStart(f"Lambda's C library is too old for {unfit}")
        template = _chalice(stage, root, folder)
        lean, layer = vendor.split(libraries)
        files = _with_packed_zones(lean, folder) | _tree(folder / "runtime") | _sources(folder / "app")
        package = Package(target / "deployment.zip", target / "layer.zip", template)
        if byte_code:
            files, layer = _compiled(files, folder / "code"), _compiled(layer, folder / "layer")
        _write(package.zip, files)
        write_layer(package.layer, layer)
    (target / "sam.yaml").write_text(yaml.dump(template, Dumper=_Flat), "utf-8")
    return package


def write_layer(target: Path, libraries: Mapping[str, Path]) -> None:
    """As Lambda unpacks it: below /opt, of which python/ is on the path."""
    _write(target, {f"python/{name}": path for name, path in libraries.items()})


def _chalice(stage: str, root: Path, folder: Path) -> dict[str, Any]:
    """Chalice's own template and runtime, made in a copy that has no libraries: those it would leave out in silence."""
    copy_sources(root, folder / "app", stage)
    command = [sys.executable, "-c", "from chalice.cli import main; main()", "package"]
    command += ["--merge-template", "resources.yaml", "--stage", stage, str(folder / "out")]
    outer = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "SORTIE_"))}
    own = {"AWS_DEFAULT_REGION": "us-east-1", "SORTIE_STAGE": stage, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=folder / "app", env=outer | own, capture_output=True, text=True)
    if done.returncode:
        raise BadStart(f"chalice package failed:\n{done.stdout}{done.stderr}")
    with zipfile.ZipFile(folder / "out" / "deployment.zip") as archive:
        archive.extractall(folder / "runtime", [each for each in archive.namelist() if each.startswith("chalice/")])
    template: dict[str, Any] = yaml.safe_load((folder / "out" / "sam.yaml").read_text("utf-8"))
    return template


def copy_sources(root: Path, target: Path, stage: str, account: str | None = None) -> None:
    """What Chalice is shown: nothing of dev/ or tests/, no byte code, no libraries to install, the stage's policies."""
    for name in SOURCES:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        if (root / name).is_dir():
            shutil.copytree(root / name, target / name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
        else:
            shutil.copy2(root / name, target / name)
    (target / "requirements.txt").write_text("")
    for path in (root / ".chalice").glob("policy-*.json"):
        (target / ".chalice" / path.name).write_text(json.dumps(policy(path, stage, account), indent=1))


def policy(template: Path, stage: str, account: str | None = None) -> dict[str, Any]:
    """A function's policy with the stage put into each {"Fn::Sub": "...${Stage}..."}, which IAM does not know.

    `account`: its number, put in as well; without it CloudFormation is left to do so.
    """

    def put_in(part: dict[str, Any]) -> Any:
        if part.keys() != {"Fn::Sub"}:
            return part
        text = part["Fn::Sub"].replace("${Stage}", stage).replace("${AWS::AccountId}", account or "${AWS::AccountId}")
        return {"Fn::Sub": text} if "${" in text else text

    document: dict[str, Any] = json.loads(template.read_text("utf-8"), object_hook=put_in)
    return document


def _sources(app: Path) -> dict[str, Path]:
    return {"app.py": app / "app.py"} | {f"chalicelib/{name}": p for name, p in _tree(app / "chalicelib").items()}


def _tree(folder: Path) -> dict[str, Path]:
    return {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}


def _with_packed_zones(files: Mapping[str, Path], folder: Path) -> dict[str, Path]:
    """The package tzdata as one file with one archive beside it, where zoneinfo finds it all the same."""
    zones = {name: path for name, path in files.items() if name.startswith("tzdata/")}
    archive, package = folder / "zones.zip", folder / "tzdata.py"
    _write(archive, zones)
    package.write_text(ZONES, "utf-8")
    rest = {name: path for name, path in files.items() if name not in zones}
    return rest | {"tzdata/__init__.py": package, "tzdata/zones.zip": archive}


def _compiled(files: Mapping[str, Path], folder: Path) -> dict[str, Path]:
    """With byte code in place of sources: Lambda, whose code folder is read-only, would compile at every cold start,
    and an emulator unpacks all files for each process. Tracebacks keep names and line numbers."""
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    compiled = {}
    for name, path in files.items():
        if name.endswith(".py"):
            py_compile.compile(str(path), str(folder / f"{name}c"), name, doraise=True, invalidation_mode=mode)
            compiled[f"{name}c"] = folder / f"{name}c"
        else:
            compiled[name] = path
    return compiled


def _write(target: Path, files: Mapping[str, Path]) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, EPOCH)
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, PLAIN_FILE
            archive.writestr(info, files[name].read_bytes())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stage", nargs="?", default="dev")
    parser.add_argument("--offline", action="store_true", help="with the libraries that are installed here")
    options = parser.parse_args()
    stage = known_stage(options.stage)
    package = build(stage, ROOT / ".build" / stage, for_aws=not options.offline)
    print(f"{package.zip}: {package}")


if __name__ == "__main__":
    command.run(main)
