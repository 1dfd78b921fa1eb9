/** Whether a model fits this computer, in words. Holds its size against the memory; nothing is measured. */
import type { FitVerdict } from '../contract/downloads.ts';

/** What the system, the app and the context of a conversation take besides the weights. */
const BESIDES_BYTES = 3 * 2 ** 30;
/** Of the memory that is left; more means that other programs get squeezed. */
const COMFORTABLE = 0.75;

export function fitVerdict(sizeBytes: number | null, ramBytes: number): FitVerdict {
  if (sizeBytes === null) return { level: 'unknown', text: 'Its size is not known, so nothing can be said about memory.' };
  const room = ramBytes - BESIDES_BYTES;
  const memory = `this computer’s ${Math.round(ramBytes / 2 ** 30)} GiB of memory`;
  if (sizeBytes <= room * COMFORTABLE) return { level: 'ram', text: `Fits into ${memory}.` };
  if (sizeBytes <= room) return { level: 'ram', text: `Just fits into ${memory}; close other large programs.` };
  return {
    level: 'disk',
    text: `Larger than ${memory} leaves free. Experts must be read from the disk again and again: slow.`,
  };
}
