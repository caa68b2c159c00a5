import { applyDecorators } from '@nestjs/common';
import { ApiPropertyOptional } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';

import { ByRule } from '../../../../platform/http/field-rules.js';
import { extractProperty } from '../../../../platform/http/raw-json.js';
import { filterProblems } from '../../domain/payload-filter/payload-filter.js';

export const FILTER_SCHEMA = { type: 'object' as const, additionalProperties: true };

export const FILTER_EXAMPLE = { total: { $gte: 100 }, 'customer.country': 'ES' };

/** The field `filter` of a request. */
export function FilterProperty(description: string): PropertyDecorator {
  return applyDecorators(
    ApiPropertyOptional({
      ...FILTER_SCHEMA,
      ...{ nullable: true, default: null, description, example: FILTER_EXAMPLE },
    }),
    ByRule((value, path) => filterProblems(textOf(value), path)),
  );
}

/** The filter of a request in its own text: numbers keep their digits. */
export function givenFilter(
  { filter }: { readonly filter?: object | null },
  { rawJson }: Pick<FastifyRequest, 'rawJson'>,
): string | null | undefined {
  return filter == null ? filter : extractProperty(rawJson ?? '{}', 'filter');
}

/* For its form alone: a number beyond those of JavaScript is a number all the same, and not the null that it would become. */
function textOf(value: unknown): string {
  return JSON.stringify(value, (_name, part: unknown) =>
    typeof part === 'number' && !Number.isFinite(part) ? 0 : part,
  );
}
