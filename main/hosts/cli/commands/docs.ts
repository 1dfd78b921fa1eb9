/** `docs index | search | ask`: collections of documents from the command line, in the data folder of the app. */
import path from 'node:path';
import type { DocumentEntry, Passage } from '../../../contract/documents.ts';
import { MOST_PASSAGES } from '../../../chat/document-turn.ts';
import { UsageError, type CliCommand, type CliContext } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { GENERATION_OPTIONS } from '../generation.ts';
import { askDocuments, textOf } from './docs-ask.ts';
import { findCollection, openDocumentData, type DocumentData } from './docs-data.ts';

const LOOK_EVERY_MS = 100;

export const command: CliCommand = {
  name: 'docs',
  usage: 'index DIR [--collection NAME] | search QUESTION [--limit N] | ask QUESTION --model MODEL',
  summary: 'Reads documents into a collection, finds passages in it, answers questions over it.',
  options: {
    collection: {
      type: 'string',
      value: 'NAME',
      description: 'the collection (index: made when it is not there; default Documents)',
    },
    limit: { type: 'string', value: 'N', description: `passages to find, 1 to 100 (default ${MOST_PASSAGES})` },
    model: { type: 'string', value: 'MODEL', description: 'a .gguf file that answers (ask)' },
    ...GENERATION_OPTIONS,
  },
  positionals: [2, 2],
  async run(context) {
    const [what, argument] = context.positionals;
    const action = { index: indexFolder, search, ask }[what as 'index' | 'search' | 'ask'];
    if (!action) throw new UsageError(`docs ${what} does not exist: index, search and ask do.`);
    if (what === 'ask') context.flags.required('model');
    const data = openDocumentData(context.common.dataFolder);
    try {
      return await action(data, argument, context);
    } finally {
      await data.close();
    }
  },
};

async function indexFolder(data: DocumentData, place: string, { flags, signal, log, result }: CliContext): Promise<number> {
  const { collections, documents, indexer, events } = data;
  const name = flags.string('collection') ?? 'Documents';
  const { id } = collections.list().find((collection) => collection.name === name) ?? collections.create(name);
  const startMs = performance.now();
  const { added, refused } = await documents.add(id, [path.resolve(process.env.INIT_CWD ?? process.cwd(), place)]);
  for (const { error } of refused) if (error.code !== 'document.duplicate') log(error.message);
  events.on((event) => {
    if (event.name !== 'documents.document' || event.payload.document.status === 'reading') return;
    const { title, chunks, error } = event.payload.document;
    log(error ? error.message : `${title}: ${chunks} passages`);
  });
  indexer.start();
  await untilRead(data, id, signal);
  const read = documents.list(id);
  const count = (status: DocumentEntry['status']) => read.filter((document) => document.status === status).length;
  const summary = {
    collection: name,
    added: added.length,
    refused: refused.map(({ path: file, error }) => ({ path: file, code: error.code, message: error.message })),
    ready: count('ready'),
    failed: read.filter(({ status }) => status === 'failed').map(({ path: file, error }) => ({ path: file, error })),
    waiting: count('queued'),
    passages: read.reduce((sum, { chunks }) => sum + chunks, 0),
    elapsedMs: Math.round(performance.now() - startMs),
  };
  result(
    summary,
    `${name}: ${summary.ready} documents, ${summary.passages} passages, ${summary.failed.length} could not be read`,
  );
  return EXIT.done;
}

/** Ctrl-C leaves the rest in the queue; the next start goes on with it. */
async function untilRead({ collections }: DocumentData, collectionId: string, signal: AbortSignal): Promise<void> {
  const waits = () => collections.list().some(({ id, pending }) => id === collectionId && pending > 0);
  while (!signal.aborted && waits()) await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
}

function find({ collections, retriever }: DocumentData, question: string, { flags }: CliContext): Passage[] {
  const { id } = findCollection(collections, flags.string('collection'));
  return retriever.retrieve(id, question, flags.integer('limit', { min: 1, max: 100 }) ?? MOST_PASSAGES);
}

async function search(data: DocumentData, question: string, context: CliContext): Promise<number> {
  const passages = find(data, question, context);
  const shown = passages.map(({ documentTitle, page, heading, text }, i) => {
    const place = [documentTitle, page === null ? null : `p. ${page}`, heading].filter((part) => part !== null).join(', ');
    return `[${i + 1}] ${place}\n${text}`;
  });
  context.result({ question, passages }, shown.join('\n\n') || 'Nothing was found.');
  return EXIT.done;
}

async function ask(data: DocumentData, question: string, context: CliContext): Promise<number> {
  const asked = await askDocuments(question, find(data, question, context), context);
  context.result({ question, ...asked }, textOf(asked));
  return EXIT.done;
}
