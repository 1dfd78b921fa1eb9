/**
 * Runs a chat template, which is code from a stranger's file: Jinja as `@huggingface/jinja` interprets it, with a limit on evaluation
 * steps, on every string and list it makes, and on `range`. What stays unbounded is one built-in call (such as a `replace` that
 * multiplies its text): it ends by V8's own limit of 2^29 characters, as an error. A template has no access to anything but its variables.
 */
import { Environment, Interpreter, parse, tokenize } from '@huggingface/jinja';
import { engineError } from '../../gpu/errors.ts';
import { strftime } from './strftime.ts';

/** UTF-16 units. The longest published templates have 30,000. */
export const MAX_TEMPLATE_LENGTH = 256 * 1024;
/** Nodes evaluated. A long conversation (1000 messages) takes about 100,000; the limit is about half a second. */
const MAX_STEPS = 500_000;
/** A prompt may be this much longer than the messages in it. */
const MAX_GROWTH = 8;
const MAX_OVERHEAD = 1024 * 1024;
const MAX_LIST = 100_000;

export interface TemplateVariables {
  readonly messages: readonly { readonly role: string; readonly content: string }[];
  readonly [name: string]: unknown;
}

type Evaluate = Interpreter['evaluate'];

class BoundedInterpreter extends Interpreter {
  private steps = 0;
  private readonly maxLength: number;

  constructor(environment: Environment, maxLength: number) {
    super(environment);
    this.maxLength = maxLength;
  }

  override evaluate(...[statement, environment]: Parameters<Evaluate>): ReturnType<Evaluate> {
    if (++this.steps > MAX_STEPS) throw new Error(`it does not end within ${MAX_STEPS} steps`);
    const result = super.evaluate(statement, environment);
    const value: unknown = result.value;
    if (typeof value === 'string' && value.length > this.maxLength)
      throw new Error(`its text grows beyond ${this.maxLength} characters`);
    if (Array.isArray(value) && value.length > MAX_LIST) throw new Error(`it makes a list of more than ${MAX_LIST} entries`);
    return result;
  }
}

export class JinjaTemplate {
  private readonly program: ReturnType<typeof parse>;

  /** Throws `model.template` when it is too long or no Jinja. */
  constructor(source: string) {
    if (source.length > MAX_TEMPLATE_LENGTH) {
      const text = `The chat template has ${source.length} characters; at most ${MAX_TEMPLATE_LENGTH} are read.`;
      throw engineError('model.template', text, { length: source.length, allowed: MAX_TEMPLATE_LENGTH });
    }
    this.program = asTemplateError('cannot be read', () => parse(tokenize(source, { lstrip_blocks: true, trim_blocks: true })));
  }

  /** Throws `model.template` when the template refuses, fails or outgrows a limit. */
  render(variables: TemplateVariables, now: Date): string {
    const contentLength = variables.messages.reduce((sum, message) => sum + message.content.length, 0);
    return asTemplateError('failed', () => {
      const environment = new Environment();
      for (const [name, value] of Object.entries({ ...globalsAt(now), ...variables })) environment.set(name, value);
      const interpreter = new BoundedInterpreter(environment, MAX_GROWTH * contentLength + MAX_OVERHEAD);
      return String(interpreter.run(this.program).value);
    });
  }
}

function globalsAt(now: Date) {
  return {
    ...{ true: true, True: true, false: false, False: false, none: null, None: null },
    raise_exception: (message: unknown) => {
      throw new Error(String(message));
    },
    range: boundedRange,
    strftime_now: (format: unknown) => strftime(now, String(format).slice(0, 200)),
  };
}

function boundedRange(first: number, second?: number | null, step?: number | null): number[] {
  const [start, stop] = typeof second === 'number' ? [first, second] : [0, first];
  const by = typeof step === 'number' ? step : 1;
  const length = Math.max(0, Math.ceil((stop - start) / by));
  if (!(length <= MAX_LIST)) throw new Error(`range(${start}, ${stop}, ${by}) is longer than ${MAX_LIST}`);
  return Array.from({ length }, (_, i) => start + i * by);
}

function asTemplateError<T>(what: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw engineError('model.template', `The model's chat template ${what}: ${reason.slice(0, 300)}`, {}, error);
  }
}
