/**
 * Routing profiles, one small file per model in the data folder: which experts earlier answers used, so that the next start is warm. It holds
 * counts, nothing of what was written. Deleting one, or all, costs a cold start.
 */
import { createHash } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import {
  addToProfile,
  emptyProfile,
  parseProfile,
  serialiseProfile,
  type NewUses,
  type RoutingProfile,
} from '../../gpu/residency/policy/profile.ts';
import { writeWhole } from './small-file.ts';

const FOLDER = 'routing-profiles';

export class ProfileStore {
  readonly #folder: string;

  constructor(dataFolder: string) {
    this.#folder = path.join(dataFolder, FOLDER);
  }

  /** null: there is none, or it is damaged or another model's. `modelKey` names the model's content. */
  read(modelKey: string): RoutingProfile | null {
    try {
      const profile = parseProfile(readFileSync(this.#file(modelKey)));
      return profile.modelId === modelKey ? profile : null;
    } catch {
      return null;
    }
  }

  /** Adds what an answer used. Throws where the folder cannot be written. */
  add(modelKey: string, uses: NewUses): void {
    const { counts, tokens } = uses;
    if (counts.length === 0 || tokens === 0) return;
    const nExperts = counts[0].length;
    const known = this.read(modelKey);
    const fits = known?.nExperts === nExperts && known.counts.length === counts.length;
    const profile = addToProfile(fits ? known : emptyProfile(modelKey, counts.length, nExperts), uses);
    writeWhole(this.#file(modelKey), serialiseProfile(profile));
  }

  forget(modelKey: string): void {
    rmSync(this.#file(modelKey), { force: true });
  }

  forgetAll(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #file(modelKey: string): string {
    return path.join(this.#folder, `${createHash('sha256').update(modelKey).digest('hex').slice(0, 32)}.profile`);
  }
}
