/** What a package must do once it is unpacked: be what its lists say, start, refuse to be anything but the app, answer, take a .gguf. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, lstatSync, readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { checkAnswer, equal } from '../electron/app-steps.ts';
import type { DevtoolsPage } from '../electron/devtools.ts';
import { RunningApp } from '../electron/running-app.ts';
import type { ElectronProgram } from '../electron/stand-in.ts';
import type { Run } from '../electron/steps.ts';
import { fusesOf } from './fuses.ts';
import { onePagePdf } from './one-page-pdf.ts';
import { TEST_NAME, type TestArtefacts } from './test-artefacts.ts';
import { unpackDeb, unpackTarGz } from './unpack.ts';

const LOAD_LIMIT_MS = 180_000;
const STARTS = 5;

export interface InstalledSetting {
  readonly artefacts: () => TestArtefacts;
  /** Empty, for what is unpacked and written. */
  readonly folder: string;
  readonly modelFile: string;
  readonly question: string;
  readonly expect: string;
  readonly screenshots: string;
}

export async function checkInstalled(run: Run, setting: InstalledSetting): Promise<void> {
  const { folder } = setting;
  const app = path.join(folder, 'deb', 'data', 'opt', 'Conclave');
  await checkDeb(run, setting);
  await run.step('its fuses are set as electron.builder.yml says', () => {
    // In the wire's order: run as Node, cookie encryption, NODE_OPTIONS, inspector, asar integrity, only from asar, V8 snapshot.
    equal(fusesOf(path.join(app, 'conclave')), '0100110', 'fuses');
  });
  const dataFolder = path.join(folder, 'data ü');
  await checkRunning(run, setting, program(app), dataFolder);
  await run.step('the tar.gz starts from where it was unpacked', async () => {
    unpackTarGz(setting.artefacts().tarGz, path.join(folder, 'tar gz'));
    const [top] = readdirSync(path.join(folder, 'tar gz'));
    equal(top.startsWith(`${TEST_NAME}-`), true, `top folder ${top}`);
    const place = path.join(folder, 'tar gz', top);
    equal(statSync(path.join(place, 'chrome-sandbox')).mode & 0o7777, 0o755, 'mode of chrome-sandbox');
    await started(program(place), dataFolder, async (page) => {
      await page.waitUntil(
        'the conversation',
        `document.body.textContent.includes(${JSON.stringify(setting.question.slice(0, 12))})`,
        20_000,
      );
    });
  });
  await run.step(`${STARTS} starts to a window that can be typed into`, async () => {
    const startsMs: number[] = [];
    for (let i = 0; i < STARTS; i++) {
      const from = Date.now();
      const usable = `(() => { const [paint] = performance.getEntriesByName('first-contentful-paint'); return document.querySelector('textarea') && paint && performance.timeOrigin + paint.startTime; })()`;
      await started(program(app), path.join(folder, `start ${i}`), async (page) => {
        startsMs.push(Math.round((await page.waitUntil<number>('the first paint with a question field', usable, 20_000)) - from));
      });
    }
    console.log(`    ms from the start of the process to the first paint with the question field: ${startsMs.join(', ')}`);
  });
}

async function checkDeb(run: Run, { artefacts, folder }: InstalledSetting): Promise<void> {
  const [data, control] = ['data', 'control'].map((part) => path.join(folder, 'deb', part));
  await run.step('the .deb unpacks to what its lists say', () => {
    unpackDeb(artefacts().deb, path.join(folder, 'deb'));
    const lines = readFileSync(path.join(control, 'md5sums'), 'utf8').trim().split('\n');
    for (const line of lines) {
      const [sum, file] = [line.slice(0, 32), line.slice(34)];
      equal(
        createHash('md5')
          .update(readFileSync(path.join(data, file)))
          .digest('hex'),
        sum,
        file,
      );
    }
    const { files, bytes } = countFiles(data);
    equal(lines.length, files, 'lines of md5sums');
    const fields = readFileSync(path.join(control, 'control'), 'utf8');
    const installedKiB = Number(/^Installed-Size: (\d+)$/m.exec(fields)?.[1]);
    equal(Math.abs(installedKiB - bytes / 1024) < 200, true, `Installed-Size ${installedKiB} for ${bytes} bytes`);
    for (const name of ['libgtk-3-0', 'libnss3', 'libgbm1', 'libc6']) equal(fields.includes(name), true, `Depends on ${name}`);
    equal(statSync(path.join(data, 'opt', 'Conclave', 'chrome-sandbox')).mode & 0o7777, 0o4755, 'mode of chrome-sandbox');
    equal(readlinkSync(path.join(data, 'usr', 'bin', 'conclave')), '/opt/Conclave/conclave', 'the command');
  });
  await run.step('dpkg reads it, and it says that it is a test', () => {
    const { status, stdout, error } = spawnSync('dpkg-deb', ['--info', artefacts().deb], { encoding: 'utf8' });
    if (error) return console.log('    (no dpkg here)');
    equal(status, 0, 'dpkg-deb --info');
    equal(/^ Package: conclave-test-electron25/m.test(stdout) && stdout.includes('TEST ARTEFACT'), true, stdout);
  });
  await run.step('the desktop finds the launcher, its icons and the file type', () => {
    const share = path.join(data, 'usr', 'share');
    const entry = readFileSync(path.join(share, 'applications', 'conclave.desktop'), 'utf8');
    const executable = /^Exec=(\S+) %F$/m.exec(entry)?.[1] ?? 'nothing';
    equal(existsSync(path.join(data, executable)), true, `Exec=${executable}`);
    equal(
      existsSync(path.join(share, 'icons', 'hicolor', '48x48', 'apps', `${/^Icon=(.+)$/m.exec(entry)?.[1]}.png`)),
      true,
      'icon',
    );
    const mime = /^MimeType=(.+);$/m.exec(entry)?.[1] ?? 'nothing';
    equal(readFileSync(path.join(share, 'mime', 'packages', 'conclave.xml'), 'utf8').includes(`type="${mime}"`), true, mime);
  });
}

async function checkRunning(run: Run, setting: InstalledSetting, installed: ElectronProgram, dataFolder: string): Promise<void> {
  const trap = path.join(setting.folder, 'trap.cjs');
  const sprung = path.join(setting.folder, 'sprung');
  let app: RunningApp | undefined;
  let chat: DevtoolsPage | undefined;
  const page = () => {
    if (!chat) throw new Error('the app did not start');
    return chat;
  };
  try {
    await run.step('it starts as the app, whatever the environment wants it to be', async () => {
      writeFileSync(trap, `require('node:fs').writeFileSync(${JSON.stringify(sprung)}, '');`);
      const environment = { ELECTRON_RUN_AS_NODE: '1', NODE_OPTIONS: `--require "${trap}"` };
      Object.assign(process.env, environment);
      try {
        app = await RunningApp.start(installed, ['--data', dataFolder, setting.modelFile]);
      } finally {
        for (const name of Object.keys(environment)) delete process.env[name];
      }
      chat = await app.page('chat');
      await chat.waitUntil('the question field', `!!document.querySelector('textarea')`, 20_000);
      equal(existsSync(sprung), false, 'code from NODE_OPTIONS ran');
    });
    await checkAnswer(run, page, { ...setting, program: () => installed, dataFolder, picture: 'package-answer.png' });
    await run.step('its document worker reads a PDF out of the archive and finds the line', async () => {
      const file = path.join(setting.folder, 'lighthouse ü.pdf');
      writeFileSync(file, onePagePdf('The lighthouse keeper counted forty ships.'));
      const request = (channel: string, payload: object) =>
        `window.conclave.request('${channel}', ${JSON.stringify(payload)}).then((r) => r.ok ? r.value : Promise.reject(new Error(JSON.stringify(r.error))))`;
      const { id: collectionId } = await page().evaluate<{ id: string }>(request('documents.createCollection', { name: 'Sea' }));
      await page().evaluate(request('documents.add', { collectionId, paths: [file] }));
      const isRead = `${request('documents.list', { collectionId })}.then(([one]) => !!one && one.status !== 'queued' && one.status !== 'reading')`;
      await page().waitUntil('the document to be read', isRead, 60_000);
      const search = request('documents.search', { collectionId, query: 'How many ships were counted?', limit: 3 });
      const passages = await page().evaluate<{ text: string; page: number }[]>(search);
      equal(
        passages.map(({ page, text }) => [page, text.includes('forty ships')]),
        [[1, true]],
        JSON.stringify(passages),
      );
    });
    await run.step('a .gguf opened while it runs goes to the window that is there', async () => {
      const second = path.join(setting.folder, 'second ö.gguf');
      copyFileSync(setting.modelFile, second);
      const handOver = await RunningApp.start(installed, ['--data', dataFolder, second]);
      try {
        equal(await handOver.exitCode(20_000), 0, `exit code of the second start\n${handOver.output}`);
      } finally {
        await handOver.kill();
      }
      const chosen = `window.conclave.request('app.state', {}).then(({ value: { engine, models } }) => engine.state === 'ready' && models.find(({ id }) => id === engine.modelId)?.path)`;
      await page().waitUntil(
        'the second model',
        `${chosen}.then((file) => !!file && file.endsWith('second ö.gguf'))`,
        LOAD_LIMIT_MS,
      );
    });
    await run.step('closing the window ends it in good order', async () => {
      void page()
        .evaluate('window.close()')
        .catch(() => {});
      equal(await app?.exitCode(20_000), 0, `exit code\n${app?.output}`);
    });
  } finally {
    await app?.kill();
  }
}

/** Starts, looks, ends. */
async function started(which: ElectronProgram, dataFolder: string, look: (page: DevtoolsPage) => Promise<void>): Promise<void> {
  const app = await RunningApp.start(which, ['--data', dataFolder]);
  try {
    const page = await app.page('chat');
    await look(page);
    void page.evaluate('window.close()').catch(() => {});
    equal(await app.exitCode(20_000), 0, `exit code\n${app.output}`);
  } finally {
    await app.kill();
  }
}

const program = (folder: string): ElectronProgram => ({
  executable: path.join(folder, 'conclave'),
  args: [],
  name: 'the unpacked package',
  standIn: true,
});

function countFiles(folder: string): { files: number; bytes: number } {
  let [files, bytes] = [0, 0];
  for (const entry of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const found = lstatSync(path.join(folder, entry));
    if (found.isFile()) [files, bytes] = [files + 1, bytes + found.size];
  }
  return { files, bytes };
}
