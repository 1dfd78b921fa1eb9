/** What `npm run package` does where Electron's own binary cannot be had: test artefacts in dist/test, from the stand-in. Linux x64 only. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildForStandIn } from '../electron/build.ts';
import { fetchStandIn } from '../electron/stand-in.ts';
import { makeTestArtefacts } from './test-artefacts.ts';

const root = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));
fetchStandIn();
buildForStandIn(root);
const { deb, tarGz } = await makeTestArtefacts(root, 9);
console.log(`Test artefacts, never to be published:\n${deb}\n${tarGz}`);
