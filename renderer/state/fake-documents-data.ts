/** What the scripted client keeps in its collections, and what it answers over them. Development and tests only. */
import type { Collection, DocumentEntry, DocumentText, Evidence, Passage } from '../../main/contract/documents.ts';

const LEASE_PAGES = [
  `LEASE AGREEMENT\n\nbetween Margarethe Lindqvist (the landlord) and Ada Okonkwo (the tenant), for the flat on the second floor of Kastanjegatan 14, with the cellar room number 7 and one place in the bicycle shed.\n\n1. Begin and term\nThe lease begins on 1 September 2025 and runs for an indefinite time. Either side may end it in writing with three months' notice to the end of a month.\n\n2. Rent\nThe rent is 1,180 euros a month without heating. It is due on the third working day of each month. An advance of 145 euros for heating and water is paid with it and settled once a year.`,
  `3. Deposit\nThe deposit is two months' rent. The tenant may pay it in three equal parts, the first of them when the keys are handed over. The landlord keeps it apart from her own money and at the usual interest.\n\nThe deposit is paid back within 30 days of the end of the lease, less what is owed for damage beyond normal wear. The landlord lists such damage in writing.\n\n4. Condition of the flat\nBoth sides sign a record of the flat's condition when the keys are handed over. Marks that are in the record are never held against the tenant.`,
  `5. Repairs\nThe landlord keeps the flat, its heating and its windows in good order. The tenant reports damage without delay. Small repairs, up to 90 euros each and 250 euros a year, are paid by the tenant.\n\n6. Changes to the flat\nHoles for shelves and pictures are allowed. Walls may be painted in any colour if they are white again at the end. Anything that touches pipes or wiring needs the landlord's consent.`,
  `7. Pets\nSmall animals that live in cages or tanks may be kept without asking. A dog or a cat needs the landlord's consent, which she refuses only for a good reason. The consent is given in writing and may be withdrawn if the animal disturbs the house.\n\n8. Guests and subletting\nGuests may stay up to six weeks. Subletting the whole flat needs consent; a single room may be sublet if the landlord is told beforehand.`,
  `9. House rules\nThe house rules are part of this lease. Quiet hours are from 22:00 to 7:00 and, on Sundays, all day. The washing room is used after the list on its door.\n\n10. Keys\nThe tenant receives three keys to the flat, two to the house and one to the cellar. A lost key is reported at once; the lock is changed at the tenant's cost only if the loss was careless.`,
  `11. End of the lease\nThe flat is handed back swept and empty, with all keys. Holes from shelves are filled. Reading dates of the meters are noted by both sides.\n\n12. Last provisions\nChanges to this agreement are made in writing. If one provision is void, the others stay in force.\n\nLund, 14 August 2025\n\nMargarethe Lindqvist · Ada Okonkwo`,
];
const HOUSE_RULES = `# House rules of Kastanjegatan 14\n\n## Quiet\n\nQuiet hours are from 22:00 to 7:00. Music and drills stay off on Sundays.\n\n## Washing room\n\nThe list on the door says whose turn it is. Empty the lint trap when you are done.\n\n## Bicycles\n\nBicycles stand in the shed, not in the stairs. Those without a name tag are given away every spring.\n`;

function textOf(pages: readonly string[], numbered: boolean): Pick<DocumentText, 'text' | 'pages'> {
  let text = '';
  const borders = pages.map((page, at) => {
    const start = text.length;
    text += `${page}\n\n`;
    return { page: numbered ? at + 1 : null, start, end: text.length };
  });
  return { text, pages: borders };
}

const base = { collectionId: 'lease', error: null, addedAtMs: 0, pages: null, status: 'ready' } as const;
export const LEASE: DocumentEntry = {
  ...base,
  id: 'd-lease',
  title: 'Lease agreement Kastanjegatan 14.pdf',
  path: '/home/ada/Documents/Flat/Lease agreement Kastanjegatan 14.pdf',
  kind: 'pdf',
  sizeBytes: 412_670,
  pages: LEASE_PAGES.length,
  chunks: 18,
};
const RULES: DocumentEntry = {
  ...base,
  id: 'd-rules',
  title: 'House rules.md',
  path: '/home/ada/Documents/Flat/House rules.md',
  kind: 'markdown',
  sizeBytes: 3_120,
  chunks: 4,
};

export const LEASE_DOCUMENTS: readonly DocumentEntry[] = [
  LEASE,
  RULES,
  {
    ...base,
    id: 'd-meters',
    title: 'Meter readings 2019–2025.csv',
    path: '/home/ada/Documents/Flat/Meter readings 2019–2025.csv',
    kind: 'csv',
    sizeBytes: 48_213,
    chunks: 31,
    status: 'changed',
  },
  {
    ...base,
    id: 'd-scan',
    title: 'Scan of the handover record.pdf',
    path: '/home/ada/Documents/Flat/Scan of the handover record.pdf',
    kind: 'pdf',
    sizeBytes: 9_413_002,
    chunks: 0,
    status: 'failed',
    error: {
      code: 'document.empty',
      message: 'Its 4 pages are pictures. Save it with text recognition (OCR) in the program that scanned it, then try again.',
      details: {},
    },
  },
  {
    ...base,
    id: 'd-letters',
    title: 'Letters to and from the landlord, the neighbours and the housing association, sorted by date, 2019 to 2025.docx',
    path: '/home/ada/Documents/Flat/Letters.docx',
    kind: 'docx',
    sizeBytes: 812_004,
    chunks: 140,
  },
  {
    ...base,
    id: 'd-photos',
    title: 'Offers for a new kitchen.html',
    path: '/media/usb/Offers for a new kitchen.html',
    kind: 'html',
    sizeBytes: 120_400,
    chunks: 12,
    status: 'missing',
  },
];

export function collection(id: string, name: string, documents: readonly DocumentEntry[]): Collection {
  return {
    id,
    name,
    createdAtMs: 0,
    documents: documents.length,
    pending: documents.filter(({ status }) => status === 'queued' || status === 'reading').length,
    failed: documents.filter(({ status }) => status === 'failed').length,
    chunks: documents.reduce((sum, { chunks }) => sum + chunks, 0),
  };
}

export function manyDocuments(count: number): readonly DocumentEntry[] {
  return Array.from({ length: count }, (_, at) => ({
    ...base,
    id: `many-${at}`,
    collectionId: 'many',
    title: `Minutes of the ${at + 1}th meeting.pdf`,
    path: `/archive/Minutes of the ${at + 1}th meeting.pdf`,
    kind: 'pdf' as const,
    sizeBytes: 20_000 + at * 37,
    pages: 3 + (at % 9),
    chunks: 8 + (at % 20),
    ...(at % 500 === 7 && {
      status: 'failed' as const,
      error: {
        code: 'document.encrypted' as const,
        message: 'Remove the password, then try again.',
        details: {},
      },
    }),
  }));
}

const TEXTS: Readonly<Record<string, Pick<DocumentText, 'text' | 'pages'>>> = {
  'd-lease': textOf(LEASE_PAGES, true),
  'd-rules': textOf([HOUSE_RULES], false),
};

/** Other documents have a text that is long and says nothing. */
export function documentText(document: DocumentEntry): DocumentText {
  const known = TEXTS[document.id];
  if (known) return { document, ...known };
  const page = (at: number): string =>
    `${document.title}, sheet ${at + 1}\n\n${'A line of text that stands for many others in this document.\n'.repeat(30)}`;
  const pages = Array.from({ length: document.pages ?? 1 }, (_, at) => page(at));
  return { document, ...textOf(pages, document.pages !== null) };
}

/** A passage from the first word of `from` to the last of `to`. */
function passage(document: DocumentEntry, from: string, to: string, heading: string | null, score: number): Passage {
  const { text, pages } = documentText(document);
  const start = text.indexOf(from);
  const end = text.indexOf(to, start) + to.length;
  const page = pages.find((border) => start >= border.start && start < border.end)?.page ?? null;
  return {
    documentId: document.id,
    documentTitle: document.title,
    page,
    heading,
    text: text.slice(start, end),
    start,
    end,
    score,
  };
}

const DEPOSIT = passage(LEASE, "The deposit is two months' rent.", 'at the usual interest.', '3. Deposit', 11.4);
const BACK = passage(LEASE, 'The deposit is paid back', 'such damage in writing.', '3. Deposit', 9.8);
const REPAIRS = passage(LEASE, 'The landlord keeps the flat', 'are paid by the tenant.', '5. Repairs', 7.1);
const PETS = passage(LEASE, 'Small animals that live', 'disturbs the house.', '7. Pets', 8.9);
const QUIET = passage(RULES, 'Quiet hours are', 'off on Sundays.', 'Quiet', 3.2);
const BICYCLES = passage(RULES, 'Bicycles stand in the shed', 'given away every spring.', 'Bicycles', 4.4);
export const PASSAGES: readonly Passage[] = [DEPOSIT, BACK, REPAIRS, PETS, QUIET, BICYCLES];

export interface GroundedAnswer {
  readonly content: string;
  readonly sources: readonly Passage[];
  readonly evidence: Evidence;
}

function quoteOf(sources: readonly Passage[], number: number, sentence: string): NonNullable<Evidence['quote']> {
  const source = sources[number - 1];
  const start = source.start + source.text.indexOf(sentence);
  return { passage: number, text: sentence, start, end: start + sentence.length, page: source.page };
}

function spansOf(content: string, sentences: readonly string[]): Evidence['unsupportedSentences'] {
  return sentences.map((sentence) => ({ start: content.indexOf(sentence), end: content.indexOf(sentence) + sentence.length }));
}

export function groundedAnswer(question: string): GroundedAnswer {
  if (/carefully/i.test(question)) {
    const answered = groundedAnswer('The deposit?');
    const thoughts = 'They ask about the deposit. Passage [1] has the sum, [2] the time.\n\nI shall say both.';
    return { ...answered, content: `<think>\n${thoughts}\n</think>\n\n${answered.content}` };
  }
  if (/parking|car\b|garage/i.test(question)) {
    const evidence = { verdict: 'absent', quote: null, removedCitations: 0, unsupportedSentences: [] } as const;
    return { content: 'That is not in your documents.', sources: [BICYCLES, QUIET, REPAIRS], evidence };
  }
  if (/pet|dog|cat\b/i.test(question)) {
    const content = 'Yes, a dog may be kept without asking anyone [1].';
    const sources = [PETS, QUIET, REPAIRS];
    const evidence: Evidence = {
      verdict: 'unsupported',
      quote: quoteOf(sources, 1, "A dog or a cat needs the landlord's consent, which she refuses only for a good reason."),
      removedCitations: 0,
      unsupportedSentences: spansOf(content, [content]),
    };
    return { content, sources, evidence };
  }
  const free = 'Interest on it is **free of tax** in most countries.';
  const content = `The deposit is **two months' rent**, which may be paid in three equal parts [1]. It comes back within 30 days of the end of the lease, less what is owed for damage [1][2]. ${free}\n\nTo be on the safe side:\n\n1. Sign the record of the flat's condition when you get the keys.\n2. Ask for a list of any damage in writing [2].\n`;
  const sources = [DEPOSIT, BACK, REPAIRS, QUIET];
  const evidence: Evidence = {
    verdict: 'supported',
    quote: quoteOf(
      sources,
      2,
      'The deposit is paid back within 30 days of the end of the lease, less what is owed for damage beyond normal wear.',
    ),
    removedCitations: 1,
    unsupportedSentences: spansOf(content, [free]),
  };
  return { content, sources, evidence };
}
