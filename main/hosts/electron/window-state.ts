/** Size and place of the chat window from one start to the next, moved back where a screen is. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface WindowState {
  readonly width: number;
  readonly height: number;
  /** Absent: in the middle of the screen. */
  readonly x?: number;
  readonly y?: number;
  readonly maximised: boolean;
}

export const LEAST_WIDTH = 480;
export const LEAST_HEIGHT = 400;
const USUAL: WindowState = { width: 1180, height: 800, maximised: false };
const FILE = 'window.json';
/** Pixels of the title bar that must be on a screen, so that the window can be moved. */
const GRIP = 60;

export function readWindowState(dataFolder: string, screens: readonly Rectangle[]): WindowState {
  try {
    return onAScreen(JSON.parse(readFileSync(path.join(dataFolder, FILE), 'utf8')) as Partial<WindowState>, screens);
  } catch {
    return onAScreen(USUAL, screens);
  }
}

export function writeWindowState(dataFolder: string, state: WindowState): void {
  writeFileSync(path.join(dataFolder, FILE), JSON.stringify(state));
}

export function onAScreen(saved: Partial<WindowState>, screens: readonly Rectangle[]): WindowState {
  const largest = screens.reduce(
    (most, { width, height }) => ({ width: Math.max(most.width, width), height: Math.max(most.height, height) }),
    {
      width: LEAST_WIDTH,
      height: LEAST_HEIGHT,
    },
  );
  const width = clamp(saved.width, LEAST_WIDTH, largest.width, USUAL.width);
  const height = clamp(saved.height, LEAST_HEIGHT, largest.height, USUAL.height);
  const size = { width, height, maximised: saved.maximised === true };
  const { x, y } = saved;
  if (typeof x !== 'number' || typeof y !== 'number' || !Number.isFinite(x) || !Number.isFinite(y)) return size;
  const reachable = screens.some(
    (screen) =>
      x + width - GRIP > screen.x &&
      x + GRIP < screen.x + screen.width &&
      y >= screen.y &&
      y + GRIP / 2 < screen.y + screen.height,
  );
  return reachable ? { ...size, x, y } : size;
}

function clamp(value: unknown, least: number, most: number, usual: number): number {
  const number = typeof value === 'number' && Number.isFinite(value) ? Math.round(value) : usual;
  return Math.min(Math.max(number, least), most);
}
