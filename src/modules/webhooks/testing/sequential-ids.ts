import { IdGenerator } from '../../../platform/kernel/id-generator.js';

/** UUIDv7s that count up from 1, so that a test knows them and they sort by creation. */
export class SequentialIds extends IdGenerator {
  private last = 0;

  override next(): string {
    this.last += 1;
    return `01900000-0000-7000-8000-${this.last.toString(16).padStart(12, '0')}`;
  }
}
