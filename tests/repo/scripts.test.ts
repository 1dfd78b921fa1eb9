import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { manifest, root } from './repository.ts';

describe('the scripts of package.json', () => {
  for (const name of ['start', 'test', 'cli', 'build', 'lint', 'typecheck', 'ready'])
    it(`has ${name}`, () => expect(manifest.scripts[name]).toBeTruthy());

  for (const [name, script] of Object.entries(manifest.scripts)) {
    it(`${name} is plain Node, the same on every system`, () => {
      for (const command of script.split(' && ')) {
        expect(command).toMatch(/^(node|npm run|npm) /);
        expect(command, 'shell tricks').not.toMatch(/[$%;|<>'"`\\*~]/);
        for (const file of command.match(/(?<= )(main|tests)\/\S+/g) ?? [])
          expect(existsSync(path.join(root, file)), file).toBe(true);
      }
    });
  }
});
