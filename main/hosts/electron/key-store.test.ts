import { beforeEach, expect, test, vi } from 'vitest';

const safeStorage = {
  isEncryptionAvailable: vi.fn(() => true),
  getSelectedStorageBackend: vi.fn(() => 'gnome_libsecret'),
  encryptString: (text: string) => Buffer.from(text).reverse(),
  decryptString: (sealed: Buffer) => Buffer.from(sealed).reverse().toString(),
};
vi.mock('electron', () => ({ safeStorage }));
const { electronKeyStore } = await import('./key-store.ts');
const platform = (name: string) => vi.spyOn(process, 'platform', 'get').mockReturnValue(name as NodeJS.Platform);

beforeEach(() => {
  vi.restoreAllMocks();
  safeStorage.isEncryptionAvailable.mockReturnValue(true);
  safeStorage.getSelectedStorageBackend.mockReturnValue('gnome_libsecret');
});

test('a key comes back as it was; what is kept is not the key', () => {
  const sealed = electronKeyStore.seal('sk-0123');
  expect(sealed).not.toContain('sk-0123');
  expect(electronKeyStore.open(sealed)).toBe('sk-0123');
});

test('Linux without a secret service keeps nothing, although Chromium would', () => {
  platform('linux');
  expect(electronKeyStore.problem()).toBeNull();
  for (const backend of ['basic_text', 'unknown']) {
    safeStorage.getSelectedStorageBackend.mockReturnValue(backend);
    expect(electronKeyStore.problem()).toContain('held in memory');
  }
});

test('no encryption, no keeping, on any system', () => {
  safeStorage.isEncryptionAvailable.mockReturnValue(false);
  for (const name of ['linux', 'darwin', 'win32']) {
    platform(name);
    expect(electronKeyStore.problem()).toContain('held in memory');
  }
});
