"""Containers on ECS: Fargate on AWS, Docker or Podman behind an emulator.

definition    family sortie-STAGE-HASH of all that it says: Describe, else Register; kept in the process
start         RunTask, startedBy = STAGE/JOB/ATTEMPT, clientToken = sha256 of it: a second start is the first one again
find          ListTasks of a startedBy, running and stopped; before each start where an emulator ignores the token
look          DescribeTasks, a hundred at once; ECS remembers a stopped task for an hour
log           CloudWatch, one stream a task: sortie/job/TASK
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.aws.calls import Client, code_of, translated
from chalicelib.core.container import CONTAINER, Spec, make_overrides
from chalicelib.core.container_look import MISSING, REASON, Look
from chalicelib.core.job import Millis
from chalicelib.errors import FieldError, Invalid, ResourceMissing
from chalicelib.ports import LogPage, StartRefused

STREAM_PREFIX = "sortie"
MOST_LOOKS = 100
STOP_SECONDS = 10
NO_ROOM = frozenset({
    "ThrottlingException", "Throttling", "TooManyRequestsException", "LimitExceededException",
    "PlatformTaskDefinitionIncompatibilityException", "BlockedException",
})  # fmt: skip
BROKEN = frozenset({"ServerException", "ServiceUnavailable"})
"""After these a container may have been started all the same. Of a definition that does not matter."""
NO_ROOM_WORDS = ("capacity", "limit", "concurrently", "throttl")
AT_ONCE = "Too many concurrent attempts"
"""Of a definition, when several starts need the same new one. Its other words may repeat the job's own."""
NOT_THERE = frozenset({"ResourceNotFoundException"})


@dataclass(frozen=True, slots=True)
class EcsSettings:
    """Where containers run. Without subnets it is an emulator's, which has no network to choose."""

    stage: str
    cluster: str
    log_group: str
    region: str
    role: str = ""
    subnets: Sequence[str] = ()
    security_group: str = ""
    ignores_tokens: bool = False


class EcsContainers:
    """ports.Containers. `once`: a client that sends no request a second time."""

    def __init__(self, client: Client, once: Client, logs: Client, settings: EcsSettings) -> None:
        self._client = client
        self._once = once
        self._logs = logs
        self._settings = settings
        self._definitions: dict[str, str] = {}

    def start(self, name: str, spec: Spec) -> str:
        try:
            return self._start(name, spec)
        except ResourceMissing as missing:  # nothing starts until somebody makes the cluster
            raise StartRefused(str(missing)) from missing

    def _start(self, name: str, spec: Spec) -> str:
        if self._settings.ignores_tokens and (known := self.find(name)):
            return known[0]
        definition = self._definition(spec)
        with translated("start the container"):
            try:
                answer = self._once.run_task(**self._request(name, spec, definition))
            except ClientError as error:
                return _started_before(error)
        if not answer["tasks"]:
            reasons = ", ".join(str(each.get("reason")) for each in answer["failures"]) or "no task, and no reason"
            raise StartRefused(reasons)
        return str(answer["tasks"][0]["taskArn"])

    def find(self, name: str) -> list[str]:
        refs: list[str] = []
        for status in ("RUNNING", "STOPPED"):
            with translated("find the container"):
                answer = self._client.list_tasks(cluster=self._settings.cluster, startedBy=name, desiredStatus=status)
            refs += answer["taskArns"]
        return refs

    def look(self, refs: Sequence[str]) -> Mapping[str, Look]:
        looks = {ref: Look(ref, MISSING) for ref in refs}
        for start in range(0, len(refs), MOST_LOOKS):
            with translated("look at the containers"):
                answer = self._client.describe_tasks(
                    cluster=self._settings.cluster, tasks=list(refs[start : start + MOST_LOOKS])
                )
            looks |= {task["taskArn"]: read_task(task) for task in answer["tasks"]}
        return looks

    def running(self) -> Sequence[Look]:
        refs: list[str] = []
        start: Any = {}
        while True:
            with translated("list the containers"):
                answer = self._client.list_tasks(cluster=self._settings.cluster, desiredStatus="RUNNING", **start)
            refs += answer["taskArns"]
            if not answer.get("nextToken"):
                return [look for look in self.look(refs).values() if look.status != MISSING]
            start = {"nextToken": answer["nextToken"]}

    def stop(self, ref: str, why: str) -> None:
        with translated("stop the container"):
            try:
                self._client.stop_task(cluster=self._settings.cluster, task=ref, reason=f"{REASON}{why}")
            except ClientError as error:
                if code_of(error) != "InvalidParameterException":  # it is no longer known, and so it has ended
                    raise

    def tail(self, ref: str, lines: int) -> Sequence[str]:
        return self._events(ref, limit=lines, startFromHead=False)[0]

    def log(self, ref: str, after: str | None) -> LogPage:
        token = {} if after is None else {"nextToken": f"f/{after}"}
        lines, forward = self._events(ref, startFromHead=True, **token)
        return LogPage(lines, forward.removeprefix("f/") if forward else after)

    def check(self) -> None:
        with translated("ask for the cluster"):
            self._client.list_tasks(cluster=self._settings.cluster, maxResults=1)

    def _events(self, ref: str, **query: Any) -> tuple[list[str], str | None]:
        """Lines and the token of the next page; nothing of a container that has not written yet, or never started."""
        stream = f"{STREAM_PREFIX}/{CONTAINER}/{ref.rsplit('/', 1)[-1]}"
        with translated("read the container's log"):
            try:
                answer = self._logs.get_log_events(
                    logGroupName=self._settings.log_group, logStreamName=stream, **query
                )  # fmt: skip
            except ClientError as error:
                if code_of(error) in NOT_THERE:
                    return [], None
                if code_of(error) == "InvalidParameterException" and "nextToken" in query:
                    raise Invalid(
                        FieldError("after", "no place in this log: take it from the header Log-After")
                    ) from None
                raise
        lines = [str(event["message"]).encode(errors="replace").decode() for event in answer["events"]]
        return lines, answer.get("nextForwardToken")

    def _request(self, name: str, spec: Spec, definition: str) -> dict[str, Any]:
        request = {
            "cluster": self._settings.cluster,
            "taskDefinition": definition,
            "launchType": "FARGATE",
            "startedBy": name,
            "clientToken": sha256(name.encode()).hexdigest(),
            "overrides": make_overrides(spec.command, spec.env),
        }
        if self._settings.subnets:
            request["networkConfiguration"] = {
                "awsvpcConfiguration": {
                    "subnets": list(self._settings.subnets),
                    "securityGroups": [self._settings.security_group],
                    "assignPublicIp": "ENABLED",  # without it nothing is pulled from a public subnet
                }
            }
        return request

    def _definition(self, spec: Spec) -> str:
        described = self._described(spec)
        family = f"sortie-{self._settings.stage}-{_digest(described)}"
        if family not in self._definitions:
            self._definitions[family] = self._describe(family) or self._register(family, described)
        return self._definitions[family]

    def _describe(self, family: str) -> str | None:
        with translated("look up the definition"):
            try:
                answer = self._client.describe_task_definition(taskDefinition=family)
            except ClientError as error:
                if code_of(error) == "ClientException":
                    return None
                _refuse_without_time(error)
                raise
        definition = answer["taskDefinition"]
        return str(definition["taskDefinitionArn"]) if definition.get("status", "ACTIVE") == "ACTIVE" else None

    def _register(self, family: str, described: Mapping[str, Any]) -> str:
        """Two that come at once make two equal revisions, which does no harm."""
        with translated("register the definition"):
            try:
                answer = self._client.register_task_definition(family=family, **described)
            except ClientError as error:
                _refuse_without_time(error)
                if code_of(error) in ("ClientException", "InvalidParameterException"):
                    raise Invalid(FieldError("", f"ECS does not take it: {_message(error)}")) from error
                raise
        return str(answer["taskDefinition"]["taskDefinitionArn"])

    def _described(self, spec: Spec) -> dict[str, Any]:
        """No task role, a root that cannot be written to, no capabilities."""
        settings = self._settings
        container = {
            "name": CONTAINER,
            "image": spec.image,
            "essential": True,
            "readonlyRootFilesystem": True,
            "stopTimeout": STOP_SECONDS,
            "linuxParameters": {"capabilities": {"drop": ["ALL"]}, "initProcessEnabled": True},
            "secrets": [{"name": key, "valueFrom": arn} for key, arn in sorted(spec.secrets.items())],
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {
                    "awslogs-group": settings.log_group,
                    "awslogs-region": settings.region,
                    "awslogs-stream-prefix": STREAM_PREFIX,
                    # A container that writes faster than CloudWatch takes it goes on; what overflows 25 MB is lost.
                    "mode": "non-blocking",
                    "max-buffer-size": "25m",
                },
            },
        }
        described = {
            "requiresCompatibilities": ["FARGATE"],
            "networkMode": "awsvpc",
            "cpu": f"{spec.cpu * 1024:.0f}",
            "memory": str(spec.memory),
            "containerDefinitions": [container],
        }
        return described | ({"executionRoleArn": settings.role} if settings.role else {})


def read_task(task: Mapping[str, Any]) -> Look:
    """One of DescribeTasks' tasks."""
    own = _own_container(task.get("containers", []))
    return Look(
        ref=str(task["taskArn"]),
        status=str(task["lastStatus"]),
        name=str(task.get("startedBy") or ""),
        started_at=_millis(task.get("startedAt")),
        stopped_at=_millis(task.get("executionStoppedAt") or task.get("stoppedAt")),
        exit_code=own.get("exitCode"),
        stop_code=str(task.get("stopCode") or ""),
        reason=str(task.get("stoppedReason") or ""),
        detail=str(own.get("reason") or ""),
    )


def _own_container(told: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """An account may put containers of its own into a task, and ECS promises no order."""
    named = [each for each in told if "name" in each]
    own = (each for each in named if each["name"] == CONTAINER) if named else iter(told)
    return next(own, {})


def _started_before(error: ClientError) -> str:
    """The reference of the task that this token started with other words; else what the refusal means."""
    code = code_of(error)
    ids = error.response.get("resourceIds")
    if code == "ConflictException" and ids:
        return str(ids[0])
    message = _message(error)
    if code in NO_ROOM or any(word in message.lower() for word in NO_ROOM_WORDS):
        raise StartRefused(message or code) from error
    if code in ("ClientException", "InvalidParameterException"):
        raise Invalid(FieldError("", f"ECS does not take it: {message}")) from error
    raise error


def _refuse_without_time(error: ClientError) -> None:
    """Where ECS takes no more questions or definitions now: nothing was started, which costs the job no attempt."""
    if code_of(error) in NO_ROOM | BROKEN or AT_ONCE in _message(error):
        raise StartRefused(_message(error) or code_of(error)) from error


def _message(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Message", ""))


def _digest(described: Mapping[str, Any]) -> str:
    """Of all of it: definitions outlive the stage and the version that have made them, and so do their rights."""
    return sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()[:20]


def _millis(at: datetime | None) -> Millis | None:
    return None if at is None else round(at.timestamp() * 1000)
