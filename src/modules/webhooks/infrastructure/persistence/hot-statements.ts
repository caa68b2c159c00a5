import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';

/*
 * What a statement outside of our transactions would meet: the level of isolation and the right to write, which nothing can
 * change once it has begun; and what its parameters are read with, before the function that they go to can set anything. The
 * embedded database (PGlite, compiled by Emscripten) has one session for all connections and keeps them apart by their
 * transactions alone.
 */
const FITS = `
SELECT current_setting('default_transaction_isolation') = 'read committed'
   AND current_setting('default_transaction_read_only') = 'off'
   AND current_setting('row_security') = 'on'
   AND current_setting('standard_conforming_strings') = 'on'
   AND current_setting('array_nulls') = 'on'
   AND to_regprocedure('webhook_claim(uuid[], text[], integer[], integer[], integer[], integer[], uuid, uuid, integer, integer, integer)') IS NOT NULL
   AND version() !~* 'emscripten|emcc' AS fits`;

/**
 * Runs the engine's functions: as statements that commit by themselves, in one round trip, where the defaults of the database
 * allow it; in a transaction of ours, in three, where they do not.
 */
@Injectable()
export class HotStatements {
  private fits: boolean | null = null;

  constructor(private readonly dataSource: DataSource) {}

  async run<Row>(sql: string, parameters: unknown[]): Promise<Row[]> {
    if (await this.commitAlone()) return this.dataSource.query<Row[]>(sql, parameters);
    return this.dataSource.transaction((manager) => manager.query<Row[]>(sql, parameters));
  }

  private async commitAlone(): Promise<boolean> {
    if (this.fits === null) {
      const [row] = await this.dataSource.query<{ fits: boolean }[]>(FITS);
      this.fits = row?.fits === true;
    }
    return this.fits;
  }
}
