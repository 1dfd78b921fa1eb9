import { expect, test, vi } from 'vitest';

type Listener = (event: unknown, channel: unknown, request: unknown) => Promise<unknown>;
let listener: Listener;
vi.mock('electron', () => ({
  ipcMain: { handle: (_: string, handler: Listener) => void (listener = handler), on: vi.fn(), off: vi.fn() },
  MessageChannelMain: class {},
}));
const { answerRequests } = await import('./ipc.ts');

const frame = { url: 'app://chat/' };
const sender = { mainFrame: frame };
const window = { isDestroyed: () => false, webContents: sender };
let open: typeof window | null = window;
const handle = vi.fn(async () => 'answer');
answerRequests(() => open as never, handle);

test('our page’s main frame is answered', async () => {
  expect(await listener({ sender, senderFrame: frame }, 'library.list', {})).toEqual({ ok: true, value: 'answer' });
  expect(handle).toHaveBeenCalledWith('library.list', {});
});

test('anybody else is refused before anything is looked at', async () => {
  handle.mockClear();
  const strangers = {
    'another window': { sender: { mainFrame: frame }, senderFrame: frame },
    'a frame within': { sender, senderFrame: { url: 'app://chat/' } },
    'a frame that is gone': { sender, senderFrame: null },
    'another page in our window': { sender: { mainFrame: { url: 'https://example.org/' } }, senderFrame: null },
  };
  for (const [who, event] of Object.entries(strangers))
    expect(await listener(event, 'library.list', {}), who).toMatchObject({ ok: false, error: { code: 'request.refused' } });
  for (const url of ['https://chat/', 'app://engine/', 'app://chat.evil.example/', 'app://constructor/', 'file:///chat', '']) {
    const moved = { url };
    const contents = { mainFrame: moved };
    open = { ...window, webContents: contents };
    expect(await listener({ sender: contents, senderFrame: moved }, 'library.list', {}), url).toMatchObject({
      error: { code: 'request.refused' },
    });
  }
  open = null;
  expect(await listener({ sender, senderFrame: frame }, 'library.list', {})).toMatchObject({ ok: false });
  open = window;
  expect(handle).not.toHaveBeenCalled();
});

test('a channel is a text', async () => {
  for (const channel of [null, 7, ['library.list'], { toString: () => 'library.list' }])
    expect(await listener({ sender, senderFrame: frame }, channel, {})).toMatchObject({ error: { code: 'request.invalid' } });
});
