"""The app's event sources, as Chalice registered them.

`python -m dev.sources STAGE` in the app's folder prints them as JSON, or why the app does not load.
"""

import os
import re
import sys
from pathlib import Path
from typing import Any

import msgspec
from chalice import app as chalice
from chalice.cli.factory import CLIFactory
from chalice.deploy.validate import validate_routes
from chalice.utils import to_cfn_resource_name

from dev import template
from dev.complaint import why

UNITS = {"minute": 60, "hour": 3600, "day": 86_400}


class Function(msgspec.Struct, frozen=True):
    """How Lambda would configure the handler. Seconds and megabytes."""

    name: str
    timeout: int
    memory: int
    environment: dict[str, str]


class QueueSource(msgspec.Struct, frozen=True, tag="queue"):
    """`window`: seconds to wait for a full batch. `concurrency`: None is no bound."""

    function: Function
    queue: str
    batch_size: int
    window: int
    concurrency: int | None
    reports_failures: bool


class ScheduleSource(msgspec.Struct, frozen=True, tag="schedule"):
    """`period`: seconds from one call to the next."""

    function: Function
    period: int


class EventSource(msgspec.Struct, frozen=True, tag="event"):
    """`detail`: which of ECS's events it is called for, as a pattern."""

    function: Function
    detail: dict[str, list[str | dict[str, str]]]


class OtherSource(msgspec.Struct, frozen=True, tag="other"):
    """A kind that development does not drive."""

    function: Function
    kind: str


Source = QueueSource | ScheduleSource | EventSource | OtherSource


def read(stage: str, root: Path) -> list[Source]:
    """Imports the app, with the stage's variables set, and checks its routes as `chalice local` will."""
    config = CLIFactory(str(root), environ=os.environ).create_config_obj(chalice_stage_name=stage)
    resources = template.read(stage, root)
    app = config.chalice_app
    validate_routes(app.routes)
    return [_source(each, config, stage, resources) for each in app.event_sources]


def _source(config: Any, settings: Any, stage: str, resources: template.Template) -> Source:
    function = _function(config.name, settings.scope(chalice_stage=stage, function_name=config.name))
    if isinstance(config, chalice.SQSEventConfig):
        return _queue(config, function, _mapping(resources, config.name))
    if isinstance(config, chalice.ScheduledEventConfig):
        expression = config.schedule_expression
        return ScheduleSource(function, period(expression if isinstance(expression, str) else expression.to_string()))
    if isinstance(config, chalice.CloudWatchEventConfig) and config.event_pattern.get("source") == ["aws.ecs"]:
        return EventSource(function, config.event_pattern.get("detail", {}))
    return OtherSource(function, type(config).__name__)


def period(expression: str) -> int:
    """The seconds of a rate(...). ValueError names what EventBridge would refuse, and what is not driven here."""
    if expression.startswith("cron("):
        raise ValueError(
            f"{expression}: cron rules run on AWS and when deployed offline, make run drives rate(...) alone"
        )
    rate = re.fullmatch(r"rate\((\d+) (minute|hour|day)(s?)\)", expression)
    if not rate or int(rate[1]) < 1 or bool(rate[3]) != (int(rate[1]) > 1):
        raise ValueError(f"{expression}: say rate(1 minute), rate(5 minutes), rate(2 hours), rate(1 day)")
    return int(rate[1]) * UNITS[rate[2]]


def _function(name: str, scoped: Any) -> Function:
    """Lambda's own defaults are 3 s and 128 MB; Chalice deploys 60 s."""
    environment = {key: str(value) for key, value in scoped.environment_variables.items()}
    return Function(name, scoped.lambda_timeout or 60, scoped.lambda_memory_size or 128, environment)


def _queue(config: Any, function: Function, mapping: dict[str, Any]) -> QueueSource:
    scaling = mapping.get("ScalingConfig", {}).get("MaximumConcurrency")
    return QueueSource(
        function=function,
        queue=config.queue or config.queue_arn.rsplit(":", 1)[1],
        batch_size=config.batch_size,
        window=config.maximum_batching_window_in_seconds or 0,
        concurrency=scaling or config.maximum_concurrency,
        reports_failures="ReportBatchItemFailures" in mapping.get("FunctionResponseTypes", []),
    )


def _mapping(resources: template.Template, function: str) -> dict[str, Any]:
    """Settings that Chalice cannot express, merged into its template from resources.yaml."""
    events = resources.properties(to_cfn_resource_name(function)).get("Events", {})
    name = to_cfn_resource_name(f"{function}-sqs-event-source")
    properties: dict[str, Any] = events.get(name, {}).get("Properties", {})
    return properties


def _main() -> None:
    root = Path.cwd()
    try:
        sources = read(sys.argv[1], root)
    except Exception as error:
        sys.exit(why(error, root))
    sys.stdout.buffer.write(msgspec.json.encode(sources) + b"\n")


if __name__ == "__main__":
    _main()
