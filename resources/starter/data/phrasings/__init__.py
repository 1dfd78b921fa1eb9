"""Further phrasings of every task, each file written by another hand; text only, merged into the tables by the generators."""

import json
from pathlib import Path

FOLDER = Path(__file__).parent


def read(name: str):
    return json.loads((FOLDER / name).read_text(encoding="utf8"))
