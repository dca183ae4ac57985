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
NAME, COLUMN = 30, 16


def figure(value):
    if value is None:
        return "-"
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.1f}" if abs(value) >= 100 else f"{value:.3g}"


def cell(values):
    return f"{figure(verdict.median(values))} ±{100 * verdict.spread(values):.0f}%" if values else "-"


def bound_of(one):
    return f"{'>=' if one['least'] else '<='} {one['bound']:g}"


def judged(one):
    """The last columns: ratio, limit, whether it is met, and to what the ratio is when not to the best peer."""
    met = {True: "met", False: "NOT MET", None: "no peer" if one["against"] == "peers" else "not measured"}[one["met"]]
    to = f"  to {one['name']} ({figure(one['reference'])})" if one["against"] in ("machine", "row") else ""
    return f"{figure(one['ratio']):>9}  {bound_of(one):8} {met:7}{to}".rstrip()


def row_lines(result, group, job, row, names):
    """The row with its first check, and a line for each further one."""
    checks = verdict.verdicts(result, group, job, row)
    cells = "".join(f"{cell(row['values'].get(name, [])):>{COLUMN}}" for name in names)
    if checks:
        tail = judged(checks[0])
    else:
        best = verdict.judge(result, group, job, row, {"against": "peers", "bound": 1.0})["ratio"]
        tail = f"{figure(best):>9}" if best is not None else ""
    yield f"{row['name']:{NAME}}{cells}{tail}".rstrip()
    for one in checks[1:]:
        yield f"{'':{NAME + COLUMN * len(names)}}{judged(one)}"


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


def missed_lines(result):
    """The rows that miss their limits, for those who want only these."""
    for group in result["groups"]:
        for job, row in verdict.rows_of(group):
            for one in verdict.verdicts(result, group, job, row):
                if one["met"] is False:
                    to = "" if one["against"] == "value" else f" to {one['name']}"
                    yield f"not met: {group['name']}, {job['name']}, {row['name']}: {figure(one['ratio'])}{to} ({bound_of(one)})"
