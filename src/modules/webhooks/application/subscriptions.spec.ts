import { beforeEach, describe, expect, it } from '@jest/globals';
import { ACTOR, InMemoryWebhooks, NO_LIMIT, TENANT } from '../testing/in-memory-webhooks.js';
import { CreateSubscription } from './create-subscription.js';
import { UpdateSubscription } from './update-subscription.js';

const URL = 'https://hooks.customer.com/in';

describe('subscriptions', () => {
  let webhooks: InMemoryWebhooks;

  beforeEach(() => {
    webhooks = new InMemoryWebhooks();
  });

  describe('CreateSubscription', () => {
    const create = (change: object = {}, limits = NO_LIMIT): ReturnType<CreateSubscription['execute']> => {
      const command = { tenantId: TENANT, actor: ACTOR, event: 'a.b', url: URL, ...change };
      return webhooks.creating(limits).execute(command);
    };

    it('reads the event, seals the given secret for its subscription, and shows none', async () => {
      const created = await create({ event: ' A.B ', secret: 'chosen-secret' });
      expect(created).toMatchObject({ generatedSecret: null, subscription: { event: 'a.b', active: true } });
      const { id } = created.subscription;
      const sealed = webhooks.store.subscriptions.get(id)!.sealedSecret;
      const context = { tenantId: TENANT, subscriptionId: id, purpose: 'signing' } as const;
      expect(webhooks.vault.open(sealed, context).reveal()).toBe('chosen-secret');
      expect(JSON.stringify(created)).not.toContain('chosen-secret');
    });

    it('makes a secret when none is given, and shows it this once', async () => {
      const first = await create();
      const second = await create({ event: 'c.d' });
      expect(first.generatedSecret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
      expect(second.generatedSecret).not.toBe(first.generatedSecret);
    });

    it('refuses a template that cannot be read, with the others', async () => {
      webhooks.templates.problem = 'unexpected end at 5';
      const settings = { template: { jsonata: '{"a":' }, timeoutSeconds: 0 };
      await expect(create({ settings })).rejects.toMatchObject({
        problems: [
          { loc: ['body', 'timeout_seconds'] },
          { type: 'value_error', loc: ['body', 'template'], msg: 'Template: unexpected end at 5' },
        ],
      });
    });

    it('keeps a filter as it is written, and of its values nothing in the trail', async () => {
      const filter = '{"id":12345678901234567890}';
      expect((await create({ filter })).subscription).toMatchObject({ filter });
      expect(webhooks.trail.entries.at(-1)?.details).toMatchObject({ filter: 'set' });
      const wrong = { filter: '{"a":1,"a":{"$x":2}}', event: 'a b' };
      await expect(create(wrong)).rejects.toMatchObject({
        problems: [
          { loc: ['body', 'event'] },
          { loc: ['body', 'filter', 'a'], msg: '"a" stands twice at filter' },
          { loc: ['body', 'filter', 'a', '$x'], msg: 'Unknown operator "$x" at a' },
        ],
      });
    });

    it('lists every problem at once and stores nothing', async () => {
      const wrong = { event: 'a b', url: 'http://x.com', secret: 'short' };
      const settings = { retrySchedule: [1, 0] };
      await expect(create({ ...wrong, settings })).rejects.toMatchObject({
        problems: [
          { type: 'value_error', loc: ['body', 'event'], msg: expect.stringMatching(/^Event must be/) },
          { type: 'value_error', loc: ['body', 'url'], msg: 'URL must use HTTPS protocol' },
          { type: 'value_error', loc: ['body', 'secret'], msg: 'Secret must be at least 8 characters' },
          {
            ...{ type: 'value_error', loc: ['body', 'retry_schedule', 1] },
            msg: 'retry_schedule[1] must be an integer from 1 to 86400',
          },
        ],
      });
      expect(webhooks.store.subscriptions.size).toBe(0);
    });
  });

  it('lets a tenant have as many active subscriptions as it may, and no more', async () => {
    const { transactions, subscriptions, trail, vault, targets, templates, ids } = webhooks;
    const two = { maxActiveSubscriptions: 2 };
    const create = new CreateSubscription(
      transactions,
      subscriptions,
      trail,
      vault,
      targets,
      templates,
      ids,
      two,
    );
    const subscribe = (event: string, tenantId = TENANT): ReturnType<typeof create.execute> =>
      create.execute({ tenantId, actor: ACTOR, event, url: URL });
    const first = await subscribe('a.a');
    await subscribe('a.b');
    await expect(subscribe('a.c')).rejects.toMatchObject({ code: 'too_many_subscriptions' });
    expect(webhooks.store.subscriptions.size).toBe(2);
    await subscribe('a.c', 'other');
    const { circuits, dispatcher } = webhooks;
    // oxfmt-ignore
    const update = new UpdateSubscription(
      transactions, subscriptions, circuits, trail, vault, targets, templates, dispatcher, two,
    );
    const change = (active: boolean): ReturnType<typeof update.execute> =>
      update.execute({ tenantId: TENANT, actor: ACTOR, id: first.subscription.id, active });
    await change(false);
    await subscribe('a.d');
    await expect(change(true)).rejects.toMatchObject({ code: 'too_many_subscriptions' });
  });

  describe('UpdateSubscription', () => {
    const update = (
      id: string,
      change: object,
      limits = NO_LIMIT,
    ): ReturnType<UpdateSubscription['execute']> => {
      const { transactions, subscriptions, circuits, trail, vault, targets, templates, dispatcher } =
        webhooks;
      // oxfmt-ignore
      const useCase = new UpdateSubscription(
        transactions, subscriptions, circuits, trail, vault, targets, templates, dispatcher, limits,
      );
      return useCase.execute({ tenantId: TENANT, actor: ACTOR, id, ...change });
    };

    it('changes what is given; a new secret is sealed for the same subscription', async () => {
      const { subscriptionId: id } = await webhooks.subscribe();
      const before = webhooks.store.subscriptions.get(id)!.sealedSecret;
      expect(await update(id, { event: 'C.*' })).toMatchObject({ id, event: 'c.*' });
      expect(webhooks.store.subscriptions.get(id)!.sealedSecret).toBe(before);
      await update(id, { secret: 'another-secret' });
      const context = { tenantId: TENANT, subscriptionId: id, purpose: 'signing' } as const;
      const sealed = webhooks.store.subscriptions.get(id)!.sealedSecret;
      expect(webhooks.vault.open(sealed, context).reveal()).toBe('another-secret');
    });

    it('lists every problem at once and changes nothing', async () => {
      const { subscriptionId: id } = await webhooks.subscribe();
      const before = { ...webhooks.store.subscriptions.get(id) };
      const bad = { event: '', url: 'ftp://x.com', secret: 'short', active: false };
      await expect(update(id, bad)).rejects.toMatchObject({ problems: { length: 3 } });
      expect(webhooks.store.subscriptions.get(id)).toEqual(before);
    });

    it('does not know an id that nobody has', async () => {
      await expect(update('01900000-0000-7000-8000-ffffffffffff', { active: false })).rejects.toMatchObject({
        code: 'subscription_not_found',
      });
    });
  });
});
