import { Injectable } from '@nestjs/common';
import {
  ValidateBy,
  Validate,
  ValidatorConstraint,
  type ValidationArguments,
  type ValidatorConstraintInterface,
} from 'class-validator';

import { TargetPolicy } from '../../application/ports/target-policy.js';
import { parseEventName, parseEventPattern, type EventNameResult } from '../../domain/event-name.js';
import { checkSecret } from '../../domain/subscription.js';

/*
 * The domain's rules as constraints of a DTO, so that one answer lists every problem of a request. The use cases check
 * them again: they are the authority. What is not a string is left to IsString.
 */

type Rule = (text: string) => string | null;

function byRule(name: string, rule: Rule): PropertyDecorator {
  const problemOf = (value: unknown): string | null => (typeof value === 'string' ? rule(value) : null);
  return ValidateBy({
    name,
    validator: {
      validate: (value: unknown) => problemOf(value) === null,
      defaultMessage: (args?: ValidationArguments) => problemOf(args?.value) ?? '',
    },
  });
}

const messageOf = (result: EventNameResult): string | null => (result.ok ? null : result.message);

/** The name of an event that happened. */
export const IsEventName = (): PropertyDecorator =>
  byRule('isEventName', (text) => messageOf(parseEventName(text)));

/** What a subscription listens to. */
export const IsEventPattern = (): PropertyDecorator =>
  byRule('isEventPattern', (text) => messageOf(parseEventPattern(text)));

/** A signing secret that a tenant chose. */
export const IsSigningSecret = (): PropertyDecorator =>
  byRule('isSigningSecret', (text) => checkSecret(text)?.message ?? null);

@Injectable()
@ValidatorConstraint({ name: 'isTargetUrl' })
export class TargetUrlConstraint implements ValidatorConstraintInterface {
  constructor(private readonly targets: TargetPolicy) {}

  validate(value: unknown): boolean {
    return typeof value !== 'string' || this.targets.check(value).ok;
  }

  defaultMessage({ value }: ValidationArguments): string {
    const verdict = typeof value === 'string' ? this.targets.check(value) : null;
    return verdict?.ok === false ? verdict.message : 'URL is not valid';
  }
}

/** A URL that deliveries may go to, by the policy that is configured. */
export const IsTargetUrl = (): PropertyDecorator => Validate(TargetUrlConstraint);
