"""The results as text."""
from . import verdict

MACHINE_WORDS = {
    "cacheline": ("a cache line from core to core", "us"),
    "yield": ("sched_yield from process to process on one core", "us"),
    "futex": ("a futex wake", "us"),
    "tcp": ("8 bytes over loopback TCP, not sleeping", "us"),
    "epoll": ("an epoll wake over TCP", "us"),
    "memcpy": ("memcpy of 4 MiB", "MB/s"),
}
NAME, COLUMN = 26, 17


def figure(value):
    if value is None:
        return "-"
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.1f}" if abs(value) >= 100 else f"{value:.3g}"


def cell(values):
    return f"{figure(verdict.median(values))} ±{100 * verdict.spread(values):.0f}%" if values else "-"


def judged(one):
    """The last three columns of a check."""
    if one is None:
        return ""
    bound = f"{'>=' if one['least'] else '<='} {one['bound']:g}"
    met = {True: "met", False: "NOT MET", None: "no peer" if one["against"] == "peers" else "not measured"}[one["met"]]
    ratio = figure(one["ratio"])
    return f"{ratio:>9}  {bound:8} {met}"


def row_lines(result, group, job, row, names):
    """The row, and one more line for each check that is not against the peers."""
    checks = verdict.verdicts(result, group, job, row)
    against_peers = next((one for one in checks if one["against"] == "peers"), None)
    cells = "".join(f"{cell(row['values'].get(name, [])):>{COLUMN}}" for name in names)
    if against_peers:
        tail = judged(against_peers)
    else:
        best = verdict.judge(result, group, job, row, {"against": "peers", "bound": 1.0})["ratio"]
        tail = f"{figure(best):>9}" if best is not None else ""
    yield f"{row['name']:{NAME}}{cells}{tail}".rstrip()
    for one in checks:
        if one["against"] == "peers":
            continue
        words = "as it is" if one["against"] == "value" else f"to {one['name']} ({figure(one['reference'])})"
        yield f"  {words:{NAME - 2 + COLUMN * len(names)}}{judged(one)}"


def group_lines(result, group):
    names = [one["name"] for one in result["libraries"]]
    yield f"== {group['name']}: {group['title']}"
    for word, values in group["machine"].items():
        what, unit = MACHINE_WORDS[word]
        yield f"# {word}: {what}: {cell(values)} {unit}" if values else f"# {word}: not measured"
    for job in group["jobs"]:
        head = f"{job['name']}, {job['unit']}"
        yield f"{'# ' + head:{NAME}}{''.join(f'{name:>{COLUMN}}' for name in names)}{'ratio':>9}  limit"
        for row in job["rows"]:
            yield from row_lines(result, group, job, row, names)
        for name, why in job["failures"].items():
            yield f"! {name}, {job['name']}: {why}"
    yield ""


def head_lines(result):
    yield f"# {result['made']}, {result['cores']} cores, medians of {result['rounds']} rounds taken in turn; ± half the range"
    for one in result["libraries"]:
        yield f"# {one['name']}: {one['version']}"
    yield "# ratio: median over the rounds, to the best of the others unless the line says to what"
    yield ""


def summary(result):
    met, failed, open_ = verdict.count_met(result)
    return f"{met} limits met, {failed} not met" + (f", {open_} not judged" if open_ else "")
