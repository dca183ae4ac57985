"""The groups that perf/compare knows, and what the project wants of each row.

Ratios are ours to the best peer's: below 1 means faster where the figure is a time, above 1 where it is a rate.
"""
import itertools
import os

from .jobs import Group, Job, Row, bytes_named, machine, peers, row, value

SMALL = (0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
LARGE = tuple(1 << power for power in range(13, 23))
FIRST_CORE = str(min(os.sched_getaffinity(0)))


def latency():
    def checks(size):
        if size == 8:
            return (peers(0.9), machine("cacheline", 3.0))
        return (peers(0.9),) if size in SMALL else (peers(1.0),) if size in LARGE else ()
    sizes = (*SMALL, 2048, 4096, *LARGE)
    rows = tuple(Row(str(size), bytes_named(size), checks(size)) for size in sizes)
    job = Job("one way", "pingpong", ("--pin", *map(str, sizes)), 2, rows, curve=True)
    return Group("latency", "Latency: two ranks, a core each", (job,), ("cacheline", "tcp"))


def bandwidth():
    sizes = (8, 64, 512, 4 << 10, 32 << 10, 256 << 10, 1 << 20, 4 << 20)
    rows = tuple(Row(str(size), bytes_named(size), (peers(1.0),) if size == 4 << 20 else ()) for size in sizes)
    job = Job("window of 64", "stream", ("--pin", "bandwidth", *map(str, sizes)), 2, rows, "MB/s", True, curve=True)
    return Group("bandwidth", "Bandwidth: two ranks, a core each, 64 messages in flight", (job,), ("memcpy",))


def rate():
    job = Job("window of 64", "stream", ("--pin", "rate", "8"), 2, (Row("8", "8 B", (peers(1.2),)),), "M/s", True)
    return Group("rate", "Message rate: two ranks, a core each, 64 messages in flight", (job,))


def small():
    def job(ranks):
        rows = tuple(Row(key, name, (peers(0.5),)) for key, name in (("barrier", "barrier"), ("allreduce/8", "allreduce 8 B")))
        return Job(f"{ranks} ranks", "collectives", tuple(r.key for r in rows), ranks, rows)
    return Group("small", "Barrier and small allreduce, more ranks than cores", (job(4), job(8)))


def onecore():
    rows = (Row("8", "8 B", (machine("yield", 1.3), peers(1.0))),)
    job = Job("one way", "pingpong", ("8",), 2, rows, before=("taskset", "-c", FIRST_CORE))
    return Group("onecore", "Ping-pong of two ranks that share one core", (job,), ("yield",))


def alltoall():
    sizes = (8, 4 << 10, 64 << 10)
    def job(ranks):
        keys = tuple(f"alltoall/{size}" for size in sizes)
        rows = tuple(Row(key, f"{bytes_named(size)} a block") for key, size in zip(keys, sizes))
        return Job(f"{ranks} ranks", "collectives", (*(("--pin",) if ranks == 2 else ()), *keys), ranks, rows)
    return Group("alltoall", "All-to-all", (job(2), job(4), job(8)))


COLLECTIVES = ("barrier", "bcast", "reduce", "allreduce", "reduce_scatter", "scan", "gather", "scatter", "allgather",
               "alltoall")


def collectives():
    def bound(ranks, size):
        return 1.0 if ranks == 2 or size > 4096 else 0.5
    def job(ranks):
        keys = [("barrier", "barrier", 8)]
        keys += [(f"{name}/{size}", f"{name} {bytes_named(size)}", size)
                 for name, size in itertools.product(COLLECTIVES[1:], (8, 4 << 10, 1 << 20))]
        rows = tuple(Row(key, name, (peers(bound(ranks, size)),)) for key, name, size in keys)
        return Job(f"{ranks} ranks", "collectives", (*(("--pin",) if ranks == 2 else ()), *(r.key for r in rows)), ranks, rows)
    return Group("collectives", "Blocking collectives", (job(2), job(4), job(8)))


def all_groups():
    return [latency(), bandwidth(), rate(), small(), onecore(), alltoall(), collectives()]
