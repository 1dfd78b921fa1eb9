/**
 * Questions over one to three passages, made of the held-out frames. Present: one passage says it. Absent, by kind: `near-attribute` (the
 * entity is there, the attribute only of others), `near-entity` (the attribute is there, of others only), `far` (another domain).
 */
import { documentPrompt, type PromptPassage } from '../../main/chat/document-prompt.ts';
import type { StarterCase } from './case.ts';
import { Chance } from './chance.ts';
import { judgeAbsent, judgeSpan } from './judge.ts';
import { MadeUp } from './made-up.ts';
import type { ReadingAttribute, ReadingFrames } from './material.ts';

interface Statement {
  readonly entity: string;
  readonly attribute: string;
  readonly value: string;
  readonly text: string;
}

const ABSENT_KINDS = ['near-attribute', 'near-attribute', 'near-entity', 'near-entity', 'far'] as const;

export function presentCases(frames: ReadingFrames, n: number, seed: number): StarterCase[] {
  return Array.from({ length: n }, (_, i) => new Maker(frames, seed, `present ${i}`).present());
}

export function absentCases(frames: ReadingFrames, n: number, seed: number): StarterCase[] {
  return Array.from({ length: n }, (_, i) =>
    new Maker(frames, seed, `absent ${i}`).absent(ABSENT_KINDS[i % ABSENT_KINDS.length]),
  );
}

class Maker {
  readonly #frames: ReadingFrames;
  readonly #chance: Chance;
  readonly #madeUp: MadeUp;
  readonly #used = new Set<string>();
  readonly #domain: string;
  readonly #attribute: string;
  readonly #entity: string;
  readonly #nPassages: number;

  constructor(frames: ReadingFrames, seed: number, name: string) {
    this.#frames = frames;
    this.#chance = new Chance(seed, name);
    this.#madeUp = new MadeUp(this.#chance);
    this.#domain = this.#chance.pick(Object.keys(frames.domains));
    this.#attribute = this.#chance.pick(this.#attributes());
    this.#entity = this.#newEntity();
    this.#nPassages = this.#chance.whole(1, 3);
  }

  present(): StarterCase {
    const target = this.#say(this.#entity, this.#attribute);
    const home = this.#chance.whole(0, this.#nPassages - 1);
    const passages = Array.from({ length: this.#nPassages }, (_, i) => this.#passage(i === home ? [target] : []));
    const others = passages.flatMap(({ statements }) => statements).filter(({ value }) => value !== target.value);
    const span = { spans: [target.value], citation: home + 1, others: others.map(({ value }) => value) };
    return {
      ...this.#case(passages),
      task: 'reading-present',
      group: `${this.#nPassages} passage${this.#nPassages > 1 ? 's' : ''}`,
      expected: `${target.value} [${home + 1}]`,
      judge: (answer) => judgeSpan(answer, span),
    };
  }

  absent(kind: (typeof ABSENT_KINDS)[number]): StarterCase {
    const passages = Array.from({ length: this.#nPassages }, (_, i) => this.#passageWithout(kind, i === 0));
    return {
      ...this.#case(passages),
      task: 'reading-absent',
      group: kind,
      expected: 'absent',
      judge: judgeAbsent,
    };
  }

  #passageWithout(kind: (typeof ABSENT_KINDS)[number], first: boolean) {
    const other = (attribute: string) => this.#say(this.#newEntity(), attribute);
    if (kind === 'near-entity') return this.#passage(first ? [other(this.#attribute)] : []);
    if (kind === 'far') {
      const elsewhere = Object.keys(this.#frames.domains).filter((domain) => domain !== this.#domain);
      return this.#passage([], this.#chance.pick(elsewhere));
    }
    const rest = this.#attributes().filter((attribute) => attribute !== this.#attribute);
    const same = first ? this.#chance.sample(rest, 2).map((attribute) => this.#say(this.#entity, attribute)) : [];
    return this.#passage(this.#chance.chance(0.5) ? [...same, other(this.#attribute)] : same);
  }

  /** The given statements among one to three of other entities and some fillers. */
  #passage(given: readonly Statement[], domain = this.#domain) {
    const c = this.#chance;
    const statements = [...given];
    for (let n = c.whole(1, 3); n > 0; n--) {
      // Every second distractor is of the attribute that is asked about.
      const attributes = this.#attributes(domain);
      const attribute = domain === this.#domain && c.chance(0.5) ? this.#attribute : c.pick(attributes);
      statements.push(this.#say(this.#newEntity(domain), attribute, domain));
    }
    const fillers = c.sample(this.#frames.fillers, c.whole(0, 3));
    const sentences = c.shuffle([...statements.map(({ text }) => text), ...fillers]);
    const lines = c.chance(0.2) ? [this.#frames.domains[domain].heading, ...sentences] : [sentences.join(' ')];
    const passage: PromptPassage = {
      documentTitle: this.#title(domain),
      page: c.chance(0.5) ? c.whole(1, 320) : null,
      text: lines.join('\n'),
    };
    return { passage, statements };
  }

  #case(passages: readonly { readonly passage: PromptPassage }[]) {
    const question = this.#chance.pick(this.#frame(this.#domain, this.#attribute).questions).replaceAll('{e}', this.#entity);
    const prompt = documentPrompt({ passages: passages.map(({ passage }) => passage), question: sentence(question) });
    return {
      earlier: [],
      messages: [
        { role: 'system', content: prompt.system },
        { role: 'user', content: prompt.user },
      ] as const,
    };
  }

  #say(entity: string, attribute: string, domain = this.#domain): Statement {
    const frame = this.#frame(domain, attribute);
    const value = this.#value(frame.value);
    const text = this.#chance.pick(frame.statements).replaceAll('{e}', entity).replaceAll('{v}', value);
    return { entity, attribute, value, text: sentence(text) };
  }

  #newEntity(domain = this.#domain): string {
    const patterns = this.#frames.domains[domain].entity;
    return this.#fresh(() => (patterns ? this.#madeUp.filled(this.#chance.pick(patterns)) : this.#madeUp.entity(domain)));
  }

  #value(kind: string): string {
    const values = this.#frames.values?.[kind];
    return this.#fresh(() => (values ? this.#chance.pick(values) : this.#madeUp.value(kind)));
  }

  #title(domain: string): string {
    return this.#chance
      .pick(this.#frames.titles)
      .replaceAll('{heading}', this.#frames.domains[domain].heading)
      .replaceAll('{n}', this.#madeUp.name())
      .replace(/\{d\}/g, () => String(this.#chance.whole(1, 9)));
  }

  #frame(domain: string, attribute: string): ReadingAttribute {
    return this.#frames.domains[domain].attributes[attribute];
  }

  #attributes(domain = this.#domain): string[] {
    return Object.keys(this.#frames.domains[domain].attributes);
  }

  /** Nothing that was made twice in one case, so that every value stands for one statement. */
  #fresh(make: () => string): string {
    for (;;) {
      const made = make();
      if (this.#used.has(made.toLowerCase())) continue;
      this.#used.add(made.toLowerCase());
      return made;
    }
  }
}

function sentence(text: string): string {
  return text[0].toUpperCase() + text.slice(1);
}
