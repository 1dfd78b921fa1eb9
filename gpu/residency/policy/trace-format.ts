/**
 * Routing traces as text, one JSON value a line, so that any tool can read them and a recording can be written while it runs:
 *   {"format":"conclave-trace","version":1,"model":"…","layers":[0,1],"nExperts":16,"nExpertsUsed":2}
 *   {"position":0,"phase":"prefill","experts":[[3,9],[0,4]]}     one per token: ids [MoE layers][K] by rank; "decode" for an answer's tokens
 *   {"end":true,"tokens":1}                                       without it the recording was cut
 * Files come from anywhere: every number is checked before it is used.
 */
import { engineError } from '../../errors.ts';
import type { RoutingTrace, TraceShape } from './trace.ts';

const TRACE_VERSION = 1;

/** Far above every model that exists; they bound what a reader allocates. */
const LIMITS = { layers: 1024, experts: 4096, tokens: 2 ** 20, ids: 2 ** 27, lineChars: 2 ** 22 } as const;

export interface TraceToken {
  readonly position: number;
  readonly isPrompt: boolean;
  /** `[MoE layers][K]` by rank. */
  readonly experts: readonly (readonly number[])[];
}

/** Where lines go, in order; `TraceWriter` waits for each. */
export interface TextSink {
  write(text: string): Promise<void>;
}

/** Writes a trace as its tokens come. `end` makes the file whole; without it readers refuse it. */
export class TraceWriter {
  readonly #sink: TextSink;
  #tokens = 0;

  private constructor(sink: TextSink) {
    this.#sink = sink;
  }

  static async begin(sink: TextSink, { model, layers, nExperts, nUsed }: TraceShape): Promise<TraceWriter> {
    const head = { format: 'conclave-trace', version: TRACE_VERSION, model, layers, nExperts, nExpertsUsed: nUsed };
    await sink.write(JSON.stringify(head) + '\n');
    return new TraceWriter(sink);
  }

  async token({ position, isPrompt, experts }: TraceToken): Promise<void> {
    this.#tokens++;
    await this.#sink.write(JSON.stringify({ position, phase: isPrompt ? 'prefill' : 'decode', experts }) + '\n');
  }

  end(): Promise<void> {
    return this.#sink.write(JSON.stringify({ end: true, tokens: this.#tokens }) + '\n');
  }
}

/** Takes a trace's text in pieces of any size. Every refusal is `trace.damaged` and names the line. */
export class TraceParser {
  readonly #name: string;
  #rest = '';
  #line = 0;
  #shape?: TraceShape;
  #ended = false;
  readonly #experts: Uint16Array[] = [];
  readonly #marks: number[] = [];
  readonly #positions: number[] = [];

  /** `name` is what messages call the file. */
  constructor(name: string) {
    this.#name = name;
  }

  push(piece: string): void {
    const lines = (this.#rest + piece).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#take(line);
    if (this.#rest.length > LIMITS.lineChars) this.#take(this.#rest);
  }

  end(): RoutingTrace {
    if (this.#rest.trim() !== '') this.#take(this.#rest);
    if (!this.#shape) throw this.#damaged('the file is empty');
    if (!this.#ended) throw this.#damaged(`its last line is missing: the recording was cut after ${this.#marks.length} tokens`);
    const width = this.#shape.layers.length * this.#shape.nUsed;
    const experts = new Uint16Array(this.#experts.length * width);
    this.#experts.forEach((row, token) => experts.set(row, token * width));
    return {
      ...this.#shape,
      nTokens: this.#marks.length,
      experts,
      isPrompt: Uint8Array.from(this.#marks),
      positions: Uint32Array.from(this.#positions),
    };
  }

  #take(text: string): void {
    this.#line++;
    if (text.length > LIMITS.lineChars) throw this.#damaged(`the line is longer than ${LIMITS.lineChars} characters`);
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      throw this.#damaged('the line is not JSON');
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw this.#damaged('the line is not a JSON object');
    const fields = value as Readonly<Record<string, unknown>>;
    if (this.#ended) throw this.#damaged('something follows the last line');
    if (!this.#shape) this.#shape = this.#readHead(fields);
    else if ('end' in fields) this.#readEnd(fields);
    else this.#readToken(fields, this.#shape);
  }

  #readHead(fields: Readonly<Record<string, unknown>>): TraceShape {
    if (fields.format !== 'conclave-trace') throw this.#damaged('this is not a routing trace ("format" is not "conclave-trace")');
    if (fields.version !== TRACE_VERSION)
      throw this.#damaged(`its version is ${show(fields.version)}, this program reads version ${TRACE_VERSION}`);
    if (typeof fields.model !== 'string' || fields.model.length > 1000) throw this.#damaged('"model" is not a name');
    const nExperts = this.#integer(fields, 'nExperts', 1, LIMITS.experts);
    const nUsed = this.#integer(fields, 'nExpertsUsed', 1, nExperts);
    const { layers } = fields;
    if (!Array.isArray(layers) || layers.length === 0 || layers.length > LIMITS.layers)
      throw this.#damaged(`"layers" must be a list of 1 to ${LIMITS.layers} layer numbers`);
    layers.forEach((layer: unknown, i) => {
      const above = i === 0 ? -1 : (layers[i - 1] as number);
      if (!isInteger(layer, above + 1, 2 ** 16)) throw this.#damaged(`"layers" has ${show(layer)}; layer numbers must rise`);
    });
    return { model: fields.model, layers: layers as number[], nExperts, nUsed };
  }

  #readToken(fields: Readonly<Record<string, unknown>>, { layers, nExperts, nUsed }: TraceShape): void {
    const width = layers.length * nUsed;
    if (this.#marks.length >= LIMITS.tokens || (this.#marks.length + 1) * width > LIMITS.ids)
      throw this.#damaged(`it has more tokens than the ${LIMITS.tokens} (or ids than the ${LIMITS.ids}) that are read`);
    const position = this.#integer(fields, 'position', 0, 2 ** 32 - 1);
    const { phase, experts } = fields;
    if (phase !== 'prefill' && phase !== 'decode')
      throw this.#damaged(`"phase" is ${show(phase)}, but must be "prefill" or "decode"`);
    if (!Array.isArray(experts) || experts.length !== layers.length)
      throw this.#damaged(`"experts" must be a list of ${layers.length} lists, one per layer`);
    const row = new Uint16Array(width);
    experts.forEach((ids: unknown, layer) => {
      if (!Array.isArray(ids) || ids.length !== nUsed) throw this.#damaged(`layer ${layers[layer]} must have ${nUsed} experts`);
      ids.forEach((id: unknown, rank) => {
        if (!isInteger(id, 0, nExperts - 1))
          throw this.#damaged(`layer ${layers[layer]} has expert ${show(id)}, but ids are 0 to ${nExperts - 1}`);
        row[layer * nUsed + rank] = id;
      });
      if (new Set(ids).size !== nUsed) throw this.#damaged(`layer ${layers[layer]} has an expert twice`);
    });
    this.#experts.push(row);
    this.#marks.push(phase === 'prefill' ? 1 : 0);
    this.#positions.push(position);
  }

  #readEnd(fields: Readonly<Record<string, unknown>>): void {
    if (fields.end !== true || fields.tokens !== this.#marks.length)
      throw this.#damaged(`the last line says ${show(fields.tokens)} tokens, but ${this.#marks.length} came`);
    this.#ended = true;
  }

  #integer(fields: Readonly<Record<string, unknown>>, name: string, least: number, most: number): number {
    const value = fields[name];
    if (!isInteger(value, least, most))
      throw this.#damaged(`"${name}" is ${show(value)}, but must be a whole number from ${least} to ${most}`);
    return value;
  }

  #damaged(what: string) {
    const message = `${this.#name}, line ${this.#line}: ${what}. Record the trace again with "experts MODEL --prompt T --trace FILE".`;
    return engineError('trace.damaged', message, { file: this.#name, line: this.#line });
  }
}

function isInteger(value: unknown, least: number, most: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most;
}

/** A value of the file in a message: short, whatever it is. */
function show(value: unknown): string {
  return value === undefined ? 'missing' : JSON.stringify(value).slice(0, 40);
}
