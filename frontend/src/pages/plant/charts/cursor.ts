/** The one cursor of all charts. It moves with every move of a pointer, so it goes past React to those who draw it. */
export class Cursor {
  private at: number | null = null;
  private readonly listeners = new Set<(at: number | null) => void>();

  get(): number | null {
    return this.at;
  }

  set(at: number | null): void {
    if (at === this.at) return;
    this.at = at;
    for (const listener of this.listeners) listener(at);
  }

  listen = (listener: (at: number | null) => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };
}
