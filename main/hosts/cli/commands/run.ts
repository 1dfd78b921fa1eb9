/** `run MODEL --prompt T`: continues a text, without any chat template. */
import { openEngine } from '../../node/engine.ts';
import type { CliCommand } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { engineOptions, generate, GENERATION_OPTIONS, GENERATION_USAGE, generationFor, readGeneration } from '../generation.ts';

export const command: CliCommand = {
  name: 'run',
  usage: `MODEL --prompt T ${GENERATION_USAGE}`,
  summary: 'Continues a text. Special tokens written in the prompt are read as such.',
  options: { prompt: { type: 'string', value: 'T', description: 'the text to continue' }, ...GENERATION_OPTIONS },
  positionals: [1, 1],
  async run(context) {
    const { positionals, flags, common, signal, log } = context;
    const prompt = flags.required('prompt');
    const given = readGeneration(flags);
    const opened = await openEngine({ path: positionals[0], ...engineOptions(common, signal, log) });
    try {
      const settings = generationFor(opened.model.file, given, log);
      const ids = opened.tokenizer.encode(prompt, { parseSpecial: true, addSpecial: true });
      await generate(opened, { ids, opening: '' }, settings, context);
      return EXIT.done;
    } finally {
      await opened.close();
    }
  },
};
