import pg from 'pg';

/**
 * Statements of one connection, one after the other: TypeORM asks for the types of a table's columns all at once, which `pg`
 * queues, and says that it will not any more.
 */
export class OneAtATimeClient extends pg.Client {
  constructor(config?: string | pg.ClientConfig) {
    super(config);
    const send = this.query.bind(this) as (...given: unknown[]) => unknown;
    let last: Promise<unknown> = Promise.resolve();
    Object.defineProperty(this, 'query', {
      value: (...given: unknown[]) => {
        if (typeof given.at(-1) === 'function') return send(...given);
        const answer = last.then(() => send(...given));
        last = answer.catch(() => undefined);
        return answer;
      },
    });
  }
}
