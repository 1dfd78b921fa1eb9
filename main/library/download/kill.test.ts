/** The services are killed (SIGKILL) at seeded moments of a download: nothing committed is lost, nothing is there twice. */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { FileServer, modelBytes, sha256Of } from '../../../tests/fixtures-services/file-server.ts';
import { temporaryFolder } from '../../../tests/fixtures-services/temporary-folder.ts';
import { listDownloadFiles, listDownloads } from '../../database/downloads.ts';
import { listModels } from '../../database/models.ts';
import { openTestDatabase } from '../../database/test-database.ts';
import { SeededRandom } from '../seeded-random.ts';

/** `KILL_ROUNDS=20` for the figure in the documentation. */
const ROUNDS = Number(process.env.KILL_ROUNDS ?? 4);
const SEED = Number(process.env.SEED ?? 5);
const SIZE = 2_000_000;
const HOST = path.resolve(import.meta.dirname, '../../../tests/fixtures-services/downloading-host.ts');

interface Run {
  readonly finished: boolean;
}

test(`killed ${ROUNDS} times (seed ${SEED})`, { timeout: 60_000 + ROUNDS * 15_000 }, async () => {
  const folder = temporaryFolder();
  const server = await FileServer.start();
  const random = new SeededRandom(SEED, 'kill');
  const bytes = modelBytes(SIZE, SEED);
  const sha256 = sha256Of(bytes);
  try {
    let durableBytes = 0;
    let kills = 0;
    for (let model = 0; kills < ROUNDS; model++) {
      server.serve(`/m${model}.gguf`, bytes, { bytesPerSecond: 500_000 });
      for (let isDone = false; !isDone;) {
        const lifeMs = kills < ROUNDS ? 100 + (random.u32() / 2 ** 32) * 1500 : Infinity;
        const { finished } = await runAndKill(folder.path, `${server.origin}/m${model}.gguf`, sha256, lifeMs);
        if (!finished) kills++;
        const { db, close } = openTestDatabase(folder.path);
        const downloads = listDownloads(db);
        expect(downloads.length).toBeLessThanOrEqual(1);
        const found = downloads.flatMap(({ id }) => listDownloadFiles(db, id)).reduce((sum, file) => sum + file.durableBytes, 0);
        const models = listModels(db).length;
        close();
        if (downloads.length === 1) expect(found, 'bytes that were committed are lost').toBeGreaterThanOrEqual(durableBytes);
        durableBytes = found;
        isDone = finished || (models === 1 && downloads.length === 0);
      }
      durableBytes = 0;
      const { db, close } = openTestDatabase(folder.path);
      const models = listModels(db);
      close();
      expect(models).toHaveLength(1);
      expect(sha256Of(readFileSync(models[0].path))).toBe(sha256);
      expect(readdirSync(path.dirname(models[0].path))).toHaveLength(1);
      expect(readdirSync(path.join(folder.path, 'downloads'))).toEqual([]);
      await removeAll(folder.path);
    }
    const first = server.seen.filter(({ method }) => method === 'GET');
    const resumed = first.filter(({ range }) => range !== null).length;
    console.log(`${kills} kills, ${first.length} requests for bytes, ${resumed} of them went on in the middle`);
    expect(resumed).toBeGreaterThan(0);
  } finally {
    await server.close();
    folder.remove();
  }
});

/** Counts the life from when the services are ready. */
function runAndKill(folder: string, url: string, sha256: string, lifeMs: number): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [HOST, folder, url, sha256], { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    let timer: NodeJS.Timeout | undefined;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (said.includes('finished')) child.kill('SIGKILL');
      else if (said.includes('ready') && timer === undefined && Number.isFinite(lifeMs))
        timer = setTimeout(() => child.kill('SIGKILL'), lifeMs);
    });
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      clearTimeout(timer);
      if (signal !== 'SIGKILL' && code !== 1) reject(new Error(`the services ended by themselves (${code})`));
      else resolve({ finished: said.includes('finished') });
    });
  });
}

/** The model goes from the list as a person would take it off, so that the next round begins with nothing. */
async function removeAll(folder: string): Promise<void> {
  const { testServices } = await import('../../../tests/fixtures-services/test-services.ts');
  const { services, request } = testServices(folder);
  for (const { id } of await request('library.list', {})) await request('library.remove', { modelId: id });
  expect(readdirSync(path.join(folder, 'models'))).toEqual([]);
  await services.close();
}
