import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';

import { complete } from './openapi-completion.js';

export interface OpenApiInfo {
  readonly title: string;
  readonly description: string;
  readonly version: string;
}

/** Serves the OpenAPI 3.1 document at `/docs-json` and a page to read and try it at `/docs`. */
export function serveOpenApi(app: NestFastifyApplication, info: OpenApiInfo): void {
  SwaggerModule.setup('docs', app, () => openApiDocument(app, info), {
    jsonDocumentUrl: 'docs-json',
    yamlDocumentUrl: 'docs-yaml',
    customSiteTitle: info.title,
  });
}

/** The OpenAPI 3.1 document of every controller of the application. */
export function openApiDocument(app: NestFastifyApplication, info: OpenApiInfo): OpenAPIObject {
  const document = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle(info.title)
    .setDescription(info.description)
    .setVersion(info.version)
    .addBearerAuth({
      type: 'http',
      scheme: 'bearer',
      bearerFormat: 'JWT',
      description:
        'Claims: `sub`, `tenant_id`, `scope` (`webhooks:read`, `webhooks:write`, `webhooks:admin`).',
    })
    .addCookieAuth(
      '__Host-whp',
      {
        type: 'apiKey',
        description:
          'A session of the panel (`POST /panel/session`), for pages of the same origin; changes also need `X-Panel: 1`.',
      },
      'panel',
    )
    .build();
  return complete(SwaggerModule.createDocument(app, document));
}
