interface Entry<I, O> {
  readonly item: I;
  readonly resolve: (output: O) => void;
  readonly reject: (cause: unknown) => void;
}

export interface BatcherOptions {
  readonly maxBatch: number;
  /** Batches under way at once; further items wait and so make the next batch larger. */
  readonly parallel: number;
}

/**
 * Turns many single calls into few calls with many items: one statement then serves them all. Items wait only for those of
 * the same moment and for batches under way, so an idle system adds no delay and a busy one makes larger batches.
 */
export class Batcher<I, O> {
  private entries: Entry<I, O>[] = [];
  private running = 0;
  private isScheduled = false;

  constructor(
    /** Answers one output for each item, in order; an error among them is of that item alone. */
    private readonly run: (items: readonly I[]) => Promise<readonly (O | Error)[]>,
    private readonly options: BatcherOptions,
  ) {}

  async add(item: I): Promise<O> {
    return new Promise<O>((resolve, reject) => {
      this.entries.push({ item, resolve, reject });
      this.schedule();
    });
  }

  private schedule(): void {
    if (this.isScheduled || this.entries.length === 0 || this.running >= this.options.parallel) return;
    this.isScheduled = true;
    setImmediate(() => {
      this.isScheduled = false;
      this.flush();
    });
  }

  private flush(): void {
    const batch = this.entries.splice(0, this.options.maxBatch);
    this.running += 1;
    // What a batch has no room for starts the next one.
    this.schedule();
    this.run(batch.map((entry) => entry.item))
      .then(
        (outputs) => {
          batch.forEach((entry, index) => {
            const output = outputs[index];
            if (output === undefined)
              entry.reject(new Error('A batch answered fewer items than it was given'));
            else if (output instanceof Error) entry.reject(output);
            else entry.resolve(output);
          });
        },
        (cause: unknown) => {
          for (const entry of batch) entry.reject(cause);
        },
      )
      .finally(() => {
        this.running -= 1;
        this.schedule();
      });
  }
}
