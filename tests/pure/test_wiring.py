"""What stands between settings and clients."""

import threading
from contextlib import suppress

from chalicelib.wiring import Lazy


def test_threads_that_ask_a_client_for_the_first_time_at_once_share_one() -> None:
    meeting = threading.Barrier(2)
    clients: list[list[int]] = []

    def make() -> list[int]:
        with suppress(threading.BrokenBarrierError):
            meeting.wait(0.3)  # two threads meet here only where nothing keeps one of them out
        clients.append([])
        return clients[-1]

    lazy = Lazy(make)
    threads = [threading.Thread(target=lambda: lazy.append(1)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert clients == [[1, 1]]
