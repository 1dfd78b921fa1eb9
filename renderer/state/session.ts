/** One page's controllers, made together over one client and one clock, and handed to components through a context. */
import { getContext, setContext } from 'svelte';
import { Announcer } from './announcer.ts';
import { App } from './app.ts';
import { Chat } from './chat.ts';
import type { PageClient } from './client.ts';
import type { Clock } from './clock.ts';
import { Conversations } from './conversations.ts';
import { Adding } from './documents-adding.ts';
import { CollectionChoice } from './documents-choice.ts';
import { Dropping } from './documents-dropping.ts';
import { DocumentSearch } from './documents-search.ts';
import { DocumentViewer } from './documents-viewer.ts';
import { Documents } from './documents.ts';
import { Drafts, type DraftStorage } from './drafts.ts';
import { Library } from './library.ts';
import { Experts } from './experts.ts';
import { Notices } from './notices.ts';
import { Servers } from './servers.ts';
import { viewsOf } from './view.svelte.ts';

export type Session = ReturnType<typeof createSession>;

export function createSession(client: PageClient, clock: Clock, storage: DraftStorage | null) {
  const notices = new Notices(clock);
  const announcer = new Announcer(clock);
  const app = new App(client, notices);
  const conversations = new Conversations(client, clock, notices);
  const choice = new CollectionChoice(client, notices);
  const chat = new Chat(client, clock, notices, announcer, choice);
  const documents = new Documents(client, clock, notices, announcer);
  choice.exists = (id) => documents.value.phase !== 'ready' || documents.collection(id) !== null;
  const adding = new Adding(client, documents, announcer);
  const documentSearch = new DocumentSearch(client, clock, announcer);
  const viewer = new DocumentViewer(client);
  const servers = new Servers(client, notices);
  const library = new Library(client, notices, announcer, (modelId) => app.selectModel(modelId));
  const experts = new Experts(client);
  const stores = {
    app,
    conversations,
    chat,
    documents,
    adding,
    documentSearch,
    viewer,
    choice,
    library,
    experts,
    notices,
    servers,
  };
  return {
    ...stores,
    clock,
    drafts: new Drafts(storage),
    dropping: new Dropping(documents, adding, choice, notices),
    views: viewsOf({ ...stores, announcement: announcer }),
  };
}

const KEY = Symbol('session');

export function provideSession(session: Session): void {
  setContext(KEY, session);
}

export function useSession(): Session {
  return getContext<Session>(KEY);
}
