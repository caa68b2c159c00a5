import { applyDecorators } from '@nestjs/common';
import { ApiProperty, ApiResponse } from '@nestjs/swagger';

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

const MEANINGS: Readonly<Record<number, string>> = {
  400: 'Bad input: every problem is listed (a refused action has its code instead); nothing was changed',
  401: '`not_authenticated`: the bearer token is missing or not valid',
  403: '`tenant_required` or `insufficient_scope`',
  404: 'There is no such thing, or it belongs to another tenant',
  409: 'It is in the way of something that exists',
  413: '`payload_too_large`',
  415: '`unsupported_media_type`: the body must be application/json',
  503: 'Something that the request needs does not answer now',
};

/** Documents the errors of a route. */
export function ApiErrors(...statuses: readonly number[]): MethodDecorator & ClassDecorator {
  return applyDecorators(
    ...statuses.map((status) =>
      status === 400
        ? ApiResponse({
            status,
            description: MEANINGS[status] ?? '',
            content: {
              'application/json': {
                schema: {
                  oneOf: [
                    { $ref: '#/components/schemas/ProblemsView' },
                    { $ref: '#/components/schemas/ErrorView' },
                  ],
                },
              },
            },
          })
        : ApiResponse({ status, description: MEANINGS[status] ?? '', type: ErrorView }),
    ),
  );
}
