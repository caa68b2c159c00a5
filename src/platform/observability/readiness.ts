import { Injectable } from '@nestjs/common';

/** `degraded`: requests are served, something behind them is not as it should be. `down`: not to be sent requests. */
export interface ReadinessResult {
  readonly status: 'up' | 'degraded' | 'down';
  readonly [detail: string]: string | number | boolean;
}

/** One thing that readiness depends on. */
export abstract class ReadinessCheck {
  abstract readonly name: string;
  /** Must answer within a few seconds; an error counts as down. */
  abstract check(): Promise<ReadinessResult>;
}

/** Modules add their checks here when they start. */
@Injectable()
export class ReadinessRegistry {
  private readonly registered: ReadinessCheck[] = [];

  register(check: ReadinessCheck): void {
    this.registered.push(check);
  }

  get checks(): readonly ReadinessCheck[] {
    return this.registered;
  }
}
