"""The groups that perf/compare knows, and what the project wants of each row.

Ratios are ours to the best peer's: below 1 means faster where the figure is a time, above 1 where it is a rate.
"""
import dataclasses
import itertools
import os

from .jobs import Group, Job, Row, bytes_named, machine, peers, row, twice, value
from .reckoning import least_switches, touched

SMALL = (0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
LARGE = tuple(1 << power for power in range(13, 23))
FIRST_CORE = str(min(os.sched_getaffinity(0)))
CORES = len(os.sched_getaffinity(0))
NOISE = 1.05  # "as fast as": two runs of the same code differ by that much


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
    job = Job("one way", "pingpong", ("--on", FIRST_CORE, "8"), 2, rows, before=("taskset", "-c", FIRST_CORE))
    return Group("onecore", "Ping-pong of two ranks that share one core", (job,), ("yield",))


def alltoall():
    sizes = (8, 4 << 10, 64 << 10)
    def job(ranks):
        keys = tuple(f"alltoall/{size}" for size in sizes)
        rows = tuple(Row(key, f"{bytes_named(size)} a block") for key, size in zip(keys, sizes))
        return Job(f"{ranks} ranks", "collectives", (*(("--pin",) if ranks == 2 else ()), *keys), ranks, rows)
    def many(name, **more):
        rows = (Row("8", "8 B a block"), Row("16384", "16 KiB a block"))
        return Job(name, "alltoall_checked", ("8", "16384"), 64, rows, peers=False, most_rounds=2, seconds=120, **more)
    def with_shm_of(size):
        script = f'mount -t tmpfs -o size={size} none /dev/shm && exec "$@"'
        return ("unshare", "--mount", "sh", "-c", script, "sh")
    jobs = [job(2), job(4), job(8), many("64 ranks")]
    if os.geteuid() == 0:  # others may not mount
        jobs += [many(f"64 ranks, /dev/shm of {words}", before=with_shm_of(size))
                 for size, words in (("64m", "64 MiB"), ("1m", "1 MiB"), ("4k", "4 KiB"))]
    return Group("alltoall", "All-to-all", tuple(jobs))


COLLECTIVES = ("barrier", "bcast", "reduce", "allreduce", "reduce_scatter_block", "reduce_scatter", "scan", "exscan",
               "gather", "scatter", "allgather", "alltoall", "gatherv", "scatterv", "allgatherv", "alltoallv")


def collectives(cores=CORES):
    def bound(ranks, size):
        return 1.0 if ranks == 2 or size > 4096 else 0.5
    def job(ranks):
        keys = [("barrier", "barrier", 8)]
        keys += [(f"{name}/{size}", f"{name} {bytes_named(size)}", size)
                 for name, size in itertools.product(COLLECTIVES[1:], (8, 4 << 10, 1 << 20))]
        rows = tuple(Row(key, name, (peers(bound(ranks, size)),)) for key, name, size in keys)
        return Job(f"{ranks} ranks", "collectives", (*(("--pin",) if ranks == 2 else ()), *(r.key for r in rows)), ranks, rows)
    def switches(job):
        """What short calls spend their time with where ranks share processors; printed together with the times."""
        rows = tuple(Row(f"{one.key}.switches", one.name, least=least_switches(one.key.split("/")[0], job.ranks, cores))
                     for one in job.rows if one.key == "barrier" or one.key.endswith("/8"))
        return dataclasses.replace(job, name=f"{job.name}, switches", unit="per call", rows=rows, of=job.name)
    jobs = tuple(map(job, (2, 4, 8)))
    return Group("collectives", "Blocking collectives", (*jobs, *(switches(one) for one in jobs if one.ranks > cores)))


def waiting():
    ways = ("recv", "wait", "probe", "barrier")
    alone = Job("blocked for 10 s, 2 ranks", "blocked", ("10", "recv"), 2, (Row("recv", "MPI_Recv", (value(0.1),)),),
                "s of CPU", most_rounds=1)
    crowd = Job("blocked for 10 s, 5 ranks", "blocked", ("10", *ways), 5,
                tuple(Row(way, f"MPI_{way.capitalize()}", (value(0.1),)) for way in ways), "s of CPU", most_rounds=1, peers=False)
    wake = Job("being woken", "wake", ("--pin",), 2, (Row("wake", "8 B", (machine("futex", 1.5),)),))
    spin = Job("one way, only spinning", "pingpong", ("--pin", "8"), 2, (Row("8", "8 B"),), peers=False,
               environment=(("COW_WAIT", "spin"),))
    usual = Job("one way, as usual", "pingpong", ("--pin", "8"), 2, (Row("8", "8 B", (row((spin.name, "8"), NOISE),)),), peers=False)
    return Group("waiting", "Waiting, and being woken, inside a host", (alone, crowd, wake, spin, usual), ("futex",))


def waiting_hosts():
    blocked = Job("blocked for 10 s", "blocked", ("10", "recv"), 2, (Row("recv", "MPI_Recv", (value(0.1),)),), "s of CPU",
                  most_rounds=1, peers=False)
    wake = Job("being woken", "wake", ("--pin",), 2, (Row("wake", "8 B", (machine("epoll", 1.5),)),), peers=False)
    return Group("waiting-hosts", "Waiting, and being woken, between two hosts (network namespaces)", (blocked, wake),
                 ("epoll",), hosts=True)


def start():
    rows = (Row("init", "MPI_Init, ms"), Row("job", "Init to Finalize, ms"), Row("memory", "memory of a rank, KiB"),
            Row("private", "  of that its own"), Row("talked", "  after talking to all"))
    jobs = (Job(f"{ranks} ranks", "start", (), ranks, rows, "ms, KiB", most_rounds=5) for ranks in (2, 32))
    return Group("start", "Starting and ending, and the memory of a rank", tuple(jobs))


def pack():
    blocks = (8, 16, 64, 256, 1024, 4096)
    rows = tuple(Row(f"{shape}/{block}/{way}", f"{shape} {bytes_named(block)} {way}", (value(NOISE),))
                 for shape in ("vector", "indexed", "subarray") for block in blocks for way in ("pack", "unpack"))
    packing = Job("MPI_Pack, 4 MiB", "pack", (), 1, rows, "loops")
    blocks = (8, 64, 512, 4096)
    keys = [(f"{shape}/{block}", f"{shape} {bytes_named(block)}") for shape in ("vector", "indexed", "subarray") for block in blocks]
    rows = tuple(Row(f"{key}/{way}", f"{name}, {way}", (row(f"{key}/loop", NOISE),) if way == "type" else ())
                 for key, name in keys for way in ("type", "loop"))
    sending = Job("one way, 4 MiB", "typed", ("--pin", *map(str, blocks)), 2, rows)
    return Group("pack", "Non-contiguous data: by type, and by loops of the program", (packing, sending))


def matching():
    rows = (Row("none", "nothing waits"), *(Row(key, name, (row("none", 1.5),)) for key, name in (
        ("posted", "10,000 posted"), ("wildcard", "10,000 posted, any source"), ("unexpected", "10,000 unexpected"))))
    return Group("matching", "Latency of 8 bytes with long queues", (
        Job("one way", "matching", ("--pin", "10000"), 2, rows, seconds=30),))


def overlap():
    keys = [("ibarrier", "ibarrier")] + [(f"{name}/{size}", f"{name} {bytes_named(size)}")
            for name in ("ibcast", "iallreduce", "iallgather", "ialltoall", "isend") for size in (4 << 10, 256 << 10)]
    rows = tuple(Row(key, name) for key, name in keys)
    job = Job("2 ranks, 10 tests", "overlap", ("--pin", "10", *(key for key, _ in keys)), 2, rows, "% hidden", True)
    return Group("overlap", "Communication hidden behind computation that tests now and then", (job,))


def guidelines():
    """No collective slower than others that do the same; no jumps with the size or the number of ranks."""
    sizes = (8, 1 << 10, 32 << 10, 256 << 10, 1 << 20)
    def same(ranks):
        pairs = [("barrier", "allreduce/4")]
        pairs += [(f"allreduce/{size}", f"reduce+bcast/{size}") for size in sizes]
        pairs += [(f"allgather/{size}", f"gather+bcast_all/{size}") for size in sizes[:4]]
        rows = [one for ours, other in pairs for one in (Row(other, other), Row(ours, ours, (row(other, NOISE),)))]
        return Job(f"{ranks} ranks", "collectives", (*(("--pin",) if ranks == 2 else ()), *(one.key for one in rows)), ranks,
                   tuple(rows), peers=False)
    def doubling(ranks):
        rows = []
        for name in ("bcast", "allreduce", "allgather", "alltoall"):
            sizes = [1 << power for power in range(3, 21)]
            rows.append(Row(f"{name}/{sizes[0]}", f"{name}/{sizes[0]}"))
            for size in sizes[:-1]:
                check = twice(f"{name}/{size}", 2.2, touched(name, ranks, size))
                rows.append(Row(f"{name}/{2 * size}", f"{name}/{2 * size}", (check,)))
        return Job(f"{ranks} ranks, sizes doubled", "collectives",
                   (*(("--pin",) if ranks == 2 else ()), *(one.key for one in rows)), ranks, tuple(rows), peers=False)
    def growing(ranks):
        """Two cores: ranks 3 and 4 put two on a core, 5 and 6 three, 7 and 8 four."""
        keys = ("barrier", "bcast/8", "allreduce/8", "allgather/8", "bcast/32768", "allreduce/32768", "allgather/32768")
        checks = (lambda key: (row((f"{ranks - 1} ranks, one more", key), 1.5),)) if ranks % 2 == 0 else lambda key: ()
        return Job(f"{ranks} ranks, one more", "collectives", keys, ranks, tuple(Row(key, key, checks(key)) for key in keys),
                   peers=False)
    jobs = (*map(same, (2, 4, 8)), *map(doubling, (2, 4, 8)), *map(growing, range(3, 9)))
    touching = {check.touched for job in jobs for one in job.rows for check in one.checks if check.touched}
    # of less, the nearest caches hold each processor's share
    memory = {size for half in touching if half >= 256 << 10 for size in (half, 2 * half)}
    return Group("guidelines", "Collectives among themselves", jobs, memory=tuple(sorted(memory)))


def limits():
    return Group("machine", "What the machine itself can do", (), ("cacheline", "memcpy", "tcp", "yield", "futex", "epoll"))


def all_groups():
    return [latency(), bandwidth(), rate(), small(), onecore(), alltoall(), collectives(), waiting(), waiting_hosts(), start(),
            pack(), matching(), overlap(), guidelines(), limits()]
