/** `tokenize MODEL --text T`: text to ids with the model's own tokenizer. Its plain output is what `detokenize --tokens` takes. */
import { createTokenizer } from '../../../../gpu/tokenizer/tokenizer.ts';
import { openModelFile } from '../../../library/model-file.ts';
import type { CliCommand } from '../command.ts';
import { EXIT } from '../exit-codes.ts';

export const command: CliCommand = {
  name: 'tokenize',
  usage: 'MODEL --text T [--parse-special] [--add-special] [--json]',
  summary: "Turns text into token ids with the model's tokenizer.",
  options: {
    text: { type: 'string', value: 'T', description: 'the text' },
    'parse-special': { type: 'boolean', description: 'read special tokens such as <|im_start|> in the text' },
    'add-special': { type: 'boolean', description: 'add the tokens of beginning and end that the file asks for' },
  },
  positionals: [1, 1],
  async run({ positionals, flags, signal, result }) {
    const text = flags.required('text');
    const model = await openModelFile(positionals[0], signal);
    try {
      const tokenizer = createTokenizer(model.file.metadata);
      const options = { parseSpecial: flags.boolean('parse-special'), addSpecial: flags.boolean('add-special') };
      const ids = Array.from(tokenizer.encode(text, options));
      // A token may be part of a character: its piece then shows U+FFFD.
      const pieces = ids.map((id) => new TextDecoder().decode(tokenizer.tokenBytes(id, true)));
      result({ ids, pieces, count: ids.length }, ids.join(','));
      return EXIT.done;
    } finally {
      await model.close();
    }
  },
};
