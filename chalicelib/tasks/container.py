"""container: run an image. The worker only starts it; what comes of it is settled by service/containers.py."""

from chalicelib.core.container import LONGEST_SECONDS, TASK, ContainerInput, ContainerOutput
from chalicelib.core.task import Context, TaskError, task


@task(TASK, summary="Run a container image", remote=True, longest=LONGEST_SECONDS)
def container(task_input: ContainerInput, context: Context) -> ContainerOutput:
    raise TaskError("containers do not run inside the worker")
