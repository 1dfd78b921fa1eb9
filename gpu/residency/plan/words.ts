/** Bytes as people read them: in KiB, MiB or GiB. */
export function mebibytes(bytes: number): string {
  const mib = bytes / 2 ** 20;
  if (mib > 0 && mib < 1) return `${(1024 * mib).toFixed(0)} KiB`;
  if (mib >= 4096) return `${(mib / 1024).toFixed(1)} GiB`;
  return `${mib >= 100 ? mib.toFixed(0) : mib.toFixed(1)} MiB`;
}

export const percent = (share: number): string => `${Math.round(100 * share)} %`;
