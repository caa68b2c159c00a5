import { join } from 'node:path';

import fastifyStatic from '@fastify/static';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';

/** Beside `dist/` and `src/` alike. */
const PANEL = join(import.meta.dirname, '../../../panel');

/** Serves the panel at `/panel/`. It is files alone: what it shows it asks of the API, with the token of who looks. */
export async function servePanel(app: NestFastifyApplication): Promise<void> {
  await app.register(fastifyStatic, { root: PANEL, prefix: '/panel', redirect: true, decorateReply: false });
}
