"""From figures to medians, ratios and verdicts; works on the results as they are written to JSON."""
import statistics

from . import libraries

NOISE = 1.03  # a ratio of two builds of the same source


def median(values):
    return statistics.median(values) if values else None


def spread(values):
    """Half of the range from smallest to largest, as a part of the median."""
    middle = median(values)
    return (max(values) - min(values)) / 2 / middle if middle else 0.0


def ours_of(result):
    return next(one["name"] for one in result["libraries"] if one["ours"])


def rows_of(group):
    for job in group["jobs"]:
        for row in job["rows"]:
            yield job, row


def best_peer(result, job, row):
    """Name and median of the best of the others, or (None, None)."""
    ours = ours_of(result)
    medians = [(median(values), name) for name, values in row["values"].items() if name != ours and values]
    if not medians:
        return None, None
    figure, name = (max if job["more_is_better"] else min)(medians)
    return name, figure


def partner(group, job, what):
    """The row that a check names: a key of the same job, or (job, key)."""
    job_name, key = (job["name"], what) if isinstance(what, str) else what
    return next(row for other, row in rows_of(group) if other["name"] == job_name and row["key"] == key)


def reference(result, group, job, row, check):
    """What a check compares with: (words, its figures by round)."""
    if check["against"] == "peers":
        name, _ = best_peer(result, job, row)
        return name, row["values"].get(name, [])
    if check["against"] == "machine":
        return check["what"], group["machine"].get(check["what"], [])
    if check["against"] == "row":
        other = partner(group, job, check["what"])
        name = other["name"] if isinstance(check["what"], str) else f"{check['what'][0]}, {other['name']}"
        return name, other["values"][ours_of(result)]
    return "", [1.0] * len(row["values"][ours_of(result)])


def ratio(mine, theirs):
    """The median of the ratios of the rounds: a machine that changes its speed between rounds does not change those."""
    return median([a / b for a, b in zip(mine, theirs) if b])


def memory_doubled(times, touched):
    """How many times as long memory alone takes for twice so many bytes; None where that was not measured. times: of
    each round, by size."""
    return ratio(times.get(str(2 * touched), []), times.get(str(touched), []))


def beyond_memory(one):
    """Whether a limit is missed where memory alone misses it too."""
    return one["met"] is False and one["memory"] is not None and one["memory"] > one["bound"]


def judge(result, group, job, row, check):
    """{"against", "name", "reference", "ratio", "bound", "least", "met", "memory"}; met is None where something is
    missing; memory: the ratio that memory alone has, where the check asks for that."""
    name, theirs = reference(result, group, job, row, check)
    found = ratio(row["values"][ours_of(result)], theirs)
    met = None if found is None else found >= check["bound"] if job["more_is_better"] else found <= check["bound"]
    return {"against": check["against"], "name": name, "reference": median(theirs), "bound": check["bound"],
            "ratio": found, "least": job["more_is_better"], "met": met,
            "memory": memory_doubled(group.get("memory", {}), check["touched"]) if check.get("touched") else None}


def judge_before(job, row):
    """Whether the row is not worse than before: a little is noise, and so is what a quarter of the rounds did not see."""
    more = job["more_is_better"]
    theirs = row["values"].get(libraries.BEFORE, [])
    mine = next(values for name, values in row["values"].items() if name != libraries.BEFORE)
    ratios = sorted(a / b for a, b in zip(mine, theirs) if b)
    found, met = median(ratios), None
    if ratios:
        best = ratios[-1 - len(ratios) // 4] if more else ratios[len(ratios) // 4]
        met = best >= 1 or found >= 1 / NOISE if more else best <= 1 or found <= NOISE
    return {"against": "before", "name": libraries.BEFORE, "reference": median(theirs), "bound": 1.0, "ratio": found,
            "least": more, "met": met, "memory": None}


def verdicts(result, group, job, row):
    if any(one["name"] == libraries.BEFORE for one in result["libraries"]):
        return [judge_before(job, row)]
    return [judge(result, group, job, row, check) for check in row["checks"]]


def add_summaries(result):
    """Writes medians and verdicts into the results, for those who read the JSON."""
    for group in result["groups"]:
        for job, row in rows_of(group):
            row["medians"] = {name: median(values) for name, values in row["values"].items()}
            row["verdicts"] = verdicts(result, group, job, row)
    return result


def count_met(result):
    """(met, not met, of these: where memory alone takes more, not judged) over all checks."""
    found = [one for group in result["groups"] for job, row in rows_of(group)
             for one in verdicts(result, group, job, row)]
    met = [one["met"] for one in found]
    return met.count(True), met.count(False), sum(map(beyond_memory, found)), met.count(None)
