"""Which held-out texts the training text holds after all: written by different hands, short questions meet. The evaluation leaves them out.

    python seen.py           writes seen.json in heldout/, heldout/second/ and heldout/third/; test_data.py says when one is stale

Seen is a text whose words are those of a training frame or message, or that shares eight words in a row with one. Words are letters
and digits in lower case; a placeholder counts as a word of its own.
"""

import json
import re
from pathlib import Path

from data import arithmetic, facts, guide, reading_domains, refusal

HELD_OUT = Path(__file__).parent / "heldout"
FOLDERS = (HELD_OUT, HELD_OUT / "second", HELD_OUT / "third")
RUN = 8


def words(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"\{\w+\}|\w+", re.sub(r"\{(\w):\w\}", r"{\1}", text.lower())))


def runs(text: str):
    for part in re.split(r"\{\w+\}", text.lower()):
        part = tuple(re.findall(r"\w+", part))
        yield from (part[i : i + RUN] for i in range(len(part) - RUN + 1))


def training():
    """All frames and whole messages of the generators, by the held-out file that they could spoil."""
    intents = guide.INTENTS.values()
    attributes = [a for _, _, rows in reading_domains.DOMAINS.values() for a in rows]
    return {
        "guide.json": [frame.replace("{x}", x) for i in intents for kind, frames in guide.FRAMES.items() for frame in frames for x in i[kind]],
        "reading.json": [text for _, _, statements, questions in attributes for text in (*statements, *questions)],
        "facts.json": [frame for _, _, frames in facts.RELATIONS.values() for frame in frames],
        "refusal.json": [frame for frames in refusal.FRAMES for frame in frames],
        "arithmetic.json": [frame for frames in arithmetic.FRAMES for frame in frames],
    }


def texts(value, key=""):
    """Every text of a held-out file but for ids and names of kinds."""
    if isinstance(value, str):
        if key in ("text", "statements", "questions", "frames", "texts", "after", "before", "next", "previous") or key in facts.RELATIONS:
            yield value
    elif isinstance(value, list):
        for item in value:
            yield from texts(item, key)
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from texts(item, name)


def contents(folder: Path) -> str:
    found = {}
    for name, trained in training().items():
        if not (folder / name).exists():
            continue
        whole = {words(t) for t in trained}
        parts = {run for t in trained for run in runs(t)}
        held = dict.fromkeys(texts(json.loads((folder / name).read_text(encoding="utf8"))))
        found[name] = [t for t in held if words(t) in whole or any(run in parts for run in runs(t))]
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for folder in FOLDERS:
        new = contents(folder)
        (folder / "seen.json").write_text(new, encoding="utf8", newline="\n")
        print(folder.name, {name: len(found) for name, found in json.loads(new).items()})
