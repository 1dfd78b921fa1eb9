/**
 * `npm run test:package [-- --model FILE --question T --expect T]`: what would be packed for each of the six targets (any machine); on
 * Linux x64 a .deb and a tar.gz around the stand-in, unpacked into fresh folders, started and asked. Ends with `N passed, N failed, N skipped`.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ensureBuilt } from '../../main/hosts/launcher/builds.mjs';
import { runBuilder, type TargetArch, type TargetPlatform } from '../../main/hosts/packaging/builder.ts';
import { thirdPartyLicences } from '../../main/hosts/packaging/licences.ts';
import { buildForStandIn } from '../electron/build.ts';
import { fetchStandIn } from '../electron/stand-in.ts';
import { describeRun } from '../electron/steps.ts';
import { onADisplay } from '../electron/display.ts';
import { tinyModel } from '../fixtures/tiny-model.ts';
import { asarFiles, expectedFiles, judgeContents } from './contents.ts';
import { fakeElectron } from './fake-electron.ts';
import { checkInstalled } from './installed-steps.ts';
import { makeTestArtefacts, type TestArtefacts } from './test-artefacts.ts';

const root = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));
const { values } = parseArgs({
  options: {
    model: { type: 'string' },
    question: { type: 'string', default: 'Who sits in a conclave?' },
    expect: { type: 'string', default: '' },
  },
});
const hasStandIn = process.platform === 'linux' && process.arch === 'x64';
onADisplay();

const run = describeRun('package');
// Spaces and letters beyond ASCII on purpose.
const folder = mkdtempSync(path.join(os.tmpdir(), 'conclave pàckage '));
try {
  await checkTargets();
  if (!hasStandIn) run.skip('a package that starts: the stand-in for Electron exists for Linux x64 only');
  else if (!process.env.DISPLAY) run.skip('a package that starts: there is no display and no xvfb-run');
  else await checkArtefacts();
} finally {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
process.exit(run.finish());

async function checkTargets(): Promise<void> {
  await run.step('the app is built', async () => {
    const problem = await ensureBuilt(root, 'electron', process.execPath);
    if (problem) throw new Error(problem);
    writeFileSync(path.join(root, 'out', 'third-party-licences.txt'), thirdPartyLicences(root));
  });
  // electron-builder packs for macOS on Linux too, but not on Windows.
  if (process.platform === 'win32') run.skip('the contents for macOS: electron-builder does not pack them on Windows');
  for (const platform of ['linux', 'win32', ...(process.platform === 'win32' ? [] : ['darwin' as const])] as const)
    for (const arch of ['x64', 'arm64'] as const)
      await run.step(`${platform}-${arch} holds what it needs and nothing else`, () => checkTarget(platform, arch));
}

async function checkTarget(platform: TargetPlatform, arch: TargetArch): Promise<void> {
  const target = path.join(folder, `${platform}-${arch}`);
  const unpacked = await runBuilder({
    root,
    platform,
    arch,
    targets: ['dir'],
    electronFolder: fakeElectron(path.join(target, 'electron'), platform),
    output: path.join(target, 'dist'),
    isHollow: true,
    // Its executable is no program whose resources could be edited.
    overrides: { disableAsarIntegrity: true, win: { signAndEditExecutable: false } },
  });
  const resources = path.join(unpacked, ...(platform === 'darwin' ? ['Conclave.app', 'Contents', 'Resources'] : ['resources']));
  const complaints = judgeContents(asarFiles(path.join(resources, 'app.asar')), expectedFiles(platform, arch));
  const beside = readdirSync(resources).filter((name) => !name.endsWith('.lproj'));
  const models = existsSync(path.join(root, 'resources', 'models')) ? ['models'] : [];
  for (const name of ['app.asar', 'app.asar.unpacked', 'icon.png', 'third-party-licences.txt', ...models])
    if (!beside.includes(name)) complaints.push(`missing in resources: ${name}`);
  for (const name of beside)
    if (!/^(app\.asar|app\.asar\.unpacked|icon\.(png|icns)|third-party-licences\.txt|models)$/.test(name))
      complaints.push(`unneeded in resources: ${name}`);
  if (complaints.length > 0) throw new Error(complaints.join('\n    '));
}

async function checkArtefacts(): Promise<void> {
  const screenshots = path.join(root, 'out', 'test');
  mkdirSync(screenshots, { recursive: true });
  const modelFile = values.model ? path.resolve(values.model) : path.join(folder, 'tiny mixtral.gguf');
  // The greedy answer of this seed holds no NUL, at which the stand-in's libsql ends a text that it reads.
  if (!values.model) writeFileSync(modelFile, tinyModel({ architecture: 'mixtral', type: 'Q4_0', seed: 12 }));
  let artefacts: TestArtefacts | undefined;
  await run.step('a .deb and a tar.gz are made around the stand-in', async () => {
    fetchStandIn();
    buildForStandIn(root);
    artefacts = await makeTestArtefacts(root, 1);
  });
  await checkInstalled(run, {
    artefacts: () => artefacts as TestArtefacts,
    folder,
    modelFile,
    question: values.question,
    expect: values.expect,
    screenshots,
  });
}
