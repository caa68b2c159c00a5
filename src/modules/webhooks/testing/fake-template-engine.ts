import { TemplateEngine, type TemplateRun } from '../application/ports/template-engine.js';
import type { TemplateInput } from '../domain/preset-body.js';

/** Runs nothing: every expression gives what a test says, by default the payload within an object. */
export class FakeTemplateEngine extends TemplateEngine {
  /** What is wrong with every expression; null: nothing. */
  problem: string | null = null;
  readonly next: TemplateRun[] = [];

  override async check(_expression: string): Promise<string | null> {
    return Promise.resolve(this.problem);
  }

  override async run(_expression: string, { payload }: TemplateInput): Promise<TemplateRun> {
    return Promise.resolve(this.next.shift() ?? { kind: 'made', text: `{"made":${payload}}` });
  }

  override async close(): Promise<void> {
    return Promise.resolve();
  }
}
