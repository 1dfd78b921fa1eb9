/** What `npm start` takes. */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { chooseDataFolder } from './data-folder.mjs';

const USAGE = 'Usage: npm start -- [--browser] [--no-open] [--data DIR] [--adapter auto|swiftshader|lavapipe] [MODEL.gguf …]';
const HELP = `${USAGE}

  MODEL.gguf …   add these models to the library
  --browser      in a browser instead of Electron
  --no-open      with --browser: print the address, open nothing
  --data DIR     the folder of conversations, models and settings
  --adapter      with --browser: the GPU (auto), or a software one`;

/** `{browser, open, dataFolder, adapter, models}` with absolute paths, `{help}` where it was asked for, or `{problem}`. */
export function parseStartArguments(args, environment = process.env) {
  let parsed;
  try {
    parsed = parseArgs({
      args,
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h' },
        browser: { type: 'boolean' },
        'no-open': { type: 'boolean' },
        data: { type: 'string' },
        adapter: { type: 'string' },
      },
    });
  } catch (error) {
    return { problem: `${error.message}\n${USAGE}` };
  }
  const { values, positionals } = parsed;
  if (values.help) return { help: HELP };
  if (values.adapter !== undefined && !['auto', 'swiftshader', 'lavapipe'].includes(values.adapter))
    return { problem: `--adapter is "${values.adapter}", but must be auto, swiftshader or lavapipe.\n${USAGE}` };
  const typedIn = environment.INIT_CWD ?? process.cwd();
  return {
    browser: values.browser === true,
    open: values['no-open'] !== true,
    dataFolder: chooseDataFolder(values.data, environment),
    adapter: values.adapter,
    models: positionals.map((model) => path.resolve(typedIn, model)),
  };
}
