import { pathText, type FieldProblem } from '../../../platform/kernel/field-problem.js';

/** The forms that a body can take. */
export const TEMPLATE_PRESETS = ['raw', 'envelope', 'cloudevents', 'standard', 'thin'] as const;
export type TemplatePreset = (typeof TEMPLATE_PRESETS)[number];

export const DEFAULT_TEMPLATE: TemplatePreset = 'raw';

/** Checks what somebody wants as a template. */
export function templateProblems(value: unknown, path: readonly (string | number)[]): FieldProblem[] {
  if (typeof value !== 'string') return [{ path, msg: `${pathText(path)} must be the name of a preset` }];
  return TEMPLATE_PRESETS.some((preset) => preset === value)
    ? []
    : [{ path, msg: `Unknown preset ${JSON.stringify(value.slice(0, 100))}` }];
}
