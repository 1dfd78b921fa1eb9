/** From what a person chose to the files to fetch: names, addresses, what is known of them, and the folder that they will lie in. */
import type { ChecksumSource, DownloadSource } from '../../contract/downloads.ts';
import { serviceError } from '../../contract/errors.ts';
import { isRepository, isRepositoryFile, isRevision, parseModelAddress, partNames } from '../../contract/model-address.ts';
import type { CatalogueModel } from '../catalogue.ts';

export interface WantedFile {
  readonly name: string;
  readonly url: string;
  readonly sizeBytes: number | null;
  readonly sha256: string | null;
  readonly sha256From: ChecksumSource | null;
}

export interface WantedModel {
  readonly name: string;
  readonly host: string;
  /** One or two plain names, below the models folder. */
  readonly folder: string;
  readonly files: readonly WantedFile[];
}

/** Throws `download.source` when it cannot be used. `huggingFace` is an origin without a slash at its end. */
export function wantedModel(source: DownloadSource, catalogue: readonly CatalogueModel[], huggingFace: string): WantedModel {
  if (source.kind === 'url') return fromUrl(source.url, source.sha256);
  if (source.kind === 'hugging-face') return fromRepository(source.repository, source.revision, source.file, huggingFace);
  const entry = catalogue.find(({ id }) => id === source.entryId);
  const file = entry?.files.find(({ parts }) => parts[0].name === source.fileName);
  if (!entry || !file)
    throw serviceError('download.source', 'This model is not in the catalogue (any more).', {
      entryId: source.entryId,
      fileName: source.fileName,
    });
  const whole = fromRepository(entry.repository, entry.revision ?? 'main', file.parts[0].name, huggingFace);
  return {
    ...whole,
    name: `${entry.name} ${file.quantisation}`,
    files: whole.files.map((part, index) => {
      const { sizeBytes, sha256 } = file.parts[index];
      return { ...part, sizeBytes, sha256, sha256From: sha256 === null ? null : 'catalogue' };
    }),
  };
}

function fromRepository(repository: string, revision: string, file: string, origin: string): WantedModel {
  if (!isRepository(repository) || !isRevision(revision) || !isRepositoryFile(file))
    throw serviceError('download.source', `${repository}/${file} is not a GGUF file in a repository of Hugging Face.`, {
      repository,
      file,
    });
  const files = partNames(file).map((part) => ({
    name: plainName(part.split('/').at(-1)!),
    url: `${origin}/${repository}/resolve/${encodePath(revision)}/${encodePath(part)}`,
    sizeBytes: null,
    sha256: null,
    sha256From: null,
  }));
  return { name: modelName(files[0].name), host: new URL(origin).host, folder: plainName(repository.replace('/', '--')), files };
}

function fromUrl(given: string, sha256: string | null): WantedModel {
  const parsed = parseModelAddress(given);
  if ('problem' in parsed) throw serviceError('download.source', parsed.problem, { url: given });
  if (parsed.address.kind !== 'url')
    throw serviceError('download.source', 'This is an address of Hugging Face: give the repository and the file.', {
      url: given,
    });
  const { url, host } = parsed.address;
  const path = new URL(url).pathname;
  const lastSlash = path.lastIndexOf('/') + 1;
  const names = partNames(decode(path.slice(lastSlash)));
  if (sha256 !== null && names.length > 1)
    throw serviceError('download.source', 'A split model has a checksum for each part; leave the field empty.', { url });
  const files = names.map((name) => {
    const at = new URL(url);
    at.pathname = path.slice(0, lastSlash) + encodeURIComponent(name);
    return {
      name: plainName(name),
      url: names.length > 1 ? at.href : url,
      sizeBytes: null,
      sha256: sha256 === null ? null : sha256.toLowerCase(),
      sha256From: sha256 === null ? null : ('person' as const),
    };
  });
  return { name: modelName(files[0].name), host, folder: plainName(host), files };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}

function modelName(fileName: string): string {
  return fileName.replace(/(-\d{5}-of-\d{5})?\.gguf$/i, '');
}

/** A name that every file system takes: no separators, no reserved names, no leading dot, not too long; the end is kept. */
function plainName(name: string): string {
  const plain = name.replace(/[^\p{L}\p{N}._ ()+-]/gu, '_').replace(/^[.\s]+/, '_');
  const safe = /^(con|prn|aux|nul|com\d|lpt\d)([.]|$)/i.test(plain) ? `_${plain}` : plain;
  return safe.length <= 150 ? safe : safe.slice(-150).replace(/^[.\s]+/, '_');
}
