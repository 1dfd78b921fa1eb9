/**
 * Folders that electron-builder takes for an unpacked Electron of another system, so that what it would pack for each target can be checked
 * on any machine. Nothing in them runs.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { TargetPlatform } from '../../main/hosts/packaging/builder.ts';

const plist = (executable: string) => `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0"><dict><key>CFBundleExecutable</key><string>${executable}</string></dict></plist>`;

/** The lengths of an asar header, then the header of an archive without files. */
const EMPTY_ASAR = String.fromCharCode(4, 0, 0, 0, 20, 0, 0, 0, 16, 0, 0, 0, 12, 0, 0, 0) + '{"files":{}}';

const HELPERS = ['', ' (GPU)', ' (Plugin)', ' (Renderer)'].map((kind) => `Electron Helper${kind}`);

const FILES: Readonly<Record<TargetPlatform, Readonly<Record<string, string>>>> = {
  linux: {
    electron: 'no program',
    'locales/en-US.pak': '',
    'locales/de.pak': '',
    'resources/default_app.asar': EMPTY_ASAR,
    version: '0',
  },
  win32: {
    'electron.exe': 'no program',
    'locales/en-US.pak': '',
    'locales/de.pak': '',
    'resources/default_app.asar': EMPTY_ASAR,
    version: '0',
  },
  darwin: {
    'Electron.app/Contents/Info.plist': plist('Electron'),
    'Electron.app/Contents/MacOS/Electron': 'no program',
    'Electron.app/Contents/Resources/en.lproj/locale.pak': '',
    'Electron.app/Contents/Resources/default_app.asar': EMPTY_ASAR,
    'Electron.app/Contents/Frameworks/Electron Framework.framework/Resources/en.lproj/locale.pak': '',
    'Electron.app/Contents/Frameworks/Electron Framework.framework/Versions/A/Resources/en.lproj/locale.pak': '',
    ...Object.fromEntries(
      HELPERS.flatMap((name) => [
        [`Electron.app/Contents/Frameworks/${name}.app/Contents/Info.plist`, plist(name)],
        [`Electron.app/Contents/Frameworks/${name}.app/Contents/MacOS/${name}`, 'no program'],
      ]),
    ),
  },
};

export function fakeElectron(folder: string, platform: TargetPlatform): string {
  for (const [name, content] of Object.entries(FILES[platform])) {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
  return folder;
}
