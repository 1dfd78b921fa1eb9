/** A checkout whose path has spaces and letters beyond ASCII: the launcher, the CLI, vitest and the build's configuration must not mind. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { root } from './repository.ts';

let parent: string;
let checkout: string;

beforeAll(() => {
  parent = mkdtempSync(path.join(os.tmpdir(), 'conclave-'));
  checkout = path.join(parent, 'Modèles & Größe 模型 (1)', 'con clave');
  for (const name of ['main', 'gpu', 'renderer', 'types', 'tests', 'package.json', 'tsconfig.base.json', 'vitest.config.ts'])
    cpSync(path.join(root, name), path.join(checkout, name), { recursive: true });
  symlinkSync(realpathSync(path.join(root, 'node_modules')), path.join(checkout, 'node_modules'), 'junction');
});

afterAll(() => rmSync(parent, { recursive: true, force: true }));

function node(args: readonly string[]): { status: number | null; output: string } {
  const { CONCLAVE_REPORT: _, ...env } = process.env;
  const result = spawnSync(process.execPath, args, { cwd: checkout, encoding: 'utf8', timeout: 100_000, env });
  return { status: result.status, output: `${result.stdout}${result.stderr}` };
}

it('the command line answers', () => {
  const { status, output } = node(['main/hosts/launcher/with-node.mjs', 'main/hosts/cli/cli.ts', '--help']);
  expect(status, output).toBe(0);
  expect(output).toMatch(/inspect/);
});

it('a unit test runs', () => {
  const { status, output } = node([
    'main/hosts/launcher/with-node.mjs',
    'node_modules/vitest/vitest.mjs',
    'run',
    'tests/lint/sql.test.ts',
  ]);
  expect(status, output).toBe(0);
});
