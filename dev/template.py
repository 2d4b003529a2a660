"""Reads resources.yaml as CloudFormation would: parameters, conditions and the few functions used in it."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from dev.settings import ROOT

ACCOUNT = "000000000000"
REGION = "us-east-1"


class Template:
    """A template with values for its parameters; those left out keep their defaults."""

    def __init__(self, body: Mapping[str, Any], **parameters: str) -> None:
        self._resources = body.get("Resources", {})
        self._conditions = body.get("Conditions", {})
        defaults = {name: spec.get("Default", "") for name, spec in body.get("Parameters", {}).items()}
        self._names = {"AWS::Region": REGION, "AWS::AccountId": ACCOUNT, "AWS::Partition": "aws"}
        self._names.update(defaults | parameters)

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        """Logical name -> resolved properties of each resource of a type."""
        names = [name for name, spec in self._resources.items() if spec.get("Type") == kind and self._is_made(spec)]
        return {name: self.properties(name) for name in names}

    def properties(self, name: str) -> dict[str, Any]:
        """Resolved properties; empty for a resource that the template does not know."""
        resolved = self._resolve(self._resources.get(name, {}).get("Properties", {}))
        assert isinstance(resolved, dict)
        return resolved

    def _is_made(self, spec: Mapping[str, Any]) -> bool:
        return "Condition" not in spec or self._holds(spec["Condition"])

    def _holds(self, condition: str) -> bool:
        return bool(self._resolve(self._conditions[condition]))

    def _resolve(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._resolve(each) for each in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            (key, argument) = next(iter(value.items()))
            if key in ("Ref", "Condition") or key.startswith("Fn::"):
                return self._call(key, argument)
        return {key: self._resolve(each) for key, each in value.items()}

    def _call(self, function: str, argument: Any) -> Any:
        match function:
            case "Ref":
                return self._ref(argument)
            case "Condition":
                return self._holds(argument)
            case "Fn::Sub" if isinstance(argument, str):
                return re.sub(r"\$\{([^!}]+)\}", lambda match: self._named(match[1]), argument)
            case "Fn::GetAtt":
                name, attribute = argument if isinstance(argument, list) else argument.split(".", 1)
                return self._attribute(name, attribute)
            case "Fn::If":
                return self._resolve(argument[1] if self._holds(argument[0]) else argument[2])
            case "Fn::Equals":
                return self._resolve(argument[0]) == self._resolve(argument[1])
            case "Fn::Join":
                parts = self._resolve(argument[1])
                return argument[0].join(parts if isinstance(parts, list) else filter(None, [parts]))
            case "Fn::And":
                return all(self._resolve(each) for each in argument)
            case "Fn::Not":
                return not self._resolve(argument[0])
        raise ValueError(f"resources.yaml: {function} is not read by the development stack")

    def _named(self, expression: str) -> str:
        name, _, attribute = expression.partition(".")
        return str(self._attribute(name, attribute) if attribute else self._ref(name))

    def _ref(self, name: str) -> Any:
        return self._names[name] if name in self._names else self._physical(name)

    def _physical(self, name: str) -> str:
        properties = self.properties(name)
        known = (properties.get(key) for key in ("TableName", "QueueName", "BucketName"))
        return next((str(each) for each in known if each), name)

    def _attribute(self, name: str, attribute: str) -> str:
        service = {"AWS::SQS::Queue": "sqs", "AWS::S3::Bucket": "s3"}.get(self._resources[name].get("Type", ""))
        if attribute != "Arn" or service is None:
            raise ValueError(f"resources.yaml: {name}.{attribute} is not known to the development stack")
        owner = f"{REGION}:{ACCOUNT}" if service == "sqs" else ":"
        return f"arn:aws:{service}:{owner}:{self._physical(name)}"


def load(root: Path = ROOT) -> dict[str, Any]:
    """The whole file, as CloudFormation is given it."""
    body: dict[str, Any] = yaml.safe_load((root / "resources.yaml").read_text("utf-8"))
    return body


def read(stage: str, root: Path = ROOT) -> Template:
    return Template(load(root), Stage=stage)
