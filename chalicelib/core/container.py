"""A container job's input, held against what a stage allows: image references, sizes, variables. Pure.

name     STAGE/JOB/ATTEMPT: what a container is started as, so that a second start of one attempt is the same container
allowed  patterns of image references; the registry is always written out, `*` does not cross a slash
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any

import msgspec

from chalicelib.core.ids import is_id
from chalicelib.core.job import Job
from chalicelib.errors import FieldError, Invalid

TASK = "container"
LONGEST_SECONDS = 43_200.0
"""Twelve hours: ECS keeps the token that makes a start idempotent for a day."""
CONTAINER = "job"
"""The name of a job's own container within its task."""
MAX_OVERRIDES_CHARACTERS = 8_192
"""What ECS takes of a start's JSON beside the definition."""
MEMORY_MB: Mapping[float, range] = {
    0.25: range(512, 2_049, 512),
    0.5: range(1_024, 4_097, 1_024),
    1: range(2_048, 8_193, 1_024),
    2: range(4_096, 16_385, 1_024),
    4: range(8_192, 30_721, 1_024),
    8: range(16_384, 61_441, 4_096),
    16: range(32_768, 122_881, 8_192),
}
"""What Fargate runs: vCPUs -> megabytes. The 1,536 of the smallest it does not."""
NO_PAIR = {(0.25, 1_536)}
OURS = ("SORTIE_", "AWS_")
DEFAULT_REGISTRY, DEFAULT_FOLDER = "docker.io", "library"

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_REFERENCE = re.compile(
    r"(?P<path>[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
_REGISTRY = re.compile(r"[a-z0-9][a-z0-9.-]*(?::[0-9]{1,5})?")
MOST_SECRETS, MOST_FAULTS = 100, 10
LONGEST_ARN, LONGEST_PROGRESS_LINE = 2_048, 200
_PROGRESS = re.compile(r"SORTIE_PROGRESS\s++([0-9]++(?:\.[0-9]++)?|\.[0-9]++)\s*+")
_SECRET = re.compile(
    r"(?P<arn>arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@-]+)(?::[^:]*){0,3}"
)
"""The ARN, and what ECS takes behind it: a JSON key, a version's stage, a version."""


class ContainerInput(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What to run. `command` takes the place of the image's CMD; `env` is shown to whoever may read the job."""

    image: Annotated[str, msgspec.Meta(min_length=1, max_length=512, description="Reference with a tag or a digest")]
    command: Annotated[list[str], msgspec.Meta(max_length=100)] = []
    env: Annotated[dict[str, str], msgspec.Meta(description="Variables; no place for secrets")] = {}
    secrets: Annotated[dict[str, str], msgspec.Meta(description="Variables from Secrets Manager, by ARN")] = {}
    cpu: Annotated[float, msgspec.Meta(description="vCPUs: 0.25, 0.5, 1, 2, 4, 8 or 16")] = 0.25
    memory: Annotated[int, msgspec.Meta(description="MB; which ones depends on cpu")] = 512


class ContainerOutput(msgspec.Struct):
    """`tail`: the last lines of what it wrote; GET /jobs/{id}/log has all of them."""

    exit_code: int
    tail: str


@dataclass(frozen=True, slots=True)
class Image:
    """A reference in full: `busybox:1.36` is docker.io/library/busybox with the tag 1.36."""

    repository: str
    tag: str | None
    digest: str | None

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return f"{self.repository}{tag}" + (f"@{self.digest}" if self.digest else "")


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a stage lets run. `off`: why nothing may, empty where something may."""

    images: Sequence[str]
    secrets: Sequence[str] = ()
    off: str = ""


@dataclass(frozen=True, slots=True)
class Spec:
    """What an engine is told to start; `image` is written out in full."""

    image: str
    command: Sequence[str]
    env: Mapping[str, str]
    secrets: Mapping[str, str]
    cpu: float
    memory: int


def admit(request: ContainerInput, allowed: Allowed) -> Image:
    """The image in full. Raises Invalid, naming each field that is wrong."""
    if allowed.off:
        raise Invalid(FieldError("", allowed.off))
    _check_extent(request)
    image, wrong = _check_image(request.image, allowed.images)
    wrong += _check_size(request.cpu, request.memory)
    wrong += [error for name in request.env if (error := _check_variable("env", name))]
    wrong += [error for name, value in request.env.items() if "\x00" in value and (error := _no_zero(f"env.{name}"))]
    wrong += [_no_zero(f"command[{n}]") for n, word in enumerate(request.command) if "\x00" in word]
    wrong += _check_secrets(request, allowed.secrets)
    if wrong or image is None:
        raise Invalid(*_few(wrong))
    return image


def make_spec(request: ContainerInput, job: Job, allowed: Allowed) -> Spec:
    """The same for every start of one attempt, since ECS compares it. Raises Invalid."""
    image = admit(request, allowed)
    env = {**request.env, **_own_variables(job.id, str(job.attempts))}
    return Spec(str(image), request.command, env, request.secrets, request.cpu, request.memory)


def make_overrides(command: Sequence[str], env: Mapping[str, str]) -> dict[str, Any]:
    """What a start says beside the definition, as ECS wants it."""
    variables = [{"name": name, "value": value} for name, value in sorted(env.items())]
    own: dict[str, Any] = {"name": CONTAINER, "environment": variables}
    return {"containerOverrides": [own | ({"command": list(command)} if command else {})]}


def parse_image(text: str) -> Image:
    """Docker's rules for short names. Raises ValueError saying what is wrong."""
    first, slash, rest = text.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        registry, name = first, rest
    else:
        registry, name = DEFAULT_REGISTRY, text
    if registry in ("index.docker.io", "registry-1.docker.io"):
        registry = DEFAULT_REGISTRY
    match = _REFERENCE.fullmatch(name)
    if match is None or not _REGISTRY.fullmatch(registry):
        raise ValueError("not an image reference: write registry/name:tag, or registry/name@sha256:... , in lower case")
    if not match["tag"] and not match["digest"]:
        raise ValueError(f"say which version: {text}:TAG or {text}@sha256:...")
    path = match["path"]
    if registry == DEFAULT_REGISTRY and "/" not in path:
        path = f"{DEFAULT_FOLDER}/{path}"
    return Image(f"{registry}/{path}", match["tag"], match["digest"])


def is_allowed(image: Image, patterns: Sequence[str]) -> bool:
    """A pattern without a tag takes any; one with a tag takes only images that say a fitting one and no digest, since
    engines pull by the digest and pass the tag over."""
    return any(_fits(image, pattern) for pattern in patterns)


def name_of(stage: str, job: Job) -> str:
    return f"{stage}/{job.id}/{job.attempts}"


def parse_name(name: str) -> tuple[str, str, int] | None:
    """Stage, job and attempt; None for a container that Sortie did not start."""
    stage, _, rest = name.partition("/")
    job_id, _, attempt = rest.partition("/")
    return (stage, job_id, int(attempt)) if is_id(job_id) and attempt.isdecimal() else None


def _check_extent(request: ContainerInput) -> None:
    """Before each of their names is looked at, and told."""
    size = _count_overrides(request)
    if size > MAX_OVERRIDES_CHARACTERS:
        message = f"command and env take {size:,} characters in ECS's JSON, at most {MAX_OVERRIDES_CHARACTERS:,}"
        raise Invalid(FieldError("", f"{message}: put larger input where the container can fetch it"))
    if len(request.secrets) > MOST_SECRETS:
        raise Invalid(FieldError("secrets", f"at most {MOST_SECRETS}"))


def _count_overrides(request: ContainerInput) -> int:
    """As ECS counts, in UTF-16. Nobody knows the job yet: its variables are as long as they can become."""
    overrides = make_overrides(request.command, {**request.env, **_own_variables("0" * 26, "0" * 10)})
    return len(json.dumps(overrides, ensure_ascii=False).encode("utf-16-le", "surrogatepass")) // 2


def _own_variables(job_id: str, attempt: str) -> dict[str, str]:
    return {"SORTIE_JOB": job_id, "SORTIE_ATTEMPT": attempt}


def _few(wrong: Sequence[FieldError]) -> Sequence[FieldError]:
    """A hundred requests of a bulk share an answer."""
    more = len(wrong) - MOST_FAULTS
    return wrong if more <= 0 else [*wrong[:MOST_FAULTS], FieldError("", f"and {more:,} more that are wrong")]


def _check_image(text: str, patterns: Sequence[str]) -> tuple[Image | None, list[FieldError]]:
    try:
        image = parse_image(text)
    except ValueError as error:
        return None, [FieldError("image", str(error))]
    if not is_allowed(image, patterns):
        return image, [
            FieldError("image", f"{image} is not allowed here: CONTAINER_IMAGES takes {', '.join(patterns)}")
        ]
    return image, []


def _fits(image: Image, pattern: str) -> bool:
    name, at, digest = pattern.partition("@")
    name, tag = _split_tag(name)
    return (
        _glob(name).fullmatch(image.repository) is not None
        and (not tag or (image.tag is not None and _glob(tag).fullmatch(image.tag) is not None))
        and (image.digest == digest if at else not (tag and image.digest))
    )


def _split_tag(name: str) -> tuple[str, str]:
    """A colon before the last slash belongs to the registry's port."""
    folder, slash, last = name.rpartition("/")
    last, _, tag = last.partition(":")
    return folder + slash + last, tag


@cache
def _glob(pattern: str) -> re.Pattern[str]:
    return re.compile("[^/]*".join(re.escape(part) for part in pattern.split("*")))


def _check_size(cpu: float, memory: int) -> list[FieldError]:
    if cpu not in MEMORY_MB:
        return [FieldError("cpu", f"one of {', '.join(f'{each:g}' for each in MEMORY_MB)} vCPUs")]
    if memory in MEMORY_MB[cpu] and (cpu, memory) not in NO_PAIR:
        return []
    fitting = ", ".join(str(each) for each in MEMORY_MB[cpu] if (cpu, each) not in NO_PAIR)
    return [FieldError("memory", f"{cpu:g} vCPU goes with one of {fitting} MB")]


def _check_variable(field: str, name: str) -> FieldError | None:
    if name.upper().startswith(OURS):
        return FieldError(f"{field}.{name}", "names that begin with SORTIE_ or AWS_ are not yours to set")
    if not _VARIABLE.fullmatch(name):
        return FieldError(f"{field}.{name}", "a variable's name is letters, digits and _, and begins with no digit")
    return None


def _no_zero(loc: str) -> FieldError:
    return FieldError(loc, "a zero byte cannot be passed to a process")


def _check_secrets(request: ContainerInput, patterns: Sequence[str]) -> list[FieldError]:
    wrong = [error for name in request.secrets if (error := _check_variable("secrets", name))]
    for name, text in request.secrets.items():
        if name in request.env:
            wrong.append(FieldError(f"secrets.{name}", "it is in env as well"))
        if fault := _fault_of_secret(text, patterns):
            wrong.append(FieldError(f"secrets.{name}", fault))
    return wrong


def _fault_of_secret(text: str, patterns: Sequence[str]) -> str:
    """A pattern is held against the ARN alone: what follows it are the job's own words."""
    if len(text) > LONGEST_ARN:
        return f"longer than {LONGEST_ARN:,} characters"
    secret = _SECRET.fullmatch(text)
    if secret is None:
        return "give the ARN of a secret of Secrets Manager"
    if any(_secret_glob(pattern).fullmatch(secret["arn"]) for pattern in patterns):
        return ""
    return f"this secret is not allowed here: CONTAINER_SECRETS takes {', '.join(patterns) or 'none'}"


@cache
def _secret_glob(pattern: str) -> re.Pattern[str]:
    """As IAM matches the same pattern in the execution role: `*` is anything."""
    return re.compile(".*".join(re.escape(part) for part in pattern.split("*")))


def parse_progress(line: str) -> float | None:
    """What a line of progress says; None for any other line, which may be as long as a container likes."""
    match = _PROGRESS.fullmatch(line) if len(line) <= LONGEST_PROGRESS_LINE else None
    return round(min(1.0, float(match[1])), 4) if match else None
