"""What AWS allows, as its documentation said in November 2026. Held against no account: arithmetic starts here."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Units, requests and messages a second, unless a name says otherwise."""

    key_writes: float = 1_000
    """Of one partition key of a table or an index, and so of one item too. Nobody raises it."""
    key_reads: float = 3_000
    table_writes: float = 40_000
    """On demand, of a table and of each of its indexes by itself. Raised by request."""
    table_reads: float = 40_000
    cold_writes: float = 4_000
    """What a new table, and each new index, takes at once. Warm throughput raises it."""
    cold_reads: float = 12_000
    doubling_seconds: float = 1_800
    """After so long a table takes twice its earlier peak."""
    api_requests: float = 10_000
    """Of an account in a region. Raised by request."""
    api_burst: float = 5_000
    in_flight: float = 120_000
    """Messages that are received and not yet deleted, of one standard queue. Raised by request."""
    concurrency: float = 1_000
    """Lambda environments of an account. Raised by request."""
    function_start: float = 1_000
    """Environments that one function may have at once after a rest."""
    function_growth: float = 100
    """And how many more with each second: 1,000 in ten."""
    mapping_start: float = 5
    """Batches that an event source mapping has under way at once after a rest."""
    mapping_growth: float = 5
    """And how many more with each second: 300 a minute."""
    workers: float = 50
    """MaximumConcurrency of the queue's event source mapping: resources.yaml, at most 1,000."""
    call_seconds: float = 0.005
    """What one call to DynamoDB or SQS takes from within the region: assumed, not measured."""
    overhead_seconds: float = 0.003
    """What an invocation takes beside its calls: assumed."""
