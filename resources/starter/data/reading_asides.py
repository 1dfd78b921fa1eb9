"""What people say around a statement without telling more: before it, behind it, in brackets. A frame is seen often, its end with it; so where a value
ends must be told by what follows."""

ASIDE_SHARE = 0.22
BEFORE = (
    "As agreed, ", "As far as we know, ", "To be honest, ", "For the record, ", "According to the file, ", "As mentioned before, ", "In our view, ", "After a long discussion it was noted that ", "Please note that ",
    "It should be added that ", "Nobody doubts that ", "The list says that ", "For the time being, ", "As of this week, ", "Contrary to what was said, ", "Unless we are mistaken, ", "By the way, ", "Once again: ",
    "The visitors were told that ", "We were pleased to hear that ", "Since you ask: ", "Officially, ", "In short, ", "To answer the second letter: ", "Strange as it sounds, ", "We can confirm that ", "It turned out that ",
    "On closer inspection, ", "Remember that ", "Our neighbours say that ", "As in former years, ", "From the minutes: ", "For those who missed it, ", "Apparently, ", "If the notes are right, ", "Just to be clear, ",
)
BEHIND = (
    ", as everybody knows", ", as agreed", ", as far as we know", ", which surprised nobody", ", according to the file", ", so please plan ahead", ", and that will not change", ", at least for now", ", as the photograph shows", ", if the list is right",
    ", though some disagree", ", which is hard to believe", ", and rightly so", ", as in former years", ", whatever the brochure says", ", to everyone's relief", ", just as planned", ", as was to be expected", ", but ask again before you rely on it",
    ", and we are glad of it", ", as you may have heard", ", until further notice", ", for reasons given elsewhere", ", which visitors often ask about", ", unless somebody objects", ", as noted in the margin", ", after some debate", ", no more and no less",
    ", even in bad weather", ", and not for the first time", " (see the notes)", " (as agreed)", " (no change)", " (checked twice)", " (to be confirmed)", " (source: the old register)", " (as last year)", " (please correct if wrong)",
    "; the rest is in the files", "; nothing else is known", "; further questions go to the office", "; so far nobody has complained", "; the committee took note", " - at any rate so they say", " - a fine choice, many think", " - do not forget it",
    " at present", " these days", " once again", " as usual", " for the moment", " as a rule", " without exception", " it seems", " nowadays", " after all", " to this day", " as things stand", " again this season",
)


def aside(rng, frame: str) -> str:
    """The frame with something before or behind it, where it is a sentence; {e} and {v} stay as they are."""
    if ":" in frame or frame[-1] != ".":
        return frame
    if rng.random() < 0.4:
        return rng.choice(BEFORE) + (frame if frame[0] in "{I" or frame[1:2].isupper() else frame[0].lower() + frame[1:])
    return frame[:-1] + rng.choice(BEHIND) + "."
