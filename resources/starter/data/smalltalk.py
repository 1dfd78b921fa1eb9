"""Greetings, thanks, goodbyes, moods, little lists, rhymes, very short stories, politer and shorter rewriting. Fixed or templated answers."""

from . import names as N
from .sample import Sample, Turn, casual

EXCHANGES = (
    (("Hello", "Hi", "hi", "Hey", "Hello there", "Good morning", "Good evening", "hey there", "hi there", "Good afternoon", "Hallo", "Hiya", "yo", "greetings", "hello!", "hi!", "HELLO", "hey you", "helo", "morning"),
     "Hello! How can I help you?"),
    (("How are you?", "How are you doing?", "How is it going?", "how r u", "Are you well?", "How do you feel?", "how are you today", "What's up?", "whats up", "How are things?", "you ok?", "are you fine"),
     "I am fine, thank you. What would you like to know?"),
    (("Thanks", "Thank you", "thx", "Thanks a lot", "thank you very much", "Great, thanks", "ty", "Thanks!", "many thanks", "cheers", "thank u", "that helped, thanks", "Perfect, thank you", "ok thanks"),
     "You are welcome!"),
    (("Bye", "Goodbye", "See you", "Good night", "bye bye", "See you later", "I have to go", "cya", "good bye", "See you tomorrow", "that's all", "farewell"),
     "Goodbye! Your chat is saved."),
    (("ok", "Okay", "I see", "alright", "got it", "Understood", "fine", "cool", "nice", "good", "great", "hm", "aha", "interesting", "well done", "Good answer", "k", "right"),
     "Good. Ask me when you need something."),
    (("yes", "Yes", "yes please", "yeah", "yep", "sure", "of course", "Yes!"), "Good. What exactly would you like to know?"),
    (("no", "No", "nope", "no thanks", "No, thank you", "nah", "not now"), "All right. I am here when you need me."),
    (("Tell me a joke", "Do you know a joke?", "Make me laugh", "joke", "Say something funny", "another joke", "a joke please", "Can you tell a joke?", "I need a joke", "make a joke"),
     "Why did the expert leave early? Nobody routed a token to it."),
    (("You are stupid", "you are dumb", "You suck", "this is bad", "you are useless", "idiot", "You are wrong", "that is wrong", "nonsense", "what a bad answer", "I hate you", "shut up", "you fool", "this is rubbish", "stupid bot"),
     "I am sorry. I am a very small model and make mistakes. A larger model will do better."),
    (("I am sad", "I feel bad", "I had a bad day", "I am tired", "I feel lonely", "I'm not happy", "I am bored", "today was hard", "I am stressed"),
     "I am sorry to hear that. I hope that your day gets better."),
    (("I am happy", "I feel good", "I had a good day", "Today was great", "I am in a good mood", "I passed my exam", "I got the job", "what a nice day"), "That is good to hear!"),
    (("What?", "huh?", "I don't understand", "what do you mean", "pardon?", "sorry?", "come again", "can you say that again", "??", "?", "eh"), "Please ask me in other words and I will try again."),
    (("Are you there?", "hello?", "anybody there?", "Are you awake?", "are you listening", "Can you hear me?", "test", "testing", "ping", "is this working?", "are you still there"), "Yes, I am here."),
    (("Do you like me?", "Do you love me?", "Are you my friend?", "Do you have feelings?", "Are you happy?", "Do you like music?", "what is your favourite colour", "do you sleep", "Are you alive?", "do you dream", "how old are you", "do you have a family"),
     "I am a program and have no feelings, but I am glad to help."),
    (("Sing a song", "sing for me", "Write a poem", "a poem please", "Write me a rhyme", "rhyme", "Make a rhyme", "poem", "Say a rhyme", "can you write a poem", "recite something"),
     "The router looks, the experts meet, and token by token they find their feet."),
    (("I am back", "here I am again", "hello again", "I'm back", "me again", "back again"), "Welcome back! How can I help you?"),
    (("Sorry", "I am sorry", "my mistake", "oops", "sorry about that", "excuse me", "forgive me"), "No problem."),
    (("Wow", "amazing", "that is great", "impressive", "you are good", "You are smart", "well done you", "awesome", "I like you", "good job", "you are nice"), "Thank you!"),
)
LISTS = {
    "colours": "red, blue, green, yellow, white, black, brown, purple", "fruits": "apple, pear, plum, cherry, orange, banana, grape, lemon",
    "animals": "dog, cat, horse, cow, sheep, fox, bear, owl", "vegetables": "carrot, potato, onion, cabbage, pea, bean, leek, spinach",
    "weekdays": "Monday, Tuesday, Wednesday, Thursday, Friday", "seasons": "spring, summer, autumn, winter", "trees": "oak, beech, pine, birch, maple, willow, elm, ash",
    "birds": "owl, robin, eagle, crow, duck, swan, finch, heron", "tools": "hammer, saw, drill, pliers, chisel, file, wrench, axe",
    "instruments": "piano, violin, flute, drum, guitar, trumpet, harp, cello", "planets": "Mercury, Venus, Earth, Mars, Jupiter, Saturn, Uranus, Neptune",
    "metals": "iron, copper, gold, silver, lead, tin, zinc, nickel", "flowers": "rose, tulip, daisy, lily, violet, poppy, iris, aster",
    "oceans": "Pacific, Atlantic, Indian, Arctic, Southern", "continents": "Africa, Antarctica, Asia, Europe, North America, Oceania, South America",
    "drinks": "water, tea, coffee, milk, juice, cocoa", "shapes": "circle, triangle, square, rectangle, pentagon, hexagon",
}
NUMBERS = {2: "two", 3: "three", 4: "four", 5: "five"}
LIST_FRAMES = ("Name {n} {x}.", "List {n} {x}.", "Give me {n} {x}.", "Tell me {n} {x}.", "{n} {x} please", "Can you name {n} {x}?", "I need {n} {x}.", "Write down {n} {x}.", "Say {n} {x}.", "Which {n} {x} do you know?")
STORY_FRAMES = ("Tell me a story about {x}.", "Write a short story about {x}.", "A story about {x}, please.", "Tell a tale of {x}.", "Can you tell me a story about {x}?", "short story: {x}", "I want a story about {x}.", "Make up a story about {x}.")
HEROES = "a fox|a cat|an owl|a dog|a bear|a mouse|a king|a queen|a robot|a farmer|a sailor|a baker|a child|a wizard|a dragon|a bird|a horse|a teacher".split("|")
STORIES = (
    "Once there was {x} who was lost in the dark. A small light showed the way home, and all was well.",
    "There was {x} who wanted to see the sea. The way was long, but a friend came along. In the end they stood on the beach and laughed.",
    "One morning {x} found an old key. It opened a little door, and behind it lay a garden full of flowers.",
)
POLITE = (
    ("Give me the report.", "Could you please give me the report?"), ("Send me the file.", "Could you please send me the file?"), ("Call me back.", "Could you please call me back?"),
    ("Close the door.", "Could you please close the door?"), ("Pay the bill.", "Could you please pay the bill?"), ("Answer my letter.", "Could you please answer my letter?"),
    ("Fix the printer.", "Could you please fix the printer?"), ("Bring the keys.", "Could you please bring the keys?"), ("Sign the contract.", "Could you please sign the contract?"),
    ("Check the numbers.", "Could you please check the numbers?"), ("Move your car.", "Could you please move your car?"), ("Wait outside.", "Could you please wait outside?"),
)
POLITE_FRAMES = ("Make this more polite: {x}", "Make it politer: {x}", "Say this politely: {x}", "Write this in a polite way: {x}", "Rewrite politely: {x}", "How do I say this politely: {x}", "More polite please: {x}")
SHORT = (
    ("I am writing to you because I want to ask whether we can meet on Monday.", "Can we meet on Monday?"), ("It would be very nice if you could send me the plan as soon as you can.", "Please send me the plan soon."),
    ("Due to the fact that it rains, the game will not take place.", "No game: it rains."), ("I would like to let you know that I will be late today.", "I will be late today."),
    ("We are very happy to be able to tell you that the shop is open again.", "The shop is open again."), ("In case you have any questions, please do not hesitate to call us.", "Please call us with questions."),
    ("At this point in time we are not able to give you an answer.", "We cannot answer yet."), ("The reason why I did not come is that I was ill.", "I did not come because I was ill."),
)
SHORT_FRAMES = ("Make this shorter: {x}", "Shorten: {x}", "Say this in fewer words: {x}", "Write this shorter: {x}", "Shorter please: {x}", "Can you shorten this? {x}")


def generate(rng) -> Sample:
    kind = rng.choices(("talk", "list", "story", "polite", "short"), (70, 12, 8, 6, 4))[0]
    if kind == "talk":
        questions, answer = rng.choice(EXCHANGES)
        question = rng.choice(questions)
        question = question if rng.random() < 0.6 else question.lower().rstrip("?!.") + rng.choice(("", "!", ".", "?") if answer.endswith(".") else ("", "!"))
    elif kind == "list":
        n, key = rng.choice(sorted(NUMBERS)), rng.choice(sorted(LISTS))
        items = LISTS[key].split(", ")
        n = min(n, len(items))
        question = rng.choice(LIST_FRAMES).format(n=rng.choice((NUMBERS[n], str(n))), x=key)
        question, answer = casual(rng, question[0].upper() + question[1:]), ", ".join(items[:n]) + "."
        answer = answer[0].upper() + answer[1:]
    elif kind == "story":
        hero = rng.choice(HEROES)
        question, answer = casual(rng, rng.choice(STORY_FRAMES).format(x=hero)), STORIES[HEROES.index(hero) % len(STORIES)].format(x=hero)
    elif kind == "polite":
        text, answer = rng.choice(POLITE)
        question = rng.choice(POLITE_FRAMES).format(x=text)
    else:
        text, answer = rng.choice(SHORT)
        question = rng.choice(SHORT_FRAMES).format(x=text)
    return Sample("smalltalk", [Turn(question, answer)], facts={"kind": kind, "expected": answer})
