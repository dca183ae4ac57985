"""Makes the table of docs/collectives.md again and compares: table_test.py COW-EXAMINE DOCUMENT [COLLECTIVE/ALGORITHM ...]

Without names the whole table, else these lines of it.
"""
import subprocess
import sys


def table_of(text):
    """Lines of the table by the algorithm's name; the heads under "algorithm"."""
    lines = [line.strip() for line in text.splitlines() if line.startswith("| ")]
    return {line.split("|")[1].strip(): line for line in lines}


def make(examine, *names):
    command = [examine, "--compare", *names, "--ranks", "1024", "--bytes", str(1 << 20)]
    return table_of(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def main():
    examine, document, *wanted = sys.argv[1:]
    with open(document, encoding="utf-8") as file:
        text = file.read()
    written = table_of(text[text.index("| algorithm |"):])
    made = {}
    for name in wanted or [""]:
        made.update(make(examine, *filter(None, name.split("/"))))
    if len(made) < (len(wanted) + 1 if wanted else 9):
        return "cow-examine made only " + ", ".join(made)
    expected = made if wanted else {**dict.fromkeys(written), **made}
    wrong = [name for name, line in expected.items() if written.get(name) != line]
    for name in wrong:
        print(f"the document says\n  {written.get(name)}\ncow-examine says\n  {made.get(name)}")
    return f"{document} is stale: {', '.join(wrong)}" if wrong else 0


sys.exit(main())
