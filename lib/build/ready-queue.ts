/** A priority queue: `take` gives the item of the highest priority, and of those the one added first. */
export class ReadyQueue<Item> {
  readonly #heap: { readonly item: Item; readonly priority: number; readonly order: number }[] = [];
  #added = 0;

  get size(): number {
    return this.#heap.length;
  }

  add(item: Item, priority: number): void {
    const entry = { item, priority, order: this.#added++ };
    let index = this.#heap.length;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = this.#heap[parentIndex];
      if (parent === undefined || !before(entry, parent)) break;
      this.#heap[index] = parent;
      index = parentIndex;
    }
    this.#heap[index] = entry;
  }

  take(): Item | undefined {
    const first = this.#heap[0];
    const last = this.#heap.pop();
    if (first === undefined || last === undefined || first === last) return first?.item;
    let index = 0;
    while (true) {
      const childIndex = this.#firstChild(index);
      const child = this.#heap[childIndex];
      if (child === undefined || !before(child, last)) break;
      this.#heap[index] = child;
      index = childIndex;
    }
    this.#heap[index] = last;
    return first.item;
  }

  /** The index of the child that comes first, or one beyond the end. */
  #firstChild(index: number): number {
    const left = 2 * index + 1;
    const [leftEntry, rightEntry] = [this.#heap[left], this.#heap[left + 1]];
    return leftEntry !== undefined && rightEntry !== undefined && before(rightEntry, leftEntry) ? left + 1 : left;
  }
}

interface Ranked {
  readonly priority: number;
  readonly order: number;
}

const before = (left: Ranked, right: Ranked): boolean =>
  left.priority > right.priority || (left.priority === right.priority && left.order < right.order);
