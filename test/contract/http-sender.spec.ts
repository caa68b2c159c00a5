import { AxiosHttpSender } from '../../src/modules/webhooks/infrastructure/http/axios-http-sender.js';
import { FakeHttpSender } from '../../src/modules/webhooks/testing/fake-http-sender.js';
import { Receiver } from '../support/receiver.js';
import { httpSenderContract, type SenderHarness } from './http-sender.contract.js';

const BLOCKED = 'http://10.0.0.1/private';

async function fake(): Promise<SenderHarness> {
  const sender = new FakeHttpSender();
  sender.block(BLOCKED, 'private');
  return Promise.resolve({
    sender,
    url: 'https://hooks.customer.com/in',
    blockedUrl: BLOCKED,
    queue: (answer) => {
      sender.queue(answer);
    },
    received: () => sender.requests.map(({ body, headers }) => ({ body, headers })),
    dispose: async () => sender.close(),
  });
}

async function overHttp(): Promise<SenderHarness> {
  const receiver = await Receiver.start();
  const sender = new AxiosHttpSender({
    targets: { allowInsecureTargets: 'loopback', egressAllowCidrs: [], ownHosts: [] },
  });
  return {
    sender,
    url: `${receiver.url}/in`,
    blockedUrl: BLOCKED,
    queue: (answer) => {
      if (answer !== 'refuse') receiver.queue(answer);
    },
    received: () =>
      receiver.requests.map(({ rawBody, headers }) => ({
        body: rawBody.toString('utf8'),
        headers: headers as Record<string, string>,
      })),
    dispose: async () => {
      await sender.close();
      await receiver.close();
    },
  };
}

httpSenderContract('FakeHttpSender', fake);
httpSenderContract('AxiosHttpSender', overHttp);
