/** The app's own arguments among Chromium's: `--data DIR`, and model files that a double-click or a drop on the icon handed over. */
import path from 'node:path';

export interface AppArguments {
  /** Absolute; null: the usual place. */
  readonly dataFolder: string | null;
  /** Absolute paths of GGUF files. */
  readonly modelFiles: readonly string[];
}

export function parseArguments(args: readonly string[], workingFolder: string): AppArguments {
  let dataFolder: string | null = null;
  const modelFiles: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i];
    if (arg === '--data' && i + 1 < args.length) dataFolder = path.resolve(workingFolder, args[++i]);
    else if (arg.startsWith('--data=')) dataFolder = path.resolve(workingFolder, arg.slice('--data='.length));
    else if (!arg.startsWith('-') && /\.gguf$/i.test(arg)) modelFiles.push(path.resolve(workingFolder, arg));
  }
  return { dataFolder, modelFiles };
}
