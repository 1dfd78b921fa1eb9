/**
 * Vulkan on Linux: the environment under which Dawn finds an adapter. SwiftShader and a Vulkan loader come with the npm package
 * `@sparticuz/chromium` (x64), so a machine without any driver still has a software adapter. It must be set before the process
 * starts: the loader's path is read once. Elsewhere (D3D12, Metal) nothing is needed.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import zlib from 'node:zlib';

const LAVAPIPE_ICD = ['/usr/share/vulkan/icd.d/lvp_icd.json', '/usr/share/vulkan/icd.d/lvp_icd.x86_64.json'];

/** Environment variables for `adapter`: auto, swiftshader or lavapipe. Throws with a sentence when it cannot be had. */
export function vulkanEnvironment(adapter = 'auto') {
  if (process.platform !== 'linux') return {};
  if (adapter === 'lavapipe') {
    const icd = LAVAPIPE_ICD.find((file) => existsSync(file));
    if (!icd)
      throw new Error(
        'lavapipe is not installed: its driver file lvp_icd.json is not in /usr/share/vulkan/icd.d (Debian: package mesa-vulkan-drivers, 25 or newer).',
      );
    // Its compiler leaves 100 to 200 MiB of freed memory in the heaps that glibc gives each of its threads (docs/offload-measured.md).
    return { VK_ICD_FILENAMES: icd, VK_DRIVER_FILES: icd, MALLOC_ARENA_MAX: process.env.MALLOC_ARENA_MAX ?? '1' };
  }
  const folder = unpackSwiftShader();
  if (!folder) {
    if (adapter === 'swiftshader')
      throw new Error(
        'SwiftShader is not available: the package @sparticuz/chromium is not installed or this is not Linux on x64.',
      );
    return {};
  }
  const icd = path.join(folder, 'vk_swiftshader_icd.json');
  const libraries = [process.env.LD_LIBRARY_PATH, folder].filter(Boolean).join(':'); // the system's own loader first
  if (adapter === 'swiftshader') return { VK_ICD_FILENAMES: icd, VK_DRIVER_FILES: icd, LD_LIBRARY_PATH: libraries };
  return { VK_ADD_DRIVER_FILES: icd, LD_LIBRARY_PATH: libraries };
}

/** Unpacks once per package version into the user's cache; returns the folder or null. */
export function unpackSwiftShader() {
  if (process.platform !== 'linux' || process.arch !== 'x64') return null;
  let root;
  try {
    root = path.dirname(path.dirname(createRequire(import.meta.url).resolve('@sparticuz/chromium')));
  } catch {
    return null;
  }
  const archive = path.join(root, 'bin', 'swiftshader.tar.br');
  if (!existsSync(archive)) return null;
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  const target = path.join(os.homedir(), '.cache', 'conclave', `swiftshader-${version}`);
  if (existsSync(path.join(target, 'vk_swiftshader_icd.json'))) return target;
  const partial = `${target}.${process.pid}`;
  mkdirSync(partial, { recursive: true });
  extractTar(zlib.brotliDecompressSync(readFileSync(archive)), partial);
  try {
    renameSync(partial, target);
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    if (!existsSync(path.join(target, 'vk_swiftshader_icd.json'))) throw error; // another process was not faster
  }
  return target;
}

/** Plain ustar files with plain names: all that this archive holds. */
function extractTar(tar, folder) {
  for (let offset = 0; offset + 512 <= tar.length;) {
    const name = tar.toString('utf8', offset, offset + 100).replace(/\0.*$/s, '');
    if (!name) break;
    const sizeBytes = parseInt(tar.toString('ascii', offset + 124, offset + 136), 8);
    const isFile = tar[offset + 156] === 0 || tar[offset + 156] === 48;
    if (isFile)
      writeFileSync(path.join(folder, path.basename(name)), tar.subarray(offset + 512, offset + 512 + sizeBytes), {
        mode: 0o755,
      });
    offset += 512 + Math.ceil(sizeBytes / 512) * 512;
  }
}
