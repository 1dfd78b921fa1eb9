/** Every migration, in order. */
import type { Migration } from '../migrate.ts';
import { history } from './010-history.ts';
import { search } from './020-search.ts';
import { modelsAndSettings } from './030-models-settings.ts';
import { documents } from './040-documents.ts';
import { downloads } from './050-downloads.ts';
import { remote } from './060-remote.ts';

export const MIGRATIONS: readonly Migration[] = [history, search, modelsAndSettings, documents, downloads, remote];
