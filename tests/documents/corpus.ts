/**
 * A generated corpus for measuring retrieval: chronicles of made-up places, facts scattered among filler, questions with the sentence that
 * answers them. It is made hard on purpose: names share their parts, every subject has eight facts in eight sections, other sections mention it, half of the facts
 * say only `it` under a heading that names the subject, and paraphrased questions have hardly a word of the fact beside the name. Seeded and deterministic.
 */

/** Mulberry32: 0 ≤ x < 1. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface CorpusDocument {
  readonly name: string;
  readonly text: string;
}

export interface CorpusQuestion {
  /** In the words of the text. */
  readonly direct: string;
  /** In other words. */
  readonly paraphrase: string;
  readonly document: string;
  /** Stands in the document once, and answers the question. */
  readonly sentence: string;
  readonly answer: string;
}

export interface Corpus {
  readonly documents: readonly CorpusDocument[];
  readonly questions: readonly CorpusQuestion[];
}

type Pick = <T>(from: readonly T[]) => T;

interface Relation {
  /** `S` is the subject, `V` the value. */
  readonly text: string;
  readonly direct: string;
  readonly paraphrase: string;
  readonly value: (pick: Pick, number: (least: number, most: number) => number) => string;
}

const FIRST =
  'Adela Bruno Clara Dorit Emil Frida Gustav Hanna Ivar Jonas Klara Lennart Mira Nils Olga Petra Ruben Signe Tilda Viggo'.split(
    ' ',
  );
const LAST =
  'Aspelund Brinkhof Cederholt Dravik Ekmanis Fjelstad Grunwaldt Hovmand Ilstrup Jarnefelt Kvist Lindqvist Mossberg Nyqvist'.split(
    ' ',
  );
const PLACE_STARTS = 'Hal Vest Nor Brim Kar Ost Fjel Mar Tor Sund Lin Grav Ask Bir El'.split(' ');
const PLACE_ENDS = 'den holm dal vik by rup stad mark lund ness'.split(' ');
const KINDS = ['Mill', 'Bridge', 'Tower', 'School', 'Museum', 'Ferry', 'Brewery', 'Library'];
const person: Relation['value'] = (pick) => `${pick(FIRST)} ${pick(LAST)}`;

const RELATIONS: readonly Relation[] = [
  { text: 'S was founded by V.', direct: 'Who founded S?', paraphrase: 'Who is the person that started S?', value: person },
  {
    text: 'S opened to the public in V.',
    direct: 'When did S open to the public?',
    paraphrase: 'In which year could visitors first enter S?',
    value: (_, number) => String(number(1640, 1985)),
  },
  {
    text: 'The roof of S is covered with V.',
    direct: 'What is the roof of S covered with?',
    paraphrase: 'Which material protects S from rain above?',
    value: (pick) => pick(['slate', 'copper sheets', 'oak shingles', 'red tiles', 'thatch', 'zinc plates']),
  },
  {
    text: 'Repairs of S after the flood cost V crowns.',
    direct: 'How many crowns did the repairs of S after the flood cost?',
    paraphrase: 'How expensive was fixing S when the water had gone?',
    value: (_, number) => String(number(11, 98) * 100),
  },
  {
    text: 'S employs V people in summer.',
    direct: 'How many people does S employ in summer?',
    paraphrase: 'How large is the staff of S between June and August?',
    value: (_, number) => String(number(13, 97)),
  },
  { text: 'The architect of S was V.', direct: 'Who was the architect of S?', paraphrase: 'Who designed S?', value: person },
  {
    text: 'A bronze statue of V stands in front of S.',
    direct: 'Which bronze statue stands in front of S?',
    paraphrase: 'What sculpture will a visitor see at the entrance of S?',
    value: (pick) => pick(['a heron', 'a miller', 'two otters', 'a sea captain', 'a weaver', 'an elk']),
  },
  {
    text: 'S closes at V on Sundays.',
    direct: 'When does S close on Sundays?',
    paraphrase: 'Until what hour may one stay at S at the weekend?',
    value: (pick) => pick(['noon', 'two in the afternoon', 'half past four', 'six in the evening']),
  },
];

const FILLER_SUBJECTS =
  'The council|The harbour master|A travelling painter|The old road|The winter of that year|The parish|A group of farmers|The new mayor|The river|A letter from the capital'.split(
    '|',
  );
const FILLER_VERBS =
  'changed little about|was well known for|had long argued over|paid for|wrote at length about|came to regret|kept a record of|asked twice for|lived off|forgot'.split(
    '|',
  );
const FILLER_OBJECTS =
  'the grain market|the repairs of the quay|the summer festival|the price of herring|the school reform|the great flood|the northern meadows|the taxes on salt|the opening of the canal|the public baths|the copper trade|the wooden roof of the hall'.split(
    '|',
  );
const FILLER_ENDS =
  ', as the chronicle tells|, although nobody had asked|, which surprised visitors|, until the war ended|, and so it remained||||'.split(
    '|',
  );

export interface CorpusSize {
  readonly nDocuments: number;
  /** Of each document; about 120 words each. */
  readonly nSections: number;
  readonly nQuestions: number;
  /** Times so much filler in each section (default 1). */
  readonly length?: number;
}

export function generateCorpus(seed: number, { nDocuments, nSections, nQuestions, length = 1 }: CorpusSize): Corpus {
  const random = randomOf(seed);
  const number = (least: number, most: number) => least + Math.floor(random() * (most - least + 1));
  const pick: Pick = (from) => from[Math.floor(random() * from.length)];
  const fillers = (n: number) =>
    Array.from(
      { length: n * length },
      () => `${pick(FILLER_SUBJECTS)} ${pick(FILLER_VERBS)} ${pick(FILLER_OBJECTS)}${pick(FILLER_ENDS)}.`,
    );
  const names = PLACE_STARTS.flatMap((start) => PLACE_ENDS.flatMap((end) => KINDS.map((kind) => `the ${start}${end} ${kind}`)));
  const nAll = nDocuments * nSections;
  const subjects = shuffled(names, random).slice(0, Math.max(1, Math.ceil(nAll / RELATIONS.length)));
  // Every subject has its facts in as many sections, anywhere in the corpus.
  const plan = shuffled(
    subjects.flatMap((subject) => RELATIONS.map((relation) => ({ subject, relation }))),
    random,
  );
  const questions: CorpusQuestion[] = [];
  const documents: CorpusDocument[] = [];
  for (let d = 0; d < nDocuments; d++) {
    const name = `chronicle-${d + 1}.md`;
    const sections: string[] = [`# Chronicle of the district, volume ${d + 1}`];
    for (const { subject, relation } of plan.slice(d * nSections, (d + 1) * nSections)) {
      const answer = relation.value(pick, number);
      const isNamed = random() < 0.5;
      const sentence = capital(relation.text.replace('V', answer).replace('S', isNamed ? subject : 'it'));
      const of = (template: string) => template.replace('S', subject);
      questions.push({ direct: of(relation.direct), paraphrase: of(relation.paraphrase), document: name, sentence, answer });
      const aside = () => `On the way to ${pick(subjects)} one passes ${pick(FILLER_OBJECTS)}.`;
      sections.push(
        `## ${capital(subject)}`,
        [...fillers(3), aside(), ...fillers(2), sentence, ...fillers(4), aside(), ...fillers(2)].join(' '),
      );
    }
    documents.push({ name, text: `${sections.join('\n\n')}\n` });
  }
  // A sentence with `it` may stand in a document twice; its place would not be known.
  const texts = new Map(documents.map(({ name, text }) => [name, text]));
  const clear = questions.filter(({ document, sentence }) => texts.get(document)!.split(sentence).length === 2);
  return { documents, questions: shuffled(clear, random).slice(0, nQuestions) };
}

const capital = (sentence: string) => sentence[0].toUpperCase() + sentence.slice(1);

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const copy = [...items];
  for (let i = copy.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [copy[i], copy[j]] = [copy[j], copy[i]];
  }
  return copy;
}
