import { afterAll, beforeAll, describe } from '@jest/globals';

import { startCombination, type Combination, type RunningService } from '../combination.js';
import { catalogue } from './catalogue.js';
import { batching } from './batching.js';
import { circuits } from './circuit.js';
import { deliveryLife } from './delivery-life.js';
import { endpointTests } from './endpoint-tests.js';
import { filters } from './filters.js';
import { lookingUp } from './looking-up.js';
import { ordering } from './ordering.js';
import { operationalEvents } from './operational-events.js';
import { panelSessions } from './panel-sessions.js';
import { recovery } from './recovery.js';
import { resending } from './resending.js';
import { secretRotation } from './secret-rotation.js';
import { signatures } from './signatures.js';
import { streaming } from './stream.js';
import { streamEnds } from './stream-ends.js';
import { statistics } from './statistics.js';
import { throttling } from './throttling.js';

/**
 * What the service does, tried on one running server: booting costs more than everything that is tried on it. Each suite
 * has tenants and receivers of its own, so that none sees another's.
 */
export function describeWholeService(combination: Combination): void {
  describe(`the service on ${combination.database}, ${combination.dispatcher}`, () => {
    let service: RunningService;
    const running = (): RunningService => service;

    beforeAll(async () => {
      // So that everything here also shows that `warn` stops nothing.
      service = await startCombination(combination, { WEBHOOK_EVENT_VALIDATION: 'warn' });
    }, 180_000);

    afterAll(async () => {
      await service?.dispose();
    });

    describe('delivering', () => deliveryLife(running, combination));
    describe('recovering', () => recovery(running));
    // What follows does not ask how a delivery gets there; the other three show each half of this combination.
    if (combination.database === 'embedded' && combination.dispatcher === 'redis') return;
    const { opened, ended } = streamEnds(running);
    describe('watching', () => {
      opened();
      streaming(running);
    });
    describe('sending again', () => resending(running));
    describe('leaving an endpoint alone that fails', () => circuits(running));
    describe('waiting as an endpoint asks', () => throttling(running));
    describe('sending in batches', () => batching(running));
    describe('keeping an order', () => ordering(running));
    describe('rotating a secret', () => secretRotation(running));
    describe('signing', () => signatures(running));
    describe('describing events', () => catalogue(running));
    describe('telling what becomes of endpoints', () => operationalEvents(running));
    describe('counting attempts', () => statistics(running));
    describe('testing an endpoint', () => endpointTests(running));
    describe('filtering', () => filters(running));
    describe('sessions of the panel', () => panelSessions(running));
    describe('looking up', () => lookingUp(running));
    describe('watching no longer', ended);
  });
}
