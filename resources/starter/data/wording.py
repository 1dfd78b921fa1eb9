"""The same message in other words: a word or two replaced by one that means the same in any sentence of ours, sometimes as people write in a hurry
(u, pls, abt). Written phrasings are learned by heart, some 280 for each intent of the guide, thirty times each; this leaves what carries the meaning."""

import re

from .tables_of_words import lines

REWORDED_SHARE = 0.45

# Words of one meaning; only those that are so wherever they stand. What the app has words of its own for (document, memory, expert) is not here.
SAME = lines("""
delete|remove|erase|get rid of
app|program|application|software
computer|machine|PC
show|display
find|locate
fast|quick|speedy
slow|sluggish
big|large|huge
small|little
begin|start
picture|image|photo|pic
old|earlier|previous
make|create
change|alter|modify|adjust
choose|pick|select
need|require
happen|occur
happens|occurs
answer|reply|response
answers|replies|responses
question|query
questions|queries
message|msg
send|submit
stored|saved|kept
safe|secure
see|view|look at
understand|grasp
explain|describe|clarify
allowed|permitted
buy|purchase
possible|doable|feasible
always|every time
often|frequently
wrong|incorrect|mistaken
strange|weird|odd
annoying|irritating
missing|gone
folder|directory
settings|preferences|options
shortcut|hotkey|key combination
shortcuts|hotkeys|key combinations
graphics card|video card|GPU
people|folks|ppl
someone|somebody
kids|children
company|firm
really|actually|truly
maybe|perhaps
want to|would like to|wish to|wanna
can i|could i|may i|am i able to
how do i|how can i|how to|how would i|whats the way to
what is|what's|whats
where is|where's|wheres
tell me|let me know
please|pls|plz|kindly
because|cuz
a lot of|many|lots of|loads of
do not|don't|dont
does not|doesn't|doesnt
cannot|can't|cant
is not|isn't|isnt
it is|it's
i am|i'm|im
i have|i've|i got
you|u|you
your|ur
are|r
and|&
without|w/o
with|w/
information|info
going to|gonna
give me|gimme
something|smth|something
about|abt
before|b4
difference|distinction
better|superior
quickly|swiftly
another|a different
again|once more
now|right now|at the moment
today|2day|today
why does|how come
turn off|switch off|disable
turn on|switch on|enable
try|attempt
trouble|problem|issue
works|functions
broken|not working
lost|gone
good|decent|nice
new|fresh
take|grab
look for|search for
right away|immediately|at once
in general|generally
kind of|sort of|type of
i think|i guess|i believe
for example|for instance|e.g.
""")
OTHERS = {word.lower(): sorted({other for group in SAME if word in group for other in group if other != word}) for group in SAME for word in group}
WORD = re.compile(r"(?<![\w'{])(" + "|".join(re.escape(word) for word in sorted(OTHERS, key=len, reverse=True)) + r")(?![\w'}])", re.IGNORECASE)
SPARED = frozenset("a an the to of in is i do does it my".split())


def reworded(rng, text: str) -> str:
    """`text` with one or two of its words replaced, or a small word left out; most often as it is."""
    if rng.random() >= REWORDED_SHARE:
        return text
    for _ in range(rng.choice((1, 1, 2))):
        found = list(WORD.finditer(text))
        if found:
            match = rng.choice(found)
            other = rng.choice(OTHERS[match[0].lower()])
            text = text[: match.start()] + (other[0].upper() + other[1:] if match[0][0].isupper() and match.start() == 0 else other) + text[match.end() :]
    words = text.split(" ")
    small = [i for i, word in enumerate(words) if word in SPARED]
    if len(words) > 4 and small and rng.random() < 0.25:
        del words[rng.choice(small)]
    return " ".join(words)
