/** Which files are documents, by the ending of their name, and which folders are not looked into. */
import type { DocumentKind } from './documents.ts';

const ENDINGS: Readonly<Record<DocumentKind, string>> = {
  pdf: 'pdf',
  docx: 'docx',
  html: 'html htm xhtml',
  markdown: 'md markdown mdx',
  text: 'txt text log rst adoc asciidoc org tex srt vtt',
  csv: 'csv tsv',
  code:
    'js mjs cjs jsx ts mts cts tsx py pyi rb rs go java kt kts scala c h cc cpp cxx hpp hh cs fs swift m mm php pl pm lua r jl dart ' +
    'ex exs erl hs elm clj ml sh bash zsh fish ps1 bat cmd sql css scss less svelte vue wgsl glsl hlsl toml yaml yml json jsonl xml ini ' +
    'cfg conf properties proto graphql tf nix gradle cmake mk dockerfile makefile',
};

const KIND_OF = new Map(
  Object.entries(ENDINGS).flatMap(([kind, endings]) => endings.split(' ').map((ending) => [ending, kind as DocumentKind])),
);

/** Machines write these: nobody asks about their contents, and they would drown what people wrote. */
const NOT_DOCUMENTS = new Set(['package-lock.json', 'npm-shrinkwrap.json', 'pnpm-lock.yaml', 'composer.lock']);
const SKIPPED_FOLDERS = new Set([
  'node_modules',
  '__pycache__',
  'venv',
  'bower_components',
  '$recycle.bin',
  'system volume information',
]);

/** `name` without folders. Null where it is no format that can be read. */
export function kindOfFile(name: string): DocumentKind | null {
  const ending = name.toLowerCase().split('.').at(-1)!; // `Makefile` is its own ending
  return KIND_OF.get(ending) ?? null;
}

/** Inside a folder that is walked; a file that was named itself is always tried. */
export function isSkippedFile(name: string): boolean {
  return (
    name.startsWith('.') || name.startsWith('~$') || /[.]min[.](js|css)$/i.test(name) || NOT_DOCUMENTS.has(name.toLowerCase())
  );
}

/** Hidden folders (`.git` among them) and those that tools fill. */
export function isSkippedFolder(name: string): boolean {
  return name.startsWith('.') || SKIPPED_FOLDERS.has(name.toLowerCase());
}

/** For messages: what can be read. */
export const READABLE = 'PDF, DOCX, HTML, Markdown, text, CSV and source code';
