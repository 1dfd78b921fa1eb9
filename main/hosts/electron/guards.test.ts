import { EventEmitter } from 'node:events';
import { beforeEach, expect, test, vi } from 'vitest';

type Handler = (...given: never[]) => unknown;
const handlers = new Map<string, Handler>();
const set = (name: string) => (handler: Handler) => void handlers.set(name, handler);
const openExternal = vi.fn();
const app = new EventEmitter();
const defaultSession = Object.assign(new EventEmitter(), {
  setPermissionRequestHandler: set('permission'),
  setPermissionCheckHandler: set('check'),
  webRequest: {
    onBeforeRequest: (filter: { urls: string[] }, handler: Handler) => {
      handlers.set('request', handler);
      patterns = filter.urls;
    },
  },
});
let patterns: string[] = [];
vi.mock('electron', () => ({ app, session: { defaultSession }, shell: { openExternal } }));
const { guardEverything } = await import('./guards.ts');
guardEverything();

let webRtcPolicy = 'default';
const contents = Object.assign(new EventEmitter(), {
  setWindowOpenHandler: set('open'),
  setWebRTCIPHandlingPolicy: (policy: string) => void (webRtcPolicy = policy),
  getURL: () => 'app://chat/',
});
app.emit('web-contents-created', {}, contents);
const handle = <T>(name: string, ...given: unknown[]) => handlers.get(name)!(...(given as never[])) as T;
beforeEach(() => void openExternal.mockClear());

test.each(['will-navigate', 'will-redirect', 'will-attach-webview'])('%s is prevented', (name) => {
  const event = { preventDefault: vi.fn() };
  contents.emit(name, event, 'app://chat/other');
  expect(event.preventDefault).toHaveBeenCalledOnce();
});

test('a download is prevented', () => {
  const event = { preventDefault: vi.fn() };
  defaultSession.emit('will-download', event, {});
  expect(event.preventDefault).toHaveBeenCalledOnce();
});

test('no window opens; a link of the web goes to the browser, anything else nowhere', () => {
  for (const url of [
    'file:///etc/passwd',
    'javascript:alert(1)',
    'data:text/html,x',
    'app://engine/',
    'smb://host/share',
    'ms-msdt:/id',
    'vscode://x',
    '',
    'https:',
  ]) {
    expect(handle('open', { url })).toEqual({ action: 'deny' });
    expect(openExternal, url).not.toHaveBeenCalled();
  }
  expect(handle('open', { url: 'https://example.org/' })).toEqual({ action: 'deny' });
  expect(openExternal.mock.calls).toEqual([['https://example.org/']]);
});

test('permissions: none but copying, and that only for the chat page', () => {
  const asked = (permission: string) => {
    const answer = vi.fn();
    handle('permission', contents, permission, answer);
    return answer.mock.calls[0][0] as boolean;
  };
  for (const permission of [
    'media',
    'geolocation',
    'notifications',
    'midi',
    'clipboard-read',
    'openExternal',
    'fileSystem',
    'hid',
    'usb',
  ])
    expect(asked(permission), permission).toBe(false);
  expect(asked('clipboard-sanitized-write')).toBe(true);
  expect(handle('check', contents, 'clipboard-sanitized-write', 'app://chat/')).toBe(true);
  for (const origin of ['https://example.org/', 'app://engine/', 'app://constructor/', ''])
    expect(handle('check', contents, 'clipboard-sanitized-write', origin), origin).toBe(false);
});

test('Chromium gets nothing from any network', () => {
  expect(patterns).toEqual(['http://*/*', 'https://*/*', 'ws://*/*', 'wss://*/*']);
  const answer = vi.fn();
  handle('request', { url: 'https://example.org/' }, answer);
  expect(answer).toHaveBeenCalledWith({ cancel: true });
  expect(webRtcPolicy).toBe('disable_non_proxied_udp');
});
