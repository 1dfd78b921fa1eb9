/** Figures as people read them. */
const whole = new Intl.NumberFormat('en');

export function formatCount(count: number): string {
  return whole.format(Math.round(count));
}

/** Binary units, as file managers show memory: 1.4 GiB. */
export function formatBytes(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  for (; value >= 1000 && unit < units.length - 1; unit++) value /= 1024;
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** 30.5 B params, 135 M params. */
export function formatParameters(count: number): string {
  if (count >= 1e9) return `${trim(count / 1e9)} B params`;
  if (count >= 1e6) return `${trim(count / 1e6)} M params`;
  return `${formatCount(count)} params`;
}

export function formatSpeed(tokens: number, elapsedMs: number): string | null {
  if (tokens < 2 || elapsedMs <= 0) return null;
  const perSecond = (tokens * 1000) / elapsedMs;
  return `${perSecond >= 10 ? perSecond.toFixed(0) : perSecond.toFixed(1)} tokens/s`;
}

export function formatExperts(nExperts: number, nExpertsUsed: number): string {
  return nExperts === 0 ? 'dense' : `${formatCount(nExperts)} experts, ${formatCount(nExpertsUsed)} used`;
}

export function percent(done: number, total: number): number {
  return total > 0 ? Math.min(100, Math.floor((100 * done) / total)) : 0;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

function trim(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(1).replace(/\.0$/, '');
}
