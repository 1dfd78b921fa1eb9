/** Keys that work anywhere in the window. Browsers keep Ctrl+N for themselves, so a second way to a new chat exists. */
export type Shortcut = 'new-chat' | 'search' | 'settings' | 'stop';

export interface KeyPress {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly shiftKey: boolean;
  readonly altKey: boolean;
}

export function shortcutOf(press: KeyPress, mac: boolean): Shortcut | null {
  if (press.key === 'Escape') return 'stop';
  const command = mac ? press.metaKey && !press.ctrlKey : press.ctrlKey && !press.metaKey;
  if (!command || press.altKey) return null;
  const key = press.key.toLowerCase();
  if (press.shiftKey) return key === 'o' ? 'new-chat' : null;
  if (key === 'n') return 'new-chat';
  if (key === 'k') return 'search';
  return key === ',' ? 'settings' : null;
}

export function isMac(platform: string): boolean {
  return /mac/i.test(platform);
}

/** How the keys are written on this machine: ⌘K or Ctrl+K. */
export function shortcutLabel(key: string, mac: boolean): string {
  return mac ? `⌘${key}` : `Ctrl+${key}`;
}
