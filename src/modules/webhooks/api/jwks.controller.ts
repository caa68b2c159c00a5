import { Controller, Get, Header } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProperty, ApiTags } from '@nestjs/swagger';

import { ApiErrors } from '../../../platform/http/api-errors.js';
import { PublishedKeys } from '../application/published-keys.js';

class PublicKeyView {
  @ApiProperty({ enum: ['OKP', 'EC'], example: 'OKP' })
  kty!: string;

  @ApiProperty({ enum: ['Ed25519', 'P-256'], example: 'Ed25519' })
  crv!: string;

  @ApiProperty({ example: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' })
  x!: string;

  @ApiProperty({ required: false, description: 'Of `P-256` alone.' })
  y?: string;

  @ApiProperty({ example: '0Qv2zXDdG_9OhqC1Ee0X9Nw0DpHTd0bOt2tGdm3nUDA' })
  kid!: string;

  @ApiProperty({ enum: ['EdDSA', 'ES256'], example: 'EdDSA' })
  alg!: string;

  @ApiProperty({ enum: ['sig'], example: 'sig' })
  use!: string;
}

class KeySetView {
  @ApiProperty({ type: [PublicKeyView] })
  keys!: PublicKeyView[];
}

/** Public: receivers verify with it. */
@ApiTags('Operations')
@ApiErrors(500, 503)
@Controller('.well-known/webhooks')
export class JwksController {
  constructor(private readonly keys: PublishedKeys) {}

  @Get('jwks.json')
  // A key is public for an hour before it signs: a receiver that keeps the set for five minutes always has it.
  @Header('Cache-Control', 'public, max-age=300')
  @ApiOperation({
    operationId: 'getKeySet',
    summary: 'The public keys of `X-Webhook-JWT`',
    description:
      'Of subscriptions with `signature.scheme` `jwt` and `alg` `EdDSA` or `ES256`. Keep it for five minutes; fetch it again when a token names a `kid` that is not in it.',
  })
  @ApiOkResponse({ type: KeySetView })
  async keySet(): Promise<KeySetView> {
    return {
      keys: (await this.keys.jwks()).map(({ kty = '', crv = '', x = '', y, ...rest }) => ({
        ...{ kty, crv, x },
        ...(y === undefined ? {} : { y }),
        ...{ kid: String(rest['kid']), alg: String(rest['alg']), use: String(rest['use']) },
      })),
    };
  }
}
