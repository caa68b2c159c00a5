import { join } from 'node:path';

import fastifyStatic from '@fastify/static';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';

import { projectFolder } from '../config/project-folder.js';

/** Serves the panel at `/panel/`, where whoever opens the bare address in a browser is sent as well. It is files alone: what it shows it asks of the API, with the token of who looks. */
export async function servePanel(app: NestFastifyApplication): Promise<void> {
  const root = join(projectFolder(), 'panel');
  await app.register(fastifyStatic, { root, prefix: '/panel', redirect: true, decorateReply: false });
  const fastify: FastifyInstance = app.getHttpAdapter().getInstance();
  fastify.get('/', (_request, reply) => reply.redirect('/panel/'));
}
