/** What no window of ours may do: leave its page, open another, embed one, fetch or save anything, or ask for camera, position and the like. */
import { app, session, shell, type WebContents } from 'electron';
import { asUrl } from '../../contract/as-url.ts';
import { isOurPage } from './scheme.ts';

/** Our pages come over our own scheme; Node does what downloads there are. So Chromium itself has no business on any network. */
const NETWORK = { urls: ['http://*/*', 'https://*/*', 'ws://*/*', 'wss://*/*'] };

export function guardEverything(): void {
  app.on('web-contents-created', (_, contents) => guard(contents));
  const { defaultSession } = session;
  defaultSession.setPermissionRequestHandler((contents, permission, answer) => {
    answer(allowed(permission, contents.getURL()));
  });
  defaultSession.setPermissionCheckHandler((_, permission, origin) => allowed(permission, origin));
  defaultSession.webRequest.onBeforeRequest(NETWORK, (_, answer) => answer({ cancel: true }));
  defaultSession.on('will-download', (event) => event.preventDefault());
}

/** Copying an answer needs one permission, which a page of ours has. */
function allowed(permission: string, address: string): boolean {
  return permission === 'clipboard-sanitized-write' && isOurPage(address, 'chat');
}

function guard(contents: WebContents): void {
  contents.on('will-navigate', (event) => event.preventDefault());
  contents.on('will-redirect', (event) => event.preventDefault());
  contents.on('will-attach-webview', (event) => event.preventDefault());
  contents.setWebRTCIPHandlingPolicy('disable_non_proxied_udp'); // WebRTC does not go through webRequest
  contents.setWindowOpenHandler(({ url }) => {
    // A link with target=_blank was clicked (a page's own window.open without a click is blocked by Chromium).
    if (isWebAddress(url)) void shell.openExternal(url);
    return { action: 'deny' };
  });
}

function isWebAddress(address: string): boolean {
  return ['http:', 'https:'].includes(asUrl(address)?.protocol ?? '');
}
