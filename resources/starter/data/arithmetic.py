"""Sums, differences, small products, unit conversions, weekdays. Sums are answered with the working written out from the ones up, weekdays by
counting aloud: that is what makes them learnable (answered at once, two digits stayed at 10 % of unseen pairs while three digits with their
working reached 85 %). One digit is answered plainly. Held-out pairs are never trained (see `held_out`)."""

from .phrasings import read
from .sample import Sample, Turn, casual

ADD_FRAMES = (
    "What is {a} + {b}?", "{a} + {b}", "{a}+{b}=", "What is {a} plus {b}?", "How much is {a} plus {b}?", "Add {a} and {b}.",
    "Calculate {a} + {b}.", "What do {a} and {b} make together?", "Compute the sum of {a} and {b}.", "{a} plus {b}?",
    "Can you add {a} and {b} for me?", "what's {a} + {b}", "Sum: {a} + {b}", "I have {a} apples and get {b} more. How many do I have?",
    "There are {a} people on a bus and {b} get on. How many are on it now?", "Tell me {a} + {b}.", "How much is {a} + {b}?",
)
SUB_FRAMES = (
    "What is {a} - {b}?", "{a} - {b}", "{a}-{b}=", "What is {a} minus {b}?", "How much is {a} minus {b}?", "Subtract {b} from {a}.",
    "Calculate {a} - {b}.", "What is the difference between {a} and {b}?", "Take {b} away from {a}.", "{a} minus {b}?",
    "what's {a} - {b}", "What is left when I take {b} from {a}?", "I have {a} coins and give away {b}. How many are left?",
    "A book has {a} pages and I have read {b}. How many pages are left?", "Tell me {a} - {b}.", "How much is {a} - {b}?",
)
MUL_FRAMES = (
    "What is {a} x {b}?", "{a} * {b}", "{a} times {b}?", "What is {a} times {b}?", "Multiply {a} by {b}.", "How much is {a} times {b}?",
    "Calculate {a} x {b}.", "what's {a}*{b}",
)
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
DAY_AFTER = (
    "What day is {n} days after {day}?", "Today is {day}. What day will it be in {n} days?", "If it is {day}, which day comes {n} days later?",
    "{n} days from {day} is which day?", "What comes {n} days after {day}?", "Which weekday is {n} days after {day}?", "It's {day} today, what day is it in {n} days?",
)
DAY_BEFORE = (
    "What day is {n} days before {day}?", "Today is {day}. What day was it {n} days ago?", "Which weekday was {n} days before {day}?",
    "If it is {day}, what day was it {n} days earlier?",
)
NEXT_DAY = ("What is the day after {day}?", "Today is {day}. What day is tomorrow?", "What day comes after {day}?", "If today is {day}, what is tomorrow?")
LAST_DAY = ("What is the day before {day}?", "Today is {day}. What day was yesterday?", "What day comes before {day}?", "If today is {day}, what was yesterday?")
# One entry: from, to, factor, largest value. Definitions of the SI and of the international yard; nothing is rounded.
UNITS = (
    ("metres", "centimetres", 100, 99), ("kilometres", "metres", 1000, 99), ("centimetres", "millimetres", 10, 99),
    ("kilograms", "grams", 1000, 99), ("litres", "millilitres", 1000, 99), ("hours", "minutes", 60, 24), ("minutes", "seconds", 60, 60),
    ("days", "hours", 24, 14), ("weeks", "days", 7, 52), ("years", "months", 12, 40), ("feet", "inches", 12, 40), ("yards", "feet", 3, 99),
    ("dozen", "pieces", 12, 20), ("tonnes", "kilograms", 1000, 99), ("decades", "years", 10, 20), ("centuries", "years", 100, 20),
)
UNIT_FRAMES = (
    "How many {to} are {n} {frm}?", "Convert {n} {frm} to {to}.", "{n} {frm} in {to}?", "What is {n} {frm} in {to}?",
    "How many {to} are there in {n} {frm}?", "{n} {frm} is how many {to}?",
)


_more = read("frames.json")
ADD_FRAMES, SUB_FRAMES, MUL_FRAMES = (*ADD_FRAMES, *_more["add"]), (*SUB_FRAMES, *_more["sub"]), (*MUL_FRAMES, *_more["mul"])
DAY_AFTER, DAY_BEFORE = (*DAY_AFTER, *_more["day_after"]), (*DAY_BEFORE, *_more["day_before"])
NEXT_DAY, LAST_DAY, UNIT_FRAMES = (*NEXT_DAY, *_more["next_day"]), (*LAST_DAY, *_more["last_day"]), (*UNIT_FRAMES, *_more["unit"])

FRAMES = (ADD_FRAMES, SUB_FRAMES, MUL_FRAMES, DAY_AFTER, DAY_BEFORE, NEXT_DAY, LAST_DAY, UNIT_FRAMES)


def held_out(a: int, b: int) -> bool:
    """One unordered pair in forty is for the test only. Of the last digits, whose sum ends in 7 for all of them, three pairs in four are
    trained: a working is made of digits, and one whose last digits were never seen is another task."""
    low, high = sorted((a, b))
    return (low + high) % 10 == 7 and (low * 7919 + high * 104729) % 101 % 4 == 3


def add_working(a: int, b: int) -> str:
    """'348+276: 8+6=14, 4+7+1=12, 3+2+1=6. 348 + 276 = 624'"""
    steps, carry, x, y = [], 0, a, b
    while x or y:
        total = x % 10 + y % 10 + carry
        steps.append(f"{x % 10}+{y % 10}" + ("+1" if carry else "") + f"={total}")
        carry, x, y = total // 10, x // 10, y // 10
    return f"{a}+{b}: " + ", ".join(steps) + f". {a} + {b} = {a + b}"


def sub_working(a: int, b: int) -> str:
    """'624-276: 14-6=8, 11-7=4, 5-2=3. 624 - 276 = 348': a borrow lowers the next digit by one."""
    steps, borrow, x, y = [], 0, a, b
    while x:
        top, bottom = x % 10 - borrow, y % 10
        borrow = 1 if top < bottom else 0
        top += 10 * borrow
        steps.append(f"{top}-{bottom}={top - bottom}")
        x, y = x // 10, y // 10
    return f"{a}-{b}: " + ", ".join(steps) + f". {a} - {b} = {a - b}"


def pair(rng, low, high, test):
    while True:
        a, b = rng.randint(low, high), rng.randint(low, high)
        if held_out(a, b) == test:
            return a, b


def sum_turn(rng, digits: int, test: bool):
    a, b = pair(rng, 0, 99, test) if digits == 2 else pair(rng, 100, 999, test)
    if rng.random() < 0.15 and digits == 3:
        b = rng.randint(10, 99)
    add = rng.random() < 0.5
    if not add and a < b:
        a, b = b, a
    result = a + b if add else a - b
    question = rng.choice(ADD_FRAMES if add else SUB_FRAMES).format(a=a, b=b)
    sign = "+" if add else "-"
    text = f"{a} {sign} {b} = {result}" if a < 10 and b < 10 else (add_working if add else sub_working)(a, b)
    return Turn(casual(rng, question), f"{text}.", (f"= {result}.",)), result


def generate(rng, test: bool = False) -> Sample:
    kind = rng.choices(("two", "three", "product", "unit", "day"), (32, 26, 6, 12, 24))[0]
    if kind in ("two", "three"):
        turn, result = sum_turn(rng, 2 if kind == "two" else 3, test)
        return Sample("arithmetic", [turn], facts={"kind": kind, "expected": str(result)})
    if kind == "product":
        a, b = rng.randint(0, 12), rng.randint(0, 12)
        turn = Turn(casual(rng, rng.choice(MUL_FRAMES).format(a=a, b=b)), f"{a} x {b} = {a * b}.", (f"= {a * b}.",))
        return Sample("arithmetic", [turn], facts={"kind": kind, "expected": str(a * b)})
    if kind == "unit":
        frm, to, factor, most = rng.choice(UNITS)
        n = rng.randint(2, most)
        question = rng.choice(UNIT_FRAMES).format(n=n, frm=frm, to=to)
        turn = Turn(casual(rng, question), f"{n} {frm} are {n * factor} {to}.", (f"are {n * factor} ",))
        return Sample("arithmetic", [turn], facts={"kind": kind, "expected": str(n * factor)})
    day, n, forward = rng.randrange(7), rng.choice((1, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9)), rng.random() < 0.5
    step = 1 if forward else -1
    counted = [WEEKDAYS[(day + step * i) % 7] for i in range(1, n + 1)]
    frames = (DAY_AFTER if forward else DAY_BEFORE) if n > 1 or rng.random() < 0.3 else NEXT_DAY if forward else LAST_DAY
    question = rng.choice(frames).format(n=n, day=WEEKDAYS[day])
    question = question.replace("1 days", "1 day") if n == 1 else question
    count = "" if n == 1 else f"{', '.join(counted)}. "
    turn = Turn(casual(rng, question), f"{count}It {'is' if forward else 'was'} {counted[-1]}.", (counted[-1],))
    return Sample("arithmetic", [turn], facts={"kind": kind, "expected": counted[-1]})
