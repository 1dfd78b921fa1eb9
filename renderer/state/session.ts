/** One page's controllers, made together over one client and one clock, and handed to components through a context. */
import { getContext, setContext } from 'svelte';
import { Announcer } from './announcer.ts';
import { App } from './app.ts';
import { Chat } from './chat.ts';
import type { PageClient } from './client.ts';
import type { Clock } from './clock.ts';
import { Conversations } from './conversations.ts';
import { Drafts, type DraftStorage } from './drafts.ts';
import { Notices } from './notices.ts';
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
  readonly notices: Notices;
  readonly views: {
    readonly app: View<AppView>;
    readonly conversations: View<ConversationList>;
    readonly chat: View<ChatView>;
    readonly notices: View<readonly Notice[]>;
    readonly announcement: View<string>;
  };
}

export function createSession(client: PageClient, clock: Clock, storage: DraftStorage | null): Session {
  const notices = new Notices(clock);
  const announcer = new Announcer(clock);
  const app = new App(client, notices);
  const conversations = new Conversations(client, clock, notices);
  const chat = new Chat(client, clock, notices, announcer);
  const views = {
    app: view(app),
    conversations: view(conversations),
    chat: view(chat),
    notices: view(notices),
    announcement: view(announcer),
  };
  return { clock, app, conversations, chat, drafts: new Drafts(storage), notices, views };
}

const KEY = Symbol('session');

export function provideSession(session: Session): void {
  setContext(KEY, session);
}

export function useSession(): Session {
  return getContext<Session>(KEY);
}
