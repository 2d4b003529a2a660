"""The tasks a job can run, one file each. Every module in this folder is loaded; nothing else lists them.
What a task needs beside its file lies in a folder of its own, which is not."""

import pkgutil
from collections.abc import Mapping
from importlib import import_module

from chalicelib.core.task import TASKS, Task


def load() -> Mapping[str, Task]:
    """The registry, after importing every file of this folder."""
    for module in pkgutil.iter_modules(__path__):
        if not module.ispkg:
            import_module(f"{__name__}.{module.name}")
    return TASKS
