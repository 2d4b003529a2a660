"""The context object that a handler is given."""

import time
import uuid

from dev.template import ACCOUNT, REGION


class Context:
    """The names and the one method that Lambda's own context has."""

    def __init__(self, function_name: str, timeout: float, memory: int) -> None:
        self._ends = time.monotonic() + timeout
        self.function_name = function_name
        self.function_version = "$LATEST"
        self.memory_limit_in_mb = str(memory)
        self.aws_request_id = str(uuid.uuid4())
        self.invoked_function_arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function_name}"
        self.log_group_name = f"/aws/lambda/{function_name}"
        self.log_stream_name = "development"
        self.identity = None
        self.client_context = None

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._ends - time.monotonic()) * 1000))
