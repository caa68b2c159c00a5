/** What POST /deliveries is held against: a Fastify route that does one INSERT of the same body, and one that then also sends it on. */
import Fastify from 'fastify';
import pg from 'pg';
import { request as send } from 'undici';

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 });
await pool.query('CREATE TABLE IF NOT EXISTS bench_bare (id bigserial PRIMARY KEY, tenant text, body json)');
const app = Fastify();
const insert = async (body) =>
  pool.query('INSERT INTO bench_bare (tenant, body) VALUES ($1, $2)', ['acme', body]);
app.post('/bare', async (request, reply) => {
  await insert(JSON.stringify(request.body.payload));
  return reply.code(202).send({ queued: true });
});
app.post('/bare-sent', async (request, reply) => {
  const body = JSON.stringify(request.body.payload);
  await insert(body);
  void send(process.env.RECEIVER_URL, { method: 'POST', body }).then((answer) => answer.body.dump());
  return reply.code(202).send({ queued: true });
});
await app.listen({ port: 0, host: '127.0.0.1' });
process.on('disconnect', () => process.exit(0));
process.send({ port: app.server.address().port });
