/** Puts the pieces of an answer together: each once, in order, whatever way they came. */
import type { Token } from "../api/assistant";

/** What came early is kept for so long as it may be needed; more than this is asked for again. */
const MOST_EARLY = 500;

export class Assembler {
  private readonly pieces: string[] = [];
  private readonly early = new Map<number, string>();

  get text(): string {
    return this.pieces.join("");
  }

  /** The index of the last piece before the first gap; null before the first. */
  get last(): number | null {
    return this.pieces.length === 0 ? null : this.pieces.length - 1;
  }

  /** Something in the middle is missing. */
  get gap(): boolean {
    return this.early.size > 0;
  }

  /** Take a piece; answers whether the text has grown. */
  put({ index, text }: Token): boolean {
    if (index < this.pieces.length) return false;
    if (index > this.pieces.length) {
      if (this.early.size < MOST_EARLY) this.early.set(index, text);
      return false;
    }
    this.pieces.push(text);
    for (let next = this.early.get(this.pieces.length); next !== undefined; next = this.early.get(this.pieces.length)) {
      this.early.delete(this.pieces.length);
      this.pieces.push(next);
    }
    return true;
  }
}
