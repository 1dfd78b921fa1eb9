/**
 * Which model answers. The choice is a setting; what it names, a file of the library or a model of a server, is for the session to load.
 */
import type { Settings } from '../contract/types.ts';
import type { RemoteService } from '../remote/remote.ts';
import type { SettingsService } from '../settings/settings.ts';
import type { LibraryService } from './library.ts';
import type { ModelSession } from './model-session.ts';

/** Settings that a loaded model was planned by. */
const RELOADING = ['contextTokens', 'kvType', 'expertsUsed', 'approximateRouting', 'gpuBudgetBytes', 'ramBudgetBytes'] as const;

export interface ChosenModelDependencies {
  readonly settings: SettingsService;
  readonly library: LibraryService;
  readonly remote: RemoteService;
  readonly session: ModelSession;
}

export class ChosenModel {
  readonly #deps: ChosenModelDependencies;

  constructor(deps: ChosenModelDependencies) {
    this.#deps = deps;
  }

  /** At the start: what was chosen last, or a model that came with the app. Never rejects for the model's sake. */
  async start(): Promise<void> {
    const { settings, library, session } = this.#deps;
    const chosen =
      settings.current.selectedModelId ?? (await library.list()).find((model) => model.builtIn && model.status === 'usable')?.id;
    if (chosen !== undefined) await this.select(chosen).catch((error: unknown) => session.refuse(chosen, error));
  }

  /** Resolves when the model is being loaded, not when it is loaded. Rejects when it cannot be, and the choice stays as it was. */
  async select(modelId: string | null): Promise<void> {
    const { settings, library, remote, session } = this.#deps;
    let model: Parameters<ModelSession['choose']>[0] = null;
    if (modelId !== null)
      model = remote.has(modelId) ? { id: modelId, remote: remote.answerer(modelId) } : await library.requireUsable(modelId);
    if (settings.current.selectedModelId !== modelId) settings.update({ selectedModelId: modelId });
    const { status } = session;
    if (status.state === 'ready' && status.modelId === modelId) return;
    void session.choose(model);
  }

  /** Before a model is gone from the list. Resolves when the engine has let go of its file, if it is the chosen one. */
  async unselect(modelId: string): Promise<void> {
    const { settings, session } = this.#deps;
    if (settings.current.selectedModelId !== modelId) return;
    settings.update({ selectedModelId: null });
    await session.choose(null);
  }

  /** Loads the model again where it was planned by what changes. */
  async updateSettings({ selectedModelId, ...change }: Partial<Settings>): Promise<Settings> {
    const { settings, session } = this.#deps;
    const before = settings.current;
    settings.update(change);
    const needsReload = RELOADING.some((key) => settings.current[key] !== before[key]);
    if (selectedModelId !== undefined && selectedModelId !== settings.current.selectedModelId) await this.select(selectedModelId);
    else if (needsReload && session.status.state !== 'idle') void session.reload();
    return settings.current;
  }
}
