import type { RestApp } from '../support/rest-app.js';
import type { Call, Calls } from './openapi-calls.js';

/** Calls of the panel's operations: what they answer to a token, to a link, and to a cookie. */
export function panelCalls(call: Call, app: Pick<RestApp, 'url' | 'clientOf'>): Record<string, Calls> {
  return {
    createPanelSession: async (client, operation) => [
      await call(operation, client),
      await call(operation, client, { body: { read_only: true } }),
    ],
    createAdminPanelSession: async (_client, operation) => [
      await call(operation, await app.clientOf(undefined, 'webhooks:admin'), { body: { read_only: true } }),
    ],
    openPanelSession: async (client, operation) => {
      const made = await client.post<{ url: string }>('/panel-sessions');
      const body = { token: made.body.url.split('#s=')[1] };
      const headers = { origin: app.url, 'x-panel': '1' };
      return [
        await call(operation, client, { body }),
        await call(operation, client, { body, headers }),
        await call(operation, client, { body, headers }),
      ];
    },
    getPanelSession: async (client, operation) => [
      await call(operation, client),
      await call(operation, client, {
        headers: { authorization: '', cookie: `whp=${'A'.repeat(43)}`, origin: 'https://evil.example.com' },
      }),
    ],
    closePanelSession: async (client, operation) => [
      await call(operation, client, { headers: { origin: app.url, 'x-panel': '1' } }),
      await call(operation, client),
    ],
  };
}
