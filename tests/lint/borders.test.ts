import path from 'node:path';
import { RuleTester } from 'eslint';
import typescript from 'typescript-eslint';
import { describe, expect, it } from 'vitest';
import { borders } from './borders.ts';
import { judge, zones } from './zones.ts';

RuleTester.describe = describe;
RuleTester.it = it;
RuleTester.itOnly = it.only;

const tester = new RuleTester({ languageOptions: { parser: typescript.parser as never } });
const at = (file: string) => path.join(process.cwd(), file);
const forbidden = (file: string, code: string, target: string) => ({
  name: `${file}: ${code}`,
  filename: at(file),
  code,
  errors: [{ messageId: 'forbidden', data: { file, target, reason: reasonOf(file) } }],
});
const allowed = (file: string, code: string) => ({ name: `${file}: ${code}`, filename: at(file), code });

function reasonOf(file: string): string {
  return zones.find((zone) => file.startsWith(zone.folder))?.reason ?? '';
}

tester.run('conclave/borders', borders as never, {
  valid: [
    allowed('gpu/runtime/plan.ts', "import { invariant } from '../invariant.ts';"),
    allowed('gpu/kernels/embed/embed.ts', "import code from './embed.wgsl';"),
    allowed('gpu/kernels/embed/embed.test.ts', "import { readFileSync } from 'node:fs'; import { test } from 'vitest';"),
    allowed('gpu/kernels/all.gpu.test.ts', "import { vulkan } from '../../main/hosts/launcher/vulkan.mjs';"),
    allowed('main/library/inspect.ts', "import { readGguf } from '../../gpu/gguf/reader.ts'; import fs from 'node:fs/promises';"),
    allowed('main/experts/plan.ts', "import { belady } from '../../gpu/residency/policy/belady.ts';"),
    allowed('main/chat/prompt.ts', "import { Template } from '@huggingface/jinja';"),
    allowed('main/hosts/cli/bench.ts', "import { createEngine } from '../../../gpu/runtime/engine.ts';"),
    allowed(
      'main/hosts/browser/server.ts',
      "import { create } from 'webgpu'; import { createServices } from '../../services.ts';",
    ),
    allowed('main/hosts/electron/main.ts', "import { app } from 'electron'; import { createServices } from '../../services.ts';"),
    allowed('main/database/open.ts', "import Database from 'better-sqlite3';"),
    allowed(
      'renderer/engine/device.ts',
      "import { ipcRenderer } from 'electron'; import { open } from '../../gpu/device/device.ts';",
    ),
    allowed('renderer/state/chat.ts', "import type { Message } from '../../main/contract/types.ts';"),
    allowed('renderer/components/Answer.ts', "import { marked } from 'marked'; import logo from './logo.svg?url';"),
    allowed(
      'tests/e2e/chat.test.ts',
      "import { chromium } from 'playwright-core'; import { x } from '../../gpu/runtime/engine.ts';",
    ),
  ],
  invalid: [
    forbidden('gpu/runtime/plan.ts', "import fs from 'node:fs';", 'node:fs'),
    forbidden('gpu/runtime/plan.ts', "import { marked } from 'marked';", 'marked'),
    forbidden('gpu/runtime/plan.ts', "export * from '../../main/contract/types.ts';", 'main/contract/types.ts'),
    forbidden('gpu/kernels/embed/embed.cases.ts', "import { test } from 'vitest';", 'vitest'),
    forbidden('gpu/kernels/embed/embed.test.ts', "import { x } from '../../../main/services.ts';", 'main/services.ts'),
    forbidden('main/chat/answer.ts', "import type { Engine } from '../../gpu/runtime/types.ts';", 'gpu/runtime/types.ts'),
    forbidden('main/chat/answer.ts', "type T = import('../../gpu/runtime/types.ts').Engine;", 'gpu/runtime/types.ts'),
    forbidden('main/chat/answer.ts', "const m = await import('../../gpu/device/device.ts');", 'gpu/device/device.ts'),
    forbidden('main/chat/answer.ts', "import Database from 'better-sqlite3';", 'better-sqlite3'),
    forbidden('main/chat/answer.ts', "import { app } from 'electron';", 'electron'),
    forbidden('main/services.ts', "import { run } from './hosts/cli/main.ts';", 'main/hosts/cli/main.ts'),
    forbidden('main/experts/plan.ts', "import { upload } from '../../gpu/residency/slabs.ts';", 'gpu/residency/slabs.ts'),
    forbidden('main/contract/types.ts', "import path from 'node:path';", 'node:path'),
    forbidden('main/contract/types.ts', "import type { Row } from '../database/rows.ts';", 'main/database/rows.ts'),
    forbidden('main/hosts/electron/main.ts', "import { create } from '../../../gpu/runtime/engine.ts';", 'gpu/runtime/engine.ts'),
    forbidden('main/hosts/browser/server.ts', "import { app } from 'electron';", 'electron'),
    forbidden('renderer/chat/page.ts', "import { readFile } from 'node:fs/promises';", 'node:fs/promises'),
    forbidden('renderer/chat/page.ts', "import { ipcRenderer } from 'electron';", 'electron'),
    forbidden('renderer/chat/page.ts', "import type { Engine } from '../../gpu/runtime/types.ts';", 'gpu/runtime/types.ts'),
    forbidden('renderer/chat/page.ts', "import { x } from '../../main/services.ts';", 'main/services.ts'),
    forbidden('renderer/chat/page.ts', "import { loop } from '../engine/loop.ts';", 'renderer/engine/loop.ts'),
    forbidden('renderer/chat/page.ts', "const all = import.meta.glob('../../gpu/**/*.ts');", 'gpu/**/*.ts'),
    forbidden('renderer/chat/page.ts', 'const a = await import(`../engine/loop.ts`);', 'renderer/engine/loop.ts'),
    forbidden('renderer/engine/loop.ts', "import { mount } from 'svelte';", 'svelte'),
    {
      name: 'built-in without its prefix',
      filename: at('gpu/x.ts'),
      code: "import fs from 'fs';",
      errors: [{ messageId: 'prefix' }],
    },
    { name: 'computed import', filename: at('gpu/x.ts'), code: 'await import(name);', errors: [{ messageId: 'dynamic' }] },
  ],
});

describe('the table of zones', () => {
  it('says for every forbidden import why', () => {
    for (const zone of zones) expect(zone.reason.length, zone.folder).toBeGreaterThan(20);
  });

  it('puts a narrower folder before the folder around it, so that the first match is the narrowest', () => {
    zones.forEach((zone, index) => {
      for (const later of zones.slice(index + 1))
        expect(later.folder.startsWith(zone.folder), `${later.folder} after ${zone.folder}`).toBe(false);
    });
  });

  it('leaves files outside every zone free', () => {
    expect(judge('tests/run.ts', { module: 'electron' }).allowed).toBe(true);
  });
});
