import { pathText, unknownField, type FieldProblem } from '../../../platform/kernel/field-problem.js';

/** Forms that a body can take without a template of one's own. */
export const TEMPLATE_PRESETS = ['raw', 'envelope', 'cloudevents', 'standard', 'thin'] as const;
export type TemplatePreset = (typeof TEMPLATE_PRESETS)[number];

/** An expression of one's own. */
export interface JsonataTemplate {
  readonly jsonata: string;
}

export type Template = TemplatePreset | JsonataTemplate;

export const DEFAULT_TEMPLATE: TemplatePreset = 'raw';

/** Bytes of an expression. */
export const MAX_TEMPLATE_BYTES = 16_384;
/** Bytes of what an expression makes: as much as a payload may have. */
export const MAX_TEMPLATE_OUTPUT_BYTES = 1_048_576;

/** Checks the form of what somebody wants as a template; whether an expression can be read is for the engine that runs it. */
export function templateProblems(value: unknown, path: readonly (string | number)[]): FieldProblem[] {
  if (typeof value === 'string') {
    return isPreset(value) ? [] : [{ path, msg: `Unknown preset ${JSON.stringify(value.slice(0, 100))}` }];
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return [{ path, msg: `${pathText(path)} must be a preset or an object with jsonata` }];
  }
  const unknown = Object.keys(value)
    .filter((name) => name !== 'jsonata')
    .map((name) => unknownField(name, path));
  const expression: unknown = Reflect.get(value, 'jsonata');
  return [...expressionProblems(expression, [...path, 'jsonata']), ...unknown];
}

function expressionProblems(expression: unknown, path: readonly (string | number)[]): FieldProblem[] {
  if (typeof expression !== 'string' || expression.trim() === '') {
    return [{ path, msg: `${pathText(path)} must be a JSONata expression` }];
  }
  const bytes = Buffer.byteLength(expression);
  return bytes > MAX_TEMPLATE_BYTES
    ? [{ path, msg: `${pathText(path)} must be at most ${MAX_TEMPLATE_BYTES} bytes` }]
    : [];
}

export function isPreset(text: string): text is TemplatePreset {
  return TEMPLATE_PRESETS.some((preset) => preset === text);
}
