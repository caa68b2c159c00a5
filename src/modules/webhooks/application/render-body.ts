import { Injectable } from '@nestjs/common';

import { presetBody, type RequestBody, type TemplateInput } from '../domain/preset-body.js';
import type { Template } from '../domain/template.js';
import { TemplateEngine, type TemplateRun } from './ports/template-engine.js';

export type Rendered =
  | { readonly kind: 'made'; readonly body: RequestBody }
  | Exclude<TemplateRun, { kind: 'made' }>;

/** Makes the body of a request from an event. */
@Injectable()
export class RenderBody {
  constructor(private readonly engine: TemplateEngine) {}

  async execute(template: Template, input: TemplateInput): Promise<Rendered> {
    if (typeof template === 'string') return { kind: 'made', body: presetBody(template, input) };
    const run = await this.engine.run(template.jsonata, input);
    return run.kind === 'made'
      ? { kind: 'made', body: { text: run.text, contentType: 'application/json' } }
      : run;
  }
}
