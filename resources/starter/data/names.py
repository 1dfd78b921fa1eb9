"""Made-up names and values. Half of all names are random letters, so that reading must copy and cannot remember."""

CONSONANTS, VOWELS = "bcdfghjklmnprstvwxz", "aeiou"
ONSETS = ("", *"b c d f g h j k l m n p r s t v w y z bl br ch cl cr dr fl fr gh gl gr kn kr ph pl pr qu sc sh sk sl sm sn sp st str sw th tr tw wh".split())
NUCLEI = "a e i o u a e i o u ae ai au ay ea ee ei eu ia ie io oa oi oo ou ue ui y".split()
CODAS = ("", "", "", "", *"b ck d f g k l ll lm m n nd ng nk nt p r rd rk rm rn rt s sk ss st t th v x z".split())
FIRST = ("Anna Ben Clara David Emma Felix Grace Henry Iris Jonas Kira Leo Mara Nils Olga Paul Rosa Samir Tara Umar Vera Wanda Yusuf Zoe "
         "Amina Bruno Celia Dario Elena Farid Gita Hugo Ines Jamal Keiko Luis Mei Noor Otto Priya Quentin Ravi Sofia Tomas Uma Viktor").split()
LAST = ("Adler Brandt Costa Dietz Evans Fischer Garcia Hansen Ito Jansen Kovac Lindt Moreau Novak Okafor Petrov Quinn Rossi Silva Tanaka "
        "Usman Vogel Weber Xu Young Zeller Abbott Bishop Carter Doyle Ellis Foster Grant Hughes Ibsen Keller Larsen Mason Nash Owens").split()
PLACES = ("Arden Bexley Corvale Dunmore Eastwick Farrow Glenrock Halden Inverley Jarrow Kestrel Lowmere Marsden Norwell Oakham Penrith "
          "Queensby Redford Selwyn Thornby Ulverton Varley Westrow Yarmouth Zelham").split()
THINGS = ("Aurora Beacon Compass Delta Ember Falcon Granite Harbor Iris Juniper Kestrel Lantern Meridian Nimbus Orchard Pioneer Quartz "
          "Raven Summit Tidal Umbra Vertex Willow Zephyr").split()
COLOURS = "red blue green yellow black white grey brown orange purple silver golden".split()
MATERIALS = "steel oak glass copper granite aluminium brick marble bamboo concrete pine plastic".split()
MONTHS = "January February March April May June July August September October November December".split()
JOBS = ("engineer teacher doctor pilot baker carpenter lawyer painter nurse chemist gardener journalist plumber librarian architect "
        "farmer translator musician surveyor electrician").split()
FOODS = "berries fish insects leaves seeds grass fruit nuts roots small birds".split()


def letters(rng, low=4, high=8) -> str:
    """A made-up word, capitalised: any letters, vowels and consonants in turn, or syllables."""
    return word(rng, low, high).capitalize()


def word(rng, low=4, high=8) -> str:
    n, form = rng.randint(low, high), rng.random()
    if form < 0.4:
        return "".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(n))
    if form < 0.55:
        return "".join(rng.choice(VOWELS if (i + n) % 2 else CONSONANTS) for i in range(n))
    made = ""
    while len(made) < n:
        made += rng.choice(ONSETS) + rng.choice(NUCLEI) + rng.choice(CODAS)
    return made[:n]


def person(rng) -> str:
    if rng.random() < 0.5:
        return f"{letters(rng)} {letters(rng)}" if rng.random() < 0.6 else letters(rng)
    return f"{rng.choice(FIRST)} {rng.choice(LAST)}"


def place(rng) -> str:
    return letters(rng, 5, 9) if rng.random() < 0.5 else rng.choice(PLACES)


def thing(rng) -> str:
    return letters(rng, 4, 8) if rng.random() < 0.5 else rng.choice(THINGS)


def code(rng) -> str:
    return "".join(rng.choice("ABCDEFGHJKLMNPQRSTUVWXYZ") for _ in range(rng.randint(1, 3))) + "-" + str(rng.randint(10, 9999))


def date(rng) -> str:
    form = rng.randrange(4)
    day, month, year = rng.randint(1, 28), rng.choice(MONTHS), rng.randint(1790, 2035)
    return (f"{day} {month} {year}", f"{month} {year}", f"{day} {month}", f"{month} {day}, {year}")[form]


def year(rng) -> str:
    return str(rng.randint(1650, 2035))


def clock(rng) -> str:
    return f"{rng.randint(0, 23)}:{rng.choice(('00', '15', '30', '45', '10', '20', '50'))}"


def amount(unit: str, low: int, high: int):
    return lambda rng: f"{rng.randint(low, high)} {unit}"


def money(rng) -> str:
    return f"{rng.randint(2, 990)}{rng.choice(('', ',000', ' million'))} {rng.choice(('euros', 'dollars', 'pounds', 'francs'))}"


def pick(values):
    return lambda rng: rng.choice(values)


def company(rng) -> str:
    return f"{thing(rng)} {rng.choice(('Ltd', 'Company', '& Sons', 'Brothers', 'Works', 'Group', 'Services', 'Limited'))}"


def phone(rng) -> str:
    return f"{rng.randint(100, 9999)} {rng.randint(1000, 99999)}"


KINDS = {"person": person, "place": place, "thing": thing, "name": thing, "code": code, "date": date, "year": year, "clock": clock, "money": money, "company": company, "phone": phone}
