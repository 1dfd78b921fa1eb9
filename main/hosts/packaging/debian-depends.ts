/** The `Depends` line of the .deb, from the libraries that its binaries really link to. */
import { neededLibraries } from './elf.ts';

/**
 * Which Debian package holds a library. Two names: Debian 13 and Ubuntu 24.04 renamed packages for 64-bit time.
 * An unknown library is an error, so that a new Electron cannot bring a dependency that nobody named.
 */
const PACKAGE_OF: Readonly<Record<string, string>> = {
  'libX11.so.6': 'libx11-6',
  'libXcomposite.so.1': 'libxcomposite1',
  'libXdamage.so.1': 'libxdamage1',
  'libXext.so.6': 'libxext6',
  'libXfixes.so.3': 'libxfixes3',
  'libXrandr.so.2': 'libxrandr2',
  'libasound.so.2': 'libasound2 | libasound2t64',
  'libatk-1.0.so.0': 'libatk1.0-0 | libatk1.0-0t64',
  'libatk-bridge-2.0.so.0': 'libatk-bridge2.0-0 | libatk-bridge2.0-0t64',
  'libatspi.so.0': 'libatspi2.0-0 | libatspi2.0-0t64',
  'libc.so.6': 'libc6',
  'libcairo.so.2': 'libcairo2',
  'libcups.so.2': 'libcups2 | libcups2t64',
  'libdbus-1.so.3': 'libdbus-1-3',
  'libdl.so.2': 'libc6',
  'libdrm.so.2': 'libdrm2',
  'libexpat.so.1': 'libexpat1',
  'libgbm.so.1': 'libgbm1',
  'libgcc_s.so.1': 'libgcc-s1',
  'libgio-2.0.so.0': 'libglib2.0-0 | libglib2.0-0t64',
  'libglib-2.0.so.0': 'libglib2.0-0 | libglib2.0-0t64',
  'libgobject-2.0.so.0': 'libglib2.0-0 | libglib2.0-0t64',
  'libgtk-3.so.0': 'libgtk-3-0 | libgtk-3-0t64',
  'libm.so.6': 'libc6',
  'libnspr4.so': 'libnspr4',
  'libnss3.so': 'libnss3',
  'libnssutil3.so': 'libnss3',
  'libpango-1.0.so.0': 'libpango-1.0-0',
  'libpthread.so.0': 'libc6',
  'librt.so.1': 'libc6',
  'libsmime3.so': 'libnss3',
  'libstdc++.so.6': 'libstdc++6',
  'libudev.so.1': 'libudev1',
  'libxcb.so.1': 'libxcb1',
  'libxkbcommon.so.0': 'libxkbcommon0',
  'ld-linux-x86-64.so.2': 'libc6',
  'ld-linux-aarch64.so.1': 'libc6',
};

/**
 * Opened by name at run time: Chromium's X11 window (without it the app ends without a word) and its graphics (without it there is no WebGPU,
 * not even in software; both found in a minimal Debian 12), keys in the system's keyring, links in the system's browser.
 */
const OPENED_LATER = ['libgl1', 'libsecret-1-0', 'libx11-xcb1', 'xdg-utils'];

/**
 * Relations in alphabetical order. `files` are absolute paths; `bundled` the names of libraries that the package brings itself.
 */
export function debianDepends(files: readonly string[], bundled: ReadonlySet<string>): string[] {
  const relations = new Set(OPENED_LATER);
  for (const file of files)
    for (const library of neededLibraries(file) ?? []) {
      if (bundled.has(library)) continue;
      const relation = PACKAGE_OF[library];
      if (!relation)
        throw new Error(
          `${file} links to ${library}, and main/hosts/packaging/debian-depends.ts does not say which package has it.`,
        );
      relations.add(relation);
    }
  return [...relations].sort();
}
