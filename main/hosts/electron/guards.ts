/** What no window of ours may do: leave its page, open another, embed one, or ask for camera, position and the like. */
import { app, session, shell, type WebContents } from 'electron';
import { isOurPage } from './scheme.ts';

export function guardEverything(): void {
  app.on('web-contents-created', (_, contents) => guard(contents));
  session.defaultSession.setPermissionRequestHandler((contents, permission, answer) => {
    answer(allowed(permission, contents.getURL()));
  });
  session.defaultSession.setPermissionCheckHandler((_, permission, origin) => allowed(permission, origin));
}

/** Copying an answer needs one permission, which a page of ours has. */
function allowed(permission: string, address: string): boolean {
  return permission === 'clipboard-sanitized-write' && isOurPage(address, 'chat');
}

function guard(contents: WebContents): void {
  contents.on('will-navigate', (event) => event.preventDefault());
  contents.on('will-redirect', (event) => event.preventDefault());
  contents.on('will-attach-webview', (event) => event.preventDefault());
  contents.setWindowOpenHandler(({ url }) => {
    // A link with target=_blank was clicked (a page's own window.open without a click is blocked by Chromium).
    if (isWebAddress(url)) void shell.openExternal(url);
    return { action: 'deny' };
  });
}

export function isWebAddress(address: string): boolean {
  try {
    return ['http:', 'https:'].includes(new URL(address).protocol);
  } catch {
    return false;
  }
}
