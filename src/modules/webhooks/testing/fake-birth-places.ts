import { BirthPlaces } from '../application/ports/event-intake.js';
import type { Lane } from '../domain/lane.js';

/** Says what a test wants; nothing at first, as a process that does not deliver. */
export class FakeBirthPlaces extends BirthPlaces {
  ofUnknown: number | null = null;
  readonly free = new Map<string, number>();
  readonly underWay = new Map<string, number>();

  override freePlaces({ subscriptionId }: Lane): number {
    return this.free.get(subscriptionId) ?? this.ofUnknown ?? 0;
  }

  override get freePlacesOfUnknown(): number | null {
    return this.ofUnknown;
  }

  override taken({ subscriptionId }: Lane): number {
    return this.underWay.get(subscriptionId) ?? 0;
  }
}
