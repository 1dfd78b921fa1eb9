/** Whether GPU and processor share one memory. WebGPU does not say, so by what the adapter tells of itself; a software adapter always does. */

/** Names of GPUs that are part of a processor, in vendor, architecture, device or description. */
const INTEGRATED =
  /apple|adreno|qualcomm|\bmali\b|\barm\b|img-tec|powervr|videocore|broadcom|integrated|radeon\(?(tm)?\)? graphics|radeon \d{3}m\b|vega \d+ graphics|\b(u?hd|iris|iris\(r\)) .*graphics|xe2?-lpg|gen-(7|8|9|11|12-?lp)/i;
const INTEL = /intel/i;
const INTEL_DISCRETE = /\barc\b|hpg|gen-12-?hp|battlemage|alchemist/i;

/** `info.type` is Chromium's own addition; it is believed where it is there. */
export function hasUnifiedMemory(info: GPUAdapterInfo | undefined, software: boolean): boolean {
  if (software || !info) return true;
  const { type } = info as { type?: string };
  if (type) return !/discrete/i.test(type);
  const text = [info.vendor, info.architecture, info.device, info.description].join(' ');
  if (INTEL.test(text)) return !INTEL_DISCRETE.test(text);
  return INTEGRATED.test(text);
}
