/** Which GGUF models a repository on Hugging Face has: its tree, asked for once, when a person asks. */
import { serviceError } from '../../contract/errors.ts';
import { isRepository, isRepositoryFile, isRevision, partNames } from '../../contract/model-address.ts';
import { limitedBytes } from '../../limited-bytes.ts';
import { follow, refuse, TryLater, type Fetch } from './remote.ts';

/** A listing of tens of thousands of files; more is not a model repository. */
const MAX_LISTING_BYTES = 16 * 2 ** 20;
const MAX_PAGES = 10;

export interface ListedModel {
  /** Path of the first part. */
  readonly name: string;
  readonly parts: number;
  readonly sizeBytes: number;
}

interface Asking {
  readonly fetch: Fetch;
  readonly huggingFace: string;
  readonly repository: string;
  readonly revision: string;
  readonly signal: AbortSignal;
}

/** Smallest first. Rejects with download.*. */
export async function listModels({ fetch, huggingFace, repository, revision, signal }: Asking): Promise<readonly ListedModel[]> {
  if (!isRepository(repository) || !isRevision(revision))
    throw serviceError('download.source', `${repository} is not the id of a repository on Hugging Face (owner/name).`, {
      repository,
    });
  const sizes = new Map<string, number>();
  let url: string | null = `${huggingFace}/api/models/${repository}/tree/${encodeURIComponent(revision)}?recursive=true`;
  for (let page = 0; url !== null && page < MAX_PAGES; page++) {
    const { entries, next }: Page = await readPage(fetch, url, signal);
    for (const { path, size } of entries) sizes.set(path, size);
    url = next;
  }
  return modelsOf(sizes);
}

interface Page {
  readonly entries: readonly { readonly path: string; readonly size: number }[];
  readonly next: string | null;
}

async function readPage(fetch: Fetch, url: string, signal: AbortSignal): Promise<Page> {
  const { host } = new URL(url);
  try {
    const { response } = await follow({ fetch, url, signal }, 'GET', {}, false);
    if (response.status !== 200) refuse(response, url);
    const listing: unknown = JSON.parse(await limitedText(response, host));
    if (!Array.isArray(listing))
      throw serviceError('download.server', `${host} sent something else than a list of files.`, { url });
    const next = /<([^>]+)>;\s*rel="next"/.exec(response.headers.get('link') ?? '')?.[1] ?? null;
    const entries = listing.flatMap((entry: unknown) => {
      const { type, path, size } = (entry ?? {}) as Record<string, unknown>;
      return type === 'file' && typeof path === 'string' && Number.isSafeInteger(size) ? [{ path, size: size as number }] : [];
    });
    return { entries, next: next !== null && new URL(next, url).host === host ? new URL(next, url).href : null };
  } catch (error) {
    if (error instanceof TryLater)
      throw serviceError('download.network', `${error.message}. Try again in a while.`, { url }, error);
    if (error instanceof SyntaxError)
      throw serviceError('download.server', `${host} sent something else than a list of files.`, { url }, error);
    if (error instanceof TypeError)
      throw serviceError('download.network', `${host} could not be reached. This computer may be offline.`, { url }, error);
    throw error;
  }
}

async function limitedText(response: Response, host: string): Promise<string> {
  if (!response.body) return '';
  const bytes = await limitedBytes(response.body, MAX_LISTING_BYTES, () =>
    serviceError('download.server', `${host} sends a list of more than ${MAX_LISTING_BYTES} bytes.`, { host }),
  );
  return bytes.toString('utf8');
}

/** Whole models only: of a split one all parts must be there. Projectors and importance matrices are no models. */
function modelsOf(sizes: ReadonlyMap<string, number>): ListedModel[] {
  const names = [...sizes.keys()].filter((name) => isRepositoryFile(name) && !/(^|[/._-])(mmproj|imatrix)/i.test(name));
  const models = names.flatMap((name) => {
    const parts = partNames(name);
    if (parts[0] !== name || !parts.every((part) => sizes.has(part))) return [];
    return [{ name, parts: parts.length, sizeBytes: parts.reduce((sum, part) => sum + sizes.get(part)!, 0) }];
  });
  return models.sort((a, b) => a.sizeBytes - b.sizeBytes || (a.name < b.name ? -1 : 1));
}
