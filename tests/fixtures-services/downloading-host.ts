/**
 * `downloading-host.ts FOLDER ADDRESS SHA256`: the services over FOLDER in a process of their own, for the test that kills it. Asks for the
 * download unless it is there already or on its way; prints `durable N` for what the database vouches for, then `finished`.
 */
import { randomUUID } from 'node:crypto';
import { systemClock } from '../../main/clock.ts';
import { testServices } from './test-services.ts';

const [, , folder, url, sha256] = process.argv;
const { services, request } = testServices(folder, 'plain', { clock: systemClock, newId: randomUUID });
const say = (line: string) => process.stdout.write(`${line}\n`);

services.on(({ name }) => {
  if (name === 'downloads.finished') say('finished');
});
await services.start();
const isKnown = (await request('library.list', {})).length > 0 || (await request('downloads.list', {})).length > 0;
if (!isKnown) await request('downloads.start', { source: { kind: 'url', url, sha256 } });
say('ready');
if ((await request('library.list', {})).length > 0) say('finished');
setInterval(() => {}, 60_000);
