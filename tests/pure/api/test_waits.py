"""`wait` holds a request while its job runs, and no more of them at once than a process can bear."""

import threading
import time

from tests.pure.api.conftest import MemoryApi


def test_one_wait_too_many_is_told_to_come_again_and_the_rest_go_on(memory: MemoryApi) -> None:
    job, ended = memory.submit(array=[1]), memory.submit(array=[2])
    memory.ask("DELETE", f"/jobs/{ended['id']}")
    waits = memory.module.waits
    held = [waits.hold() for _ in range(waits.most)]
    for hold in held:
        hold.__enter__()
    refused = memory.ask("GET", f"/jobs/{job['id']}?wait=5")
    assert (refused.status, refused.headers["Content-Type"]) == (429, "application/problem+json")
    assert int(refused.headers["Retry-After"]) > 0
    assert memory.ask("GET", f"/jobs/{job['id']}").status == 200
    assert memory.ask("GET", f"/jobs/{ended['id']}?wait=5").body["status"] == "canceled"
    for hold in held:
        hold.__exit__(None, None, None)
    memory.work()
    assert memory.ask("GET", f"/jobs/{job['id']}?wait=5").body["status"] == "completed"


def test_a_wait_that_is_over_gives_its_place_back(memory: MemoryApi) -> None:
    job = memory.submit(array=[1], run_in="1h")
    for _ in range(memory.module.waits.most + 1):
        assert memory.ask("GET", f"/jobs/{job['id']}?wait=1").status == 200
    assert memory.ask("GET", "/jobs/none?wait=1").status == 404


def test_places_are_counted_across_threads(memory: MemoryApi) -> None:
    waits, at_once = memory.module.waits, threading.Semaphore(0)
    done = threading.Event()

    def hold() -> None:
        with waits.hold():
            at_once.release()
            done.wait(10)

    threads = [threading.Thread(target=hold) for _ in range(waits.most)]
    for thread in threads:
        thread.start()
    assert all(at_once.acquire(timeout=10) for _ in threads)
    job, start = memory.submit(array=[1], run_in="1h"), time.monotonic()
    assert memory.ask("GET", f"/jobs/{job['id']}?wait=20").status == 429
    assert time.monotonic() - start < 10
    done.set()
    for thread in threads:
        thread.join()
