/** What the Library says about downloads, catalogue entries and addresses. Pure. */
import type { CatalogueEntry, CatalogueFile, DownloadEntry, DownloadSource } from '../../main/contract/downloads.ts';
import { HUGGING_FACE_HOST, parseModelAddress, type ModelAddress } from '../../main/contract/model-address.ts';
import { formatBytes, formatCount, formatExperts, formatParameters, percent, plural } from './format.ts';

export type Fitting = 'all' | 'runnable' | 'fitting';

export interface CatalogueFilter {
  readonly text: string;
  readonly show: Fitting;
}

/** Every word must be somewhere in name, maker, architecture or summary. */
export function filterCatalogue(entries: readonly CatalogueEntry[], { text, show }: CatalogueFilter): readonly CatalogueEntry[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return entries.filter((entry) => {
    const { name, maker, architecture, summary, repository } = entry;
    const hay = [name, maker, architecture, summary, repository].join(' ').toLowerCase();
    if (!words.every((word) => hay.includes(word))) return false;
    if (show === 'all') return true;
    if (entry.notYet !== null) return false;
    return show === 'runnable' || entry.files.some(({ fit }) => fit.level === 'gpu' || fit.level === 'ram');
  });
}

/** 6.9 B params, 1 B of them active · 64 experts, 8 used · 4,096 tokens of context. Unknown figures are left out. */
export function catalogueFacts(entry: CatalogueEntry): string {
  const { parametersTotal, parametersActive, experts, expertsUsed, contextTokens } = entry;
  const active = parametersActive === null ? '' : `, ${formatParameters(parametersActive).replace(' params', '')} active`;
  return [
    parametersTotal === null ? null : `${formatParameters(parametersTotal)}${active}`,
    experts === null || expertsUsed === null ? null : formatExperts(experts, expertsUsed),
    contextTokens === null ? null : `${formatCount(contextTokens)} tokens of context`,
  ]
    .filter((part) => part !== null)
    .join(' · ');
}

export function fileSize({ sizeBytes, aboutBytes, parts }: CatalogueFile): string {
  const size =
    sizeBytes !== null ? formatBytes(sizeBytes) : aboutBytes !== null ? `about ${formatBytes(aboutBytes)}` : 'size not known';
  return parts > 1 ? `${size} in ${parts} parts` : size;
}

/** A split model goes by the name that its parts share. */
export function withoutPart(fileName: string): string {
  return fileName.replace(/-\d{5}-of-\d{5}(\.gguf)$/i, '$1');
}

/** What is known of a download's way, in one line. */
export function downloadFigures(download: DownloadEntry): string {
  const { state, receivedBytes, totalBytes, bytesPerSecond, remainingMs, files } = download;
  const amount = totalBytes === null ? formatBytes(receivedBytes) : `${formatBytes(receivedBytes)} of ${formatBytes(totalBytes)}`;
  const parts = [files > 1 ? `${amount} in ${plural(files, 'part')}` : amount];
  if (state === 'running' && bytesPerSecond !== null) parts.push(`${formatBytes(bytesPerSecond)}/s`);
  if (state === 'running' && remainingMs !== null) parts.push(timeLeft(remainingMs));
  return parts.join(' · ');
}

export function downloadState({ state, host }: DownloadEntry): string {
  switch (state) {
    case 'queued':
      return 'Waits for its turn';
    case 'running':
      return `Comes from ${host}`;
    case 'checking':
      return 'Reads again what is here already, for its checksum';
    case 'waiting':
      return 'Waits for the next try';
    case 'finishing':
      return 'Enters the Library';
    case 'paused':
      return 'Paused';
    case 'failed':
      return 'Stopped';
  }
}

export function checksumWords({ checksum, host }: DownloadEntry): string {
  switch (checksum) {
    case 'catalogue':
      return 'Checked against the SHA-256 in the catalogue.';
    case 'person':
      return 'Checked against the SHA-256 that you gave.';
    case 'server':
      return `Checked against the SHA-256 that ${host} itself states: that shows damage on the way, not a wrong file at its source.`;
    case null:
      return 'No checksum is known: only its size can be checked.';
  }
}

/** null while nothing can be said. */
export function downloadPercent({ receivedBytes, totalBytes }: DownloadEntry): number | null {
  return totalBytes === null ? null : percent(receivedBytes, totalBytes);
}

export function timeLeft(remainingMs: number): string {
  const seconds = Math.round(remainingMs / 1000);
  if (seconds < 60) return 'less than a minute left';
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${plural(minutes, 'minute')} left`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min left` : `${plural(Math.round(hours / 24), 'day')} left`;
}

export interface AddressPlan {
  readonly address: ModelAddress;
  /** What pressing the button will do, and whom it will contact. */
  readonly sentence: string;
  readonly button: string;
}

/** null for an empty field; a problem where the address cannot be used. */
export function planAddress(text: string): AddressPlan | { readonly problem: string } | null {
  if (text.trim() === '') return null;
  const parsed = parseModelAddress(text);
  if ('problem' in parsed) return parsed;
  const { address } = parsed;
  if (address.kind === 'repository')
    return {
      address,
      sentence: `Asks ${HUGGING_FACE_HOST} which GGUF files ${address.repository} has.`,
      button: 'Look up files',
    };
  if (address.kind === 'file') {
    const name = address.file.split('/').at(-1) ?? address.file;
    return { address, sentence: `Downloads ${name} from ${HUGGING_FACE_HOST}.`, button: 'Download' };
  }
  const name = new URL(address.url).pathname.split('/').at(-1) ?? '';
  return { address, sentence: `Downloads ${name} from ${address.host}.`, button: 'Download' };
}

export function sourceOf(address: Exclude<ModelAddress, { kind: 'repository' }>, sha256: string): DownloadSource {
  if (address.kind === 'url') return { kind: 'url', url: address.url, sha256: sha256.trim() === '' ? null : sha256.trim() };
  return { kind: 'hugging-face', repository: address.repository, revision: address.revision, file: address.file };
}
