/** What the app must do in a real Electron, step by step. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import Database from 'better-sqlite3';
import type { Reply } from '../../main/contract/bridge.ts';
import type { AppState, Conversation } from '../../main/contract/types.ts';
import { DevtoolsPage, listPages, waitFor } from './devtools.ts';
import { RunningApp } from './running-app.ts';
import type { ElectronProgram } from './stand-in.ts';
import type { Run } from './steps.ts';

/** Loading compiles some thirty pipelines on a software adapter. */
const LOAD_LIMIT_MS = 180_000;
const ANSWER_LIMIT_MS = 240_000;
/** Long enough to be caught while it is written. */
const LONG_ANSWER_TOKENS = 300;
/** No real key. */
const SECRET = 'sk-electron-0123456789';

export interface Setting {
  readonly program: () => ElectronProgram;
  readonly dataFolder: string;
  readonly modelFile: string;
  readonly question: string;
  /** What the answer must hold. */
  readonly expect: string;
  readonly screenshots: string;
  /** File name of the answer's screenshot. */
  readonly picture?: string;
}

export async function checkApp(run: Run, setting: Setting): Promise<void> {
  let app: RunningApp | undefined;
  try {
    await run.step('it starts and shows its window', async () => {
      app = await RunningApp.start(setting.program(), ['--data', setting.dataFolder, setting.modelFile]);
      const page = await app.page('chat');
      await page.waitUntil('the question field', `!!document.querySelector('textarea')`, 20_000);
    });
    const chat = await (app as RunningApp | undefined)?.page('chat').catch(() => undefined);
    const page = () => present(chat);
    const running = () => present(app);

    await checkConfinement(run, page, running, setting.dataFolder);
    await checkAnswer(run, page, setting);
    await checkGpuCrash(run, page, running);
    await run.step('a second start hands over to the first and ends', async () => {
      const second = await RunningApp.start(setting.program(), ['--data', setting.dataFolder]);
      try {
        equal(await second.exitCode(20_000), 0, `exit code of the second start\n${second.output}`);
      } finally {
        await second.kill();
      }
    });
    await run.step('an engine that dies is started again with its model', async () => {
      const engine = await running().page('engine');
      await engine.send('Page.crash').catch(() => {}); // its answer dies with the page
      engine.close();
      await page().waitUntil('the engine to be gone', stateIs('loading'), 30_000);
      await page().waitUntil('the model to be ready again', stateIs('ready'), LOAD_LIMIT_MS);
    });
    await run.step('closing the window ends the app in good order', async () => {
      void page()
        .evaluate('window.close()')
        .catch(() => {});
      equal(await running().exitCode(20_000), 0, `exit code\n${running().output}`);
    });
    await run.step('the next start shows the conversation', async () => {
      app = await RunningApp.start(setting.program(), ['--data', setting.dataFolder]);
      const again = await app.page('chat');
      const row = `[...document.querySelectorAll('nav button, nav a')].find((e) => e.textContent.includes(${JSON.stringify(setting.question.slice(0, 12))}))`;
      await again.waitUntil('the conversation in the list', `!!${row}`, 20_000);
      await again.evaluate(`${row}.click()`);
      await again.waitUntil(
        'the question',
        `document.querySelector('article.question')?.textContent.includes(${JSON.stringify(setting.question)})`,
        20_000,
      );
      await again.waitUntil('the model', stateIs('ready'), LOAD_LIMIT_MS);
      writeFileSync(path.join(setting.screenshots, 'electron-restarted.png'), await again.screenshot());
    });
  } finally {
    await app?.kill();
  }
  await checkLadder(run, setting);
}

/** On the stand-in only: the pinned Electron finds its software adapter under the usual switches already. */
async function checkLadder(run: Run, setting: Setting): Promise<void> {
  if (!setting.program().standIn) return;
  let app: RunningApp | undefined;
  try {
    await run.step('without an adapter it starts again by itself, on the processor, and says so', async () => {
      const folder = `${setting.dataFolder} ladder`;
      app = await RunningApp.start(setting.program(), ['--data', folder, setting.modelFile], { switches: ['--no-sandbox'] });
      equal(await app.exitCode(LOAD_LIMIT_MS), 0, 'exit code of the first start');
      const page = await app.page('chat');
      await page.waitUntil('the model', stateIs('ready'), LOAD_LIMIT_MS);
      const { host } = await stateOf(page);
      equal(host.fallbackReason?.includes('computes on the processor'), true, `reason: ${host.fallbackReason}`);
      void page.evaluate('window.close()').catch(() => {});
      await waitFor(
        'the end of the second start',
        async () => (await listPages(app?.port ?? 0).catch(() => null)) === null,
        20_000,
      );
    });
  } finally {
    await app?.kill();
  }
}

async function checkConfinement(
  run: Run,
  page: () => DevtoolsPage,
  running: () => RunningApp,
  dataFolder: string,
): Promise<void> {
  await run.step('neither page has Node, and each has what it was given only', async () => {
    const globals = `[typeof require, typeof process, typeof module, typeof Buffer, typeof ipcRenderer].join()`;
    const nothing = Array(5).fill('undefined').join();
    const engine = await running().page('engine');
    equal(await page().evaluate(globals), nothing, 'globals of the chat page');
    equal(await engine.evaluate(globals), nothing, 'globals of the engine page');
    equal(await engine.evaluate('typeof window.conclave'), 'undefined', 'the bridge in the engine page');
    equal(await page().evaluate('Object.keys(window.conclave).sort().join()'), 'on,pathOfDroppedFile,request', 'the bridge');
    engine.close();
  });
  await run.step('the policy stops inline script, eval and requests to elsewhere', async () => {
    await page().evaluate(
      `(() => { const s = document.createElement('script'); s.textContent = 'window.inlineRan = 1'; document.body.append(s); })()`,
    );
    equal(await page().evaluate('typeof window.inlineRan'), 'undefined', 'inline script');
    equal(
      await page().evaluate(`(() => { try { return Function('return 1')(); } catch { return 'refused'; } })()`),
      'refused',
      'eval',
    );
    equal(
      await page().evaluate(`fetch('http://127.0.0.1:${running().port}/json').then(() => 'came', () => 'refused')`),
      'refused',
      'fetch',
    );
  });
  await run.step('no image comes but the page’s own', async () => {
    const picture = `new Promise((r) => { const i = new Image(); i.onload = () => r('came'); i.onerror = () => r('refused'); i.src = 'data:image/gif;base64,R0lGODlhAQABAAAAACw='; })`;
    equal(await page().evaluate(picture), 'refused', 'an image out of an address');
  });
  await run.step('a server’s key is kept only where the system encrypts it, and never lies open', async () => {
    const ask = (channel: string, request: unknown) =>
      page().evaluate<Reply>(`window.conclave.request('${channel}', ${JSON.stringify(request)})`);
    const storage = await ask('remote.keyStorage', {});
    const { problem } = (storage as { value: { problem: string | null } }).value;
    const key = { kind: 'set', value: SECRET, store: true };
    const saved = await ask('remote.save', { serverId: null, name: 'Box', address: 'http://127.0.0.1:9', key });
    equal(saved.ok, problem === null, `whether it was kept (key store: ${problem ?? 'there'})`);
    if (saved.ok) await ask('remote.remove', { serverId: (saved.value as { id: string }).id });
    else equal(saved.error.code, 'remote.key', 'why not');
    const files = readdirSync(dataFolder).filter((name) => name.startsWith('history.sqlite'));
    const bytes = files.map((name) => readFileSync(path.join(dataFolder, name), 'latin1')).join('');
    equal(bytes.includes(SECRET), false, 'the key in the database');
  });
  await run.step('windows, navigation and permissions are denied', async () => {
    equal(await page().evaluate(`window.open('app://engine/') === null`), true, 'window.open');
    await page().evaluate(`void (location.href = 'https://example.invalid/')`);
    equal(await page().evaluate(`new Promise((r) => setTimeout(() => r(location.href), 300))`), 'app://chat/', 'address');
    const permission = `new Promise((r) => navigator.geolocation.getCurrentPosition(() => r('given'), () => r('denied')))`;
    equal(await page().evaluate(permission), 'denied', 'geolocation');
  });
  await run.step('requests that the contract does not know are refused with their code', async () => {
    const code = (channel: string, request: string) =>
      page().evaluate(`window.conclave.request(${channel}, ${request}).then((r) => r.error?.code)`);
    equal(await code(`'no.such'`, '{}'), 'request.unknown', 'unknown channel');
    equal(await code(`'chat.send'`, `{ text: 7 }`), 'request.invalid', 'wrong payload');
    equal(await code('null', '{}'), 'request.invalid', 'no channel');
  });
}

export async function checkAnswer(run: Run, page: () => DevtoolsPage, setting: Setting): Promise<void> {
  await run.step('the model that was handed over is loaded in the engine host', async () => {
    await page().waitUntil('the model', stateIs('ready'), LOAD_LIMIT_MS);
    const state = await stateOf(page());
    equal(state.host.kind, 'electron', 'host');
    console.log(`    ${JSON.stringify(state.engine)}`);
    await page().evaluate(`window.conclave.request('settings.update', { temperature: 0, maxAnswerTokens: 24 })`);
  });
  await run.step('a question typed into the window is answered there', async () => {
    await page().evaluate(`document.querySelector('textarea').focus()`);
    await page().type(setting.question);
    await page().press('Enter');
    await page().waitUntil(
      'the answer',
      `(() => { const a = document.querySelector('article.answer'); return !!a && a.getAttribute('aria-busy') !== 'true' && a.textContent.trim().length > 0; })()`,
      ANSWER_LIMIT_MS,
    );
    writeFileSync(path.join(setting.screenshots, setting.picture ?? 'electron-answer.png'), await page().screenshot());
  });
  await run.step('question and answer are rows in SQLite, as the page shows them', async () => {
    const conversation = await page().evaluate<Conversation>(
      `window.conclave.request('conversations.list', { query: '', limit: 5, beforeMs: null }).then((r) => window.conclave.request('conversations.get', { conversationId: r.value[0].id })).then((r) => r.value)`,
    );
    const shown = conversation.messages.map(({ role, content, status }) => ({ role, content, status }));
    const database = new Database(path.join(setting.dataFolder, 'history.sqlite'), { readonly: true });
    const rows = database.prepare('SELECT role, content, status FROM messages ORDER BY seq').all();
    database.close();
    equal(rows, shown, 'rows');
    equal(shown.map(({ role }) => role).join(), 'user,assistant', 'roles');
    equal(shown[0].content, setting.question, 'question');
    equal(shown[1].status, 'complete', 'status of the answer');
    equal(shown[1].content.length > 0, true, 'the answer has text');
    equal(
      shown[1].content.includes(setting.expect),
      true,
      `the answer ${JSON.stringify(shown[1].content)} holds ${setting.expect}`,
    );
  });
}

/** The GPU process dies under an answer; the same answer comes nevertheless. */
export async function checkGpuCrash(run: Run, page: () => DevtoolsPage, running: () => RunningApp): Promise<void> {
  await run.step('a GPU process that crashes does not change the answer that is being written', async () => {
    const current = `window.conclave.request('conversations.list', { query: '', limit: 1, beforeMs: null }).then((r) => window.conclave.request('conversations.get', { conversationId: r.value[0].id })).then((r) => r.value)`;
    const request = (channel: string, payload: object) =>
      page().evaluate(`window.conclave.request('${channel}', ${JSON.stringify(payload)})`);
    const ended = async (count: number) => {
      const done = `${current}.then(({ messages }) => messages.length === ${count} && !['queued', 'streaming'].includes(messages.at(-1).status))`;
      await page().waitUntil('the end of the answer', done, LOAD_LIMIT_MS + ANSWER_LIMIT_MS);
      return (await page().evaluate<Conversation>(current)).messages[count - 1];
    };
    const { id: answerId } = await ended(2);
    await request('settings.update', { maxAnswerTokens: LONG_ANSWER_TOKENS });
    await request('chat.regenerate', { answerId });
    const before = await ended(3);
    await page().evaluate(`void (window.resets = [], window.texts = 0)`);
    await page().evaluate(`void window.conclave.on('engine.status', (s) => window.resets.push(s.reset?.code ?? s.state))`);
    await page().evaluate(`void window.conclave.on('answer.text', () => window.texts++)`);
    await request('chat.regenerate', { answerId });
    await page().waitUntil('the first words', 'window.texts > 0', ANSWER_LIMIT_MS);
    const browser = await DevtoolsPage.browser(running().port);
    await browser.send('Browser.crashGpuProcess').catch(() => {}); // nobody is left to answer
    browser.close();
    const after = await ended(4);
    equal([after.status, after.content], ['complete', before.content], 'the answer');
    await page().waitUntil('what was told', `window.resets.length === 2`, LOAD_LIMIT_MS);
    equal(await page().evaluate('window.resets'), ['gpu.device-lost', 'ready'], 'what was told');
  });
}

export const stateIs = (state: string) =>
  `window.conclave.request('app.state', {}).then((r) => r.value.engine.state === '${state}')`;

async function stateOf(page: DevtoolsPage): Promise<AppState> {
  return page.evaluate<AppState>(`window.conclave.request('app.state', {}).then((r) => r.value)`);
}

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the app did not start');
  return value;
}

export function equal(found: unknown, wanted: unknown, what: string): void {
  if (!isDeepStrictEqual(found, wanted))
    throw new Error(`${what}: found ${JSON.stringify(found)}, wanted ${JSON.stringify(wanted)}`);
}
