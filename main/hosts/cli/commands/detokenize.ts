/** `detokenize MODEL --tokens 1,2,3`: ids to text. */
import { createTokenizer } from '../../../../gpu/tokenizer/tokenizer.ts';
import { openModelFile } from '../../../library/model-file.ts';
import { UsageError, type CliCommand } from '../command.ts';
import { EXIT } from '../exit-codes.ts';

export const command: CliCommand = {
  name: 'detokenize',
  usage: 'MODEL --tokens 1,2,3 [--special] [--json]',
  summary: "Turns token ids into text with the model's tokenizer.",
  options: {
    tokens: { type: 'string', value: '1,2,3', description: 'the ids' },
    special: { type: 'boolean', description: 'show special tokens such as <|im_start|> too' },
  },
  positionals: [1, 1],
  async run({ positionals, flags, signal, result }) {
    const ids = flags.integers('tokens');
    if (!ids) throw new UsageError('--tokens is missing: the ids, such as 1,2,3.');
    const model = await openModelFile(positionals[0], signal);
    try {
      const tokenizer = createTokenizer(model.file.metadata);
      const bad = ids.find((id) => id < 0 || id >= tokenizer.vocabularySize);
      if (bad !== undefined) {
        throw new UsageError(`--tokens has ${bad}; this model's ids are 0 to ${tokenizer.vocabularySize - 1}.`);
      }
      const text = tokenizer.decode(ids, flags.boolean('special'));
      result({ text, count: ids.length }, text);
      return EXIT.done;
    } finally {
      await model.close();
    }
  },
};
