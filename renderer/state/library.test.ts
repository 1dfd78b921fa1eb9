import { expect, it } from 'vitest';
import type { DownloadEntry } from '../../main/contract/downloads.ts';
import { parseModelAddress, partNames } from '../../main/contract/model-address.ts';
import { Announcer } from './announcer.ts';
import type { PageClient } from './client.ts';
import { ManualClock } from './clock.ts';
import { FakeClient } from './fake-client.ts';
import { CATALOGUE, DOWNLOAD } from './fake-library-data.ts';
import type { ScenarioName } from './fake-scenarios.ts';
import { Library } from './library.ts';
import {
  catalogueFacts,
  checksumWords,
  downloadFigures,
  downloadPercent,
  fileSize,
  filterCatalogue,
  planAddress,
  timeLeft,
} from './library-words.ts';
import { Notices } from './notices.ts';

async function start(name: ScenarioName) {
  const clock = new ManualClock(1_700_000_000_000);
  const client = new FakeClient(clock, name);
  const notices = new Notices(clock);
  const announcer = new Announcer(clock);
  const chosen: string[] = [];
  const library = new Library(client, notices, announcer, (id) => Promise.resolve(void chosen.push(id)));
  void library.load();
  await clock.advance(5);
  return { clock, client, notices, announcer, chosen, library };
}

it('a download goes from asked for to a model, and tells both', async () => {
  const { clock, library, notices, announcer, chosen } = await start('plain');
  const fileName = CATALOGUE[0].files[0].name;
  const begun = library.download({ kind: 'catalogue', entryId: 'olmoe', fileName });
  await clock.advance(250);
  expect(await begun).toBe(true);
  expect(announcer.value).toContain('has begun');
  expect(library.value.downloads).toMatchObject([{ state: 'running', bytesPerSecond: expect.any(Number) as number }]);
  const again = library.download({ kind: 'catalogue', entryId: 'olmoe', fileName });
  await clock.advance(5);
  expect(await again).toBe(false);
  expect(notices.value[0].title).toBe('This model is already here');
  await clock.advance(5000);
  expect(library.value.downloads).toEqual([]);
  const arrived = notices.value.find(({ title }) => title.includes('arrived'))!;
  arrived.action!.run();
  expect(chosen).toHaveLength(1);
});

it('pause, resume and cancel are the host’s to carry out', async () => {
  const { clock, library } = await start('library');
  void library.pause('running');
  await clock.advance(5);
  expect(library.value.downloads[0].state).toBe('paused');
  void library.cancel('paused');
  void library.resume('failed');
  await clock.advance(5);
  expect(library.value.downloads.map(({ id, state }) => `${id} ${state}`)).toEqual([
    'running paused',
    'waiting waiting',
    'failed running',
  ]);
});

it('a failure is said aloud, once', () => {
  const clock = new ManualClock();
  const announcer = new Announcer(clock);
  const said: string[] = [];
  announcer.subscribe(() => said.push(announcer.value));
  const listeners = new Map<string, (payload: never) => void>();
  const client = { on: (event: string, listener: (payload: never) => void) => void listeners.set(event, listener) };
  new Library(client as unknown as PageClient, new Notices(clock), announcer, () => Promise.resolve());
  const failed = { ...DOWNLOAD, state: 'failed', error: { code: 'download.checksum', message: 'no', details: {} } };
  for (const download of [DOWNLOAD, failed, failed]) listeners.get('downloads.changed')!({ downloads: [download] } as never);
  expect(said).toEqual([`The download of ${DOWNLOAD.name} stopped: The checksum is wrong.`]);
});

it('only the newest question about a repository counts', async () => {
  const { clock, library } = await start('plain');
  void library.lookUp('a/none', 'main');
  void library.lookUp('b/some', 'main');
  await clock.advance(5);
  expect(library.value.lookUp).toMatchObject({ phase: 'found', repository: 'b/some' });
  void library.lookUp('c/some', 'main');
  library.forgetLookUp();
  await clock.advance(5);
  expect(library.value.lookUp).toEqual({ phase: 'idle' });
});

it('details of the model asked for last are shown', async () => {
  const { clock, library } = await start('library');
  void library.toggleDetails('qwen');
  void library.toggleDetails('olmoe');
  await clock.advance(5);
  expect(library.value.details).toMatchObject({ modelId: 'olmoe', error: { code: 'model.missing' } });
  void library.toggleDetails('olmoe');
  expect(library.value.details).toBeNull();
});

it('a catalogue that cannot be had says so and can be asked for again', async () => {
  const { clock, client, library } = await start('plain');
  const { request } = client;
  client.request = () => Promise.reject(new Error('no host'));
  await library.load();
  expect(library.value).toMatchObject({ phase: 'failed', error: { message: 'no host' } });
  client.request = request.bind(client);
  void library.load();
  await clock.advance(5);
  expect(library.value.phase).toBe('ready');
});

it('asks again what fits once a model has been loaded', async () => {
  const { clock, client, library } = await start('plain');
  const asked = () => client.log.filter(({ channel }) => channel === 'library.catalogue').length;
  expect([asked(), library.value.phase]).toEqual([1, 'ready']);
  void client.request('library.select', { modelId: 'tiny' });
  await clock.advance(2000);
  expect(asked()).toBe(2);
});

it('words for figures, also for those that are not known', () => {
  const change = (given: Partial<DownloadEntry>): DownloadEntry => ({ ...DOWNLOAD, ...given });
  expect(downloadFigures(DOWNLOAD)).toBe('1.2 GiB of 3.9 GiB · 26.1 MiB/s · 2 minutes left');
  expect(downloadFigures(change({ state: 'paused', totalBytes: null, files: 3 }))).toBe('1.2 GiB in 3 parts');
  expect(downloadPercent(DOWNLOAD)).toBe(31);
  expect(downloadPercent(change({ totalBytes: null }))).toBeNull();
  expect([30_000, 90_000, 4_000_000, 400_000_000].map(timeLeft)).toEqual([
    'less than a minute left',
    '2 minutes left',
    '1 h 7 min left',
    '5 days left',
  ]);
  expect(checksumWords(change({ checksum: 'server' }))).toContain('huggingface.co itself states');
  expect(catalogueFacts(CATALOGUE[2])).toBe('235 B params, 22 B active · 128 experts, 8 used');
  expect(fileSize(CATALOGUE[2].files[0])).toBe('about 132 GiB in 3 parts');
  expect(fileSize({ ...CATALOGUE[2].files[0], aboutBytes: null, parts: 1 })).toBe('size not known');
});

it('the catalogue is narrowed by words and by what runs and fits', () => {
  const names = (text: string, show: 'all' | 'runnable' | 'fitting') =>
    filterCatalogue(CATALOGUE, { text, show }).map(({ id }) => id);
  expect(names('', 'all')).toHaveLength(4);
  expect(names('', 'runnable')).toEqual(['olmoe', 'coder', 'huge']);
  expect(names('', 'fitting')).toEqual(['olmoe', 'coder']);
  expect(names('qwen CODE', 'all')).toEqual(['coder']);
  expect(names('deepseek', 'runnable')).toEqual([]);
});

it.each([
  ['allenai/OLMoE-GGUF', { kind: 'repository', repository: 'allenai/OLMoE-GGUF', revision: 'main' }],
  ['https://huggingface.co/a/b', { kind: 'repository', repository: 'a/b', revision: 'main' }],
  ['hf.co/a/b/tree/v1.0', { kind: 'repository', repository: 'a/b', revision: 'v1.0' }],
  ['a/b/x.gguf', { kind: 'file', repository: 'a/b', revision: 'main', file: 'x.gguf' }],
  ['https://huggingface.co/a/b/blob/main/Q4/x.gguf', { kind: 'file', repository: 'a/b', revision: 'main', file: 'Q4/x.gguf' }],
  [
    'https://huggingface.co/a/b/resolve/main/x%20y.gguf?download=true',
    { kind: 'file', repository: 'a/b', revision: 'main', file: 'x y.gguf' },
  ],
  ['https://example.org/m.gguf?key=1#part', { kind: 'url', url: 'https://example.org/m.gguf?key=1', host: 'example.org' }],
  ['http://127.0.0.1:8080/m.gguf', { kind: 'url', url: 'http://127.0.0.1:8080/m.gguf', host: '127.0.0.1:8080' }],
])('%s is understood', (text, address) => {
  expect(parseModelAddress(` ${text} `)).toEqual({ address });
});

it.each([
  ['', 'Paste'],
  ['justaname', 'owner/name'],
  ['http://example.org/m.gguf', 'Only https'],
  ['http://127.0.0.1.example.org/m.gguf', 'Only https'],
  ['ftp://example.org/m.gguf', 'Only https'],
  ['file:///etc/passwd.gguf', 'Only https'],
  ['https://me:secret@example.org/m.gguf', 'user name or password'],
  ['https://example.org/m.bin', 'ends in .gguf'],
  ['https://', 'not an address'],
  ['a/b/../../x.gguf', 'not a GGUF file'],
  ['a/b/blob/../x.gguf', 'not the name of a revision'],
  ['a/b/x.safetensors', 'not a GGUF file'],
  [`a/${'b'.repeat(5000)}`, 'too long'],
])('%s is refused', (text, words) => {
  const parsed = parseModelAddress(text);
  expect('problem' in parsed && parsed.problem).toContain(words);
});

it('a plan names the host before anything is asked', () => {
  expect(planAddress('')).toBeNull();
  expect(planAddress('nonsense')).toHaveProperty('problem');
  expect(planAddress('a/b/x.gguf')).toMatchObject({ sentence: 'Downloads x.gguf from huggingface.co.', button: 'Download' });
  expect(planAddress('https://models.example.org:8443/x.gguf')).toMatchObject({
    sentence: 'Downloads x.gguf from models.example.org:8443.',
  });
});

it('names of the parts of a split model', () => {
  expect(partNames('a/m-00002-of-00003.gguf')).toEqual([
    'a/m-00001-of-00003.gguf',
    'a/m-00002-of-00003.gguf',
    'a/m-00003-of-00003.gguf',
  ]);
  for (const odd of ['m.gguf', 'm-00004-of-00003.gguf', 'm-00000-of-00003.gguf', 'm-00001-of-99999.gguf'])
    expect(partNames(odd)).toEqual([odd]);
});
