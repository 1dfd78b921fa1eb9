/**
 * `chatting-host.ts FOLDER`: the services over FOLDER in a process of their own, with a scripted engine, for the test that kills it. Requests
 * and events cross Node's channel between processes. The services' time passes as fast as this process can go, but in order, so what a
 * crash may lose is exact in the services' own milliseconds.
 */
import { randomUUID } from 'node:crypto';
import { toWireError } from '../../main/contract/errors.ts';
import { testServices } from '../fixtures-services/test-services.ts';
import type { FromChat, ToChat } from './chat-process.ts';

const { services, engine, clock, request, withModel } = testServices(process.argv[2], 'plain', { newId: randomUUID });
engine.contextTokens = 100_000;
const tell = (message: FromChat) => process.send!(message);

services.on((event) => tell({ what: 'event', event, atMs: clock.nowMs() }));
process.on('message', ({ number, script, channel, payload }: ToChat) => {
  engine.answer = script.text;
  engine.prefillMs = script.prefillMs;
  engine.tokenMs = script.tokenMs;
  services.handle(channel, payload).then(
    (response) => tell({ what: 'response', number, response }),
    (error: unknown) => tell({ what: 'refusal', number, error: toWireError(error) }),
  );
});
process.on('disconnect', () => process.exit(0));
await services.start();
if ((await request('library.list', {})).length === 0) await withModel();
tell({ what: 'ready' });
for (;;) {
  await clock.advance(1);
  await new Promise((resolve) => setImmediate(resolve));
}
