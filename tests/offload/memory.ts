/**
 * Does memory stay within the budgets while an answer is written? `node main/hosts/launcher/with-node.mjs tests/offload/memory.ts MODEL.gguf --gpu
 * 256MiB --ram 256MiB [--prompt 64] [--tokens 1000] [--adapter lavapipe]`. Exit code 1 where the ledger was above the GPU budget, or the Pss
 * of all processes above both budgets, 400 MiB and what they take with only the adapter open.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { mebibytes } from '../../gpu/residency/plan/words.ts';
import { parseFlags } from '../../main/hosts/cli/flags.ts';
import { percent, textTable } from '../../main/hosts/cli/text-table.ts';
import { adapterBaselineBytes, watchedAnswer, type AnswerRequest, type WatchedAnswer } from './watched-answer.ts';

/** What the program itself may take besides: code, compiled kernels, tokenizer, the JavaScript heap. */
export const PROGRAM_BYTES = 400 * 2 ** 20;

export interface MemoryVerdict extends WatchedAnswer {
  readonly request: AnswerRequest;
  readonly baselineBytes: number;
  readonly allowedBytes: number;
  readonly isLedgerWithin: boolean;
  readonly isPssWithin: boolean;
}

export async function measureMemory(request: AnswerRequest): Promise<MemoryVerdict> {
  const baselineBytes = await adapterBaselineBytes(request.adapter);
  const watched = await watchedAnswer(request);
  const allowedBytes = request.gpuBytes + request.ramBytes + PROGRAM_BYTES + baselineBytes;
  return {
    ...watched,
    request,
    baselineBytes,
    allowedBytes,
    isLedgerWithin: watched.answer.ledger.peakBytes <= request.gpuBytes,
    isPssWithin: watched.pss.peakBytes > 0 && watched.pss.peakBytes <= allowedBytes,
  };
}

export function memoryTable(verdict: MemoryVerdict): string {
  const { answer, request, baselineBytes, pss } = verdict;
  const { residency, plan, counters } = answer;
  const uses = residency.hits + residency.missesFromRam + residency.missesFromDisk;
  const { resident, slotted, streamed } = plan.layers;
  const firstMs = answer.loadMs + answer.prefillMs + answer.firstTokenMs;
  const speed = (1000 * (answer.tokens - 1)) / answer.decodeMs;
  const rows = [
    ['GPU ledger, most', mebibytes(answer.ledger.peakBytes), `of ${mebibytes(request.gpuBytes)}`, word(verdict.isLedgerWithin)],
    ['RAM pool at the end', mebibytes(residency.ramPoolBytes), `of ${mebibytes(request.ramBytes)}`, ''],
    ['Pss of all processes, most', mebibytes(pss.peakBytes), `of ${mebibytes(verdict.allowedBytes)}`, word(verdict.isPssWithin)],
    ['its growth, second to last quarter', `${(pss.growthBytes / 2 ** 20).toFixed(1)} MiB`, '', ''],
    ['adapter alone', mebibytes(baselineBytes), '', ''],
    ['layers', `${resident} resident, ${slotted} slotted, ${streamed} streamed`, '', ''],
    ['hits', uses === 0 ? 'nothing can be missed' : percent(residency.hits / uses), '', ''],
    ['load', seconds(answer.loadMs), '', ''],
    ['prefill', seconds(answer.prefillMs), `${counters.prefillTokens} tokens`, ''],
    ['first token, load included', seconds(firstMs), `processor ${seconds(answer.processorMs.firstToken)}`, ''],
    [
      'tokens behind it',
      seconds(answer.decodeMs),
      `processor ${seconds(answer.processorMs.behindIt)}`,
      `${speed.toFixed(2)} tokens/s`,
    ],
    ['read from the file', mebibytes(residency.expertBytesRead), `uploaded ${mebibytes(residency.expertBytesUploaded)}`, ''],
  ];
  return [
    `${path.basename(request.model)}, ${answer.adapter}, ${answer.tokens} tokens behind ${request.promptTokens}; ${pss.looks} looks; load average ${os.loadavg()[0].toFixed(1)}`,
    ...textTable(rows, 1),
  ].join('\n');
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

/** `256MiB` → bytes, as the command line reads budgets. */
export function bytesOf(name: string, text: string): number {
  const { flags } = parseFlags([`--${name}`, text], { [name]: { type: 'string', description: '' } });
  return flags.bytes(name) ?? 0;
}

const word = (isWithin: boolean) => (isWithin ? 'within' : 'ABOVE');

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      gpu: { type: 'string', default: '256MiB' },
      ram: { type: 'string', default: '256MiB' },
      prompt: { type: 'string', default: '64' },
      tokens: { type: 'string', default: '1000' },
      adapter: { type: 'string', default: process.env.CONCLAVE_ADAPTER ?? 'auto' },
    },
  });
  if (positionals.length !== 1) throw new Error('Give one model file.');
  const dataFolder = mkdtempSync(path.join(os.tmpdir(), 'conclave-memory-'));
  try {
    const verdict = await measureMemory({
      model: positionals[0],
      adapter: values.adapter,
      gpuBytes: bytesOf('gpu', values.gpu),
      ramBytes: bytesOf('ram', values.ram),
      promptTokens: Number(values.prompt),
      newTokens: Number(values.tokens),
      dataFolder,
    });
    console.log(memoryTable(verdict));
    process.exitCode = verdict.isLedgerWithin && verdict.isPssWithin ? 0 : 1;
  } finally {
    rmSync(dataFolder, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
