/**
 * The command loop of the engine host: takes EngineCommands from a port, calls the engine, reports back. Calls end in exactly one
 * `done` or `failed`; a cancelled call ends as the engine ends it. Knows neither Electron nor files: both are handed in.
 */
import type { EngineClient } from '../../main/contract/engine.ts';
import { toWireError } from '../../main/contract/errors.ts';
import type {
  EngineAnswer,
  EngineCommand,
  EnginePort,
  EngineReport,
  UnnumberedReport,
} from '../../main/contract/engine-protocol.ts';

export function serveEngine(port: EnginePort<EngineReport, EngineCommand>, engine: EngineClient): void {
  const running = new Map<number, AbortController>();
  let sequence = 0;
  const report = (message: UnnumberedReport) => port.post({ ...message, sequence: sequence++ } as EngineReport);

  async function run(command: Exclude<EngineCommand, { kind: 'cancel' }>): Promise<void> {
    const { call } = command;
    const controller = new AbortController();
    running.set(call, controller);
    try {
      report({ kind: 'done', call, answer: await answer(command, controller.signal) });
    } catch (error) {
      report({ kind: 'failed', call, error: toWireError(error) });
    } finally {
      running.delete(call);
    }
  }

  async function answer(command: Exclude<EngineCommand, { kind: 'cancel' }>, signal: AbortSignal): Promise<EngineAnswer> {
    const { call } = command;
    switch (command.kind) {
      case 'load':
        return engine.load(command.request, (progress) => report({ kind: 'progress', call, progress }), signal);
      case 'generate':
        return engine.generate(
          command.request,
          {
            onPrefill: (done, total) => report({ kind: 'prefill', call, done, total }),
            onTokens: (ids) => report({ kind: 'tokens', call, ids: [...ids] }),
            onExperts: (activity) => report({ kind: 'experts', call, activity }),
          },
          signal,
        );
      case 'probe':
        return engine.probe(command.surroundings, signal);
      case 'limitRamPool':
        return engine.limitRamPool(command.limitBytes);
      case 'unload':
        await engine.unload();
        return null;
      case 'close':
        await engine.close();
        return null;
    }
  }

  engine.onReset((reset) => report({ kind: 'reset', reset }));
  engine.onLost((error) => report({ kind: 'lost', error }));
  port.onMessage((command) => {
    if (command.kind === 'cancel') running.get(command.call)?.abort();
    else void run(command);
  });
}
