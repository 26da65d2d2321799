/** Tells pages which documents changed, and how. */
import type { ListedDocument } from "../api/knowledge";
import type { WorkspaceState } from "./state";
import type { Store } from "./store";

type Listener = (id: string, document: ListedDocument | null) => void;

export class Documents {
  private readonly listeners = new Set<Listener>();

  constructor(private readonly state: Store<WorkspaceState>) {}

  /** A document is another now; null where it is not for me any more. */
  changed(id: string, document: ListedDocument | null): void {
    for (const listener of [...this.listeners]) listener(id, document);
    this.missed();
  }

  /** Something may have changed without being told. */
  missed(): void {
    this.state.set({ documentNews: this.state.get().documentNews + 1 });
  }

  follow(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }
}
