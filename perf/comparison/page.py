"""The results as pictures, and as one HTML page that needs nothing beside it."""
import html
import os

from . import curves, table, verdict

STYLE = """body{font:14px sans-serif;margin:2em;max-width:70em}table{border-collapse:collapse;margin:1em 0}
td,th{padding:.2em .7em;text-align:right;border-bottom:1px solid #ddd}td:first-child,th:first-child{text-align:left}
.met{color:#196f3d}.not{color:#b03a2e;font-weight:bold}small{color:#666}pre{background:#f6f6f6;padding:.5em;white-space:pre-wrap}"""
UNITS = {word: unit for word, (_, unit) in table.MACHINE_WORDS.items()}


def pictures(result):
    """(file name, SVG) of every job whose rows are sizes."""
    for group in result["groups"]:
        for job in group["jobs"]:
            drawn = curves.svg(group, job, UNITS) if job["curve"] else None
            if drawn:
                yield f"{group['name']}.svg", drawn


def verdict_cells(one):
    bound = f"{'≥' if one['least'] else '≤'} {one['bound']:g}"
    kind = {True: "met", False: "not", None: ""}[one["met"]]
    words = "not measured" if one["met"] is None else table.met_words(one).replace("NOT MET", "not met")
    if one["memory"] is not None and not verdict.beyond_memory(one):
        words += f" <small>memory alone: {table.figure(one['memory'])}</small>"
    to = "" if one["against"] == "value" else f" <small>{html.escape(str(one['name'] or ''))}</small>"
    return f"<td>{table.figure(one['ratio'])}{to}</td><td>{bound}</td><td class='{kind}'>{words}</td>"


def row_html(result, group, job, row, names):
    checks = verdict.verdicts(result, group, job, row)
    cells = "".join(f"<td>{table.figure(verdict.median(row['values'].get(name, [])))} "
                    f"<small>±{100 * verdict.spread(row['values'].get(name, [])):.0f}%</small></td>" for name in names)
    least = table.figure(row["least"]) if row.get("least") is not None else ""
    last = verdict_cells(checks[0]) if checks else f"<td></td><td>{least}</td><td></td>"
    yield f"<tr><td>{html.escape(row['name'])}</td>{cells}{last}</tr>"
    for one in checks[1:]:
        yield f"<tr><td></td>{'<td></td>' * len(names)}{verdict_cells(one)}</tr>"


def memory_html(group):
    rows = ["".join(("<tr>", *(f"<td>{cell}</td>" for cell in cells), "</tr>")) for cells in table.memory_rows(group)]
    if rows:
        yield "<table><tr><th>memory, sizes doubled, us</th><th>all processors</th><th>ratio</th></tr>"
        yield from (*rows, "</table>")


def group_html(result, group):
    names = [one["name"] for one in result["libraries"]]
    yield f"<h2>{html.escape(group['name'])}: {html.escape(group['title'])}</h2>"
    for word, values in group["machine"].items():
        what, unit = table.MACHINE_WORDS[word]
        yield f"<div><small>{word}: {what}: {table.cell(values)} {unit}</small></div>"
    yield from memory_html(group)
    for job in group["jobs"]:
        drawn = curves.svg(group, job, UNITS) if job["curve"] else None
        yield drawn or ""
        heads = "".join(f"<th>{html.escape(name)}</th>" for name in (*names, "ratio", table.last_head(job), ""))
        yield f"<table><tr><th>{html.escape(job['name'])}, {job['unit']}</th>{heads}</tr>"
        for row in job["rows"]:
            yield from row_html(result, group, job, row, names)
        yield "</table>"
        for name, why in job["failures"].items():
            yield f"<pre>{html.escape(name)}: {html.escape(why)}</pre>"


def page(result):
    heads = "".join(f"<li>{html.escape(one['name'])}: {html.escape(one['version'])}</li>" for one in result["libraries"])
    body = "\n".join(part for group in result["groups"] for part in group_html(result, group))
    return (f"<!doctype html><html lang='en'><meta charset='utf-8'><title>Comparison</title><style>{STYLE}</style>"
            f"<h1>Comparison</h1><p>{result['made']}, {result['cores']} cores, medians of {result['rounds']} rounds taken "
            f"in turn. {table.summary(result)}.</p><ul>{heads}</ul>{body}</html>\n")


def write(result, folder):
    """Writes index.html and the pictures; the names of the files."""
    os.makedirs(folder, exist_ok=True)
    files = dict(pictures(result), **{"index.html": page(result)})
    for name, content in files.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as out:
            out.write(content)
    return sorted(files)
