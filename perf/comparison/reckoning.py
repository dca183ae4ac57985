"""What is known of a collective without measuring it: the bytes that it touches, and the switches that it needs."""

# The buffers of all ranks together, sent and received, in blocks of the size that the key of a row names.
BLOCKS = {
    "bcast": lambda ranks: ranks,
    "allreduce": lambda ranks: 2 * ranks,
    "allgather": lambda ranks: ranks + ranks * ranks,
    "alltoall": lambda ranks: 2 * ranks * ranks,
}
# Whose calls end on no rank before all have made them; and those where only the root, another one each time, has to do
# with all others: in as many calls as there are ranks, each rank must run once. A prefix sum waits for lower ranks only.
FOR_ALL = ("barrier", "allreduce", "reduce_scatter_block", "reduce_scatter", "allgather", "alltoall", "allgatherv",
           "alltoallv")
ROUND_ROOTS = ("bcast", "reduce", "gather", "scatter", "gatherv", "scatterv")


def touched(name, ranks, size):
    """Bytes of all buffers, of all ranks."""
    return BLOCKS[name](ranks) * size


def least_switches(name, ranks, processors):
    """The fewest switches from rank to rank on a processor, per call and rank, or None where that is not known. The ranks
    lie on the processors evenly; only the last one to come on each processor can go on without a switch."""
    if ranks <= processors:
        return 0.0
    if name in FOR_ALL:
        return 1 - processors / ranks
    if name in ROUND_ROOTS:
        return 1 / ranks
    return 0.0 if name in ("scan", "exscan") else None
