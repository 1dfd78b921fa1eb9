/**
 * What a person pastes to say where a model is: a Hugging Face id, a page or file of it, or any https address. Pure, so that the page can
 * name the host before anything is contacted and main checks the same again.
 */
import { asUrl } from './as-url.ts';

export type ModelAddress =
  | { readonly kind: 'repository'; readonly repository: string; readonly revision: string }
  | { readonly kind: 'file'; readonly repository: string; readonly revision: string; readonly file: string }
  | { readonly kind: 'url'; readonly url: string; readonly host: string };

export type ParsedAddress = { readonly address: ModelAddress } | { readonly problem: string };

export const HUGGING_FACE_HOST = 'huggingface.co';
const HUGGING_FACE_HOSTS = ['huggingface.co', 'www.huggingface.co', 'hf.co'];
/** Names as huggingface.co allows them. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,95}$/;
const REVISION = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$/;
const MAX_ADDRESS_CHARS = 4000;

export function parseModelAddress(given: string): ParsedAddress {
  const text = given.trim();
  if (text === '') return { problem: 'Paste the id of a Hugging Face repository (owner/name) or the address of a .gguf file.' };
  if (text.length > MAX_ADDRESS_CHARS) return { problem: 'This address is too long.' };
  const isHuggingFace = HUGGING_FACE_HOSTS.some((host) => text.toLowerCase().startsWith(`${host}/`));
  if (/^[a-z][a-z0-9+.-]*:/i.test(text) || isHuggingFace) return parseUrl(isHuggingFace ? `https://${text}` : text);
  return parseId(text.split('/').filter((part) => part !== ''));
}

/** `-00001-of-00003.gguf`: the names of all parts in order, or only the given one. A later part stands for the whole model too. */
export function partNames(file: string): readonly string[] {
  const match = /^(.*)-(\d{5})-of-(\d{5})(\.gguf)$/i.exec(file);
  if (!match) return [file];
  const count = Number(match[3]);
  if (count < 1 || count > MAX_PARTS || Number(match[2]) < 1 || Number(match[2]) > count) return [file];
  return Array.from(
    { length: count },
    (_, index) => `${match[1]}-${String(index + 1).padStart(5, '0')}-of-${match[3]}${match[4]}`,
  );
}

const MAX_PARTS = 512;

/** 127.0.0.0/8, ::1 and localhost: the only hosts that plain http is allowed for. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}

export function isRepository(text: string): boolean {
  const [owner, name, ...rest] = text.split('/');
  return rest.length === 0 && NAME.test(owner ?? '') && NAME.test(name ?? '');
}

export function isRevision(text: string): boolean {
  return REVISION.test(text) && !text.includes('..');
}

/** A path inside a repository, without a way out of it. */
export function isRepositoryFile(text: string): boolean {
  const parts = text.split('/');
  return (
    text.length <= 500 &&
    /\.gguf$/i.test(text) &&
    parts.every((part) => part !== '' && part !== '.' && part !== '..') &&
    !/[\\\p{Cc}]/u.test(text)
  );
}

function parseUrl(text: string): ParsedAddress {
  const url = asUrl(text);
  if (!url) return { problem: 'This is not an address that can be read.' };
  if (url.username !== '' || url.password !== '')
    return { problem: 'Addresses with a user name or password are not accepted, so that none is kept or sent on.' };
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url.hostname)))
    return { problem: `Only https is used; ${url.protocol.slice(0, -1)} is allowed for this computer alone (127.0.0.1).` };
  if (HUGGING_FACE_HOSTS.includes(url.hostname)) return parseId(decodedParts(url.pathname));
  if (!/\.gguf$/i.test(url.pathname)) return { problem: 'The address must lead to a file that ends in .gguf.' };
  url.hash = '';
  return { address: { kind: 'url', url: url.href, host: url.host } };
}

function decodedParts(pathname: string): string[] {
  return pathname
    .split('/')
    .filter((part) => part !== '')
    .map((part) => {
      try {
        return decodeURIComponent(part);
      } catch {
        return part;
      }
    });
}

/** `owner/name`, `owner/name/file.gguf`, `owner/name/blob|resolve|tree/revision/…`. */
function parseId(parts: readonly string[]): ParsedAddress {
  const [owner, name, ...rest] = parts;
  const repository = `${owner ?? ''}/${name ?? ''}`;
  if (!isRepository(repository))
    return { problem: 'Give a repository of Hugging Face as owner/name, such as allenai/OLMoE-1B-7B-0125-Instruct-GGUF.' };
  const hasRevision = ['blob', 'resolve', 'tree', 'raw'].includes(rest[0] ?? '');
  const revision = hasRevision ? (rest[1] ?? 'main') : 'main';
  const file = (hasRevision ? rest.slice(2) : rest).join('/');
  if (!isRevision(revision)) return { problem: `"${revision}" is not the name of a revision.` };
  if (file === '' || (hasRevision && rest[0] === 'tree')) return { address: { kind: 'repository', repository, revision } };
  if (!isRepositoryFile(file)) return { problem: `${file} is not a GGUF file: Conclave needs one whose name ends in .gguf.` };
  return { address: { kind: 'file', repository, revision, file } };
}
