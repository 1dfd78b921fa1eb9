/**
 * Names and values that no table holds: half of all words are plain random letters, half are built of syllables. Values are given by
 * kind (`value` of the frames in reading.json).
 */
import { invariant } from '../../gpu/invariant.ts';
import type { Chance } from './chance.ts';

const ONSETS = 'b br c d dr f g gr h j k kl l m n p pr qu r s st t tr v w z th'.split(' ');
const VOWELS = 'a e i o u ai ou'.split(' ');
const CODAS = ['', '', 'l', 'n', 'r', 's', 'm', 'rk', 'nd', 'x'];
const LETTERS = 'abcdefghijklmnopqrstuvwxyz';
const FIRST_NAMES =
  'Ada Bela Carlo Dorit Emre Fenja Gustav Hana Ilse Jovan Katja Leif Mina Noor Otto Pilar Quentin Ruth Soren Tilda'.split(' ');
const MONTHS = 'January February March April May June July August September October November December'.split(' ');

const WORDS: Readonly<Record<string, readonly string[]>> = {
  colour: 'dark green|bright orange|silver|sky blue|cream|black|burgundy|lemon yellow|purple'.split('|'),
  food: 'snails|beetles|water plants|small crabs|fallen fruit|ants|seeds|roots|mushrooms'.split('|'),
  habitat: 'dry meadows|beech forests|salt marshes|stony deserts|mountain lakes|old orchards|river mouths'.split('|'),
  hobby: 'chess|bird watching|pottery|fencing|baking bread|model trains|rock climbing|sewing'.split('|'),
  job: 'plumber|librarian|welder|bookkeeper|gardener|tailor|surveyor|glazier|watchmaker'.split('|'),
  material: 'sandstone|larch wood|red brick|concrete|glass|granite|steel'.split('|'),
  product: 'umbrellas|garden tools|violins|roof tiles|candles|bicycle bells|wool blankets|copper pipes'.split('|'),
  spice: 'saffron|cumin|nutmeg|thyme|ginger|cardamom|marjoram|chili'.split('|'),
  topic: 'the new car park|winter tyres|the choir trip|broken windows|the calendar|fire safety'.split('|'),
};

const TEXTUAL: Readonly<Record<string, (word: string) => string>> = {
  food: (word) => `${word} leaves`,
  habitat: (word) => `${word} reeds`,
  product: (word) => `${word} boxes`,
  topic: (word) => `the ${word} plan`,
};

export class MadeUp {
  readonly #chance: Chance;

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  /** Lower case, 4 to 9 letters. */
  word(): string {
    const c = this.#chance;
    if (c.chance(0.5)) return Array.from({ length: c.whole(4, 8) }, () => LETTERS[c.whole(0, 25)]).join('');
    const syllable = () => c.pick(ONSETS) + c.pick(VOWELS) + c.pick(CODAS);
    return (syllable() + syllable()).slice(0, 9);
  }

  name(): string {
    const word = this.word();
    return word[0].toUpperCase() + word.slice(1);
  }

  person(): string {
    return `${this.#chance.chance(0.5) ? this.#chance.pick(FIRST_NAMES) : this.name()} ${this.name()}`;
  }

  /** An entity of a reading domain, as its frames want it in `{e}`. */
  entity(domain: string): string {
    const c = this.#chance;
    switch (domain) {
      case 'person':
        return this.person();
      case 'building':
        return `${this.name()} ${c.pick(['Hall', 'House', 'Tower', 'Court'])}`;
      case 'machine':
        return `${this.name()} ${c.whole(20, 990)}`;
      case 'animal':
        return this.word();
      case 'contract':
        return `${this.#letters(2)}-${c.whole(100, 999)}`;
      case 'recipe':
        return `${this.word()} ${c.pick(['soup', 'stew', 'pie', 'cake'])}`;
      case 'train':
        return `${this.#letters(1)}${c.whole(100, 9999)}`;
      default:
        return this.name();
    }
  }

  /** A pattern of names with {name}, {word}, {person}, {digits} and {letters} made up. */
  filled(pattern: string): string {
    const made: Readonly<Record<string, () => string>> = {
      name: () => this.name(),
      word: () => this.word(),
      person: () => this.person(),
      digits: () => String(this.#chance.whole(11, 9899)),
      letters: () => this.#letters(2),
    };
    return pattern.replace(/\{(\w+)\}/g, (_, slot: string) => {
      invariant(made[slot] !== undefined, `names have no {${slot}}`);
      return made[slot]();
    });
  }

  value(kind: string): string {
    const c = this.#chance;
    const number = (least: number, most: number, unit: string) => `${c.whole(least, most)} ${unit}`;
    switch (kind) {
      case 'person':
        return this.person();
      case 'town':
      case 'name':
      case 'company':
        return this.name();
      case 'year':
        return String(c.whole(1650, 2019));
      case 'years':
        return number(2, 60, 'years');
      case 'months':
        return number(2, 18, 'months');
      case 'minutes':
        return number(5, 95, 'minutes');
      case 'metres':
        return number(12, 900, 'metres');
      case 'centimetres':
        return number(11, 240, 'centimetres');
      case 'kilos':
        return number(11, 480, 'kilos');
      case 'watts':
        return number(30, 2400, 'watts');
      case 'degrees':
        return number(20, 260, 'degrees');
      case 'count':
        return String(c.whole(11, 950));
      case 'small':
        return String(c.whole(4, 24));
      case 'bigcount':
        return `${c.whole(2, 98)},${c.whole(100, 999)}`;
      case 'money':
        return c.chance(0.5) ? number(3, 90, 'million euros') : `${c.whole(2, 98)},${c.whole(1, 9)}00 euros`;
      case 'price':
        return `${c.whole(4, 99)}.${c.whole(10, 99)} euros`;
      case 'date':
        return `${c.whole(1, 28)} ${c.pick(MONTHS)}`;
      case 'clock':
        return `${c.whole(6, 22)}:${c.pick(['05', '10', '15', '20', '25', '30', '40', '45', '50'])}`;
      case 'phone':
        return `${c.whole(200, 999)} ${c.whole(1000, 9999)}`;
      case 'room':
        return `${this.#letters(1)}${c.whole(10, 480)}`;
      case 'oil':
        return `${this.#letters(2)} ${c.whole(10, 99)}`;
      default: {
        const words = WORDS[kind];
        invariant(words !== undefined, `there are no values of the kind ${kind}`);
        return c.chance(0.5) ? c.pick(words) : (TEXTUAL[kind] ?? ((word: string) => word))(this.word());
      }
    }
  }

  #letters(n: number): string {
    return Array.from({ length: n }, () => LETTERS[this.#chance.whole(0, 25)].toUpperCase()).join('');
  }
}
