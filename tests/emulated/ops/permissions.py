"""Which AWS actions and which indexes each function can reach, read off the sources.

From a function's handler in app.py it follows every name that leads into chalicelib/: imported functions and classes,
a module's own, and calls on the ports (`ports.jobs.claim`), up to the calls of boto3 clients in chalicelib/aws/.
"""

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from dev.settings import ROOT

Definition = tuple[str, str]
PORTS = {
    "jobs": ("chalicelib.aws.dynamodb", "DynamoJobs"),
    "records": ("chalicelib.aws.records", "DynamoRecords"),
    "queue": ("chalicelib.aws.sqs", "SqsQueue"),
    "payloads": ("chalicelib.aws.s3", "S3Payloads"),
    "containers": ("chalicelib.aws.ecs", "EcsContainers"),
}
ACTIONS = {
    "batch_execute_statement": ["dynamodb:PartiQLUpdate"],
    "batch_get_item": ["dynamodb:BatchGetItem"],
    "batch_write_item": ["dynamodb:BatchWriteItem"],
    "delete_item": ["dynamodb:DeleteItem"],
    "get_item": ["dynamodb:GetItem"],
    "put_item": ["dynamodb:PutItem"],
    "query": ["dynamodb:Query"],
    "transact_write_items": ["dynamodb:PutItem"],
    "update_item": ["dynamodb:UpdateItem"],
    "describe_task_definition": ["ecs:DescribeTaskDefinition"],
    "describe_tasks": ["ecs:DescribeTasks"],
    "get_log_events": ["logs:GetLogEvents"],
    "list_tasks": ["ecs:ListTasks"],
    "register_task_definition": ["ecs:RegisterTaskDefinition"],
    # ECS starts the task with the execution role, which the caller hands on.
    "run_task": ["ecs:RunTask", "iam:PassRole"],
    "stop_task": ["ecs:StopTask"],
    "get_queue_attributes": ["sqs:GetQueueAttributes"],
    "get_queue_url": ["sqs:GetQueueUrl"],
    "send_message": ["sqs:SendMessage"],
    "send_message_batch": ["sqs:SendMessage"],
    "copy_object": ["s3:GetObject", "s3:PutObject"],
    # Without ListBucket S3 answers 403, not 404, for an object that is not there.
    "get_object": ["s3:GetObject", "s3:ListBucket"],
    "head_bucket": ["s3:ListBucket"],
    "head_object": ["s3:GetObject", "s3:ListBucket"],
    "put_object": ["s3:PutObject"],
}
"""What a client's method needs. A presigned link needs what its method needs, of whoever signs it."""
PLATFORM = {
    "api": set[str](),
    "authorize": set[str](),
    "dispatch": set[str](),
    "quick": {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"},
    "ended": set[str](),
    "work": {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"},
}
KNOW_NO_RESOURCE = {"ecs:DescribeTaskDefinition", "ecs:RegisterTaskDefinition"}
"""A definition is named by its family, and is described by a name that IAM is not shown."""
LOGS = {"logs:CreateLogStream", "logs:PutLogEvents"}
"""Lambda itself writes the log, and reads the queue, with the function's role."""


def needed() -> Mapping[str, set[str]]:
    """Function -> IAM actions, Lambda's own included."""
    return {name: {*_actions(nodes), *PLATFORM[name], *LOGS} for name, nodes in _functions().items()}


def queried(indexes: set[str]) -> Mapping[str, set[str]]:
    """Function -> those of `indexes` that it reads: each is named by a string where it is queried."""
    return {name: _strings(nodes) & indexes for name, nodes in _functions().items()}


def strings() -> Mapping[str, set[str]]:
    """Function -> every string in what it reaches."""
    return {name: _strings(nodes) for name, nodes in _functions().items()}


@cache
def _functions() -> Mapping[str, list[ast.AST]]:
    """Function -> what its handler reaches; the API's is all that app.py defines beside the handlers of the others."""
    roots: dict[str, list[str]] = {}
    for name, node in _module("app").defined.items():
        roots.setdefault(_handler_name(node) or "api", []).append(name)
    return {function: _reached([("app", name) for name in names]) for function, names in roots.items()}


def _handler_name(node: ast.AST) -> str | None:
    """Of a function that Chalice makes for a handler by itself: `@app.schedule(..., name="dispatch")`."""
    if not isinstance(node, ast.FunctionDef):
        return None
    for decorator in node.decorator_list:
        match decorator:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="app")), keywords=keywords):
                names = [each.value.value for each in keywords
                         if each.arg == "name" and isinstance(each.value, ast.Constant)]  # fmt: skip
                return str(names[0]) if names else node.name
    return None


class Module:
    """A source file: what it defines by name, `Class.method` too, and what its imports stand for."""

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self.defined: dict[str, ast.AST] = {}
        self.imports: dict[str, tuple[str, str | None]] = {}
        tree = ast.parse(path.read_text("utf-8"))
        for statement in tree.body:
            self._define(statement)
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    self.imports[alias.asname or alias.name] = _resolved(node.module, alias.name)

    def _define(self, node: ast.stmt) -> None:
        if isinstance(node, ast.FunctionDef):
            self.defined[node.name] = node
        elif isinstance(node, ast.ClassDef):
            self.defined[node.name] = node
            methods = (each for each in node.body if isinstance(each, ast.FunctionDef))
            self.defined |= {f"{node.name}.{method.name}": method for method in methods}


def _resolved(module: str, name: str) -> tuple[str, str | None]:
    """`from chalicelib.service import read` names a module, `from chalicelib.core.ids import is_id` what is in one."""
    whole = f"{module}.{name}"
    return (whole, None) if _path(whole).exists() else (module, name)


def _path(module: str) -> Path:
    return ROOT / (module.replace(".", "/") + ".py")


@cache
def _module(name: str) -> Module:
    return Module(name, _path(name))


def _reached(roots: list[Definition]) -> list[ast.AST]:
    todo, done, nodes = list(roots), set[Definition](), list[ast.AST]()
    while todo:
        definition = todo.pop()
        if definition in done:
            continue
        done.add(definition)
        module = _module(definition[0])
        node = module.defined.get(definition[1])
        if node is not None:
            todo += _named(module, definition[1], node)
            nodes.append(node)
    return nodes


def _named(module: Module, inside: str, body: ast.AST) -> Iterator[Definition]:
    for node in ast.walk(body):
        if isinstance(node, ast.Name):
            yield from _by_name(module, node.id)
        elif isinstance(node, ast.Attribute):
            yield from _by_attribute(module, inside, node)


def _by_name(module: Module, name: str) -> Iterator[Definition]:
    if name in module.defined:
        yield module.name, name
    elif name in module.imports and (target := module.imports[name])[1] and _path(target[0]).exists():
        yield target[0], target[1]


def _by_attribute(module: Module, inside: str, node: ast.Attribute) -> Iterator[Definition]:
    match node.value:
        case ast.Attribute(attr=port) if port in PORTS:
            yield PORTS[port][0], f"{PORTS[port][1]}.{node.attr}"
        case ast.Name(id="self") if "." in inside:
            yield module.name, f"{inside.split('.')[0]}.{node.attr}"
        case ast.Name(id=name) if name in module.imports and module.imports[name][1] is None:
            yield module.imports[name][0], node.attr


def _strings(nodes: list[ast.AST]) -> set[str]:
    every = (node for body in nodes for node in ast.walk(body))
    return {node.value for node in every if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def _actions(nodes: list[ast.AST]) -> Iterator[str]:
    """IAM actions of the client calls in these bodies."""
    for node in (node for body in nodes for node in ast.walk(body)):
        match node:
            case ast.Call(
                func=ast.Attribute(
                    value=ast.Attribute(attr="_client" | "_once" | "_logs") | ast.Name(id="client"), attr=method
                )
            ):
                names = [method]
                if method == "generate_presigned_url" and isinstance(node.args[0], ast.Constant):
                    names = [str(node.args[0].value)]
                for name in names:
                    yield from ACTIONS[name]
