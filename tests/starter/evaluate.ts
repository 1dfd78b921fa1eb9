/**
 * `node main/hosts/launcher/with-node.mjs tests/starter/evaluate.ts MODEL.gguf [--n 1000] [--task a,b] [--seed 1] [--adapter auto] [--engine gpu|reference]
 * [--set first|second|third] [--with-seen] [--lower-case] [--routing-documents 120] [--groups] [--limit-minutes M] [--json FILE]`: asks the model the held-out questions greedily and prints, per task, n, right, near, rate
 * and 95 % interval; then load and mutual information of the experts. `--json` also writes every answer. Progress goes to stderr.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { ADAPTER_CHOICES } from '../../main/hosts/node/gpu.ts';
import { openAnswerer, type Answerer } from './answerer.ts';
import { askCase, type Asked } from './ask.ts';
import { buildBlocks, isTaskName, type Block } from './build-cases.ts';
import { inLowerCase, TASKS_OF_SET, type TaskName } from './case.ts';
import { Chance } from './chance.ts';
import { FIRST_SET, readPairs, SECOND_SET, THIRD_SET } from './material.ts';
import { row, tableText, type Row } from './report.ts';
import { routingByLayer, routingText, type LayerRouting, type RoutedDocument } from './routing.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    n: { type: 'string', default: '1000' },
    task: { type: 'string' },
    seed: { type: 'string', default: '1' },
    adapter: { type: 'string', default: 'auto' },
    engine: { type: 'string', default: 'gpu' },
    'routing-documents': { type: 'string', default: '120' },
    'limit-minutes': { type: 'string', default: '0' },
    groups: { type: 'boolean', default: false },
    set: { type: 'string', default: 'first' },
    'with-seen': { type: 'boolean', default: false },
    'lower-case': { type: 'boolean', default: false },
    json: { type: 'string' },
  },
});

/** Room for three passages and the earlier turn. */
const CONTEXT_TOKENS = 2048;

const modelPath = positionals[0];
if (positionals.length !== 1) throw new Error('Give one model: evaluate.ts MODEL.gguf [--n 1000] [--task guide,facts] …');
const n = whole('n', 1);
const seed = whole('seed', 0);
const setName = oneOf('set', values.set, ['first', 'second', 'third'] as const);
const heldOut = { ...{ first: FIRST_SET, second: SECOND_SET, third: THIRD_SET }[setName], withSeen: values['with-seen'] };
const possible = TASKS_OF_SET[setName];
const tasks = (values.task?.split(',') ?? possible).map((name) => {
  if (!isTaskName(name) || !possible.includes(name))
    throw new Error(`--task has "${name}", but must be of ${possible.join(', ')}.`);
  return name;
});
const limitMs = whole('limit-minutes', 0) * 60_000;
const answerer = await openAnswerer(modelPath, {
  engine: oneOf('engine', values.engine, ['gpu', 'reference'] as const),
  adapter: oneOf('adapter', values.adapter, ADAPTER_CHOICES),
  contextTokens: CONTEXT_TOKENS,
});
try {
  process.exitCode = await evaluate(answerer);
} finally {
  await answerer.close();
}
process.exit();

async function evaluate(model: Answerer): Promise<number> {
  const blocks = buildBlocks(tasks, n, seed, heldOut);
  const asked = await askAll(model, blocks);
  const routing = await routingOf(model, asked, whole('routing-documents', 0));
  const rows = blocks.map((block) => rowOf(block, asked.get(block)!));
  const groups = values.groups
    ? blocks.filter((block) => !block.secondTurn).flatMap((block) => groupRows(asked.get(block)!))
    : [];
  console.log(
    `${modelPath} on ${model.description}, seed ${seed}, greedy, ${setName} held-out set${heldOut.withSeen ? ' with what training holds too' : ''}${values['lower-case'] ? ', questions in lower case' : ''}`,
  );
  if (tasks.includes('sums-2') && readPairs() === null)
    console.log('sums-2: no pairs.txt says which pairs training held out, so any two numbers are asked');
  console.log(tableText([...rows, ...groups]));
  if (routing.length > 0) console.log(`\n${routingText(routing)}`);
  if (values.json !== undefined)
    writeFileSync(values.json, JSON.stringify(document(model, rows, routing, asked), null, 1) + '\n');
  return 0;
}

async function askAll(model: Answerer, blocks: readonly Block[]): Promise<Map<Block, Asked[]>> {
  const asked = new Map<Block, Asked[]>();
  const startMs = performance.now();
  for (const block of blocks) {
    const done: Asked[] = [];
    asked.set(block, done);
    for (const one of block.cases) {
      if (limitMs > 0 && performance.now() - startMs > limitMs) break;
      done.push(await askCase(model, values['lower-case'] ? inLowerCase(one) : one));
    }
    const { n: count, right } = row(
      '',
      done.map(({ verdict }) => verdict),
    );
    const seconds = Math.round((performance.now() - startMs) / 1000);
    console.error(`${nameOf(block)}: ${right} of ${count} right (${count} of ${block.cases.length} asked, ${seconds} s so far)`);
  }
  return asked;
}

/** A mixed set: as many documents of each task, prompt and answer. */
async function routingOf(model: Answerer, asked: ReadonlyMap<Block, readonly Asked[]>, total: number): Promise<LayerRouting[]> {
  const moe = model.model.layers.flatMap(({ ffn }) => (ffn.kind === 'moe' ? [ffn.moe] : []));
  if (total === 0 || moe.length === 0) return [];
  const firstTurns = [...asked].filter(([block]) => !block.secondTurn && block.task !== 'in-scope');
  const perTask = Math.ceil(total / Math.max(1, firstTurns.length));
  const documents: RoutedDocument[] = [];
  for (const [block, list] of firstTurns)
    for (const { ids } of list.slice(0, perTask)) documents.push({ task: block.task, ids, routing: await model.routing(ids) });
  const shape = { nLayers: moe.length, nExperts: moe[0].nExperts, nUsed: moe[0].nExpertsUsed };
  return routingByLayer(documents, shape, new Chance(seed, 'routing'));
}

function rowOf(block: Block, list: readonly Asked[]): Row {
  return row(
    nameOf(block),
    list.map(({ verdict }) => verdict),
  );
}

function groupRows(list: readonly Asked[]): Row[] {
  const groups = [...new Set(list.map(({ starterCase }) => starterCase.group))].sort();
  return groups.map((group) =>
    row(
      `${list[0].starterCase.task} · ${group}`,
      list.filter(({ starterCase }) => starterCase.group === group).map(({ verdict }) => verdict),
    ),
  );
}

function nameOf({ task, secondTurn }: { task: TaskName; secondTurn: boolean }): string {
  return secondTurn ? `${task}, second turn` : task;
}

function document(
  model: Answerer,
  rows: readonly Row[],
  routing: readonly LayerRouting[],
  asked: ReadonlyMap<Block, readonly Asked[]>,
) {
  const answers = [...asked].flatMap(([block, list]) =>
    list.map(({ starterCase, verdict, answer }) => ({
      task: nameOf(block),
      group: starterCase.group,
      verdict,
      question: starterCase.messages.at(-1)!.content,
      expected: starterCase.expected,
      answer,
    })),
  );
  return { model: modelPath, engine: model.description, seed, n, rows, routing, answers };
}

function whole(name: 'n' | 'seed' | 'routing-documents' | 'limit-minutes', least: number): number {
  const value = Number(values[name]);
  if (!Number.isInteger(value) || value < least)
    throw new Error(`--${name} is "${values[name]}", but must be a whole number of at least ${least}.`);
  return value;
}

function oneOf<T extends string>(name: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((candidate) => candidate === value);
  if (found === undefined) throw new Error(`--${name} is "${value}", but must be one of ${allowed.join(', ')}.`);
  return found;
}
