import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { temporaryFolder } from '../../tests/fixtures-services/temporary-folder.ts';
import { findFiles } from './find-files.ts';

let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => void (folder = temporaryFolder()));
afterEach(() => folder.remove());

test.skipIf(process.platform === 'win32')('a folder leads to nothing outside it, nor round in circles', async () => {
  const chosen = path.join(folder.path, 'chosen');
  const outside = path.join(folder.path, 'outside');
  for (const place of [chosen, outside]) mkdirSync(place);
  writeFileSync(path.join(chosen, 'mine.txt'), 'mine');
  writeFileSync(path.join(outside, 'secret.txt'), 'secret');
  symlinkSync(path.join(outside, 'secret.txt'), path.join(chosen, 'linked.txt'));
  symlinkSync(outside, path.join(chosen, 'linked folder'));
  symlinkSync(chosen, path.join(chosen, 'round'));
  const { files, refused } = await findFiles([chosen]);
  expect([files.map((file) => path.basename(file.path)), refused]).toEqual([['mine.txt'], []]);
});
