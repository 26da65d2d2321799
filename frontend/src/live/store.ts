/** A value that components can follow: small enough to read, and nothing of the server in it. */
import { useCallback, useSyncExternalStore } from "react";

export class Store<T extends object> {
  private readonly listeners = new Set<() => void>();

  constructor(private value: T) {}

  get(): T {
    return this.value;
  }

  set(change: Partial<T>): void {
    this.value = { ...this.value, ...change };
    for (const listener of [...this.listeners]) listener();
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };
}

/** Follow one part of a store; `pick` must answer the same reference while that part is the same. */
export function useStore<T extends object, P>(store: Store<T>, pick: (value: T) => P): P {
  const snapshot = useCallback(() => pick(store.get()), [store, pick]);
  return useSyncExternalStore(store.subscribe, snapshot);
}
