/** The window with the chat page: sandboxed, isolated, without Node. */
import path from 'node:path';
import { app, BrowserWindow, nativeTheme, screen } from 'electron';
import { pageAddress } from './scheme.ts';
import { LEAST_HEIGHT, LEAST_WIDTH, readWindowState, writeWindowState } from './window-state.ts';

export function openChatWindow(dataFolder: string, preloadFolder: string): BrowserWindow {
  const screens = screen.getAllDisplays().map((display) => display.workArea);
  const { maximised, ...bounds } = readWindowState(dataFolder, screens);
  const window = new BrowserWindow({
    ...bounds,
    minWidth: LEAST_WIDTH,
    minHeight: LEAST_HEIGHT,
    show: false,
    title: 'Conclave',
    ...(process.platform === 'linux' ? { icon: iconFile() } : {}), // elsewhere the executable carries it
    autoHideMenuBar: true,
    // Seen for a moment before the page paints; the page's own two backgrounds.
    backgroundColor: nativeTheme.shouldUseDarkColors ? '#151918' : '#fdfdfb',
    webPreferences: {
      preload: path.join(preloadFolder, 'chat.cjs'),
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      webSecurity: true,
      spellcheck: false, // its dictionaries would be fetched from the network
    },
  });
  if (maximised) window.maximize();
  window.once('ready-to-show', () => window.show());
  window.on('close', () => {
    const { x, y, width, height } = window.getNormalBounds();
    writeWindowState(dataFolder, { x, y, width, height, maximised: window.isMaximized() });
  });
  void window.loadURL(pageAddress('chat'));
  return window;
}

function iconFile(): string {
  if (app.isPackaged) return path.join(process.resourcesPath, 'icon.png');
  return path.join(app.getAppPath(), 'resources', 'icons', '512x512.png');
}
