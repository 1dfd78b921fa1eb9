/** Vite plugin: `.wgsl` files as text (default export), as main/hosts/launcher/wgsl-hook.mjs does for plain Node. */
import { readFileSync } from 'node:fs';
import type { Plugin } from 'vite';

export function wgslText(): Plugin {
  return {
    name: 'conclave:wgsl-text',
    enforce: 'pre',
    load(id) {
      if (!id.endsWith('.wgsl')) return null;
      return `export default ${JSON.stringify(readFileSync(id, 'utf8'))};`;
    },
  };
}
