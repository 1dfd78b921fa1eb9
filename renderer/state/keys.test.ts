import { expect, it } from 'vitest';
import { shortcutLabel, shortcutOf } from './keys.ts';

const press = (key: string, held: string) => ({
  key,
  ctrlKey: held.includes('ctrl'),
  metaKey: held.includes('meta'),
  shiftKey: held.includes('shift'),
  altKey: held.includes('alt'),
});

it('knows the shortcuts of each platform and leaves other keys alone', () => {
  expect(shortcutOf(press('n', 'ctrl'), false)).toBe('new-chat');
  expect(shortcutOf(press('n', 'meta'), true)).toBe('new-chat');
  expect(shortcutOf(press('n', 'ctrl'), true)).toBeNull();
  expect(shortcutOf(press('O', 'ctrl shift'), false)).toBe('new-chat');
  expect(shortcutOf(press('K', 'ctrl'), false)).toBe('search');
  expect(shortcutOf(press(',', 'meta'), true)).toBe('settings');
  expect(shortcutOf(press('Escape', ''), false)).toBe('stop');
  expect(shortcutOf(press('n', 'ctrl alt'), false)).toBeNull();
  expect(shortcutOf(press('n', ''), false)).toBeNull();
  expect([shortcutLabel('K', true), shortcutLabel('K', false)]).toEqual(['⌘K', 'Ctrl+K']);
});
