import { expect } from '@jest/globals';

interface Frame {
  readonly id: string | undefined;
  readonly event: string | undefined;
  readonly data: Readonly<Record<string, unknown>>;
}

/** An open stream, as a panel reads it. */
export class OpenStream {
  private text = '';
  private isOver = false;

  private constructor(
    private readonly response: Response,
    private readonly abort: AbortController,
  ) {}

  static async open(url: string, headers: Readonly<Record<string, string>>): Promise<OpenStream> {
    const abort = new AbortController();
    const response = await fetch(url, { headers, signal: abort.signal });
    expect(response.status).toBe(200);
    const stream = new OpenStream(response, abort);
    void stream.read();
    return stream;
  }

  get headers(): Headers {
    return this.response.headers;
  }

  get ended(): boolean {
    return this.isOver;
  }

  get frames(): Frame[] {
    const blocks = this.text.split('\n\n').filter((block) => /^event: /m.test(block));
    return blocks.map((block) => ({
      id: /^id: (.*)$/m.exec(block)?.[1],
      event: /^event: (.*)$/m.exec(block)?.[1],
      data: JSON.parse(/^data: (.*)$/m.exec(block)?.[1] ?? '{}') as Record<string, unknown>,
    }));
  }

  /** Of one delivery, in the order in which they came. */
  statusesOf(id: string): unknown[] {
    return this.frames.filter(({ data }) => data['id'] === id).map(({ data }) => data['status']);
  }

  close(): void {
    this.abort.abort();
  }

  private async read(): Promise<void> {
    const decoder = new TextDecoder();
    try {
      for await (const chunk of this.response.body!)
        this.text += decoder.decode(chunk as Uint8Array, { stream: true });
    } catch (cause) {
      if (!this.abort.signal.aborted) throw cause;
    }
    this.isOver = true;
  }
}
