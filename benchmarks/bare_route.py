"""A bare Chalice app on `chalice local`, for benchmarks/hot_path.py: `python -m benchmarks.bare_route PORT`."""

import os
import sys
from typing import Any

from chalice.app import Chalice, Response
from chalice.config import Config
from chalice.local import ChaliceRequestHandler, LocalDevServer, ThreadedHTTPServer

from benchmarks import bare

app = Chalice(app_name="bare")
stage = bare.Stage(os.environ["BARE_STAGE"], os.environ["BARE_ENDPOINT"])


@app.route("/ready")
def ready() -> dict[str, bool]:
    return {"ready": True}


@app.route("/jobs", methods=["POST"])
def submit() -> Response:
    assert app.current_request is not None
    assert app.current_request.json_body["array"]
    return Response({"id": bare.submit(stage)}, status_code=202)


@app.route("/jobs/{job_id}")
def read(job_id: str) -> dict[str, Any]:
    row = bare.read(stage, job_id)
    return {"id": job_id, "status": row["status"]["S"], "output": row["output"]["B"].decode()}


def main() -> None:
    # As `make run` has it: without, each request of a kept connection waits 40 ms, and of 16 clients some are refused.
    ChaliceRequestHandler.disable_nagle_algorithm = True
    ThreadedHTTPServer.request_queue_size = 128
    ChaliceRequestHandler.log_message = lambda *_: None
    LocalDevServer(app, Config.create(chalice_stage="local"), "127.0.0.1", int(sys.argv[1])).serve_forever()


if __name__ == "__main__":
    main()
