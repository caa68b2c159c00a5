import { applyDecorators, type Type } from '@nestjs/common';
import { ApiOkResponse, ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional, IsString, Matches } from 'class-validator';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { CURSOR, decodeCursor, encodeCursor } from './keyset-cursor.js';
import { nextPageLink } from './link-header.js';

/** Rows on one page at most, and by default (contract). */
const MAX_PAGE = 100;

/** 1 to {@link MAX_PAGE}. */
const LIMIT = /^0*(?:[1-9]\d?|100)$/;

/** What the query of every paged list has in common; its own filters extend it. */
export class KeysetPageQuery {
  @ApiPropertyOptional({
    description: 'Rows on the page.',
    type: 'integer',
    minimum: 1,
    maximum: MAX_PAGE,
    default: MAX_PAGE,
    example: 20,
  })
  @IsOptional()
  @Matches(LIMIT, { message: `Limit must be a whole number from 1 to ${MAX_PAGE}` })
  limit?: string;

  @ApiPropertyOptional({
    description: 'Where to go on: taken from the `Link` header of the page before, never made by hand.',
    pattern: CURSOR.source,
    example: 'AZPFoI0sfxCLXi9Mmn0-Ig',
  })
  @IsOptional()
  @IsString({ message: 'Cursor must be a string' })
  cursor?: string;
}

/** The same in the terms of a repository: rows are ordered by id, newest first, and the page starts after `afterId`. */
export interface KeysetPosition {
  readonly limit: number;
  readonly afterId: string | null;
}

/** @throws InvalidInputError for a cursor that no answer carried. */
export function positionOf({ limit, cursor }: KeysetPageQuery): KeysetPosition {
  return {
    limit: limit === undefined ? MAX_PAGE : Number(limit),
    afterId: cursor === undefined ? null : decodeCursor(cursor),
  };
}

/** Points to the next page in the `Link` header. `lastId` is the last id on this page, null when none follows. */
export function linkNextPage(request: FastifyRequest, reply: FastifyReply, lastId: string | null): void {
  if (lastId !== null) void reply.header('Link', nextPageLink(request.url, encodeCursor(lastId)));
}

/** Documents the answer of a paged list. */
export function ApiKeysetPage(view: Type): MethodDecorator {
  return applyDecorators(
    ApiOkResponse({
      type: [view],
      description: 'A page, newest first',
      headers: {
        Link: {
          description: 'The URL of the next page (`rel="next"`), when there is one (RFC 8288).',
          required: false,
          schema: { type: 'string' },
        },
      },
    }),
  );
}
