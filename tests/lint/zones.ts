/**
 * Who may import what: the borders between the folders, as one table. A file belongs to the first zone whose folder holds it; what an
 * import names is tried against the zone's list. The `conclave/borders` rule and its test read this table; nothing else decides.
 */

export interface Zone {
  /** Folder, or a file, relative to the repository, with `/`. */
  readonly folder: string;
  /** Folders (ending in `/`) and files of the repository that it may import. Its own folder always. */
  readonly may: readonly string[];
  /** Folders that it may not import although `may` allows a folder around them. */
  readonly mayNot?: readonly string[];
  /** `node:` modules. */
  readonly node: boolean;
  /** npm packages: all but those named, or only those named. */
  readonly packages: { readonly only: readonly string[] } | { readonly allBut: readonly string[] };
  /** Said in the message. */
  readonly reason: string;
}

const readersOfModels = [
  'gpu/gguf/',
  'gpu/quant/',
  'gpu/tokenizer/',
  'gpu/architectures/',
  'gpu/residency/policy/',
  'gpu/residency/plan/',
  'gpu/residency/types.ts',
  'gpu/errors.ts',
  'gpu/invariant.ts',
];
const gui = ['electron', 'svelte'];
const sqlDrivers = ['better-sqlite3', 'libsql'];

export const zones: readonly Zone[] = [
  {
    folder: 'gpu/',
    may: [],
    node: false,
    packages: { only: [] },
    reason: 'the engine runs in Node, in pages and in preloads alike, so it imports nothing but itself',
  },
  {
    folder: 'main/contract/',
    may: ['gpu/errors.ts', 'gpu/invariant.ts', 'gpu/quant/kv-types.ts', 'gpu/residency/types.ts', 'gpu/residency/plan/types.ts'],
    node: false,
    packages: { only: ['valibot'] },
    reason: 'the contract is shared by every process, so it is pure',
  },
  {
    folder: 'main/database/',
    may: ['main/', ...readersOfModels],
    mayNot: ['main/hosts/'],
    node: true,
    packages: { only: sqlDrivers },
    reason: 'the database knows files and SQL, no window and no engine',
  },
  {
    folder: 'main/hosts/electron/',
    may: ['main/', ...readersOfModels],
    mayNot: ['main/hosts/cli/', 'main/hosts/browser/', 'main/hosts/node/'],
    node: true,
    packages: { allBut: ['svelte', 'webgpu', ...sqlDrivers] },
    reason: 'the engine of the Electron host runs in its own window: main only reads model files',
  },
  {
    folder: 'main/hosts/launcher/',
    may: [],
    node: true,
    packages: { only: [] },
    reason: 'the launcher runs before anything is installed or built',
  },
  {
    folder: 'main/hosts/',
    may: ['main/', 'gpu/'],
    mayNot: ['main/hosts/electron/'],
    node: true,
    packages: { allBut: [...gui, ...sqlDrivers] },
    reason: 'the CLI and the browser host run in plain Node',
  },
  {
    folder: 'main/',
    may: ['main/', 'resources/catalogue.json', ...readersOfModels],
    mayNot: ['main/hosts/'],
    node: true,
    packages: { allBut: [...gui, 'webgpu', ...sqlDrivers] },
    reason: 'services know neither a window nor the engine: hosts hand these in; SQL drivers belong to main/database',
  },
  {
    folder: 'renderer/engine/',
    may: ['gpu/', 'main/contract/', 'main/library/file-source.ts', 'main/hosts/electron/ipc-names.ts'],
    node: true,
    packages: { only: ['electron'] },
    reason: 'the engine host is a preload: engine, files and messages, no page',
  },
  {
    folder: 'renderer/',
    may: ['main/contract/'],
    mayNot: ['renderer/engine/'],
    node: false,
    packages: { allBut: ['electron', 'webgpu', ...sqlDrivers] },
    reason: 'a page can do nothing that the contract does not name',
  },
];

/** Tests (`*.test.ts`) of a zone may also use these. */
export const forTests = { may: ['tests/', 'main/hosts/launcher/'], packages: ['vitest', 'vite', 'svelte', 'webgpu'] };

export interface Verdict {
  readonly allowed: boolean;
  readonly reason: string;
}

/**
 * `file` is the importer and `target` what its specifier resolves to: a path of the repository (`gpu/errors.ts`), `node:fs`, or a package
 * (`svelte/store`). Files outside every zone, and
 * configurations of tools, may import anything.
 */
export function judge(file: string, target: { readonly path: string } | { readonly module: string }): Verdict {
  const zone = zones.find((candidate) => file.startsWith(candidate.folder));
  if (!zone || /\.config\.(ts|js)$/.test(file)) return { allowed: true, reason: '' };
  const isTest = /\.test\.ts$/.test(file);
  return {
    allowed: 'path' in target ? pathAllowed(zone, target.path, isTest) : moduleAllowed(zone, target.module, isTest),
    reason: zone.reason,
  };
}

function pathAllowed(zone: Zone, path: string, isTest: boolean): boolean {
  const within = (place: string) => (place.endsWith('/') ? path.startsWith(place) : path === place);
  if (isTest && forTests.may.some(within)) return true;
  if (zone.mayNot?.some(within)) return false;
  return within(zone.folder) || zone.may.some(within);
}

function moduleAllowed(zone: Zone, module: string, isTest: boolean): boolean {
  if (module.startsWith('node:')) return zone.node || isTest;
  const name = module
    .split('/')
    .slice(0, module.startsWith('@') ? 2 : 1)
    .join('/');
  if (isTest && forTests.packages.includes(name)) return true;
  return 'only' in zone.packages ? zone.packages.only.includes(name) : !zone.packages.allBut.includes(name);
}
