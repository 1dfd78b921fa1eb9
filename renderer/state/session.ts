/** One page's controllers, made together over one client and one clock, and handed to components through a context. */
import { getContext, setContext } from 'svelte';
import { Announcer } from './announcer.ts';
import { App } from './app.ts';
import { Chat } from './chat.ts';
import type { PageClient } from './client.ts';
import type { Clock } from './clock.ts';
import { Conversations } from './conversations.ts';
import { Adding, type AddingView } from './documents-adding.ts';
import { CollectionChoice } from './documents-choice.ts';
import { Dropping } from './documents-dropping.ts';
import { DocumentSearch, type SearchView } from './documents-search.ts';
import { DocumentViewer, type ViewerView } from './documents-viewer.ts';
import { Documents, type DocumentsView } from './documents.ts';
import { Drafts, type DraftStorage } from './drafts.ts';
import { Library, type LibraryView } from './library.ts';
import { Experts, type ExpertsView } from './experts.ts';
import { Notices } from './notices.ts';
import { Servers, type ServersView } from './servers.ts';
import { view, type View } from './view.svelte.ts';
import type { AppView } from './app.ts';
import type { ChatView } from './chat.ts';
import type { ConversationList } from './conversations.ts';
import type { Notice } from './notices.ts';

export interface Session {
  readonly clock: Clock;
  readonly app: App;
  readonly conversations: Conversations;
  readonly chat: Chat;
  readonly drafts: Drafts;
  readonly documents: Documents;
  readonly adding: Adding;
  readonly documentSearch: DocumentSearch;
  readonly viewer: DocumentViewer;
  readonly choice: CollectionChoice;
  readonly dropping: Dropping;
  readonly library: Library;
  readonly experts: Experts;
  readonly notices: Notices;
  readonly servers: Servers;
  readonly views: {
    readonly app: View<AppView>;
    readonly conversations: View<ConversationList>;
    readonly chat: View<ChatView>;
    readonly documents: View<DocumentsView>;
    readonly adding: View<AddingView>;
    readonly documentSearch: View<SearchView>;
    readonly viewer: View<ViewerView>;
    readonly choice: View<ReadonlyMap<string, string | null>>;
    readonly library: View<LibraryView>;
    readonly experts: View<ExpertsView>;
    readonly notices: View<readonly Notice[]>;
    readonly servers: View<ServersView>;
    readonly announcement: View<string>;
  };
}

export function createSession(client: PageClient, clock: Clock, storage: DraftStorage | null): Session {
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
  const views = {
    app: view(app),
    conversations: view(conversations),
    chat: view(chat),
    documents: view(documents),
    adding: view(adding),
    documentSearch: view(documentSearch),
    viewer: view(viewer),
    choice: view(choice),
    library: view(library),
    experts: view(experts),
    notices: view(notices),
    servers: view(servers),
    announcement: view(announcer),
  };
  return {
    clock,
    app,
    conversations,
    chat,
    drafts: new Drafts(storage),
    documents,
    adding,
    documentSearch,
    viewer,
    choice,
    dropping: new Dropping(documents, adding, choice, notices),
    library,
    experts,
    notices,
    servers,
    views,
  };
}

const KEY = Symbol('session');

export function provideSession(session: Session): void {
  setContext(KEY, session);
}

export function useSession(): Session {
  return getContext<Session>(KEY);
}
