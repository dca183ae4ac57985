#!/usr/bin/env python3
"""cowinfo --protocols prints the table of protocols, as settings have it.
  protocols_test.py COWINFO
"""
import os
import subprocess
import sys

MEANINGS = """\
eager: sent at once; kept at the receiver until a receive matches.
read: offered; the receiver reads it from the sender's memory.
write: offered; the sender writes it to the receiver's memory.
pipeline: offered; sent in pieces when the receiver asks.
"""
HEAD = "  from bytes     to bytes  contiguous   with holes\n"


def rows(*table):
    return HEAD + "".join(f"{first:12} {last:>12}  {one:12} {other}\n" for first, last, one, other in table)


EAGER_8K = (0, 8192, "eager", "eager")
EAGER = (0, 16000, "eager", "eager")
READ = rows(EAGER, (16001, 65535, "pipeline", "pipeline"), (65536, "any", "read", "pipeline"))
CASES = [
    ({"COW_SHM": "yes"}, "inside a node: shared memory\n" + rows(EAGER_8K, (8193, "any", "read", "pipeline")) +
     "\nbetween nodes: net\n" + READ),
    ({}, "inside a node: net\n" + READ + "\nbetween nodes: net\n" + READ),
    ({"COW_SHM": "yes", "COW_CMA": "no", "COW_EAGER_LIMIT": "1K", "COW_RENDEZVOUS": "write"},
     "inside a node: shared memory\n" + rows((0, 1024, "eager", "eager"), (1025, "any", "pipeline", "pipeline")) +
     "\nbetween nodes: net\n" + rows((0, 1024, "eager", "eager"), (1025, 65535, "pipeline", "pipeline"),
                                     (65536, "any", "write", "pipeline"))),
    ({"COW_PROVIDER": "udp;ofi_rxd"},
     "inside a node: udp;ofi_rxd\n" + rows(EAGER, (16001, "any", "pipeline", "pipeline")) +
     "\nbetween nodes: udp;ofi_rxd\n" + rows(EAGER, (16001, "any", "pipeline", "pipeline"))),
    ({"COW_PROVIDER": "shm"}, "inside a node: shm\n" + rows(EAGER, (16001, 16383, "pipeline", "pipeline"),
                                                                (16384, "any", "read", "pipeline"))),
]


def main():
    clean = {name: value for name, value in os.environ.items() if not name.startswith("COW_")}
    failures = 0
    for settings, expected in CASES:
        environment = {**clean, "COW_PROVIDER": "net", **settings}
        done = subprocess.run([sys.argv[1], "--protocols"], env=environment, capture_output=True, text=True, timeout=60)
        if done.returncode != 0 or done.stdout != expected + "\n" + MEANINGS:
            failures += 1
            print(f"{settings}: status {done.returncode}, printed\n{done.stdout}{done.stderr}expected\n{expected}\n{MEANINGS}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
