/** Tells pages which documents changed, and how. */
import type { ListedDocument } from "../api/knowledge";
import type { WorkspaceState } from "./state";
import type { Store } from "./store";

/** Hears a document as it is now, null where it is not for me any more; or without an id that any may have changed. */
type Listener = (id: string | null, document: ListedDocument | null) => void;

export class Documents {
  private readonly listeners = new Set<Listener>();

  constructor(private readonly state: Store<WorkspaceState>) {}

  changed(id: string, document: ListedDocument | null): void {
    this.tell(id, document);
  }

  /** Something may have changed without being told. */
  missed(): void {
    this.tell(null, null);
  }

  follow(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  private tell(id: string | null, document: ListedDocument | null): void {
    for (const listener of [...this.listeners]) listener(id, document);
    this.state.set({ documentNews: this.state.get().documentNews + 1 });
  }
}
