import { applyDecorators } from '@nestjs/common';
import { ApiExtraModels, ApiProperty, ApiResponse, getSchemaPath } from '@nestjs/swagger';

/** An error with a stable code. */
export class ErrorView {
  @ApiProperty({ description: 'A stable code.', example: 'subscription_not_found' })
  detail!: string;
}

/** One problem of a bad input. */
export class ProblemView {
  @ApiProperty({ example: 'value_error' })
  type!: string;

  @ApiProperty({
    type: 'array',
    items: { oneOf: [{ type: 'string' }, { type: 'integer' }] },
    description: 'Where it is.',
    example: ['body', 'url'],
  })
  loc!: (string | number)[];

  @ApiProperty({ example: 'URL must use HTTPS protocol' })
  msg!: string;
}

/** Every problem of a bad input at once. */
export class ProblemsView {
  @ApiProperty({ type: [ProblemView] })
  detail!: ProblemView[];
}

interface Documented {
  readonly meaning: string;
  /** What `detail` is when the route names no codes of its own. */
  readonly codes: readonly string[];
}

const ERRORS: Readonly<Record<number, Documented>> = {
  400: {
    meaning:
      'Bad input: every problem is listed (a refused action has its code instead); nothing was changed',
    codes: [],
  },
  401: {
    meaning: 'The bearer token, or the session, is missing or not valid',
    codes: ['not_authenticated'],
  },
  403: {
    meaning: 'The token names no tenant, or lacks the scope; or a session came from another page than ours',
    codes: ['tenant_required', 'insufficient_scope', 'cross_origin_refused'],
  },
  404: { meaning: 'There is no such thing, or it belongs to another tenant', codes: ['not_found'] },
  409: { meaning: 'It is in the way of something that exists', codes: [] },
  413: { meaning: 'The body is too large', codes: ['payload_too_large'] },
  415: {
    meaning: 'The body must be application/json, and not compressed',
    codes: ['unsupported_media_type'],
  },
  429: {
    meaning: 'The tenant makes too many requests; `Retry-After` says in how many seconds it may go on',
    codes: ['rate_limited'],
  },
  500: {
    meaning: 'Our fault; the log has more under the id in `X-Request-Id`',
    codes: ['internal_error'],
  },
  503: {
    meaning:
      'The database, or the issuer of tokens, does not answer, or the server is stopping; `Retry-After` says in how many seconds to try again',
    codes: ['service_unavailable', 'auth_unavailable'],
  },
};

const ERROR = { $ref: getSchemaPath(ErrorView) };
const PROBLEMS = { $ref: getSchemaPath(ProblemsView) };
const PROBLEMS_EXAMPLE = {
  detail: [{ type: 'value_error', loc: ['body', 'url'], msg: 'URL must use HTTPS protocol' }],
};

/** A status, or one with the codes that the route gives it: `[404, 'delivery_not_found']`. */
type DocumentedError = number | readonly [number, ...string[]];

/** Documents the errors of a route, or those that all routes of a controller share, with an example of each. */
export function ApiErrors(...errors: readonly DocumentedError[]): MethodDecorator & ClassDecorator {
  return applyDecorators(
    ApiExtraModels(ErrorView, ProblemsView),
    ...errors.map((error) => {
      const [status, ...codes] = typeof error === 'number' ? [error] : error;
      const { meaning, codes: usual } = ERRORS[status] ?? { meaning: '', codes: [] };
      const named = codes.length > 0 ? codes : usual;
      return ApiResponse({
        status,
        description:
          named.length === 0 ? meaning : `${meaning}: ${named.map((code) => `\`${code}\``).join(', ')}`,
        content: {
          'application/json': {
            schema: status === 400 ? { oneOf: [PROBLEMS, ERROR] } : ERROR,
            examples: {
              ...(status === 400 ? { invalid_input: { value: PROBLEMS_EXAMPLE } } : {}),
              ...Object.fromEntries(named.map((code) => [code, { value: { detail: code } }])),
            },
          },
        },
      });
    }),
  );
}
