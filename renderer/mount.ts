/** Puts the app into the page over one client. The product and the scripted page differ only in which client they pass. */
import { mount } from 'svelte';
import App from './App.svelte';
import type { PageClient } from './state/client.ts';
import { systemClock } from './state/clock.ts';
import type { DraftStorage } from './state/drafts.ts';
import { createSession, type Session } from './state/session.ts';

export function start(client: PageClient): Session {
  const session = createSession(client, systemClock, storage());
  const target = document.getElementById('app');
  if (!target) throw new Error('The page has no #app element.');
  mount(App, { target, props: { session } });
  void session.app.start();
  void session.conversations.load();
  void session.documents.load();
  void session.library.load();
  window.addEventListener('pagehide', () => {
    session.conversations.flushDeletions();
    session.documents.flushDeletions();
  });
  return session;
}

/** Reading the property alone throws where storage is forbidden. */
function storage(): DraftStorage | null {
  try {
    return window.sessionStorage;
  } catch {
    return null;
  }
}
