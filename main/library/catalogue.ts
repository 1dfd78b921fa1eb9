/**
 * The models that the app can name by itself: `resources/catalogue.json`, checked when it is first read. A figure without a source in the
 * file is null there, never a guess.
 */
import * as v from 'valibot';
import { architectureNames } from '../../gpu/architectures/read-model.ts';
import { invariant } from '../../gpu/invariant.ts';
import json from '../../resources/catalogue.json' with { type: 'json' };
import type { CatalogueEntry } from '../contract/downloads.ts';
import { isRepository, isRepositoryFile, partNames } from '../contract/model-address.ts';
import { fitOf, type Computer } from './fit.ts';

const text = v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(500));
const count = v.nullable(v.pipe(v.number(), v.safeInteger(), v.minValue(1)));
const httpsAddress = v.pipe(v.string(), v.url(), v.startsWith('https://'));

const part = v.strictObject({
  name: v.pipe(v.string(), v.check(isRepositoryFile, 'not a GGUF file of a repository')),
  sizeBytes: count,
  sha256: v.nullable(v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/))),
});

const file = v.pipe(
  v.strictObject({
    quantisation: text,
    /** For people, where no exact size could be verified. */
    aboutBytes: count,
    parts: v.pipe(v.array(part), v.minLength(1)),
  }),
  v.check(({ parts }) => partNames(parts[0].name).join() === parts.map(({ name }) => name).join(), 'not all parts, in order'),
);

const model = v.strictObject({
  id: v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9.-]*$/)),
  name: text,
  maker: text,
  summary: text,
  repository: v.pipe(v.string(), v.check(isRepository, 'not owner/name')),
  revision: v.nullable(v.pipe(v.string(), v.regex(/^[0-9a-f]{40}$/))),
  licence: v.strictObject({ name: v.nullable(text), url: v.nullable(httpsAddress), open: v.boolean() }),
  architecture: text,
  parametersTotal: count,
  parametersActive: count,
  layers: count,
  experts: count,
  expertsUsed: count,
  contextTokens: count,
  /** Why the engine cannot run it although it knows the architecture. */
  notYet: v.nullable(text),
  files: v.pipe(v.array(file), v.minLength(1)),
  sources: v.pipe(
    v.array(
      v.strictObject({ url: httpsAddress, read: v.picklist(['page', 'quoted']), gives: v.pipe(v.array(text), v.minLength(1)) }),
    ),
    v.minLength(1),
  ),
});

export const catalogueSchema = v.strictObject({
  format: v.literal(1),
  readOn: v.pipe(v.string(), v.isoDate()),
  about: text,
  models: v.array(model),
});

export type CatalogueModel = v.InferOutput<typeof model>;

let known: readonly CatalogueModel[] | null = null;

export function catalogueModels(): readonly CatalogueModel[] {
  if (known) return known;
  const result = v.safeParse(catalogueSchema, json);
  invariant(
    result.success,
    `resources/catalogue.json: ${result.issues?.[0] ? `${v.getDotPath(result.issues[0]) ?? ''} ${result.issues[0].message}` : ''}`,
  );
  return (known = result.output.models);
}

/** For the page, with what fits this computer. */
export function catalogueEntries(computer: Computer): readonly CatalogueEntry[] {
  return catalogueModels().map(({ revision: _, files, sources, notYet, ...model }) => ({
    ...model,
    notYet:
      notYet ??
      (architectureNames.includes(model.architecture)
        ? null
        : `Conclave’s engine does not have the architecture ${model.architecture} yet.`),
    files: files.map(({ quantisation, aboutBytes, parts }) => {
      const sizeBytes = parts.reduce<number | null>(
        (sum, { sizeBytes }) => (sum === null || sizeBytes === null ? null : sum + sizeBytes),
        0,
      );
      return {
        name: parts[0].name,
        parts: parts.length,
        quantisation,
        sizeBytes,
        aboutBytes: sizeBytes === null ? aboutBytes : null,
        fit: fitOf({ ...model, sizeBytes: sizeBytes ?? aboutBytes }, computer),
      };
    }),
    sources: sources.map(({ url }) => url),
  }));
}
