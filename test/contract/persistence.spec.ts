import { afterAll, afterEach, beforeEach, describe } from '@jest/globals';

import { describeWithPostgres } from '../support/servers.js';
import { deliveryClaimsContract } from './persistence/delivery-claims.contract.js';
import { deliveryLanesContract } from './persistence/delivery-lanes.contract.js';
import { deliveryRepositoryContract } from './persistence/delivery-repository.contract.js';
import { deliveryTransitionsContract } from './persistence/delivery-transitions.contract.js';
import { eventIntakeContract } from './persistence/event-intake.contract.js';
import { eventOutboxContract } from './persistence/event-outbox.contract.js';
import { expiredHistoryContract } from './persistence/expired-history.contract.js';
import type { PersistenceHarness } from './persistence/harness.js';
import { inMemoryHarness } from './persistence/in-memory-harness.js';
import { laneBatchesContract } from './persistence/lane-batches.contract.js';
import { laneCircuitsContract } from './persistence/lane-circuits.contract.js';
import { laneGatesContract } from './persistence/lane-gates.contract.js';
import { laneOrderContract } from './persistence/lane-order.contract.js';
import { laneProbesContract } from './persistence/lane-probes.contract.js';
import { laneSweepContract } from './persistence/lane-sweep.contract.js';
import { subscriptionRepositoryContract } from './persistence/subscription-repository.contract.js';
import { transactionsContract } from './persistence/transactions.contract.js';
import { typeormStorages } from './persistence/typeorm-harness.js';

/** Every port of the storage, each test on a storage of its own: the due-list is one for all tenants. */
function contracts(open: () => Promise<PersistenceHarness>): void {
  let harness: PersistenceHarness | undefined;
  const current = (): PersistenceHarness => {
    if (harness === undefined) throw new Error('the storage was not opened');
    return harness;
  };

  beforeEach(async () => {
    harness = await open();
  });

  afterEach(async () => {
    await harness?.dispose();
    harness = undefined;
  });

  transactionsContract(current);
  subscriptionRepositoryContract(current);
  deliveryRepositoryContract(current);
  eventOutboxContract(current);
  eventIntakeContract(current);
  deliveryClaimsContract(current);
  deliveryLanesContract(current);
  laneSweepContract(current);
  laneGatesContract(current);
  laneCircuitsContract(current);
  laneOrderContract(current);
  laneBatchesContract(current);
  laneProbesContract(current);
  deliveryTransitionsContract(current);
  expiredHistoryContract(current);
}

describe('in memory', () => {
  contracts(inMemoryHarness);
});

describeWithPostgres('TypeORM on PostgreSQL', () => {
  const storages = typeormStorages();
  contracts(storages.open);
  afterAll(storages.close);
});
