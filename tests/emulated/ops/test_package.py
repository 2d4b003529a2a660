"""The zip: everything a function needs, nothing else, the same bytes each time, and it runs by itself."""

import importlib.util
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

from ops import vendor
from ops.build import Package, build, digest

pytestmark = pytest.mark.slow
SIZE_LIMIT, LAYER_LIMIT = 4_000_000, 20_000_000
FILES_LIMIT = 250
"""MiniStack unpacks them anew for each process of a function, which then waits."""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    return build("dev", tmp_path_factory.mktemp("package"), for_aws=False)


@pytest.fixture(scope="module")
def unzipped(package: Package, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unzipped")
    zipfile.ZipFile(package.zip).extractall(folder / "code")
    zipfile.ZipFile(package.layer).extractall(folder / "layer")
    return folder


def names(file: Path) -> list[str]:
    return zipfile.ZipFile(file).namelist()


@pytest.mark.parametrize("what", ["msgspec", "yaml", "cronsim", "tzdata", "chalice"])
def test_every_library_is_in_it(package: Package, what: str) -> None:
    assert [name for name in names(package.zip) if name.startswith((f"{what}/", f"{what}."))]


@pytest.mark.parametrize("what", ["numpy", "numpy.libs", "csimdjson", "simdjson", "orjson"])
def test_what_sorts_large_arrays_is_in_the_layer_and_nowhere_else(package: Package, what: str) -> None:
    assert [name for name in names(package.layer) if name.startswith((f"python/{what}/", f"python/{what}."))]
    assert not [name for name in names(package.zip) if name.startswith((f"{what}/", f"{what}."))]


def test_nothing_is_in_it_that_lambda_has_or_that_only_development_needs(package: Package) -> None:
    firsts = {name.split("/")[0] for name in names(package.zip)}
    assert not firsts & {
        "boto3",
        "botocore",
        "dev",
        "ops",
        "tests",
        "benchmarks",
        "docs",
        ".chalice",
        "pip",
        "setuptools",
    }
    both = names(package.zip) + names(package.layer)
    assert not [name for name in both if "/tests/" in name or name.endswith((".pyi", ".h", ".cpp"))]
    assert package.zip.stat().st_size < SIZE_LIMIT
    assert len(names(package.zip)) < FILES_LIMIT
    assert package.layer.stat().st_size < LAYER_LIMIT


@pytest.mark.parametrize("file", ["zip", "layer"])
def test_byte_code_takes_the_place_of_sources_and_is_for_this_python(package: Package, file: str) -> None:
    archive = zipfile.ZipFile(getattr(package, file))
    compiled = [name for name in archive.namelist() if name.endswith(".pyc")]
    assert len(compiled) > 50
    assert not [name for name in archive.namelist() if name.endswith(".py") or "__pycache__" in name]
    assert {archive.read(name)[:4] for name in compiled} == {importlib.util.MAGIC_NUMBER}
    assert {archive.read(name)[4:8] for name in compiled} == {b"\1\0\0\0"}


def test_a_second_build_has_the_same_bytes(package: Package, tmp_path: Path) -> None:
    again = build("dev", tmp_path, for_aws=False)
    assert (again.digest, digest(again.layer)) == (package.digest, digest(package.layer))


def test_no_library_asks_for_a_newer_c_library_than_lambda_has() -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("not Lambda's system")
    assert vendor.too_new(vendor.installed()) == {}


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What Lambda brings: boto3 with what it needs."""
    folder = tmp_path_factory.mktemp("lambda")
    for library in ("boto3", "botocore", "s3transfer", "jmespath", "urllib3", "dateutil", "six"):
        for first in {Path(str(file)).parts[0] for file in metadata.distribution(_project(library)).files or ()}:
            if not first.endswith(".dist-info") and first not in ("..", "__pycache__"):
                (folder / first).symlink_to(Path(str(metadata.distribution(_project(library)).locate_file(first))))
    return folder


def run(code: str, *path: Path) -> None:
    """No site-packages."""
    whole = (
        f"import sys; sys.path[:0] = {[str(each) for each in path]!r}\n{code}\n"
        "far = [m.__file__ for m in sys.modules.values() if 'site-packages' in (getattr(m, '__file__', '') or '')]\n"
        "assert not far, far"
    )
    environment = {"SORTIE_STAGE": "dev", "AWS_DEFAULT_REGION": "us-east-1", "PYTHONTZPATH": ""}
    done = subprocess.run([sys.executable, "-I", "-S", "-c", whole], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_it_runs_with_nothing_but_what_lambda_brings(unzipped: Path, beside: Path) -> None:
    """And without the layer, as all functions but one do: a small array needs none of it."""
    run(
        "import app; from chalicelib.core import cron; import zoneinfo, yaml\n"
        "from chalicelib.tasks.sorting import numbers\n"
        "assert numbers.sort(b'[3, 1, 2]') == b'[1,2,3]', 'sorted'\n"
        "assert numbers.check(b'[' + b'1,' * 1_500_000 + b'2]') == 1_500_001, 'a large array is judged'\n"
        "zoneinfo.reset_tzpath(()); zoneinfo.ZoneInfo('Europe/Berlin')",
        unzipped / "code", beside,
    )  # fmt: skip


def test_the_worker_sorts_large_arrays_with_its_layer(unzipped: Path, beside: Path) -> None:
    run(
        "from chalicelib.tasks.sorting import fast_numbers, numbers\n"
        "assert numbers.sort(b'[3, 1, 2]', large=0) == b'[1,2,3]', 'sorted'",
        unzipped / "code", unzipped / "layer" / "python", beside,
    )  # fmt: skip


def _project(library: str) -> str:
    return {"dateutil": "python-dateutil"}.get(library, library)
