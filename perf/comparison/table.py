"""The results as text."""
from . import verdict
from .jobs import bytes_named

MACHINE_WORDS = {
    "cacheline": ("a cache line from core to core", "us"),
    "yield": ("sched_yield from process to process on one core", "us"),
    "futex": ("a futex wake", "us"),
    "tcp": ("8 bytes over loopback TCP, not sleeping", "us"),
    "epoll": ("an epoll wake over TCP", "us"),
    "memcpy": ("memcpy of 4 MiB", "MB/s"),
}
NAME, COLUMN = 30, 16


def figure(value):
    if value is None:
        return "-"
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.1f}" if abs(value) >= 100 else f"{value:.3g}"


def cell(values):
    return f"{figure(verdict.median(values))} ±{100 * verdict.spread(values):.0f}%" if values else "-"


def bound_of(one):
    return f"{'>=' if one['least'] else '<='} {one['bound']:g}"


def memory_rows(group):
    """(bytes, time, ratio to half the bytes) in words, of the sizes at which memory alone was measured."""
    times = group.get("memory", {})
    for size, values in times.items():
        doubled = verdict.memory_doubled(times, int(size) // 2)
        yield bytes_named(int(size)), cell(values), figure(doubled) if doubled else ""


def memory_lines(group):
    rows = [f"{size:{NAME}}{time:>{COLUMN}}{ratio:>9}".rstrip() for size, time, ratio in memory_rows(group)]
    return [f"{'# memory, sizes doubled, us':{NAME}}{'all processors':>{COLUMN}}{'ratio':>9}", *rows] if rows else []


def met_words(one):
    """Whether a limit is met; where it is not, and memory alone takes more than it too, that is said."""
    if verdict.beyond_memory(one):
        return f"NOT MET (memory alone: {figure(one['memory'])})"
    return {True: "met", False: "NOT MET", None: "no peer" if one["against"] == "peers" else "not measured"}[one["met"]]


def judged(one):
    """The last columns: ratio, limit, whether it is met, and to what the ratio is when not to the best peer."""
    to = f"  to {one['name']} ({figure(one['reference'])})" if one["against"] in ("machine", "row") else ""
    if one["memory"] is not None and not verdict.beyond_memory(one):
        to += f", memory alone: {figure(one['memory'])}"
    return f"{figure(one['ratio']):>9}  {bound_of(one):8} {met_words(one):7}{to}".rstrip()


def row_lines(result, group, job, row, names):
    """The row with its first check, and a line for each further one."""
    checks = verdict.verdicts(result, group, job, row)
    cells = "".join(f"{cell(row['values'].get(name, [])):>{COLUMN}}" for name in names)
    if checks:
        tail = judged(checks[0])
    else:
        best = verdict.judge(result, group, job, row, {"against": "peers", "bound": 1.0})["ratio"]
        tail = f"{figure(best) if best is not None else '':>9}"
        if row.get("least") is not None:
            tail += f"  {figure(row['least'])}"
    yield f"{row['name']:{NAME}}{cells}{tail}".rstrip()
    for one in checks[1:]:
        yield f"{'':{NAME + COLUMN * len(names)}}{judged(one)}"


def last_head(job):
    return "least there can be" if any(row.get("least") is not None for row in job["rows"]) else "limit"


def group_lines(result, group):
    names = [one["name"] for one in result["libraries"]]
    yield f"== {group['name']}: {group['title']}"
    for word, values in group["machine"].items():
        what, unit = MACHINE_WORDS[word]
        yield f"# {word}: {what}: {cell(values)} {unit}" if values else f"# {word}: not measured"
    yield from memory_lines(group)
    for job in group["jobs"]:
        head = f"{job['name']}, {job['unit']}"
        yield f"{'# ' + head:{NAME}}{''.join(f'{name:>{COLUMN}}' for name in names)}{'ratio':>9}  {last_head(job)}"
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
    met, failed, beyond, open_ = verdict.count_met(result)
    alone = f", {beyond} of them where memory alone takes more than that" if beyond else ""
    return f"{met} limits met, {failed} not met{alone}" + (f", {open_} not judged" if open_ else "")


def missed_lines(result):
    """The rows that miss their limits, for those who want only these."""
    for group in result["groups"]:
        for job, row in verdict.rows_of(group):
            for one in verdict.verdicts(result, group, job, row):
                if one["met"] is False:
                    to = "" if one["against"] == "value" else f" to {one['name']}"
                    memory = f"; memory alone: {figure(one['memory'])}" if one["memory"] is not None else ""
                    yield (f"not met: {group['name']}, {job['name']}, {row['name']}: {figure(one['ratio'])}{to} "
                           f"({bound_of(one)}{memory})")
