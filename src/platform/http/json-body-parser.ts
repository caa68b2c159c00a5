import { UnsupportedMediaTypeException } from '@nestjs/common';
import type { FastifyInstance } from 'fastify';

import type { AppLogger } from '../kernel/app-logger.js';
import { InvalidInputError } from '../kernel/domain-error.js';
import { mistakeIn } from './json-mistake.js';
import { jsonDepth } from './raw-json.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** The text of a JSON body, before parsing. */
    rawJson?: string;
  }
}

/** Deepest nesting of a body; deeper ones are attacks on parsers. */
const MAX_DEPTH = 100;

const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** Parses JSON bodies strictly and keeps their text, so that a payload can be passed on as it was given. */
export function registerJsonBodyParser(fastify: FastifyInstance, logger: AppLogger): void {
  fastify.removeContentTypeParser(['application/json', 'text/plain']);
  fastify.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    const coding = request.headers['content-encoding'] ?? 'identity';
    if (coding.toLowerCase() !== 'identity') {
      done(new UnsupportedMediaTypeException());
      return;
    }
    try {
      const text = decode(Buffer.from(body));
      request.rawJson = text;
      done(null, text.trim() === '' ? undefined : parse(text));
    } catch (cause) {
      logger.warn('Failed to parse payload JSON', { requestId: request.id });
      done(cause instanceof Error ? cause : new Error(String(cause)));
    }
  });
}

function decode(body: Buffer): string {
  try {
    return UTF8.decode(body);
  } catch {
    throw problem('Body is not valid UTF-8');
  }
}

function parse(text: string): unknown {
  if (jsonDepth(text) > MAX_DEPTH) throw problem(`Body is nested deeper than ${MAX_DEPTH} levels`);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw problem(`Body is not valid JSON: ${mistakeIn(text)}`);
  }
}

function problem(msg: string): InvalidInputError {
  return new InvalidInputError([{ type: 'json_invalid', loc: ['body'], msg }]);
}
