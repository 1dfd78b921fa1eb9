/** The one door to electron-builder: our configuration, nothing published, and what its copy of Electron leaves behind removed. */
import { rm } from 'node:fs/promises';
import path from 'node:path';
import builder, { type Configuration } from 'electron-builder';

export type TargetPlatform = 'linux' | 'win32' | 'darwin';
export type TargetArch = 'x64' | 'arm64';

export interface BuildRequest {
  readonly root: string;
  /** With package.json, out/ and node_modules/, where the app is not the repository's own. */
  readonly appFolder?: string;
  readonly platform: TargetPlatform;
  readonly arch: TargetArch;
  /** Targets of electron-builder: `dir`, `AppImage` … */
  readonly targets: readonly string[];
  /** An unpacked Electron for this platform and architecture; null: electron-builder downloads it. */
  readonly electronFolder: string | null;
  readonly output: string;
  readonly overrides?: Configuration;
  /** Fuses that this Electron does not have. */
  readonly withoutFuses?: readonly (keyof NonNullable<Configuration['electronFuses']>)[];
  /** The Electron is no program, only a folder like one: nothing is set in it and nothing signed. */
  readonly isHollow?: boolean;
}

const PLATFORMS = { linux: builder.Platform.LINUX, win32: builder.Platform.WINDOWS, darwin: builder.Platform.MAC };

/** The folder with the unpacked app. What else was made lies beside it. */
export async function runBuilder(request: BuildRequest): Promise<string> {
  let unpacked = '';
  await builder.build({
    projectDir: request.root,
    targets: PLATFORMS[request.platform].createTarget([...request.targets], builder.Arch[request.arch]),
    publish: 'never',
    config: {
      extends: 'electron.builder.yml',
      ...(request.electronFolder ? { electronDist: request.electronFolder } : {}),
      ...request.overrides,
      directories: { output: request.output, ...(request.appFolder ? { app: request.appFolder } : {}) },
      async afterPack({ appOutDir, packager }) {
        unpacked = appOutDir;
        // Fuses and signature come after this hook.
        for (const fuse of request.withoutFuses ?? []) delete packager.config.electronFuses?.[fuse];
        if (request.isHollow) {
          Object.assign(packager.config, { electronFuses: null });
          Object.assign(packager.platformSpecificBuildOptions, { identity: null });
        }
        // Electron's own start page and version file: there when Electron came as a folder.
        await rm(path.join(packager.getResourcesDir(appOutDir), 'default_app.asar'), { force: true });
        await rm(path.join(appOutDir, 'version'), { force: true });
      },
    },
  });
  return unpacked;
}
