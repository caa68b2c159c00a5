import { Injectable } from '@nestjs/common';
import {
  ValidateBy,
  Validate,
  ValidatorConstraint,
  type ValidationArguments,
  type ValidatorConstraintInterface,
} from 'class-validator';

import { parseInstant } from '../../../../platform/http/instant.js';
import { TargetPolicy } from '../../application/ports/target-policy.js';
import {
  parseEmittedName,
  parseEventName,
  parseEventPattern,
  type EventNameResult,
} from '../../domain/event-name.js';
import { checkSecret } from '../../domain/subscription.js';

/*
 * The domain's rules as constraints of a DTO, so that one answer lists every problem of a request. The use cases check
 * them again: they are the authority. What is not a string is left to IsString.
 */

/** What the API documents of event names: the rules below before lower-casing. Spaces around them are accepted as well. */
export const EVENT_NAME_PATTERN = '^[A-Za-z0-9_]+(\\.[A-Za-z0-9_]+)*$';

/** The same without those that are reserved for the service. */
export const EMITTED_NAME_PATTERN = `^(?![Ww][Ee][Bb][Hh][Oo][Oo][Kk]\\.)${EVENT_NAME_PATTERN.slice(1)}`;
export const EVENT_PATTERN_PATTERN = '^(\\*|[A-Za-z0-9_]+(\\.[A-Za-z0-9_]+)*(\\.\\*)?)$';

/** Every acceptable URL looks so; the policy for targets refuses more. */
export const TARGET_URL_PATTERN = '^[Hh][Tt][Tt][Pp][Ss]?://[^\\s#@]+$';

/** At least one character, none of them a control character. */
export const PLAIN_TEXT_PATTERN = '^[^\\u0000-\\u001f\\u007f-\\u009f]+$';

/** What more `whsec_` and `whpk_` texts must keep to is in words. */
export const SECRET_PATTERN = PLAIN_TEXT_PATTERN;

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

/** The name of an event that a tenant emits. */
export const IsEmittedName = (): PropertyDecorator =>
  byRule('isEmittedName', (text) => messageOf(parseEmittedName(text)));

/** What a subscription listens to. */
export const IsEventPattern = (): PropertyDecorator =>
  byRule('isEventPattern', (text) => messageOf(parseEventPattern(text)));

/** A signing secret that a tenant chose. */
export const IsSigningSecret = (): PropertyDecorator =>
  byRule('isSigningSecret', (text) => checkSecret(text)?.message ?? null);

/** Text that a database can compare with: no control characters. */
export const IsPlainText = (name: string): PropertyDecorator =>
  byRule('isPlainText', (text) =>
    /^[^\p{Cc}\p{Cs}]+$/u.test(text) ? null : `${name} must not be empty or contain control characters`,
  );

/** Text of at most so many characters; what is no text has a problem of its own. */
export const IsAtMost = (characters: number, name: string): PropertyDecorator =>
  byRule('isAtMost', (text) =>
    text.length > characters ? `${name} must be at most ${characters} characters` : null,
  );

/** A day or a time, as `parseInstant` reads it. */
export const IsInstant = (name: string): PropertyDecorator =>
  ValidateBy({
    name: 'isInstant',
    validator: {
      validate: (value: unknown) => typeof value === 'string' && parseInstant(value) !== null,
      defaultMessage: () =>
        `${name} must be a day such as 2026-11-01, or a time such as 2026-11-01T00:00:00Z (a + in a URL is written %2B)`,
    },
  });

/** The later one of two times. Says nothing while one of them is malformed: that is a problem of its own. */
export const IsNotBefore = (other: string, message: string): PropertyDecorator =>
  ValidateBy({
    name: 'isNotBefore',
    validator: {
      validate: (value: unknown, args?: ValidationArguments) => {
        const [from, to] = [(args?.object as Record<string, unknown> | undefined)?.[other], value].map(
          (text) => (typeof text === 'string' ? parseInstant(text) : null),
        );
        return !from || !to || from <= to;
      },
      defaultMessage: () => message,
    },
  });

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
