/** Who asked for a change, for the audit trail. Handed down in commands; there is no "current user" to look up. */
export interface Actor {
  /** `sub` of the token, as it may be stored: no control characters, at most {@link MAX_ACTOR_LENGTH}. */
  readonly subject: string;
  /** `X-Request-Id` of the request, to find its log lines. */
  readonly requestId: string | null;
  /** The panel's session that it was asked through; absent for a token. */
  readonly sessionId?: string;
}

/** Characters of a subject that are kept; issuers use UUIDs and e-mail addresses. */
export const MAX_ACTOR_LENGTH = 255;

/** An issuer may put anything into `sub`: a NUL would not be storable, line breaks would forge lines of a report. */
export function actorOf(subject: string, requestId: string | null): Actor {
  const printable = subject.replaceAll(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/gu, '\ufffd');
  return { subject: Array.from(printable).slice(0, MAX_ACTOR_LENGTH).join(''), requestId };
}
