/** The screens beside the chat: one entry here puts one into the sidebar. Each is a folder of its own. */
import type { Component } from 'svelte';
import type { IconName } from './components/Icon.svelte';
import DocumentsScreen from './documents/DocumentsScreen.svelte';
import LibraryScreen from './library/LibraryScreen.svelte';
import ExpertsScreen from './experts/ExpertsScreen.svelte';

export interface Screen {
  readonly id: string;
  readonly label: string;
  readonly icon: IconName;
  readonly component: Component<ScreenProps>;
}

/** What every screen gets; most hand it on to `ScreenFrame`. */
export interface ScreenProps {
  readonly title: string;
  readonly sidebarOpen: boolean;
  readonly inert: boolean;
  readonly onsidebar: () => void;
  /** Leaves for the chat. */
  readonly onclose: () => void;
}

export const SCREENS: readonly Screen[] = [
  { id: 'library', label: 'Library', icon: 'library', component: LibraryScreen },
  { id: 'documents', label: 'Documents', icon: 'documents', component: DocumentsScreen },
  { id: 'experts', label: 'Experts', icon: 'experts', component: ExpertsScreen },
];
