/**
 * Keys of servers in the system's own store: Keychain, DPAPI, or on Linux the desktop's secret service. Where Chromium would only scramble
 * them with a password that is in everybody's source code (`basic_text`), nothing is kept.
 */
import { safeStorage } from 'electron';
import type { KeyStore } from '../../remote/keys.ts';

export const electronKeyStore: KeyStore = {
  problem() {
    if (isSafe()) return null;
    return process.platform === 'linux'
      ? 'No key store was found (GNOME Keyring or KWallet), so a key could only lie open on the disk. It is held in memory until Conclave ends; to have it there each time, set the environment variable.'
      : 'The system’s key store cannot be used now, so a key could only lie open on the disk. It is held in memory until Conclave ends.';
  },
  seal: (text) => safeStorage.encryptString(text).toString('base64'),
  open: (sealed) => safeStorage.decryptString(Buffer.from(sealed, 'base64')),
};

function isSafe(): boolean {
  if (!safeStorage.isEncryptionAvailable()) return false;
  if (process.platform !== 'linux') return true;
  const backend = safeStorage.getSelectedStorageBackend();
  return backend !== 'basic_text' && backend !== 'unknown';
}
