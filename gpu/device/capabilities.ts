/** What an opened device can do, as plain data: kernel variants depend on this and on nothing else of the device. */
import type { DeviceCapabilities } from './types.ts';

/** Software rasterisers by the names they report: vendor, architecture, device or description. */
const SOFTWARE = /swiftshader|llvmpipe|lavapipe|warp|microsoft basic render|software/i;

export function describeAdapter(info: GPUAdapterInfo | undefined): string {
  if (!info) return 'unnamed adapter';
  const parts = [info.vendor, info.architecture, info.description || info.device].filter(Boolean);
  return parts.length ? parts.join(' · ') : 'unnamed adapter';
}

/** `gpu` gives the language features, `device` the features and limits that were granted. */
export function readCapabilities(gpu: GPU, adapter: GPUAdapter, device: GPUDevice): DeviceCapabilities {
  // Chromium before 121 has no `adapter.info`.
  const info: GPUAdapterInfo | undefined = adapter.info;
  const legacy = adapter as { isFallbackAdapter?: boolean };
  const subgroups = device.features.has('subgroups');
  const description = describeAdapter(info);
  return {
    // Subgroup sizes lie in 4…128 by the specification where the adapter does not say.
    subgroupMinSize: subgroups ? (info?.subgroupMinSize ?? 4) : 0,
    subgroupMaxSize: subgroups ? (info?.subgroupMaxSize ?? 128) : 0,
    shaderF16: device.features.has('shader-f16'),
    maxStorageBindingBytes: device.limits.maxStorageBufferBindingSize,
    maxBufferBytes: device.limits.maxBufferSize,
    maxInvocationsPerWorkgroup: device.limits.maxComputeInvocationsPerWorkgroup,
    maxWorkgroupStorageBytes: device.limits.maxComputeWorkgroupStorageSize,
    languageFeatures: new Set(gpu.wgslLanguageFeatures ?? []),
    software: SOFTWARE.test(description) || (legacy.isFallbackAdapter ?? false) || (info?.isFallbackAdapter ?? false),
    description,
  };
}
