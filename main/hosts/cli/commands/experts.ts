/**
 * `experts MODEL --prompt T` counts and traces which experts a text uses (experts-record.ts); `experts simulate TRACE…` replays such traces
 * through cache policies (experts-simulate.ts); `experts scout MODEL --prompt T` tests what a scout pass would find (experts-scout.ts). An option
 * of another is refused.
 */
import { UsageError, type CliCommand, type CliContext, type OptionSpec } from '../command.ts';
import { recordExperts, RECORD_OPTIONS } from './experts-record.ts';
import { scoutExperts } from './experts-scout.ts';
import { simulateExperts, SIMULATE_OPTIONS } from './experts-simulate.ts';

export const command: CliCommand = {
  name: 'experts',
  usage:
    'MODEL --prompt T [--max-tokens N] [--trace FILE] [--json]\n' +
    '   or: experts simulate TRACE… [--slots 25%,8] [--policy all|NAME] [--demand-prompt] [--warm TRACE] [--shuffle SEED] [--json]\n' +
    '   or: experts simulate --synthetic all|NAME [--machine all|NAME] [--seed S] [--json]\n' +
    '   or: experts scout MODEL --prompt T [--slots 25%,50%] [--max-tokens N] [--json]',
  summary:
    'Counts how often each expert of each layer is used for a text and its continuation, and records it; replays recordings through cache policies.',
  options: { ...RECORD_OPTIONS, ...SIMULATE_OPTIONS },
  positionals: [1, 1000],
  async run(context) {
    const [first, ...rest] = context.positionals;
    if (first === 'simulate') {
      refuse(context, RECORD_OPTIONS, 'experts simulate');
      return simulateExperts(context, rest);
    }
    if (first === 'scout') {
      const { slots: _slots, ...others } = SIMULATE_OPTIONS;
      refuse(context, others, 'experts scout');
      return scoutExperts(context, rest);
    }
    if (rest.length > 0) throw new UsageError(`experts takes one model, but ${rest.length + 1} arguments came.`);
    refuse(context, SIMULATE_OPTIONS, 'experts MODEL');
    return recordExperts(context, first);
  },
};

function refuse({ flags }: CliContext, options: Readonly<Record<string, OptionSpec>>, call: string): void {
  for (const name of Object.keys(options)) if (flags.has(name)) throw new UsageError(`--${name} is no option of "${call}".`);
}
