import { expect, test } from 'vitest';
import { browserCommand } from './open-browser.ts';

const URL_WITH_TRAPS = 'http://127.0.0.1:1/start?token=a&b=$(touch x)';

test('the link is one argument of a program, on every system', () => {
  for (const platform of ['darwin', 'win32', 'linux'] as const) {
    const command = browserCommand(URL_WITH_TRAPS, platform, { DISPLAY: ':0' });
    expect(command?.args.at(-1)).toBe(URL_WITH_TRAPS);
    expect(command?.program).not.toMatch(/sh$|cmd/);
  }
});

test('without a display there is no browser', () => {
  expect(browserCommand(URL_WITH_TRAPS, 'linux', {})).toBeNull();
  expect(browserCommand(URL_WITH_TRAPS, 'linux', { WAYLAND_DISPLAY: 'wayland-0' })?.program).toBe('xdg-open');
});
