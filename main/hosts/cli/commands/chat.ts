/** `chat MODEL --message T`: one question in the model's own chat format. */
import { encodeMessages } from '../../../library/gguf-model-files.ts';
import { openEngine } from '../../node/engine.ts';
import type { CliCommand } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { engineOptions, generate, GENERATION_OPTIONS, GENERATION_USAGE, generationFor, readGeneration } from '../generation.ts';

export const command: CliCommand = {
  name: 'chat',
  usage: `MODEL --message T [--system T] ${GENERATION_USAGE}`,
  summary: "Asks one question with the model's own chat template. What the message says never becomes a special token.",
  options: {
    message: { type: 'string', value: 'T', description: 'the question' },
    system: { type: 'string', value: 'T', description: 'a system prompt' },
    ...GENERATION_OPTIONS,
  },
  positionals: [1, 1],
  async run(context) {
    const { positionals, flags, common, signal, log } = context;
    const message = flags.required('message');
    const system = flags.string('system');
    const given = readGeneration(flags);
    const opened = await openEngine({ path: positionals[0], ...engineOptions(common, signal, log) });
    try {
      const { template, model } = opened;
      const settings = generationFor(model.file, given, log);
      if (template.reason) log(template.reason);
      const messages = [
        ...(system === undefined ? [] : [{ role: 'system', content: system } as const]),
        { role: 'user', content: message } as const,
      ];
      await generate(opened, encodeMessages(messages, opened), settings, context);
      return EXIT.done;
    } finally {
      await opened.close();
    }
  },
};
