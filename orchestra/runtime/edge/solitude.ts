// Several workers may share an isolate, and its end takes all of them along. So a
// message that is suspected of having killed its worker has the whole isolate to
// itself: the first worker that asks gets it, the others start nothing more, give
// back what they have not started, and go on when it is free again.

export interface Neighbour {
  /** Whether its end would harm anything: a handler that runs, a report that is
   * not sent yet, a claim under way. */
  isBusy(): boolean;
  /** Another one wants the isolate: what is not started is given back. */
  withdraw(): void;
  /** Something may be started now that could not before. */
  look(): void;
}

export class Solitude {
  readonly #neighbours = new Set<Neighbour>();
  #holder: Neighbour | null = null;

  /** The answer takes the neighbour out again. */
  join(neighbour: Neighbour): () => void {
    this.#neighbours.add(neighbour);
    return () => {
      this.#neighbours.delete(neighbour);
      this.release(neighbour);
      this.ended(neighbour);
    };
  }

  /** Asks for the isolate; false when another has it. */
  ask(neighbour: Neighbour): boolean {
    if (this.#holder === null) {
      this.#holder = neighbour;
      for (const other of this.#others(neighbour)) other.withdraw();
    }
    return this.#holder === neighbour;
  }

  release(neighbour: Neighbour): void {
    if (this.#holder !== neighbour) return;
    this.#holder = null;
    for (const other of this.#others(neighbour)) other.look();
  }

  /** Whether another one has the isolate. */
  isTakenFrom(neighbour: Neighbour): boolean {
    return this.#holder !== null && this.#holder !== neighbour;
  }

  /** Whether a handler of this neighbour may start now. */
  allows(neighbour: Neighbour): boolean {
    if (this.#holder === null) return true;
    return this.#holder === neighbour &&
      this.#others(neighbour).every((other) => !other.isBusy());
  }

  /** This neighbour may be less busy than before. */
  ended(neighbour: Neighbour): void {
    if (this.isTakenFrom(neighbour)) this.#holder?.look();
  }

  #others(neighbour: Neighbour): Neighbour[] {
    return [...this.#neighbours].filter((each) => each !== neighbour);
  }
}
