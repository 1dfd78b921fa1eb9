/** A device whose driver refuses memory above a limit. */
import type { GpuDevice } from '../../gpu/device/open-device.ts';
import { engineError } from '../../gpu/errors.ts';

/** Bytes that it gives besides those in use now. */
export interface Room {
  readonly expertsBytes?: number;
  readonly totalBytes?: number;
}

export function withRoomFor(gpu: GpuDevice, { expertsBytes = Infinity, totalBytes = Infinity }: Room): GpuDevice {
  const before = gpu.buffers.ledger();
  const over = <T extends object>(target: T, replaced: Partial<T>): T =>
    new Proxy(target, {
      get(_, name) {
        if (name in replaced) return replaced[name as keyof T];
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
  const allocateAll: GpuDevice['buffers']['allocateAll'] = async (requests) => {
    const held = gpu.buffers.ledger();
    const sum = (of: typeof requests) => of.reduce((bytes, { sizeBytes }) => bytes + sizeBytes, 0);
    const experts = held.expertsBytes - before.expertsBytes + sum(requests.filter(({ account }) => account === 'experts'));
    const total = held.totalBytes - before.totalBytes + sum(requests);
    if (experts > expertsBytes || total > totalBytes) throw engineError('gpu.out-of-memory', 'made up');
    return gpu.buffers.allocateAll(requests);
  };
  const allocate: GpuDevice['buffers']['allocate'] = async (request) => (await allocateAll([request]))[0];
  return over(gpu, { buffers: over(gpu.buffers, { allocate, allocateAll }) });
}
